#!/usr/bin/env python3
"""The same packets through the Linux kernel's NAT and through `portcullis replay`: what leaves must be the same.

Usage: kernel_nat.py PORTCULLIS [WORD…]   (as root; only cases whose titles hold one of the words)
Compared is what left, per case, in order, from the IP header on, side by side. A known difference is named in its case
and explained in docs/conformance.md; it has to show, and nothing else may.
"""

import collections
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
from case import CASES, Difference
from kernel_gateway import CONFIG, KernelGateway
from namespaces import require
from packets import show

_START = 1_767_225_600 * 10**9  # 2026-01-01
_STEP = 10**6
_CONFORMANCE = pathlib.Path(__file__).parents[2] / "docs" / "conformance.md"


def main():
    require("ip", "nft", "ethtool")
    portcullis, words = sys.argv[1], sys.argv[2:]
    cases = [case for case in CASES if not words or any(word in case.title for word in words)]
    for case in cases:
        case.play(case)
    kernel = list(through_kernel(cases))
    ours = through_portcullis(portcullis, cases)
    known = _CONFORMANCE.read_text(encoding="utf-8") if _CONFORMANCE.exists() else ""
    failed = 0
    for case, theirs, mine in zip(cases, kernel, ours):
        complaint = judge(case, theirs, mine)
        if not complaint and case.differs and f"| `{case.differs.name}` |" not in known:
            complaint = f"the difference {case.differs.name} is no row of docs/conformance.md"
        if complaint:
            failed += 1
            report(case, complaint, theirs, mine)
    sent, left = sum(len(case.arrivals) for case in cases), sum(map(len, kernel))
    print(f"{len(cases)} cases, {failed} failed: {sent} packets sent, {left} left the kernel, {sum(map(len, ours))} ours; "
          f"{sum(case.differs is not None for case in cases)} cases with a known difference")
    sys.exit(1 if failed or not cases else 0)


def through_kernel(cases):
    gateway = KernelGateway()
    for case in cases:
        gateway.configure(case.conntrack, case.speaks)
        yield [departure for side, packet in case.arrivals for departure in gateway.send(side, packet)]


def through_portcullis(program, cases):
    """What left, by case; a frame keeps the time at which it arrived."""
    time, arrivals, begins = _START, [], []
    for case in cases:
        begins.append(time)
        for side, packet in case.arrivals:
            arrivals.append((time, side, packet))
            time += _STEP
    with tempfile.TemporaryDirectory() as folder:
        config, sent, left = (f"{folder}/{name}" for name in ("lab.toml", "sent.pcapng", "left.pcapng"))
        pathlib.Path(config).write_text(CONFIG, encoding="utf-8")
        captures.write_pcapng(sent, arrivals)
        subprocess.run([program, "replay", "--quiet", "--config", config, "--vantage", "both", "--write", left, sent],
                       check=True)
        departures = captures.read_pcapng(left)
    by_case = [[] for _ in cases]
    for time, side, packet in departures:
        which = max(index for index, begin in enumerate(begins) if begin <= time)
        by_case[which].append((side, packet))
    return by_case


def judge(case, kernel, ours):
    """What is wrong, or nothing. A case with a known difference has to show just that one."""
    differs = case.differs or Difference("")
    common = collections.Counter(kernel) & collections.Counter(ours)
    only_ours, only_kernel = len(ours) - common.total(), len(kernel) - common.total()
    if (only_ours, only_kernel) != (differs.ours, differs.kernel):
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


def report(case, complaint, kernel, ours):
    print(f"FAILED  {case.title}\n        {complaint}")
    common = collections.Counter(kernel) & collections.Counter(ours)
    for side, packet in case.arrivals:
        print(f"  sent   {side:7} {show(packet)}")
    for who, left in (("kernel", kernel), ("ours  ", ours)):
        for side, packet in left:
            mark = " " if common[(side, packet)] else "*"
            print(f"{mark} {who} {side:7} {show(packet)}")


if __name__ == "__main__":
    main()
