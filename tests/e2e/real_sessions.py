#!/usr/bin/env python3
"""Real programs talk through the kernel's NAT; the captures of both wires are what `portcullis replay` has to write.

Usage: real_sessions.py PORTCULLIS   (as root)

  client ──── outside0 gateway inside0 ──── server: sshd, HTTP, UDP
              └ tcpdump        └ tcpdump

From the outside capture alone it has to tell what the inside wire carried; from the packets that arrived on both, what left.
"""

import collections
import contextlib
import http.client
import http.server
import json
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import captures
from namespaces import Namespace, connect, require
from packets import address, show

PUBLIC, INSTANCE, CLIENT, VM = "203.0.113.10", "10.0.1.5", "198.51.100.7", "10.1.0.4"
PORTS = [("tcp", 50022, 22), ("tcp", 8080, 80), ("udp", 6000, 6001), ("udp", 6002, 6002)]  # nobody listens on 6002

CONFIG = f"""
[firewall]
name = "lab-fw"
public_ips = ["{PUBLIC}"]
instance_ip = "{INSTANCE}"
[[nat_rule_collection]]
name = "inbound"
priority = 200
""" + "".join(f"""
[[nat_rule_collection.rule]]
name = "{protocol}-{listener}"
protocols = ["{protocol.upper()}"]
source_addresses = ["*"]
destination_addresses = ["{PUBLIC}"]
destination_ports = ["{listener}"]
translated_address = "{VM}"
translated_port = "{target}"
""" for protocol, listener, target in PORTS)

RULES = "table ip nat {\n chain in {\n type nat hook prerouting priority dstnat;\n" + "".join(
    f" iifname outside0 ip daddr {PUBLIC} {protocol} dport {listener} dnat to {VM}:{target}\n"
    for protocol, listener, target in PORTS) + f""" }}
    chain out {{
        type nat hook postrouting priority srcnat;
        oifname inside0 ct status dnat snat to {INSTANCE}
    }}
}}
"""
PAGE = b"page " * 30000
LONG = 120  # s: a deadline for what must come
LAST_WORD = b"this is the last word"
HASTY_IS_GONE = threading.Event()

