"""The two wires: who answers there, who is kept off them, where they lead, and what if one is lost."""

import contextlib
import socket
import time

from live_check import check
from live_lab import BRIEF, CLIENT, CONFIG, DB, LIVE, LONG, PUBLIC, ROUTER, WEB, is_closed, read, rules, tcp_from, udp_from, wait_for
from live_servers import say, serve_echo, serve_tcp_echo

OUTSIDE, INSTANCE = "203.0.113.1", "10.0.1.5"


def it_answers_for_its_own_addresses_only(lab, driver, _):
    outside, inside = ArpSocket(lab.client), ArpSocket(lab.server)
    lab.start(driver=driver)
    for wire, side, announced in (outside, "outside", {(OUTSIDE, OUTSIDE), (PUBLIC, PUBLIC)}), (inside, "inside", {(INSTANCE, INSTANCE)}):
        heard = wire.heard(announced)
        check(heard == announced, f"it announces itself {side} on start, and nothing else: {heard}")
    for wire, own_side, me, asked in (
            (outside, {OUTSIDE, PUBLIC}, ROUTER, [OUTSIDE, PUBLIC, INSTANCE, WEB, ROUTER, CLIENT, "203.0.113.77", "203.0.113.11"]),
            (inside, {INSTANCE}, WEB, [INSTANCE, PUBLIC, OUTSIDE, CLIENT, "10.0.1.1", "10.0.1.77", "127.0.0.1", "0.0.0.0"])):
        last = min(own_side)  # answers come in the order of the questions: after this one's, none to the others can come
        for address in [*asked, last]:
            wire.ask(address, me)
        answers = {sender for sender, target in wire.heard({(sender, me) for sender in own_side}) if target == me}
        check(answers == own_side, f"asked for {asked} it answers for {answers}")
    outside.ask(PUBLIC, PUBLIC)
    wait_for(lambda: f"says that it has {PUBLIC}, which is this gateway's" in lab.log(), lambda: f"nothing of a rival:\n{lab.log()}")
    outside.heard({(PUBLIC, PUBLIC)})  # it defends its address


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

    def heard(self, wanted):
        """(sender, target) of what others say until all that is wanted has been said, and soon after."""
        pairs = set()

        def has_heard_all():
            end = time.monotonic() + BRIEF
            with contextlib.suppress(TimeoutError):
                while (left := end - time.monotonic()) > 0:
                    self.socket.settimeout(left)
                    frame, told = self.socket.recvfrom(2048)
                    if told[2] != socket.PACKET_OUTGOING:
                        pairs.add((socket.inet_ntoa(frame[28:32]), socket.inet_ntoa(frame[38:42])))
            return wanted <= pairs
        wait_for(has_heard_all, lambda: f"heard {pairs}, wanted {wanted}")
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
    lab.gateway.run("nft", "flush", "ruleset")
    wait_for(lambda: lab.log().count("has removed the nftables table") == 2, lambda: f"the loss is not noticed:\n{lab.log()}")
    check(not passes_beside(lab), "nor when somebody has loaded other rules into nftables")
    lab.stop()
    lab.gateway.run("ip", "address", "add", f"{PUBLIC}/32", "dev", "lo")
    try:
        lab.start(driver=driver)
        check(False, "it runs although the kernel owns the public IP")
    except RuntimeError as refused:
        check(PUBLIC in str(refused) and "kernel" in str(refused), f"it says why it does not run: {refused}")


def passes_beside(lab):
    talk = udp_from(lab.client, CLIENT, BRIEF)
    talk.connect((WEB, 6001))
    talk.send(b"beside")
    try:
        return talk.recv(100) == b"beside"
    except OSError:
        return False


def one_gateway_a_wire(lab, driver, running):
    """The second one's end would take away what keeps the kernel off the first one's wires."""
    serve_echo(lab, running)
    lab.start(driver=driver)
    folder = lab.folder / "second"
    folder.mkdir()
    config = folder / "lab.toml"
    for inside in ("inside0", "nowhere0"):
        config.write_text(CONFIG + rules() + LIVE.format(driver=driver).replace("inside0", inside) + '[api]\nlisten = "127.0.0.1:8444"\n')
        second = lab.gateway.run(lab.portcullis, "run", "--config", config, capture_output=True, check=False, timeout=LONG)
        check(second.returncode != 0 and "outside0 is another gateway's" in second.stderr, f"refused: {second.stderr}")
    tables = lab.gateway.run("nft", "list", "tables", capture_output=True).stdout
    check(tables.count("portcullis_") == 2, f"the first one's wires are still its own: {tables}")
    check(echoed(lab, b"one") == b"one", "and it works")


def few_rights_suffice(lab, driver, _):
    """Those of the service's unit, and for xdp the locked memory that it allows."""
    rights = ["net_raw", "net_admin"] + (["bpf", "ipc_lock"] if driver == "xdp" else [])
    config = lab.folder / "lab.toml"
    config.write_text(CONFIG + rules() + LIVE.format(driver=driver))
    log = lab.folder / "rights.log"
    with open(log, "w", encoding="utf-8") as out:
        run = lab.gateway.start("setpriv", "--bounding-set", ",".join(["-all"] + ["+" + right for right in rights]),
                                lab.portcullis, "run", "--config", config, stderr=out)
    wait_for(lambda: "listening on" in read(log) or run.poll() is not None, lambda: f"with {', '.join(rights)}: {read(log)}")
    check(run.poll() is None and read(log).count(f"driver {driver}") == 2, f"with {', '.join(rights)}: {read(log)}")
    run.kill()
    run.wait()


def wires_change(lab, driver, running):
    serve_echo(lab, running)
    lab.start(driver=driver)
    check(echoed(lab, bytes(1400)) == bytes(1400), "1400 bytes come and go")
    lab.server.run("ip", "link", "set", "wire0", "mtu", "1300")  # a veth takes nothing longer than it may send
    lab.gateway.run("ip", "link", "set", "inside0", "mtu", "1300")
    wait_for(lambda: "has an MTU of 1300 now, not 1500" in lab.log() and "inside0 is back" in lab.log(),
             lambda: f"the new MTU is not noticed:\n{lab.log()}")
    check(echoed(lab, bytes(1400)) == bytes(1400), "in fragments, on a wire that became narrower")
    lab.gateway.run("ip", "link", "set", "inside0", "address", "02:00:00:00:00:05")
    wait_for(lambda: "another Ethernet address" in lab.log() and lab.log().count("inside0 is back") == 2,
             lambda: f"the new address is not noticed:\n{lab.log()}")
    check(echoed(lab, b"new") == b"new", "and the machines learn the new address")


def echoed(lab, data):
    talk = udp_from(lab.client, CLIENT)
    talk.setsockopt(socket.IPPROTO_IP, 10, 0)  # IP_MTU_DISCOVER, IP_PMTUDISC_DONT: may be fragmented
    talk.connect((PUBLIC, 6000))
    return say(talk, data)


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


SCENARIOS = [it_answers_for_its_own_addresses_only, the_kernel_is_kept_out, one_gateway_a_wire, few_rights_suffice, wires_change,
             routes_lead_further, wires_are_lost_and_found]
