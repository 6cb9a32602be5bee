"""More than the gateway can take: floods beside a transfer, a full flow table, packets that nobody sends by accident."""

import contextlib
import json
import pathlib
import re
import subprocess
import threading
import time

from live_check import check
from live_lab import CLIENT, CONFIG, PUBLIC, WEB, is_closed, rules, tcp_from, wait_for
from live_servers import say, serve_sink, serve_tcp_echo

TABLE = 1000
LIFE = 8  # s, of a flow of the flood
HEAP = 8 << 10  # kB that the heap may grow by for those who ask for the metrics; what each packet of a flood kept would be more
MUCH = 20 << 20  # bytes, of a transfer: one that loses segments to a flood does not get there


def floods_beside_a_transfer(lab, driver, running):
    """At full rate, from random sources, to a guarded port, to no port at all, in pieces, and as errors about nothing."""
    sink = serve_sink(lab.server, WEB, 7000, running)
    lab.start(driver=driver)
    kinds = [("syn-flood", 50022, "jit-closed"), ("udp-flood", 9, "no-listener"), ("fragments", None, "fragment"),
             ("icmp-errors", None, "no-flow")]
    with transfer(lab):
        for kind, port, _ in kinds:
            flood(lab, kind, packets=20_000, ports=port)
        before = reserved(lab)  # all that these need for the first time, and the answers about them, has been reserved
        for kind, port, reason in kinds:
            seen, moved, begun = counters(lab).get(reason, 0), sink.bytes, time.monotonic()
            with flooding(lab, kind, port):
                if driver != "xdp":  # a veth's own queue for that is full before we hear of it (docs/live.md)
                    wait_for(lambda moved=moved: sink.bytes > moved + MUCH, f"{kind}: the transfer does not go on meanwhile")
                wait_for(lambda reason=reason, seen=seen: counters(lab).get(reason, 0) > seen + 1000,
                         f"{kind}: no packets are counted as {reason}")
            print(f"{kind}: {(sink.bytes - moved) / (time.monotonic() - begun) / 1e6:.0f} MB/s moved meanwhile")
        moved = sink.bytes
        wait_for(lambda: sink.bytes > moved + MUCH, "the transfer does not live on")
    # Not what is resident: a page of a table is, as soon as a flow comes to lie there for the first time.
    check(reserved(lab) - before < HEAP, f"no memory is taken for a flood: {before} kB before, {reserved(lab)} kB after")


def a_full_flow_table(lab, driver, running):
    """Old flows live, new ones are refused, and there is room again when flows have ended."""
    serve_tcp_echo(lab.server, WEB, 7000, running)
    lab.start(CONFIG + rules() + f"[limits]\nflows = {TABLE}\n[timeouts]\ntcp_transitory = '{LIFE}s'\n", driver)
    old = tcp_from(lab.client, CLIENT, 7000)
    for _ in range(10):  # until a machine has the time to look before the flood's flows are over
        begun, seen = time.monotonic(), counters(lab).get("table-full", 0)
        sent = flood(lab, "syn-flood", ports=8080, packets=5 * TABLE, rate=20_000)
        full = counters(lab)
        is_refused = is_closed(lab.client, CLIENT, 7000)
        if time.monotonic() - begun < LIFE:
            break
    check(full["live_flows"] == TABLE, f"the table is full: {full['live_flows']} flows")
    refused = full.get("table-full", 0) - seen
    check(0 < refused <= sent, f"{refused} of {sent} are counted as table-full")
    check(is_refused, "a new connection has no place")
    check(say(old, b"old") == b"old", "an old one goes on")
    tcp_from(lab.client, CLIENT, 7000).close()  # as soon as the flood's flows are over
    check(say(old, b"still") == b"still", "it goes on all the time")


def counters(lab):
    """Packets by reason, and all that has no labels by its name."""
    pages = []

    def is_told():
        told = lab.gateway.run("curl", "-sk", "-m", "60", "https://127.0.0.1:8443/metrics", capture_output=True, check=False)
        pages.append(told.stdout)
        return told.returncode == 0  # a flood may leave so little of a machine that a handshake takes too long
    wait_for(is_told, "the metrics are not to be had")
    return {reason or name: int(number) for name, reason, number in
            re.findall(r'^portcullis_(\w+)(?:\{fate="\w+",reason="([\w-]+)"\})? (\d+)$', pages[-1], re.M)}


def flood(lab, kind, ports=None, packets=0, rate=0):
    """How many packets were sent."""
    told = lab.client.run(*blast(lab, kind, ports), "--packets", str(packets), "--rate", str(rate), capture_output=True)
    return json.loads(told.stdout)["sent"]


@contextlib.contextmanager
def flooding(lab, kind, ports=None):
    """As fast as the wire takes them, as long as this lasts."""
    process = lab.client.start(*blast(lab, kind, ports), stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def blast(lab, kind, ports):
    """The command that sends such packets until it is told to end."""
    capture = lab.folder / f"{kind}.pcapng"
    if not capture.exists():
        of_port = ["--ports", str(ports)] if ports else []
        subprocess.run([program(lab, "synth/synth"), kind, capture, "--packets", "100000", "--flows", "2000", "--public-ip",
                        PUBLIC, "--instance-ip", "10.0.1.5", "--vm", WEB, *of_port], check=True, stderr=subprocess.DEVNULL)
    return [program(lab, "../tests/support/blast"), "wire0", capture, "--to", lab.gateway.mac("outside0")]


def program(lab, name):
    """Built beside the one that is tested."""
    return pathlib.Path(lab.portcullis).parent.parent / name


@contextlib.contextmanager
def transfer(lab, port=7000):
    """One connection sends all that it can, as long as this lasts."""
    connection, over = tcp_from(lab.client, CLIENT, port), threading.Event()

    def send():
        with contextlib.suppress(OSError):
            while not over.is_set():
                connection.sendall(bytes(1 << 20))
    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield
    finally:
        over.set()
        with contextlib.suppress(OSError):
            connection.shutdown(2)
        sender.join()
        connection.close()


def reserved(lab):
    """kB of memory that the process may write to, used by now or not."""
    status = pathlib.Path(f"/proc/{lab.service.pid}/status").read_text(encoding="ascii")
    return int(re.search(r"VmData:\s+(\d+)", status)[1])


SCENARIOS = [floods_beside_a_transfer, a_full_flow_table]
