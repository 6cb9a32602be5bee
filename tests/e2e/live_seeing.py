#!/usr/bin/env python3
"""What the live gateway tells of itself: status, flows, decisions, metrics, logs and recordings; and new rules by the API.

Usage: live_seeing.py PORTCULLIS DRIVER [SCENARIO]…     (as root)
"""

import contextlib
import datetime
import json
import pathlib
import re
import signal
import socket
import struct
import subprocess
import sys
import threading

import live_runner
from live_check import check
from live_lab import CLIENT, LONG, OTHER_CLIENT, PUBLIC, WEB, Lab, is_closed, rules, settled, tcp_from, udp_from, wait_for
from namespaces import require

ADMIN = {"by": "admin@lab.example"}


def serve_echo(address, port, running, space):
    """TCP and UDP."""
    with space.entered():
        listener = socket.create_server((address, port))
        datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        datagrams.bind((address, port))

    def answer(connection):
        with contextlib.suppress(OSError):
            while data := connection.recv(65535):
                connection.sendall(data)

    def accept():
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()

    def answer_datagrams():
        with contextlib.suppress(OSError):
            while True:
                data, sender = datagrams.recvfrom(65535)
                datagrams.sendto(data, sender)
    for task in (accept, answer_datagrams):
        threading.Thread(target=task, daemon=True).start()
    running.callback(listener.close)
    running.callback(datagrams.close)


def say(connection, data):
    connection.sendall(data)
    got = b""
    while len(got) < len(data):
        more = connection.recv(65535)
        if not more:
            break
        got += more
    return got


@contextlib.contextmanager
def talking(connection):
    """Meanwhile packets pass."""
    over = threading.Event()

    def talk():
        while not over.wait(0.1):
            say(connection, b"on and on")
    talker = threading.Thread(target=talk, daemon=True)
    talker.start()
    try:
        yield
    finally:
        over.set()
        talker.join()


def told(lab, *command, **who):
    return json.loads(lab.ask(*command, "--json", **(who or ADMIN)).stdout)


def audited(lab):
    return json.dumps(told(lab, "audit", "list"))


def the_gateway_is_seen(lab, driver, running):
    serve_echo(WEB, 7000, running, lab.server)
    lab.start(driver=driver)
    session, other = tcp_from(lab.client, CLIENT, 7000), tcp_from(lab.client, OTHER_CLIENT, 7000)
    check(say(session, b"hello") == b"hello" and say(other, b"hello") == b"hello", "two sessions are up")
    check(is_closed(lab.client, CLIENT, 50022), "a guarded port is closed")

    status = told(lab, "status")
    live = status["live"]
    check([side["interface"] for side in live["interfaces"]] == ["outside0", "inside0"], f"status names the interfaces: {live}")
    check(live["packets"]["reasons"]["dnat"] == 2 and live["packets"]["reasons"]["jit-closed"] >= 1, f"and reasons: {live['packets']}")
    check(live["flows"]["active"] == 2, f"and flows: {live['flows']}")
    check(any(one["address"] == WEB and one["state"] == "reachable" for one in live["interfaces"][1]["neighbours"]), "and neighbours")
    with talking(other):
        wait_for(lambda: told(lab, "status")["live"]["interfaces"][0]["received"]["packetsPerSecond"] > 0, "rates are never told")
    text = lab.ask("status", **ADMIN).stdout
    for word in ("lab-fw: packets move", "outside0 (", "jit-closed", "flows        2 of "):
        check(word in text, f"status for a person has {word!r}:\n{text}")
    refused = lab.ask("status", check=False)
    check(refused.returncode == 1 and "azureFirewalls/read" in refused.stderr, f"a requester does not see it: {refused.stderr}")

    listed = told(lab, "flows", "list", "--client", CLIENT)["value"]
    check([flow["client"].split(":")[0] for flow in listed] == [CLIENT], f"flows of a client: {listed}")
    check(listed[0]["state"] == "established" and listed[0]["rule"] == "inbound/echo-tcp", f"with state and rule: {listed}")
    check(len(told(lab, "flows", "list", "--port", "7000")["value"]) == 2, "flows of a port")
    check(told(lab, "flows", "list", "--protocol", "udp")["value"] == [], "flows of a protocol")
    check(f"{CLIENT}:" in lab.ask("flows", "list", **ADMIN).stdout, "flows as a table")
    end = ("flows", "end", "--from", listed[0]["client"], "--to", f"{PUBLIC}:7000")
    check(lab.ask(*end, check=False).returncode == 1, "a requester ends no flow")
    lab.ask(*end, **ADMIN)
    try:
        session.recv(1)
        check(False, "a flow that was ended lives on")
    except ConnectionResetError:
        pass
    check(say(other, b"still") == b"still", "the other one goes on")
    check(lab.ask(*end, check=False, **ADMIN).returncode == 1, "there is nothing to end twice")

    metrics = lab.gateway.run("curl", "-sk", "https://127.0.0.1:8443/metrics", capture_output=True).stdout
    for line in (r'portcullis_live_packets_total\{fate="drop",reason="jit-closed"\} [1-9]', r"portcullis_live_flows 1\n",
                 r'portcullis_live_received_packets_total\{side="outside"\} [1-9]', r'portcullis_live_interface_up\{side="inside"\} 1'):
        check(re.search(line, metrics), f"metrics have {line}:\n{metrics}")
    check(CLIENT not in metrics and "outside0" not in metrics, "metrics name nobody")


