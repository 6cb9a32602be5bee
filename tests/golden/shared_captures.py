#!/usr/bin/env python3
"""Replays every capture in a folder of real and of hostile ones, and asks others about the result.

Usage: shared_captures.py PORTCULLIS [FOLDER]     FOLDER is ../shared/captures beside the repository; exit 77 without it

Each file is replayed with a configuration that has nothing to do with it, and with one that names its busiest servers
as public IPs, seen from outside, so that its packets are really translated. Then:
- portcullis ends by itself, in time, and says that all was read, or where the file is broken, or that it is no capture;
- packets = forwarded + dropped + ignored, as many as there are decisions, and as capinfos counts; what capinfos reads
  to its end is not broken;
- the annotated capture and the translated one hold the same packets;
- tshark finds no checksum that was good before and is bad after.
"""

import collections
import concurrent.futures
import dataclasses
import functools
import gzip
import itertools
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SECONDS = 120
MOST_SERVERS = 20
LARGEST_PORT = 63999
SKIPPED = 77
NO_CAPTURE = ("is not a pcap or pcapng capture", "is empty", "is compressed", "only version 2 can be read")
BAD, GOOD = "0", "1"

CONFIG = """[firewall]
public_ips = [{addresses}]
instance_ip = "{instance}"
[[nat_rule_collection]]
name = "servers"
priority = 100
"""
RULE = """[[nat_rule_collection.rule]]
name = "{name}"
protocols = ["TCP", "UDP"]
source_addresses = ["*"]
destination_addresses = ["{address}"]
destination_ports = ["{port}"]
translated_address = "10.254.0.{number}"
translated_port = "{port}"
"""


@dataclasses.dataclass
class Replayed:
    path: pathlib.Path
    problems: list
    forwarded: int = 0
    packets: int | None = None
    broken: bool = False
    annotated: pathlib.Path | None = None


def replay(binary, path, name, scratch):
    """Both replays of one file, and what can be told without anybody else."""
    result = Replayed(name, [])
    unrelated = run(binary, path, scratch / "unrelated", configuration([("203.0.113.10", 22)], "10.254.255.1"), result)
    if unrelated is None or result.problems:
        return result
    _, decisions = unrelated
    listeners, instance = servers(decisions)
    if listeners:
        summary, _ = run(binary, path, scratch / "related", configuration(listeners, instance), result) or ({}, [])
        result.forwarded = summary.get("forwarded", 0)
        result.annotated = scratch / "related" / "all.pcapng"
        if not result.problems:
            result.problems += same_packets(result.annotated, scratch / "related" / "out.pcapng")
    return result


