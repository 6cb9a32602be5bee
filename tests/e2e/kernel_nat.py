#!/usr/bin/env python3
"""The same packets through the Linux kernel's NAT and through `portcullis replay`: what leaves must be the same.

Usage: kernel_nat.py PORTCULLIS [WORD…]   (as root; only cases whose titles hold one of the words)

Twice. Seen on both sides: what left, by case, in order, from the IP header on. Seen on the outside wire alone, with the
kernel's translated replies on it: what the inside wire carried. A known difference is named in its case and explained in
docs/conformance.md; it has to show, and nothing else may.
"""

import collections
import itertools
import pathlib
import subprocess
import sys
import tempfile

import captures
import cases_fragments  # noqa: F401, these modules fill CASES
import cases_icmp  # noqa: F401
import cases_ip  # noqa: F401
import cases_random  # noqa: F401
import cases_tcp  # noqa: F401
import cases_udp  # noqa: F401
import packets
from case import CASES, Difference
from kernel_gateway import CONFIG, KernelGateway
from namespaces import require

_START = 1_767_225_600 * 10**9  # 2026-01-01
_STEP = 10**6
_CONFORMANCE = pathlib.Path(__file__).parents[2] / "docs" / "conformance.md"


def main():
    require("ip", "nft", "ethtool")
    portcullis, words = sys.argv[1], sys.argv[2:]
    cases = [case for case in CASES if not words or any(word in case.title for word in words)]
    for case in cases:
        case.play(case)
    passages = list(through_kernel(cases))
    failed = compare_both_sides(portcullis, cases, passages) + compare_outside_alone(portcullis, cases, passages)
    sent = sum(len(case.arrivals) for case in cases)
    print(f"{len(cases)} cases, {sent} packets, {sum(case.differs is not None for case in cases)} cases with a known "
          f"difference; {failed} failed")
    sys.exit(1 if failed or not cases else 0)


def through_kernel(cases):
    """By case and arrival, what left at once."""
    gateway = KernelGateway()
    for case in cases:
        gateway.configure(case.conntrack, case.speaks)
        yield [[(where, frame[14:]) for where, frame in gateway.send(side, packet)] for side, packet in case.arrivals]


def through_portcullis(program, frames_by_case, vantage):
    """What left, by case; a frame keeps the time at which it arrived."""
    frames, ends, time = [], [], _START
    for arrivals in frames_by_case:
        for side, packet in arrivals:
            frames.append((time, side, packet))
            time += _STEP
        ends.append(time)
    with tempfile.TemporaryDirectory() as folder:
        config, sent, left = (f"{folder}/{name}" for name in ("lab.toml", "sent.pcapng", "left.pcapng"))
        pathlib.Path(config).write_text(CONFIG, encoding="utf-8")
        captures.write_pcapng(sent, frames)
        subprocess.run([program, "replay", "--quiet", "--config", config, "--vantage", vantage, "--write", left, sent],
                       check=True)
        departures = captures.read_pcapng(left)
    by_case = [[] for _ in ends]
    for time, side, packet in departures:
        by_case[next(index for index, end in enumerate(ends) if time < end)].append((side, packet))
    return by_case


def compare_both_sides(portcullis, cases, passages):
    known = _CONFORMANCE.read_text(encoding="utf-8") if _CONFORMANCE.exists() else ""
    failed = 0
    for case, kernel, ours in zip(cases, map(flat, passages),
                                  through_portcullis(portcullis, [case.arrivals for case in cases], "both")):
        complaint = judge(case.differs, kernel, ours)
        if not complaint and case.differs and f"| `{case.differs.name}` |" not in known:
            complaint = f"the difference {case.differs.name} is no row of docs/conformance.md"
        if complaint:
            failed += 1
            report(case, complaint, case.arrivals, kernel, ours)
    return failed


def compare_outside_alone(portcullis, cases, passages):
    """Only where nothing is known to differ: the wire must show all that the gateway decided upon."""
    alike = [(case, passage) for case, passage in zip(cases, passages) if case.differs is None]
    wires = [[(captures.OUTSIDE, packet) for (side, arrival), departures in zip(case.arrivals, passage)
              for where, packet in [(side, arrival), *departures] if where == captures.OUTSIDE]
             for case, passage in alike]
    failed = 0
    for (case, passage), wire, ours in zip(alike, wires, through_portcullis(portcullis, wires, "outside")):
        carried = inside_wire(case, passage)
        mine = {way: [packet for _, packet in ours if (packet[16:20] == packets.address("10.0.1.5")) == (way == "up")]
                for way in ("up", "down")}
        if [list(map(knowable, carried[way])) for way in carried] != [list(map(knowable, mine[way])) for way in carried]:
            failed += 1
            report(case, "seen outside alone, the inside wire differs", wire,
                   *([("inside", packet) for way in each for packet in each[way]] for each in (carried, mine)))
    return failed


def inside_wire(case, passage):
    """What the gateway sent there, and what it took from there and let pass."""
    down = [packet for where, packet in flat(passage) if where == captures.INSIDE]
    up = [(packet, any(where == captures.OUTSIDE for where, _ in departures))
          for (side, packet), departures in zip(case.arrivals, passage) if side == captures.INSIDE]
    passed = sum(where == captures.OUTSIDE for where, _ in flat(passage))
    # Fragments leave when the last has come: then all have passed, if as many came as left.
    return {"up": [packet for packet, at_once in up if at_once or passed == len(up)], "down": down}


def knowable(packet):
    """A translated packet tells neither which router sent an ICMP error, nor a checksum of 0xffff from one of 0."""
    packet = packet[:int.from_bytes(packet[2:4], "big")]
    if packet[9] == packets.ICMP:
        return packet[:10] + packet[16:]
    words, later = packet[0] & 15, int.from_bytes(packet[6:8], "big") & 0x1FFF
    at = words * 4 + (16 if packet[9] == packets.TCP else 6)
    if not later and packet[at:at + 2] == b"\xff\xff":
        return packet[:at] + b"\0\0" + packet[at + 2:]
    return packet


def judge(differs, kernel, ours):
    """What is wrong, or nothing. A known difference has to show, and nothing else may."""
    differs = differs or Difference("")
    common = collections.Counter(kernel) & collections.Counter(ours)
    only_ours, only_kernel = len(ours) - common.total(), len(kernel) - common.total()
    known = only_ours > 0 if differs.ours is None else only_ours == differs.ours
    if not known or only_kernel != differs.kernel:
        return f"{only_ours} packets are only ours ({differs.ours} known), {only_kernel} only the kernel's ({differs.kernel})"
    if (in_order(kernel, common) != in_order(ours, common)) != differs.reordered:
        return "the order is the same" if differs.reordered else "the order differs"
    return ""


def in_order(left, common):
    """What both sent, side by side, in the order of one of them."""
    rest, sides = collections.Counter(common), {side: [] for side in captures.SIDES}
    for side, packet in left:
        if rest[(side, packet)]:
            rest[(side, packet)] -= 1
            sides[side].append(packet)
    return sides


def flat(passage):
    return list(itertools.chain.from_iterable(passage))


def report(case, complaint, sent, kernel, ours):
    print(f"FAILED  {case.title}\n        {complaint}")
    common = collections.Counter(kernel) & collections.Counter(ours)
    for side, packet in sent:
        print(f"  sent   {side:7} {packets.show(packet)}")
    for who, left in (("kernel", kernel), ("ours  ", ours)):
        for side, packet in left:
            mark = " " if common[(side, packet)] else "*"
            print(f"{mark} {who} {side:7} {packets.show(packet)}")


if __name__ == "__main__":
    main()