SSHD = """
ListenAddress {VM}
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


def main():
    require("ip", "nft", "ethtool", "tcpdump", "ssh", "scp", "ssh-keygen", "sshd", "unshare")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        client, gateway, server = make_network()
        with contextlib.ExitStack() as running:
            serve(server, folder, running)
            with recording(gateway, "outside0", folder / "outside.pcap"), \
                    recording(gateway, "inside0", folder / "inside.pcap"):
                use_ssh(client, folder)
                use_http(client)
                use_udp(client, server)
                wait_for(lambda: not any(open_connections(space) for space in (client, server)), lambda: "connections do not end")
                say_the_last_word(client, folder)
        complaints = compare(sys.argv[1], folder)
    for complaint in complaints:
        print(complaint)
    sys.exit(1 if complaints else 0)


def make_network():
    client, gateway, server = Namespace(), Namespace(), Namespace()
    connect(gateway, "outside0", "02:00:00:00:00:01", client, "wire0", "02:00:00:00:00:02")
    connect(gateway, "inside0", "02:00:00:00:00:03", server, "wire0", "02:00:00:00:00:04")
    for space, interface, *addresses in ((client, "wire0", f"{CLIENT}/24"), (server, "wire0", f"{VM}/24"),
                                         (gateway, "outside0", "198.51.100.1/24"),
                                         (gateway, "inside0", "10.1.0.1/24", f"{INSTANCE}/32")):
        for each in addresses:
            space.run("ip", "address", "add", each, "dev", interface)
    client.run("ip", "route", "add", "default", "via", "198.51.100.1")
    server.run("ip", "route", "add", "default", "via", "10.1.0.1")
    gateway.sysctl({"net.ipv4.ip_forward": 1})
    gateway.run("nft", "-f", "-", input=RULES)
    return client, gateway, server


def serve(server, folder, running):
    for key in ("host_key", "user_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", folder / key], check=True)
    host_key = " ".join((folder / "host_key.pub").read_text().split()[:2])
    (folder / "known_hosts").write_text(f"[{PUBLIC}]:50022 {host_key}\n")
    (folder / "sshd_config").write_text(SSHD.format(VM=VM, folder=folder))
    sshd = server.start("unshare", "--mount", "sh", "-c",
                        f"mount -t tmpfs none /run && mkdir /run/sshd && "
                        f"exec $(command -v sshd) -D -f {folder}/sshd_config -E {folder}/sshd.log")
    running.callback(sshd.wait)
    running.callback(sshd.terminate)
    with server.entered():
        web = http.server.ThreadingHTTPServer((VM, 80), Pages)
        echo = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        echo.bind((VM, 6001))
    running.callback(web.shutdown)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    threading.Thread(target=answer, args=(echo,), daemon=True).start()
    wait_for(lambda: "listening" in read(folder / "sshd.log"), lambda: f"sshd did not start: {read(folder / 'sshd.log')}")


class Pages(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self._say(PAGE)

    def do_POST(self):
        self._say(self.rfile.read(int(self.headers["Content-Length"]))[::-1])

    def log_message(self, *_):
        pass

    def _say(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def answer(echo):
    while True:
        data, sender = echo.recvfrom(65535)
        if data == b"later":
            HASTY_IS_GONE.wait()
        echo.sendto(data, sender)


def use_ssh(client, folder):
    (folder / "file").write_bytes(bytes(range(256)) * 1000)
    options = ["-F", "none", "-i", folder / "user_key", "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none",
               "-o", "BatchMode=yes", "-o", f"UserKnownHostsFile={folder}/known_hosts", "-o", "GlobalKnownHostsFile=none"]
    said = client.run("ssh", *options, "-p", "50022", f"root@{PUBLIC}", "echo hello; seq 5000", stdout=subprocess.PIPE)
    expect(said.stdout.startswith("hello\n1\n"), "ssh got no answer")
    client.run("scp", *options, "-q", "-P", "50022", folder / "file", f"root@{PUBLIC}:{folder}/copy")
    expect((folder / "copy").read_bytes() == (folder / "file").read_bytes(), "scp made a bad copy")


def use_http(client):
    with client.entered():
        connection = http.client.HTTPConnection(PUBLIC, 8080, timeout=LONG)
        connection.request("GET", "/")
        expect(connection.getresponse().read() == PAGE, "GET got no page")
        connection.request("POST", "/", body=b"abc" * 30000)
        expect(connection.getresponse().read() == b"cba" * 30000, "POST got no answer")
        connection.close()


def use_udp(client, server):
    """Small, empty, in fragments; to a closed port, and from one that closes before the answer: ICMP both ways."""
    with client.entered():
        talk, wrong, hasty = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3))
    talk.settimeout(LONG)
    talk.connect((PUBLIC, 6000))
    for data in (b"small", b"", b"x" * 4000, b"y" * 30000):
        talk.send(data)
        expect(talk.recv(65535) == data, "UDP got no answer")
    wrong.connect((PUBLIC, 6002))
    wrong.settimeout(LONG)
    wrong.send(b"anybody?")
    with contextlib.suppress(ConnectionRefusedError):
        wrong.recv(1)
        raise RuntimeError("a closed port answered")
    hasty.connect((PUBLIC, 6000))
    hasty.send(b"later")
    hasty.close()
    HASTY_IS_GONE.set()
    wait_for(lambda: counted(server, "IcmpInDestUnreachs") > 0, lambda: "nobody tells the server that the hasty client is gone")


def say_the_last_word(client, folder):
    """When a datagram from the client and its echo are in both captures, so is all that came before it."""
    with client.entered():
        talk = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    talk.settimeout(LONG)
    talk.connect((PUBLIC, 6000))
    talk.send(LAST_WORD)
    expect(talk.recv(65535) == LAST_WORD, "UDP got no answer")
    for side in captures.SIDES:
        wait_for(lambda path=folder / f"{side}.pcap": path.read_bytes().count(LAST_WORD) == 2, lambda: "tcpdump does not write the last word")


def open_connections(space):
    return space.run("ss", "-Htn", "state", "connected", "exclude", "time-wait", stdout=subprocess.PIPE).stdout


def counted(space, name):
    told = space.run("nstat", "-asz", name, stdout=subprocess.PIPE).stdout
    return int(told.split(name)[1].split()[0])


@contextlib.contextmanager
def recording(space, interface, path):
    with open(f"{path}.log", "w", encoding="utf-8") as log:
        process = space.start("tcpdump", "-i", interface, "-s", "0", "-B", "16384", "--immediate-mode", "-U", "-Z", "root",
                              "--time-stamp-precision=nano", "-w", path, stderr=log)
    wait_for(lambda: "listening" in read(f"{path}.log"), lambda: f"tcpdump did not start: {read(f'{path}.log')}")
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(LONG)
    expect("\n0 packets dropped by kernel" in read(f"{path}.log"), "tcpdump missed packets")


def compare(portcullis, folder):
    """What is wrong, a line each."""
    outside = captures.read_pcap(folder / "outside.pcap", captures.OUTSIDE)
    inside = captures.read_pcap(folder / "inside.pcap", captures.INSIDE)
    carried = {"to the VM": to(inside, VM), "to the instance": to(inside, INSTANCE), "to the client": to(outside, CLIENT)}
    kinds = {kind: sum(test(packet) for _, _, packet in outside) for kind, test in (
        ("TCP", lambda packet: packet[9] == 6), ("UDP", lambda packet: packet[9] == 17),
        ("ICMP", lambda packet: packet[9] == 1), ("fragments", lambda packet: packet[6:8] not in (b"\0\0", b"\x40\0")))}
    print(f"{len(outside)} packets outside, {len(inside)} inside: " + ", ".join(f"{n} {kind}" for kind, n in kinds.items()))
    complaints = [f"the sessions made no {kind}" for kind, count in kinds.items() if count == 0]

    left, summary = replay(portcullis, folder, "--vantage", "outside", folder / "outside.pcap")
    complaints += differences("outside alone", "to the VM", carried, to(left, VM))
    complaints += differences("outside alone", "to the instance", carried, to(left, INSTANCE))
    if summary["dropped"] != 0 or summary["forwarded"] != len(outside):
        complaints.append(f"outside alone: {summary}")

    left, summary = replay(portcullis, folder, "--outside", folder / "outside.pcap", "--inside", folder / "inside.pcap")
    complaints += differences("both wires", "to the VM", carried, to(left, VM))
    complaints += differences("both wires", "to the client", carried, to(left, CLIENT))
    # What a gateway sends is on its wires, too: that is no arrival.
    if (summary["forwarded"], summary["dropped"], summary["reasons"]["departure"]) != (len(outside), 0, len(inside)):
        complaints.append(f"both wires: {summary}")
    return complaints


def replay(portcullis, folder, *arguments):
    (folder / "lab.toml").write_text(CONFIG)
    subprocess.run([portcullis, "replay", "--quiet", "--config", folder / "lab.toml", "--write", folder / "left.pcapng",
                    "--summary-json", folder / "summary.json", *arguments], check=True)
    return captures.read_pcapng(folder / "left.pcapng"), json.loads(read(folder / "summary.json"))


def to(packets, destination):
    return [packet for _, _, packet in packets if packet[16:20] == address(destination)]


def differences(run, way, carried, written):
    """Whatever the order: with several processors two wires need not carry the same packets in the same one."""
    theirs, ours = collections.Counter(carried[way]), collections.Counter(written)
    return [f"{run}, {way}: {count} of wire {show(packet)}" for packet, count in (theirs - ours).items()] + [
        f"{run}, {way}: {count} of ours {show(packet)}" for packet, count in (ours - theirs).items()]


def wait_for(condition, why_not):
    until = time.monotonic() + LONG
    while not condition():
        if time.monotonic() > until:
            raise RuntimeError(why_not())
        time.sleep(0.05)


def expect(holds, otherwise):
    if not holds:
        raise RuntimeError(otherwise)


def read(path):
    return pathlib.Path(path).read_text(encoding="utf-8") if pathlib.Path(path).exists() else ""


if __name__ == "__main__":
    main()