def decisions_are_watched(lab, driver, running):
    serve_echo(WEB, 7000, running, lab.server)
    lab.start(driver=driver)
    with open(lab.folder / "watched", "w+", encoding="utf-8") as out, open(lab.folder / "denied", "w+", encoding="utf-8") as denied:
        watchers = [start_watch(lab, out, "--json"), start_watch(lab, denied, "--reason", "jit-closed", "--address", CLIENT)]
        wait_for(lambda: audited(lab).count("watches decisions") == 2, "the audit does not tell that somebody watches")
        check(say(tcp_from(lab.client, CLIENT, 7000), b"hi") == b"hi", "traffic while watched")
        check(is_closed(lab.client, CLIENT, 50022) and is_closed(lab.client, OTHER_CLIENT, 50022), "closed while watched")
        wait_for(lambda: (lab.folder / "denied").read_text().count("jit-closed") >= 1 and "reply" in (lab.folder / "watched").read_text(),
                 "decisions are not seen")
        settled(lambda: [(lab.folder / name).stat().st_size for name in ("watched", "denied")], "decisions do not end")
        for watcher in watchers:
            watcher.send_signal(signal.SIGINT)
            check(watcher.wait(LONG) == 0, "Ctrl-C ends a watch well")
    fields = {"packet", "time", "side", "fate", "reason", "rule", "from", "to", "out_from", "out_to", "detail"}
    lines = [json.loads(line) for line in (lab.folder / "watched").read_text().splitlines()]
    check(all(set(line) <= fields for line in lines), "JSON lines have the fields of --decisions")
    check({"dnat", "established", "reply", "jit-closed"} <= {line["reason"] for line in lines}, "and all decisions")
    numbers = [line["packet"] for line in lines]
    check(numbers == list(range(numbers[0], numbers[0] + len(numbers))), "each once, in order")
    text = (lab.folder / "denied").read_text().splitlines()
    check(text and all(f"tcp {CLIENT}:" in line and f"> {PUBLIC}:50022 [S]" in line and "drop jit-closed" in line for line in text),
          f"a filter selects: {text}")


