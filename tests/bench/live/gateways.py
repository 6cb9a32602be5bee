"""Three hosts in a row, the middle one a gateway of some kind: the kernel's, HAProxy, socat, or Portcullis.

  client ── wire0 ──── outside0 gateway inside0 ──── wire0 ── server
  203.0.113.20-27            .1, .10 = public IP      10.0.1.5        10.0.1.20
"""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "e2e"))
from namespaces import Namespace  # pylint: disable=C0413

PUBLIC, INSTANCE, SERVER = "203.0.113.10", "10.0.1.5", "10.0.1.20"
CLIENTS = [f"203.0.113.{n}" for n in range(20, 28)]
# BARE is answered past the kernel's stack.
ECHO, BARE, IPERF, SINK = 7000, 7001, 5201, 6000

NFTABLES = f"""
table ip nat {{
    chain prerouting {{
        type nat hook prerouting priority dstnat;
        ip daddr {PUBLIC} meta l4proto {{ tcp, udp }} th dport {{ {ECHO}, {BARE}, {IPERF}, {SINK} }} dnat to {SERVER}
    }}
    chain postrouting {{
        type nat hook postrouting priority srcnat;
        oifname inside0 ct status dnat snat to {INSTANCE}
    }}
}}
"""

# Two threads: up to twice as many connections a second as one, on two cores.
HAPROXY = "global\n  maxconn 4000\n  nbthread 2\ndefaults\n  mode tcp\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\n" + "".join(f"""
listen p{port}
  bind {PUBLIC}:{port}
  server s {SERVER}:{port} source {INSTANCE}
""" for port in (ECHO, BARE, IPERF))

PORTCULLIS = f"""
[firewall]
name = "bench"
public_ips = ["{PUBLIC}"]
instance_ip = "{INSTANCE}"
[live]
driver = "{{driver}}"
outside = {{{{ interface = "outside0", address = "203.0.113.1/24", gateway = "203.0.113.20" }}}}
inside = {{{{ interface = "inside0", address = "{INSTANCE}/24" }}}}
[[nat_rule_collection]]
name = "bench"
priority = 200
""" + "".join(f"""
[[nat_rule_collection.rule]]
name = "port-{port}"
protocols = ["TCP", "UDP"]
source_addresses = ["*"]
destination_addresses = ["{PUBLIC}"]
destination_ports = ["{port}"]
translated_address = "{SERVER}"
translated_port = "{port}"
""" for port in (ECHO, BARE, IPERF, SINK))


def listening(space):
    """Returns when somebody listens on both TCP ports."""
    end = time.monotonic() + 10
    while not all(f":{port} " in space.run("ss", "-Hltn", capture_output=True).stdout for port in (ECHO, IPERF)):
        if time.monotonic() > end:
            raise RuntimeError("nobody listens")
        time.sleep(0.02)


def unseen(space, *packets):
    """What the kernel's stack does not get to see; packet sockets do."""
    rules = "".join(f" {packet} drop\n" for packet in packets)
    space.run("nft", "-f", "-", input=f"table netdev unseen {{ chain in {{ type filter hook ingress device wire0 priority 0;\n{rules} }}\n}}\n")


