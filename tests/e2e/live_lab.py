"""A lab for the live gateway: client, gateway, switch and two servers, each in a namespace of its own.

  client ── wire0 ──── outside0 gateway inside0 ──── switch ──── server 1 (web01), server 2 (db01)
  198.51.100.7, .8 behind 203.0.113.254    203.0.113.1, .10   10.0.1.5    10.0.1.20, 10.0.1.21
"""

import contextlib
import hashlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import time

from namespaces import Namespace

LONG = 300  # s: a deadline for what must come. A busy machine may need it; a test that passes does not wait for it
BRIEF = 0.7  # s: how long what must not come is waited for

PUBLIC, INSTANCE, ROUTER = "203.0.113.10", "10.0.1.5", "203.0.113.254"
CLIENT, OTHER_CLIENT, WEB, DB = "198.51.100.7", "198.51.100.8", "10.0.1.20", "10.0.1.21"
SUBSCRIPTION = "20ff7fc3-e762-44dd-bd96-b71116dcdc23"
SCOPE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/lab"
TOKENS = {"operator@lab.example": "operator-token", "admin@lab.example": "admin-token"}

CONFIG = f"""
[firewall]
name = "lab-fw"
subscription = "{SUBSCRIPTION}"
resource_group = "lab"
public_ips = ["{PUBLIC}"]
instance_ip = "{INSTANCE}"
[[virtual_machine]]
name = "web01"
private_ip = "{WEB}"
[[virtual_machine]]
name = "db01"
private_ip = "{DB}"
[[jit_policy]]
name = "default"
  [[jit_policy.virtual_machine]]
  name = "web01"
  ports = [ {{ number = 22, protocol = "TCP", allowed_source_address_prefixes = ["*"], max_request_access_duration = "PT3H" }} ]
  [[jit_policy.virtual_machine]]
  name = "db01"
  ports = [ {{ number = 22, protocol = "*", allowed_source_address_prefixes = ["*"], max_request_access_duration = "PT3H" }} ]
""" + "".join(f"""
[[principal]]
name = "{name}"
token_sha256 = "{hashlib.sha256(token.encode()).hexdigest()}"
[[role_assignment]]
principal = "{name}"
role = "{role}"
scope = "{SCOPE}"
""" for (name, token), role in zip(TOKENS.items(), ["JIT Requester", "Owner"])) + """
[[nat_rule_collection]]
name = "inbound"
priority = 200
"""

RULES = [("ssh-web01", "TCP", 50022, WEB, 22), ("web", "TCP", 8080, WEB, 80), ("echo", "UDP", 6000, WEB, 6001),
         ("closed", "UDP", 6002, WEB, 6002), ("iperf", "TCP", 5201, WEB, 5201), ("iperf-udp", "UDP", 5201, WEB, 5201),
         ("ssh-db01", "TCP", 50023, DB, 22), ("echo-tcp", "TCP", 7000, WEB, 7000),
         ("dns", "UDP", 53, WEB, 53), ("dns-tcp", "TCP", 53, WEB, 53), ("far", "TCP", 7001, "10.2.0.4", 7000)]


def rules(only=None):
    return "".join(f"""
[[nat_rule_collection.rule]]
name = "{name}"
protocols = ["{protocol}"]
source_addresses = ["*"]
destination_addresses = ["{PUBLIC}"]
destination_ports = ["{listener}"]
translated_address = "{machine}"
translated_port = "{target}"
""" for name, protocol, listener, machine, target in RULES if only is None or name in only)


LIVE = """
[live]
driver = "{driver}"
outside = {{ interface = "outside0", address = "203.0.113.1/24", gateway = "203.0.113.254" }}
inside = {{ interface = "inside0", address = "10.0.1.5/24" }}
"""