def start_watch(lab, out, *arguments):
    """As `Lab.ask` does, but it goes on."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(lab.folder), "PORTCULLIS_ENDPOINT": "https://127.0.0.1:8443",
                   "PORTCULLIS_TOKEN": "admin-token", "PORTCULLIS_CA": str(lab.folder / "portcullis-cert.pem")}
    return lab.gateway.start(lab.portcullis, "watch", *arguments, stdout=out, env=environment)


def rules_are_reloaded_by_the_api(lab, driver, running):
    serve_echo(WEB, 7000, running, lab.server)
    serve_echo(WEB, 80, running, lab.server)
    lab.start(driver=driver)
    kept, lost = tcp_from(lab.client, CLIENT, 8080), tcp_from(lab.client, CLIENT, 7000)
    config = lab.folder / "lab.toml"
    whole = config.read_text()
    config.write_text(whole.replace('name = "web01"', 'nome = "web01"', 1))
    bad = lab.ask("reload", check=False, **ADMIN)
    check(bad.returncode == 1 and re.search(r"lab\.toml:\d+:\d+: error: .*nome", bad.stderr), f"mistakes are told by place: {bad.stderr}")
    check(say(kept, b"a") == b"a" and say(lost, b"b") == b"b", "the old rules stay when the new ones are bad")
    check(lab.ask("reload", check=False).returncode == 1, "a requester reloads nothing")
    config.write_text(whole.replace(rules(["echo-tcp"]), ""))
    good = lab.ask("reload", **ADMIN).stdout
    check(good == "NAT rule inbound/echo-tcp removed\n", f"what has changed is told: {good}")
    check(say(kept, b"c") == b"c", "a flow of a rule that stays lives on")
    check(is_closed(lab.client, CLIENT, 7000), "a removed rule admits nobody")
    again = told(lab, "reload")
    check(again["changes"] == [] and again["kept"] == [], f"the same again changes nothing: {again}")
    audit = audited(lab)
    check("the configuration was read anew" in audit and "InvalidConfiguration" in audit, f"the audit knows of both: {audit}")


def logs_are_written_live(lab, driver, running):
    serve_echo(WEB, 7000, running, lab.server)
    log, decisions = lab.folder / "azfw.jsonl", lab.folder / "decisions.jsonl"
    lab.start(driver=driver, arguments=("--azure-log", log, "--decisions", decisions))
    say(tcp_from(lab.client, CLIENT, 7000), b"x")
    wait_for(lambda: '"AZFWNatRule"' in log.read_text(), "Azure's log is not written while packets move")
    wait_for(lambda: '"reason":"reply"' in decisions.read_text(), "decisions are not written while packets move")
    moved = lab.folder / "azfw.moved"
    log.rename(moved)
    lab.service.send_signal(signal.SIGHUP)
    wait_for(log.exists, "SIGHUP makes no new log")
    say(tcp_from(lab.client, CLIENT, 7000), b"y")
    wait_for(lambda: '"AZFWNatRule"' in log.read_text(), "a new log is not written")
    check(moved.read_text().count("AZFWNatRule") == 1, "what was moved away is written no more")
    status = told(lab, "status")["live"]["logs"]
    check([file["lost"] for file in status["files"]] == [0, 0] and status["notQueued"] == 0, f"nothing is missing: {status}")


def a_full_disk_closes_no_door(lab, driver, running):
    for port in (22, 7000):
        serve_echo(WEB, port, running, lab.server)
    lab.start(driver=driver, arguments=("--decisions", "/dev/full"))
    session = tcp_from(lab.client, CLIENT, 7000)
    wait_for(lambda: "No space left on device" in lab.log(), "a full disk is not told of")
    for _ in range(5):
        check(say(session, b"on") == b"on", "packets go on while the disk is full")
    wait_for(lambda: told(lab, "status")["live"]["logs"]["files"][0]["lost"] >= 10, "what is missing is not counted")
    check(lab.log().count("No space left on device") == 1, "it is told once")
    lab.request("web01")
    tcp_from(lab.client, CLIENT, 50022).close()  # and doors open
    metrics = lab.gateway.run("curl", "-sk", "https://127.0.0.1:8443/metrics", capture_output=True).stdout
    check(re.search(r'portcullis_live_log_lost_records_total\{cause="disk"\} [1-9]', metrics), "and Prometheus hears of it")


def a_recording_replays_to_the_byte(lab, driver, running):
    """What the live gateway sent, and what a replay of its arrivals sends, are the same from the IPv4 header on. Ethernet
    addresses are the next hops', of which a replay knows nothing; a packet that waited for its next hop left later."""
    for port in (22, 7000, 6001):
        serve_echo(WEB, port, running, lab.server)
    recording = lab.folder / "all.pcapng"
    lab.start(driver=driver, arguments=("--record", recording))
    events = []
    say(tcp_from(lab.client, CLIENT, 7000), b"first")
    check(is_closed(lab.client, CLIENT, 50022), "closed")
    pause(lab, events, "request", 'source = "198.51.100.7", duration = "PT1H"')
    lab.request("web01")
    cut = tcp_from(lab.client, CLIENT, 50022)
    check(say(cut, b"through a window") == b"through a window", "open")

    def much():
        connection = tcp_from(lab.client, CLIENT, 7000)
        for _ in range(20):  # an echo that is not read meanwhile stops at what the sockets hold
            check(say(connection, bytes(range(251)) * 200) == bytes(range(251)) * 200, "50 kB come back")
    threads = [threading.Thread(target=much) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    talk = udp_from(lab.client, OTHER_CLIENT)
    talk.connect((PUBLIC, 6000))
    for data in (b"datagram", b"", b"z" * 5000):
        talk.send(data)
        check(talk.recv(65535) == data, "a datagram comes back")
    talk.close()
    pause(lab, events, "revoke", "cut = true")
    lab.ask("revoke", "web01", "--port", "22", "--cut")
    with contextlib.suppress(OSError):
        cut.recv(1)
    check(is_closed(lab.client, CLIENT, 50022), "closed again")
    check(told(lab, "status")["live"]["logs"]["notQueued"] == 0, "all was recorded")
    lab.stop()
    compare(lab, recording, events)


def pause(lab, events, what, more):
    """An event of the scenario, in the middle of a silence."""
    settled(lambda: told(lab, "status")["live"]["packets"], "the wires do not become silent")
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")
    events.append(f'[[event]]\nat = "{now}"\n{what} = {{ by = "operator@lab.example", vm = "web01", port = 22, {more} }}\n')


def compare(lab, recording, events):
    scenario, again, written = lab.folder / "day.toml", lab.folder / "again.pcapng", lab.folder / "left.pcapng"
    scenario.write_text("".join(events))
    summary = subprocess.run([lab.portcullis, "replay", "--config", lab.folder / "lab.toml", "--scenario", scenario, "--vantage", "both",
                              "--annotate", again, "--write", written, "--summary-json", "-", "--quiet", recording],
                             capture_output=True, text=True, check=True).stdout
    live, replayed = list(packets(recording)), [one for one in packets(again) if one["interface"] == "left"]
    left = [one for one in live if one["outbound"] and one["frame"][12:14] == b"\x08\x00"]
    check(json.loads(summary)["reasons"]["departure"] == len(left), "a replay ignores what had left")
    check(len(left) > 100, f"enough has left: {len(left)}")
    for kind in ("packet", "synthesized"):
        ours = [(one["interface"], one["frame"][14:]) for one in sorted((one for one in left if one["comment"].startswith(kind)),
                                                                       key=number_of)]
        theirs = [(side_of(one), one["frame"][14:]) for one in replayed if one["comment"].startswith(kind)]
        check(len(ours) > 1 and ours == theirs, f"{kind}: {len(ours)} departures live, {len(theirs)} replayed, the first that differ: "
              f"{[(a, b) for a, b in zip(ours, theirs) if a != b][:1]}")
    check([one["frame"] for one in packets(written)] == [one["frame"] for one in replayed], "--write has what --annotate has")
    came = {number_of(one): one["time"] for one in live if not one["outbound"]}
    at_once = sum(one["time"] == came.get(number_of(one)) for one in left if one["comment"].startswith("packet"))
    late = sum(one["time"] > came.get(number_of(one), one["time"]) for one in left if one["comment"].startswith("packet"))
    check(late <= 16 and at_once > 100, f"{at_once} left at the instant of their arrival, {late} waited for a neighbour")
    print(f"  {len(left)} departures, byte by byte; {late} of them had waited for a next hop")


def number_of(packet):
    found = re.match(r"packet (\d+)", packet["comment"])
    return int(found[1]) if found else 0


def side_of(packet):
    return re.search(r"on the (outside|inside) wire", packet["comment"])[1]


def packets(path):
    """Enhanced packets of a pcapng in this machine's byte order, with their comments and directions."""
    data, at, interfaces = pathlib.Path(path).read_bytes(), 0, []
    while at < len(data):
        kind, size = struct.unpack_from("<II", data, at)
        body = data[at + 8:at + size - 4]
        at += size
        if kind == 1:
            interfaces.append(dict(options(body[8:]))[2].decode())
        elif kind == 6:
            interface, high, low, captured, _ = struct.unpack_from("<IIIII", body)
            said = dict(options(body[20 + captured + -captured % 4:]))
            yield {"interface": interfaces[interface], "time": high << 32 | low, "frame": body[20:20 + captured],
                   "comment": said.get(1, b"").decode(), "outbound": said.get(2, b"\0")[0] & 3 == 2}


def options(data):
    at = 0
    while at + 4 <= len(data):
        code, size = struct.unpack_from("<HH", data, at)
        if code == 0:
            return
        yield code, data[at + 4:at + 4 + size]
        at += 4 + size + -size % 4


SCENARIOS = [the_gateway_is_seen, decisions_are_watched, rules_are_reloaded_by_the_api, logs_are_written_live,
             a_full_disk_closes_no_door, a_recording_replays_to_the_byte]


def main():
    require("ip", "ethtool", "curl")
    portcullis, driver, *chosen = sys.argv[1:]
    live_runner.run(SCENARIOS, [portcullis, driver], chosen, lambda _, folder: Lab(portcullis, folder), at_a_time=3)


if __name__ == "__main__":
    main()
