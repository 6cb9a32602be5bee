#!/usr/bin/env python3
"""The live gateway beside the kernel's forwarding, nftables, HAProxy and socat, in the same three namespaces, with the same
traffic, interleaved, best of several rounds.

    tests/bench/live/rivals.py [--rounds N] [--seconds N] [--only packets,bulk,connections,sockets,latency,flood]
                               [--drivers pcap,ring,xdp] [--portcullis BIN] [--traffic BIN]

packets      60-byte UDP packets over 10,000 flows from one core, as many as go: what the server's interface gets. Each
             gateway is tried with and without receive packet steering to the other core, and its better result counts.
bulk         one TCP connection of iperf3, offloads on
connections  TCP connections a second: open, a byte there and back, close; 64 at a time, over 60,000 ports in turn. Both ends
             are our own, past the kernel's stack (AF_PACKET), and take 14 microseconds of a core a connection, together: so
             it shows what the gateway takes. HAProxy's own ends are the kernel's. Steering, on either side, helped nobody.
sockets      the same between real ends, the kernel's sockets in both hosts. These take 100 microseconds, many times what a
             gateway does that only forwards: it is what such hosts would see, and hardly tells gateways apart.
latency      one byte there and back over one TCP connection: median and 99th percentile
flood        what one TCP connection of iperf3 keeps beside a flood of SYNs at full rate, from random sources to a port that
             nobody listens on. The flood takes a core from the transfer's ends, too: how much of it that is shows the same flood sent to
             a host beside, which drops it.

Where other programs run, `chrt --rr 1 rivals.py …` keeps them off, alike for all; not so other virtual machines (vmstat: st).
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from gateways import CLIENTS, ECHO, IPERF, SINK, Row
from namespaces import Namespace, require

HERE = pathlib.Path(__file__).parent
BUILD = HERE.parents[2] / "build" / "release"


def packets(row, options):
    flood = synthesize(row, options, "flows", "--packets", options.flows, "--flows", options.flows, "--size", 60, "--ports", SINK)
    row.blast(flood, "--rate", 40000, "--seconds", 0.4)  # each flow has begun, and the neighbours are known
    before = row.arrived()
    sent = row.blast(flood, "--seconds", options.seconds)
    return (row.arrived() - before) / sent["seconds"]


def synthesize(row, options, *what):
    """A capture for the row's gateway, for `blast`."""
    capture = row.folder / "flood.pcap"
    subprocess.run([*map(str, (options.synth, *what, "--public-ip", row.target)), capture], check=True, stderr=subprocess.DEVNULL)
    return capture


def bulk(row, options):
    done = row.client.run(*transfer(row, max(1, round(options.seconds))), capture_output=True, timeout=60)
    return bits_per_second(row, done.stdout)


def transfer(row, seconds):
    return "iperf3", "-c", row.target, "-p", str(IPERF), "-t", str(seconds), "-J"


def bits_per_second(row, output):
    told = json.loads(output)
    if "error" in told:
        raise RuntimeError(f"{row.kind}: {told['error']}")
    return told["end"]["sum_received"]["bits_per_second"]


def rate(row, done):
    """Connections a second; failures are told, unless they are rare."""
    if done["failed"] > (done["connections"] + done["failed"]) / 1000:
        print(f"{row.kind}: {done['failed']} connections failed, {done['connections']} did not", file=sys.stderr, flush=True)
    return done["connections"] / done["seconds"]


def connections(row, options):
    row.answer()
    row.establish(50, "--concurrency", 1)  # neighbours are known
    return rate(row, row.establish(int(options.seconds * 1000)))


def sockets(row, options):
    target = ("--address", row.target, "--port", ECHO)
    sources = [part for address in CLIENTS for part in ("--from", address)]
    row.traffic("round-trips", *target, "--count", 100)  # neighbours are known
    return rate(row, row.traffic("connect", *sources, *target, "--milliseconds", int(options.seconds * 1000)))


def latency(row, options):
    done = row.traffic("round-trips", "--address", row.target, "--port", ECHO, "--count", int(options.seconds * 5000))
    return done["p50"], done["p99"]


