"""More than the gateway can take: floods beside a transfer, a full flow table, packets that nobody sends by accident."""

import json
import pathlib
import re
import subprocess
import time

from live_check import check
from live_lab import CLIENT, CONFIG, PUBLIC, WEB, is_closed, rules, tcp_from, wait_for
from live_servers import say, serve_iperf, serve_tcp_echo

TABLE = 1000
BURST = 16 << 10  # kB that a driver may keep for a burst of the largest frames, which may come late


def floods_beside_a_transfer(lab, driver, running):
    """At full rate, from random sources, to a guarded port, to no port at all, in pieces, and as errors about nothing."""
    serve_iperf(lab, running)
    lab.start(driver=driver)
    kinds = [("syn-flood", 50022, "jit-closed"), ("udp-flood", 9, "no-listener"), ("fragments", None, "fragment"),
             ("icmp-errors", None, "no-flow")]
    transfer(lab, 1).communicate()
    for kind, port, _ in kinds:
        flood(lab, kind, 0.5, ports=port)
    before = resident(lab)  # all memory that these use has been used
    running_transfer = transfer(lab, 4 * len(kinds) + 2)
    time.sleep(1)
    for kind, port, reason in kinds:
        seen = counters(lab).get(reason, 0)
        sent = flood(lab, kind, 2, ports=port)
        check(sent > 10_000, f"{kind}: a flood of {sent} packets")
        dropped = counters(lab).get(reason, 0) - seen
        check(dropped > 1000, f"{kind}: {dropped} of {sent} packets are counted as {reason}")
        time.sleep(1)
    told = json.loads(running_transfer.communicate(timeout=60)[0])
    speeds = [interval["sum"]["bits_per_second"] for interval in told["intervals"]]
    silent = [at for at in range(len(speeds) - 4) if not any(speeds[at:at + 4])]
    check("error" not in told and speeds, f"the transfer lives: {told.get('error')}, {speeds}")
    if driver != "xdp":  # a veth's own queue for that is full before we hear of it (docs/live.md)
        check(not silent, f"the transfer goes on all the time: {speeds}")
    check(resident(lab) - before < BURST, f"no memory is used for a flood: {before} kB before, {resident(lab)} kB after")
    print("Mbit/s each second: " + " ".join(f"{speed / 1e6:.0f}" for speed in speeds))


def a_full_flow_table(lab, driver, running):
    """Old flows live, new ones are refused, and there is room again when flows have ended."""
    serve_tcp_echo(lab.server, WEB, 7000, running)
    lab.start(CONFIG + rules() + f"[limits]\nflows = {TABLE}\n[timeouts]\ntcp_transitory = '3s'\n", driver)
    old = tcp_from(lab.client, CLIENT, 7000)
    sent = flood(lab, "syn-flood", ports=8080, packets=5 * TABLE, rate=20_000)
    full = counters(lab)
    check(full["live_flows"] == TABLE, f"the table is full: {full['live_flows']} flows")
    check(0 < full.get("table-full", 0) <= sent - TABLE + 1, f"{full.get('table-full', 0)} of {sent} are counted as table-full")
    check(is_closed(lab.client, CLIENT, 7000), "a new connection has no place")
    check(say(old, b"old") == b"old", "an old one goes on")
    wait_for(lambda: not is_closed(lab.client, CLIENT, 7000), "there is no room although the flood's flows are over")
    check(say(old, b"still") == b"still", "it goes on all the time")


def counters(lab):
    """Packets by reason, and all that has no labels by its name."""
    page = lab.gateway.run("curl", "-sk", "https://127.0.0.1:8443/metrics", capture_output=True, timeout=20).stdout
    return {reason or name: int(number) for name, reason, number in
            re.findall(r'^portcullis_(\w+)(?:\{fate="\w+",reason="([\w-]+)"\})? (\d+)$', page, re.M)}


def flood(lab, kind, seconds=0.0, ports=None, packets=0, rate=0):
    """How many packets were sent."""
    capture = lab.folder / f"{kind}.pcapng"
    if not capture.exists():
        of_port = ["--ports", str(ports)] if ports else []
        subprocess.run([program(lab, "synth/synth"), kind, capture, "--packets", "100000", "--flows", "2000", "--public-ip",
                        PUBLIC, "--instance-ip", "10.0.1.5", "--vm", WEB, *of_port], check=True, stderr=subprocess.DEVNULL)
    limits = ["--seconds", str(seconds)] if seconds else ["--packets", str(packets)]
    told = lab.client.run(program(lab, "../tests/support/blast"), "wire0", capture, "--to", lab.gateway.mac("outside0"), *limits,
                          "--rate", str(rate), capture_output=True)
    return json.loads(told.stdout)["sent"]


def program(lab, name):
    """Built beside the one that is tested."""
    return pathlib.Path(lab.portcullis).parent.parent / name


def transfer(lab, seconds):
    return lab.client.start("iperf3", "--client", PUBLIC, "--bind", CLIENT, "--time", str(seconds), "--json", stdout=subprocess.PIPE)


def resident(lab):
    """kB of memory."""
    status = pathlib.Path(f"/proc/{lab.service.pid}/status").read_text(encoding="ascii")
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1])


SCENARIOS = [floods_beside_a_transfer, a_full_flow_table]
