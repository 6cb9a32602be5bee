#!/usr/bin/env python3
"""The same packets through the Linux kernel's NAT and through `portcullis run`: what leaves must be the same.

Usage: live_kernel.py PORTCULLIS DRIVER [WORD…]   (as root; only cases whose titles hold one of the words)

The cases of kernel_nat.py in the same topology, whole frames compared: next hops' MAC addresses, too. Both gateways may speak: what
they tell a sender by ICMP counts. A known difference is named in its case, or below where the live gateway is not as a replay is.
"""

import itertools
import pathlib
import signal
import struct
import sys
import tempfile
import time

import captures
import packets
from case import CASES, Difference
from kernel_gateway import CONFIG, INSTANCE, PUBLIC, KernelGateway
from kernel_nat import judge, report
from namespaces import Namespace, require
from wires import Wires

_KNOWN = (pathlib.Path(__file__).parents[2] / "docs" / "conformance.md").read_text(encoding="utf-8")

# By title: what differs live, instead of what differs in a replay.
LIVE_DIFFERS = {
    "time to live: the kernel tells the sender": None,  # and so does a live gateway
    "larger than the next wire takes, with DF": None,
    "larger than the next wire takes, without DF": None,
    "a total length of 0": None,  # nothing for a wire
    "time to live 1 in all fragments, in the second only": Difference("fragment-headers", ours=1, kernel=2),
    "options that are broken": Difference("broken-options", ours=2, kernel=2),
    "bytes behind the datagram are the wire's padding": Difference("padding", ours=2, kernel=2),
}

_MARKER = ("10.1.0.250", 63000)
_CLIENT = ("192.0.2.250", 63000)
_LIVE = f"""
[[nat_rule_collection.rule]]
name = "marker"
protocols = ["UDP"]
source_addresses = ["*"]
destination_addresses = ["{PUBLIC}"]
destination_ports = ["{_MARKER[1]}"]
translated_address = "{_MARKER[0]}"
translated_port = "{_MARKER[1]}"
[live]
driver = "{{driver}}"
outside = {{{{ interface = "outside0", address = "{PUBLIC}/24", gateway = "203.0.113.254" }}}}
inside = {{{{ interface = "inside0", address = "{INSTANCE}/24", gateway = "10.0.1.1" }}}}
"""


def main():
    require("ip", "nft", "ethtool")
    portcullis, driver, words = sys.argv[1], sys.argv[2], sys.argv[3:]
    cases = [case for case in CASES if not words or any(word in case.title for word in words)]
    for case in cases:
        case.play(case)
    with tempfile.TemporaryDirectory() as folder:
        kernel, live = KernelGateway(), LiveGateway(portcullis, driver, folder)
        failed = sum(not passes(case, kernel, live) for case in cases)
        live.stop()
    if unknown := LIVE_DIFFERS.keys() - {case.title for case in CASES}:
        raise RuntimeError(f"no such cases: {unknown}")
    sent = sum(len(case.arrivals) for case in cases)
    print(f"{len(cases)} cases, {sent} packets; {failed} failed")
    sys.exit(1 if failed or not cases else 0)


def passes(case, kernel, live):
    kernel.configure(case.conntrack, speaks=True)
    theirs, ours = [], []
    for side, group in itertools.groupby(case.arrivals, key=lambda arrival: arrival[0]):
        arrived = [packet for _, packet in group]
        theirs += [plain(side, departure) for packet in arrived for departure in kernel.send(side, packet)]
        ours += [plain(side, departure) for departure in live.send(side, arrived)]
    differs = LIVE_DIFFERS.get(case.title, case.differs)
    complaint = judge(differs, theirs, ours)
    if not complaint and differs and f"| `{differs.name}` |" not in _KNOWN:
        complaint = f"the difference {differs.name} is no row of docs/conformance.md"
    if complaint:
        show = lambda frames: [(side, frame[14:]) for side, frame in frames]
        report(case, complaint, case.arrivals, show(theirs), show(ours))
    return not complaint


def plain(arrived, departure):
    """What a gateway itself tells a sender has a number of its own choice (RFC 791), and DF or not."""
    side, frame = departure
    if side != arrived or frame[23] != packets.ICMP:
        return departure
    return side, frame[:14] + packets.with_header(frame[14:], {4: b"\0\0", 6: b"\0\0"})


class LiveGateway:
    def __init__(self, portcullis, driver, folder):
        self._gateway = Namespace()
        self._wires = Wires(self._gateway)
        self._log = pathlib.Path(folder, "log")
        config = pathlib.Path(folder, "lab.toml")
        config.write_text(CONFIG + _LIVE.format(driver=driver), encoding="utf-8")
        with open(self._log, "wb") as log:
            self._service = self._gateway.start(portcullis, "run", "--config", config, stderr=log)
        self._marks = itertools.count(1)
        end = time.monotonic() + 120
        while "listening" not in self._log.read_text():
            if time.monotonic() > end or self._service.poll() is not None:
                raise RuntimeError(f"it does not start: {self._log.read_text()}")
            time.sleep(0.02)
        self._pass_mark(captures.OUTSIDE)
        self._pass_mark(captures.INSIDE)

    def send(self, side, arrived):
        """Puts packets on a wire; returns the frames that left because of them, as (side, frame), in order.

        Markers follow, first on the same way and then back: when both have come out, so has everything before them.
        """
        left = []
        for begin in range(0, len(arrived), 16):
            for packet in arrived[begin:begin + 16]:
                self._wires.send(side, packet)
            left += self._pass_mark(side)
            left += self._pass_mark(captures.INSIDE if side == captures.OUTSIDE else captures.OUTSIDE)
        return left

    def stop(self):
        self._service.send_signal(signal.SIGTERM)
        if self._service.wait(120) != 0:
            raise RuntimeError(f"it failed: {self._log.read_text()}")

    def _pass_mark(self, side):
        mark = struct.pack("!I", next(self._marks))
        ends = (_CLIENT, (PUBLIC, _MARKER[1])) if side == captures.OUTSIDE else (_MARKER, (INSTANCE, _CLIENT[1]))
        self._wires.send(side, packets.udp(*ends, mark))
        left = []
        while came := self._wires.receive(120):
            others = [(where, frame) for where, frame in came if frame[42:46] != mark or frame[23] != packets.UDP]
            left += others
            if len(others) < len(came):
                return left
        raise TimeoutError(f"the gateway is stuck: {self._log.read_text()}")


if __name__ == "__main__":
    main()
