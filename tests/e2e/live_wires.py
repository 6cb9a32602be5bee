"""The two wires: who answers there, who is kept off them, where they lead, and what if one is lost."""

import contextlib
import socket
import time

from live_check import check
from live_lab import CLIENT, DB, LIVE, PUBLIC, ROUTER, WEB, is_closed, tcp_from, udp_from, wait_for
from live_servers import say, serve_echo, serve_tcp_echo

OUTSIDE, INSTANCE = "203.0.113.1", "10.0.1.5"


def it_answers_for_its_own_addresses_only(lab, driver, _):
    outside, inside = ArpSocket(lab.client), ArpSocket(lab.server)
    lab.start(driver=driver)
    for wire, side, announced in (outside, "outside", {(OUTSIDE, OUTSIDE), (PUBLIC, PUBLIC)}), (inside, "inside", {(INSTANCE, INSTANCE)}):
        heard = wire.heard(1)
        check(heard == announced, f"it announces itself {side} on start, and nothing else: {heard}")
    for wire, own_side, me, asked in (
            (outside, {OUTSIDE, PUBLIC}, ROUTER, [OUTSIDE, PUBLIC, INSTANCE, WEB, ROUTER, CLIENT, "203.0.113.77", "203.0.113.11"]),
            (inside, {INSTANCE}, WEB, [INSTANCE, PUBLIC, OUTSIDE, CLIENT, "10.0.1.1", "10.0.1.77", "127.0.0.1", "0.0.0.0"])):
        for address in asked:
            wire.ask(address, me)
        answers = {sender for sender, target in wire.heard(1) if target == me}
        check(answers == own_side, f"asked for {asked} it answers for {answers}")


class ArpSocket:
    """Hears and asks on the `wire0` of a namespace."""

    def __init__(self, space):
        with space.entered():
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806))
        self.socket.bind(("wire0", 0))
        self.mac = self.socket.getsockname()[4]

    def ask(self, address, sender):
        self.socket.send(b"\xff" * 6 + self.mac + b"\x08\x06" + bytes.fromhex("0001080006040001") + self.mac
                         + socket.inet_aton(sender) + bytes(6) + socket.inet_aton(address))

    def heard(self, seconds):
        """(sender, target) of what others have said until now and for so long."""
        pairs, end = set(), time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.socket.settimeout(left)
            with contextlib.suppress(TimeoutError):
                frame, told = self.socket.recvfrom(2048)
                if told[2] != socket.PACKET_OUTGOING:
                    pairs.add((socket.inet_ntoa(frame[28:32]), socket.inet_ntoa(frame[38:42])))
        return pairs


def the_kernel_is_kept_out(lab, driver, running):
    """It would forward, for it has routes and may: without isolation a datagram passes beside the gateway."""
    serve_echo(lab, running)
    lab.gateway.sysctl({"net.ipv4.ip_forward": 1})
    lab.gateway.run("ip", "route", "add", "10.0.1.0/24", "dev", "inside0")
    lab.gateway.run("ip", "route", "add", f"{CLIENT}/32", "dev", "outside0")
    lab.client.run("ip", "route", "add", "10.0.1.0/24", "via", OUTSIDE, "dev", "wire0", "src", CLIENT)
    lab.server.run("ip", "route", "add", f"{CLIENT}/32", "via", INSTANCE)
    lab.gateway.run("ip", "address", "add", "192.0.2.1/32", "dev", "lo")  # to ask its neighbours with
    # With xdp nothing would: the kernel does not see what the XDP program takes.
    lab.start(driver="pcap" if driver == "xdp" else driver, more="isolate = false\n")
    wait_for(lambda: passes_beside(lab), "without isolation nothing passes beside it: this proves nothing")
    lab.stop()
    lab.start(driver=driver)
    check(not passes_beside(lab), "the kernel does not forward what arrives on the wires")
    lab.stop()
    lab.gateway.run("ip", "address", "add", f"{PUBLIC}/32", "dev", "lo")
    try:
        lab.start(driver=driver)
        check(False, "it runs although the kernel owns the public IP")
    except RuntimeError as refused:
        check(PUBLIC in str(refused) and "kernel" in str(refused), f"it says why it does not run: {refused}")


def passes_beside(lab):
    talk = udp_from(lab.client, CLIENT, 0.7)
    talk.connect((WEB, 6001))
    talk.send(b"beside")
    try:
        return talk.recv(100) == b"beside"
    except OSError:
        return False


def routes_lead_further(lab, driver, running):
    """Networks behind other routers, on both sides; there is no default gateway."""
    lab.server2.run("ip", "address", "add", "10.2.0.4/32", "dev", "lo")
    serve_tcp_echo(lab.server2, "10.2.0.4", 7000, running)
    lab.client.run("ip", "address", "add", "192.0.2.66/32", "dev", "lo")
    lab.client.run("ip", "address", "add", "203.0.113.253/24", "dev", "wire0")
    lab.start(driver=driver, live=LIVE.replace(f', gateway = "{ROUTER}"', ""), more=f"""
[[live.route]]
destination = "10.2.0.0/24"
via = "{DB}"
[[live.route]]
destination = "192.0.2.0/24"
via = "203.0.113.253"
""")
    check(say(tcp_from(lab.client, "192.0.2.66", 7001), b"far") == b"far", "static routes lead there and back")
    check(is_closed(lab.client, CLIENT, 7001), "without a route there is no way back")


def wires_are_lost_and_found(lab, driver, running):
    serve_tcp_echo(lab.server, WEB, 7000, running)
    lab.start(driver=driver)
    session = tcp_from(lab.client, CLIENT, 7000)
    lab.gateway.run("ip", "link", "set", "inside0", "down")
    wait_for(lambda: "inside0 is lost" in lab.log(), lambda: f"the loss is not noticed:\n{lab.log()}")
    check(is_closed(lab.client, CLIENT, 7000), "nothing is answered while a wire is lost")
    lab.gateway.run("ip", "link", "set", "inside0", "up")
    wait_for(lambda: "inside0 is back" in lab.log(), lambda: f"the wire is not found again:\n{lab.log()}")
    check(say(session, b"again") == b"again", "an open session goes on when the wire is back")
    check(lab.service.poll() is None, "it has not ended")


SCENARIOS = [it_answers_for_its_own_addresses_only, the_kernel_is_kept_out, routes_lead_further, wires_are_lost_and_found]