def run(binary, path, folder, config, result):
    """The summary and the decisions of a replay; nothing if it came to none."""
    folder.mkdir()
    (folder / "lab.toml").write_text(config)
    outputs = {"--summary-json": "summary.json", "--decisions": "decisions.jsonl", "--write": "out.pcapng",
               "--annotate": "all.pcapng"}
    words = [binary, "replay", "--quiet", "--config", folder / "lab.toml", path]
    words += [word for flag, file in outputs.items() for word in (flag, folder / file)]
    try:
        ran = subprocess.run(words, capture_output=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        result.problems.append(f"did not end within {SECONDS} s")
        return None
    message = ran.stderr.decode(errors="replace")
    if ran.returncode == 2 and any(text in message for text in NO_CAPTURE):
        return None
    if ran.returncode not in (0, 3):
        result.problems.append(f"exit {ran.returncode}: {message[-2000:]}")
        return None
    result.broken = ran.returncode == 3
    summary = json.loads((folder / "summary.json").read_text())
    decisions = [json.loads(line) for line in (folder / "decisions.jsonl").read_text().splitlines()]
    fates = collections.Counter(decision["fate"] for decision in decisions)
    told = {"forward": summary["forwarded"], "drop": summary["dropped"], "ignore": summary["ignored"]}
    if any(fates[fate] != count for fate, count in told.items()):
        result.problems.append(f"the decisions are {dict(fates)}, the summary says {summary}")
    if summary["packets"] != sum(told.values()):
        result.problems.append(f"packets are missing: {summary}")
    if sorted(decision["packet"] for decision in decisions) != list(range(1, summary["packets"] + 1)):
        result.problems.append("the decisions do not number every packet once")
    if result.packets not in (None, summary["packets"]):
        result.problems.append(f"{summary['packets']} packets with one configuration, {result.packets} with the other")
    result.packets = summary["packets"]
    return summary, decisions


def servers(decisions):
    """The busiest listeners: of two ends the one with the lower port, unless it is a client of another that was chosen.
    And an address for the firewall that nobody has."""
    talks = collections.Counter()
    for decision in decisions:
        source, destination = decision.get("from", ""), decision.get("to", "")
        if ":" in source and ":" in destination:
            ends = sorted((endpoint(source), endpoint(destination)), key=lambda end: end[1])
            talks[tuple(ends)] += 1
    busiest, clients_of = collections.Counter(), collections.defaultdict(set)
    for (server, client), count in talks.items():
        busiest[server] += count
        clients_of[server].add(client[0])
    chosen, clients = [], set()
    for server, _ in busiest.most_common():
        addresses = {address for address, _ in chosen} | {server[0]}
        if len(chosen) < MOST_SERVERS and usable(server) and not addresses & (clients | clients_of[server]):
            chosen.append(server)
            clients |= clients_of[server]
    seen = {end[0] for talk in talks for end in talk}
    return chosen, next(free for free in (f"10.254.255.{n}" for n in itertools.count(1)) if free not in seen)


def endpoint(text):
    address, _, port = text.rpartition(":")
    return address, int(port)


def usable(server):
    address, port = server
    first = int(address.split(".")[0])
    return 0 < port <= LARGEST_PORT and 0 < first < 224 and first != 127 and address != "203.0.113.10"


def configuration(listeners, instance):
    addresses = ", ".join(f'"{address}"' for address in dict.fromkeys(address for address, _ in listeners))
    rules = [RULE.format(name=f"rule{number}", address=address, port=port, number=number)
             for number, (address, port) in enumerate(listeners, 1)]
    return CONFIG.format(addresses=addresses, instance=instance) + "".join(rules)


def frames(path):
    """(comment, bytes) of a pcapng that portcullis wrote."""
    data, at = path.read_bytes(), 0
    while at < len(data):
        kind, size = struct.unpack_from("<II", data, at)
        if kind == 6:
            captured = struct.unpack_from("<I", data, at + 20)[0]
            option = at + 28 + captured + -captured % 4
            length = struct.unpack_from("<H", data, option + 2)[0] if option < at + size - 4 else 0
            yield data[option + 4:option + 4 + length].decode(), data[at + 28:at + 28 + captured]
        at += size


def is_original(comment):
    return re.match(r"packet \d+:", comment) is not None


def same_packets(annotated, translated):
    """The translated capture is the inside wire's, so the RSTs that the firewall sends to clients are not in it."""
    to_client = "synthesized: the firewall ends the flow, on the outside wire"
    left = [frame for comment, frame in frames(annotated) if not is_original(comment) and comment != to_client]
    written = [frame for _, frame in frames(translated)]
    if left != written:
        yield f"{len(left)} packets left by the annotated capture, {len(written)} others by the translated one"


def counts_of_capinfos(paths):
    """How many packets each file has; files that capinfos cannot read to their end are not in it."""
    ran = subprocess.run(["capinfos", "-T", "-M", "-r", "-c", *paths], capture_output=True, text=True)
    rows = (line.split("\t") for line in ran.stdout.splitlines())
    complaints = ran.stderr
    return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit() and row[0] not in complaints}