class Lab:
    """Its namespaces, wires and processes end with this process."""

    def __init__(self, portcullis, folder, offloads=True, mtu_inside=1500):
        self.portcullis, self.folder = portcullis, pathlib.Path(folder)
        self.client, self.gateway, self.switch, self.server, self.server2 = (Namespace() for _ in range(5))
        self.service = None
        self.switch.ip("link add bridge0 up type bridge")
        self.lay_outside()
        self.lay_inside(mtu_inside)
        self.server.ip(veth("wire0", self.switch, "port1", mtu_inside), f"address add {WEB}/24 dev wire0", "link set wire0 up")
        self.server2.ip(veth("wire0", self.switch, "port2", mtu_inside), f"address add {DB}/24 dev wire0", "link set wire0 up")
        self.switch.ip("link set port1 master bridge0 up", "link set port2 master bridge0 up")
        if not offloads:
            for space, *interfaces in ((self.gateway, "outside0", "inside0"), (self.switch, "port0", "port1", "port2"),
                                       (self.server, "wire0"), (self.server2, "wire0"), (self.client, "wire0")):
                for interface in interfaces:
                    turn_offloads_off(space, interface)
        self.client.sysctl({"net.ipv4.ip_nonlocal_bind": 1})

    def lay_outside(self):
        self.gateway.ip(veth("outside0", self.client, "wire0"), "link set outside0 up")
        self.client.ip(*(f"address add {address} dev wire0" for address in (f"{ROUTER}/24", f"{CLIENT}/32", f"{OTHER_CLIENT}/32")),
                       "link set wire0 up", f"route replace {PUBLIC}/32 dev wire0 src {CLIENT}")

    def lay_inside(self, mtu=1500):
        self.gateway.ip(veth("inside0", self.switch, "port0", mtu), "link set inside0 up")
        self.switch.ip("link set port0 master bridge0 up")

    def start(self, text=None, driver="auto", more="", arguments=(), live=LIVE, environment=None):
        config = self.folder / "lab.toml"
        config.write_text((CONFIG + rules() if text is None else text) + live.format(driver=driver) + more)
        before = len(self.log())
        with open(self.folder / "service.log", "a", encoding="utf-8") as log:
            self.service = self.gateway.start(self.portcullis, "run", "--config", config, *arguments, stderr=log, env=environment)
        wait_for(lambda: self.answers() and "listening on" in self.log()[before:], lambda: f"it did not start:\n{self.log()}")

    def answers(self):
        if self.service.poll() is not None:
            raise RuntimeError(f"it ended at once:\n{self.log()}")
        with self.gateway.entered(), contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", 8443), LONG).close()
            return True
        return False

    def stop(self, how=signal.SIGTERM):
        """How many seconds that took, and its exit code."""
        begun = time.monotonic()
        self.service.send_signal(how)
        code = self.service.wait(LONG)
        return time.monotonic() - begun, code

    def log(self):
        path = self.folder / "service.log"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def ask(self, *arguments, by="operator@lab.example", check=True):
        """A command of portcullis that asks the service."""
        environment = os.environ | {"PORTCULLIS_ENDPOINT": "https://127.0.0.1:8443", "PORTCULLIS_TOKEN": TOKENS[by],
                                    "PORTCULLIS_CA": str(self.folder / "portcullis-cert.pem")}
        return self.gateway.run(self.portcullis, *arguments, capture_output=True, env=environment, check=check, timeout=LONG)

    def request(self, machine="web01", port=22, duration="PT1H", source=CLIENT, *more):
        return json.loads(self.ask("request", machine, "--port", str(port), "--source", source, "--duration", duration, "--json",
                                   *more).stdout)


def veth(name, peer, peer_name, mtu=1500):
    return f"link add {name} mtu {mtu} type veth peer name {peer_name} mtu {mtu} netns {peer.path}"


def turn_offloads_off(space, interface):
    space.run("ethtool", "-K", interface, "tx", "off", "rx", "off", "tso", "off", "gso", "off", "gro", "off", stdout=subprocess.DEVNULL)


def wait_for(condition, why_not, seconds=LONG):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(why_not() if callable(why_not) else why_not)
        time.sleep(0.02)


def settled(look, why_not):
    """What `look` returns, once it returns the same three times in a row."""
    seen = []

    def is_settled():
        seen.append(look())
        time.sleep(0.2)
        return len(seen) > 2 and seen[-1] == seen[-2] == seen[-3]
    wait_for(is_settled, why_not)
    return seen[-1]


def read(path):
    return pathlib.Path(path).read_text(encoding="utf-8") if pathlib.Path(path).exists() else ""


SSHD = """
ListenAddress {address}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/user_key.pub
PidFile none
StrictModes no
UsePAM no
UseDNS no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PrintMotd no
PrintLastLog no
Subsystem sftp internal-sftp
"""


def serve_ssh(lab, running):
    """A real sshd on either server; the client's options to log in."""
    folder = lab.folder
    for key in ("host_key", "user_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", folder / key], check=True)
    host_key = " ".join((folder / "host_key.pub").read_text().split()[:2])
    (folder / "known_hosts").write_text("".join(f"[{PUBLIC}]:{port} {host_key}\n" for port in (50022, 50023)))
    for space, address in ((lab.server, WEB), (lab.server2, DB)):
        config, log = folder / f"sshd_{address}", folder / f"sshd_{address}.log"
        config.write_text(SSHD.format(address=address, folder=folder))
        # In a namespace of processes of its own: sessions end with it.
        sshd = space.start("unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c",
                           f"mount -t tmpfs none /run && mkdir /run/sshd && exec $(command -v sshd) -D -f {config} -E {log}")
        running.callback(sshd.wait)
        running.callback(sshd.kill)
        wait_for(lambda log=log: "listening" in read(log), lambda log=log: f"sshd did not start: {read(log)}")
    return ["-F", "none", "-i", str(folder / "user_key"), "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none",
            "-o", "BatchMode=yes", "-o", f"UserKnownHostsFile={folder}/known_hosts", "-o", "GlobalKnownHostsFile=none",
            "-o", f"ConnectTimeout={LONG}"]


def tcp_from(space, source, port, timeout=LONG, source_port=0):
    """A connected socket of `space`, through the gateway."""
    with space.entered():
        made = socket.socket()
    made.settimeout(timeout)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((source, source_port))
    made.connect((PUBLIC, port))
    return made


def udp_from(space, source, timeout=LONG):
    with space.entered():
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.settimeout(timeout)
    made.bind((source, 0))
    return made


def is_closed(space, source, port, timeout=BRIEF):
    """Whether a SYN gets no answer at all, as Azure's does not."""
    try:
        tcp_from(space, source, port, timeout).close()
    except TimeoutError:
        return True
    except OSError:
        return False
    return False