def flood(row, options):
    """Bits a second with the flood, alone, and with the flood elsewhere."""
    capture = synthesize(row, options, "syn-flood", "--packets", 100_000, "--ports", 9)
    seconds = max(2, round(options.seconds))
    other, host = Namespace(), Namespace()
    other.ip(f"link add wire0 up type veth peer name wire0 netns {host.path}")
    host.ip("link set wire0 up")

    def beside(begin_flood):
        moving = row.client.start(*map(str, transfer(row, seconds)), stdout=subprocess.PIPE, text=True)
        flooding = begin_flood()
        speed = bits_per_second(row, moving.communicate(timeout=60)[0])
        flooding.wait()
        return speed

    def sent_by(space, mac):
        return space.start(str(options.blast), "wire0", str(capture), "--to", mac, "--seconds", str(seconds), stdout=subprocess.DEVNULL)
    return (beside(lambda: sent_by(row.client, row.mac())), bulk(row, options),
            beside(lambda: sent_by(other, host.mac("wire0"))))


MEASURES = {"packets": packets, "bulk": bulk, "connections": connections, "sockets": sockets, "latency": latency,
            "flood": flood}
RIVALS = {"packets": ["forwarding", "nftables"], "bulk": ["forwarding", "nftables", "haproxy", "socat"],
          "connections": ["nftables", "haproxy"], "sockets": ["nftables", "haproxy"], "latency": ["nftables", "haproxy"], "flood": []}
SHOW = {"packets": lambda value: f"{value / 1e3:8.0f} k/s", "bulk": lambda value: f"{value / 1e9:8.2f} Gbit/s",
        "connections": lambda value: f"{value / 1e3:8.2f} k/s", "sockets": lambda value: f"{value / 1e3:8.2f} k/s",
        "latency": lambda value: f"{value[0]:7.1f} us, p99 {value[1]:7.1f}", "flood": lambda value: f"{value[0] / 1e9:8.2f} Gbit/s"}
YARDSTICK = {"packets": "nftables", "bulk": "haproxy", "connections": "haproxy", "sockets": "haproxy", "latency": "nftables"}


def beside_yardstick(name, value, best):
    if name == "flood":
        return f"{value[0] / value[1]:.2f}x alone, {value[0] / value[2]:.2f}x with the flood elsewhere"
    yard = best[YARDSTICK[name]]
    ratio = f"{value[0] - yard[0]:+.1f} us" if name == "latency" else f"{value / yard:.2f}x"
    return f"{ratio} {YARDSTICK[name]}"


def measure(name, kind, options):
    results = []
    for steered in (False, True) if name == "packets" else (False,):
        with tempfile.TemporaryDirectory() as folder, Row(kind, options, folder, steered) as row:
            results.append(MEASURES[name](row, options))
    return max(results)


def run(name, options):
    kinds = RIVALS[name] + ["portcullis " + driver for driver in options.drivers.split(",")]
    better = min if name == "latency" else max
    best = {}
    for _ in range(options.rounds):
        for kind in kinds:
            value = measure(name, kind, options)
            best[kind] = better(best.get(kind, value), value)
    print(name)
    for kind in kinds:
        print(f"  {kind:<18}{SHOW[name](best[kind])}   {beside_yardstick(name, best[kind], best)}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--portcullis", default=BUILD / "tools" / "portcullis" / "portcullis")
    parser.add_argument("--traffic", default=BUILD / "tests" / "bench" / "live" / "live_traffic")
    parser.add_argument("--blast", default=BUILD / "tests" / "support" / "blast")
    parser.add_argument("--synth", default=BUILD / "tools" / "synth" / "synth")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--flows", type=int, default=10000)
    parser.add_argument("--only", default=",".join(MEASURES))
    parser.add_argument("--drivers", default="pcap,ring,xdp")
    options = parser.parse_args()
    require("ip", "nft", "iperf3", "haproxy", "socat")
    for name in options.only.split(","):
        run(name, options)


if __name__ == "__main__":
    main()