def spoilt_checksums(path):
    """Asks tshark about an annotated capture, in which what left follows what it was."""
    checks = [word for protocol in ("ip", "tcp", "udp") for word in ("-o", f"{protocol}.check_checksum:TRUE")]
    checks += ["-o", "ip.defragment:FALSE", "-o", "tcp.desegment_tcp_streams:FALSE"]
    fields = [word for name in ("ip", "tcp", "udp", "icmp") for word in ("-e", f"{name}.checksum.status")]
    command = ["tshark", "-n", "-r", path, *checks, "-T", "fields", *fields]
    ran = subprocess.run(command, capture_output=True, text=True)
    comments = [comment for comment, _ in frames(path)]
    statuses = [line.split("\t") for line in ran.stdout.splitlines()]
    if len(comments) != len(statuses):
        yield f"tshark sees {len(statuses)} packets of {len(comments)}: {ran.stderr[:500]}"
    before = None
    for comment, after in zip(comments, statuses):
        if is_original(comment):
            before = after
        elif comment.startswith("packet"):
            was, now = (",".join(values).split(",") for values in (before, after))
            if len(was) != len(now) or any((old, new) == (GOOD, BAD) for old, new in zip(was, now)):
                yield f"tshark: {comment} has checksums {after}, {before} before its translation"


def unpacked(path, scratch):
    """The capture itself; nothing if it is packed in a way that nobody here can unpack."""
    plain = scratch / path.stem
    if path.suffix == ".gz":
        plain.write_bytes(gzip.decompress(path.read_bytes()))
        return plain
    if path.suffix == ".zst":
        if shutil.which("zstd") is None:
            return None
        subprocess.run(["zstd", "-qd", path, "-o", plain], check=True)
        return plain
    return path


def examine(binary, path, name, scratch):
    scratch.mkdir()
    plain = unpacked(path, scratch)
    if plain is None:
        return Replayed(name, ["skipped: no zstd to unpack it"])
    result = replay(binary, plain, name, scratch)
    if result.packets is not None:
        counted = counts_of_capinfos([str(plain)]).get(str(plain))
        if counted is not None and (result.broken or counted != result.packets):
            claim = f"{result.packets} packets{', and broken' if result.broken else ''}"
            result.problems.append(f"{claim}; capinfos counts {counted}")
    if result.annotated and not result.problems and result.forwarded:
        result.problems += spoilt_checksums(result.annotated)
    return result


def main(arguments):
    binary = str(pathlib.Path(arguments[0]).resolve())
    folder = pathlib.Path(arguments[1]) if len(arguments) > 1 else HERE.parents[2] / "shared" / "captures"
    if not folder.is_dir():
        print(f"skipped: there is no folder {folder}")
        return SKIPPED
    if shutil.which("tshark") is None or shutil.which("capinfos") is None:
        print("skipped: tshark and capinfos are to judge, and are not installed")
        return SKIPPED
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".tsv")
    with tempfile.TemporaryDirectory() as scratch, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        scratches = [pathlib.Path(scratch) / str(number) for number in range(len(paths))]
        names = [path.relative_to(folder) for path in paths]
        results = list(pool.map(functools.partial(examine, binary), paths, names, scratches))
    failed = 0
    for result in results:
        for problem in result.problems[:5]:
            skipped = problem.startswith("skipped: ")
            print(f"skipped: {result.path}: {problem[9:]}" if skipped else f"{result.path}: {problem}")
        failed += any(not problem.startswith("skipped") for problem in result.problems)
    packets = sum(result.packets or 0 for result in results)
    forwarded = sum(result.forwarded for result in results)
    print(f"{len(results)} files, {packets} packets, "
          f"{forwarded} translated in {sum(bool(each.forwarded) for each in results)} files; "
          f"{sum(each.broken for each in results)} broken, "
          f"{sum(each.packets is None for each in results)} no captures; {failed} failed")
    if forwarded == 0:
        print("nothing was translated, so nothing was tested")
    return 1 if failed or forwarded == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