class Row:
    """The three hosts; everything in them ends with the `with` block."""

    def __init__(self, kind, options, folder, steered):
        self.kind, self.options, self.folder = kind, options, pathlib.Path(folder)
        self.client, self.gateway, self.server = Namespace(), Namespace(), Namespace()
        self.target = SERVER if kind == "forwarding" else PUBLIC
        self.running = contextlib.ExitStack()
        self.wire(self.client, "outside0")
        self.wire(self.server, "inside0")
        for address in CLIENTS:
            self.client.run("ip", "address", "add", address + "/24", "dev", "wire0")
        self.server.run("ip", "address", "add", SERVER + "/24", "dev", "wire0")
        self.client.run("ip", "route", "add", "default", "via", "203.0.113.1")
        self.server.run("ip", "route", "add", "default", "via", INSTANCE)
        # What blast sends is counted by the wire and goes no further.
        unseen(self.server, f"udp dport {SINK}", f"tcp dport {BARE}")
        unseen(self.client, f"tcp sport {BARE}")
        for space in (self.client, self.gateway, self.server):
            space.sysctl({"net.ipv4.tcp_tw_reuse": 1, "net.ipv4.ip_local_port_range": "1024 65535",
                          "net.ipv4.conf.all.rp_filter": 0, "net.ipv4.conf.default.rp_filter": 0})
        if steered:
            self.steer()

    def __enter__(self):
        try:
            {"forwarding": self.forward, "nftables": self.forward, "haproxy": self.haproxy, "socat": self.socat}.get(
                self.kind, self.portcullis)()
            self.start(self.server, self.options.traffic, "echo", "--address", SERVER, "--port", str(ECHO))
            self.start(self.server, "iperf3", "-s", "-p", str(IPERF), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            listening(self.server)
        except BaseException:
            self.running.close()
            raise
        return self

    def __exit__(self, *failure):
        self.running.close()

    def wire(self, end, name):
        self.gateway.run("ip", "link", "add", name, "type", "veth", "peer", "name", "wire0", "netns", end.path)
        for space, interface in ((self.gateway, name), (end, "wire0")):
            space.run("ip", "link", "set", interface, "up")

    def steer(self):
        """Receive packet steering: what arrives at the gateway is handled by the second core, the sender's being busy."""
        with self.gateway.entered():
            for name in ("outside0", "inside0"):
                self.write_queue(name, "2")

    def write_queue(self, name, mask):
        # /sys shows the network of the mount's namespace: it is mounted anew in one of our own.
        self.gateway.run("unshare", "--mount", "sh", "-c", f"mount -t sysfs none /sys && echo {mask} > /sys/class/net/{name}/queues/rx-0/rps_cpus")

    def start(self, space, *command, **options):
        process = space.start(*map(str, command), **options)
        self.running.callback(process.wait)
        self.running.callback(process.terminate)
        return process

    def own(self):
        self.gateway.run("ip", "address", "add", "203.0.113.1/24", "dev", "outside0")
        self.gateway.run("ip", "address", "add", PUBLIC + "/32", "dev", "outside0")
        self.gateway.run("ip", "address", "add", INSTANCE + "/24", "dev", "inside0")

    def forward(self):
        self.own()
        self.gateway.sysctl({"net.ipv4.ip_forward": 1})
        if self.kind == "nftables":
            self.gateway.run("nft", "-f", "-", input=NFTABLES)

    def haproxy(self):
        self.own()
        config = self.folder / "haproxy.cfg"
        config.write_text(HAPROXY)
        self.start(self.gateway, "haproxy", "-db", "-q", "-f", config)
        listening(self.gateway)

    def socat(self):
        self.own()
        for port in (ECHO, IPERF):
            self.start(self.gateway, "socat", f"TCP-LISTEN:{port},bind={PUBLIC},fork,reuseaddr,backlog=1024", f"TCP:{SERVER}:{port}")
        listening(self.gateway)

    def portcullis(self):
        config = self.folder / "portcullis.toml"
        config.write_text(PORTCULLIS.format(driver=self.kind.removeprefix("portcullis ")))
        log = open(self.folder / "portcullis.log", "w+", encoding="utf-8")  # pylint: disable=R1732
        process = self.start(self.gateway, self.options.portcullis, "run", "--config", config, stderr=log)
        end = time.monotonic() + 10
        while "listening on" not in (self.folder / "portcullis.log").read_text():
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("portcullis did not start:\n" + (self.folder / "portcullis.log").read_text())
            time.sleep(0.05)

    def arrived(self):
        """Packets that the server's interface has received."""
        shown = self.server.run("ip", "-json", "-stats", "link", "show", "wire0", capture_output=True).stdout
        return json.loads(shown)[0]["stats64"]["rx"]["packets"]

    def mac(self):
        return self.gateway.mac("outside0")

    def traffic(self, *arguments):
        return json.loads(self.client.run(self.options.traffic, *map(str, arguments), capture_output=True, timeout=60).stdout)

    def answer(self):
        """Answers connections to BARE until the row's end."""
        answering = self.start(self.server, self.options.traffic, "answer", "--interface", "wire0", "--port", BARE, stdout=subprocess.PIPE)
        if not answering.stdout.readline():
            raise RuntimeError("nobody answers")

    def establish(self, milliseconds, *arguments):
        return self.traffic("establish", "--interface", "wire0", "--from", CLIENTS[0], "--gateway-mac", self.mac(),
                            "--address", self.target, "--port", BARE, "--milliseconds", milliseconds, *arguments)

    def blast(self, capture, *arguments):
        """From the first core, so that the second is the gateway's where packets are steered."""
        pin = ["taskset", "-c", "0"] if (os.cpu_count() or 1) > 1 else []
        done = self.client.run(*pin, self.options.blast, "wire0", capture, "--to", self.mac(), *map(str, arguments),
                               capture_output=True, timeout=60)
        return json.loads(done.stdout)
