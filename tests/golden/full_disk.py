#!/usr/bin/env python3
"""Whatever a replay writes, a disk that becomes full ends it with exit 3 and a message; what fitted is there and readable.

Usage: full_disk.py PORTCULLIS
"""

import pathlib
import resource
import subprocess
import sys
import tempfile

SAMPLES = pathlib.Path(__file__).resolve().parents[2] / "captures" / "samples"
LIMIT = 10_001  # bytes a file may have: in the midst of a packet, and of a line
OUTPUTS = {
    "out.pcap": "--write",
    "out.pcapng": "--write",
    "annotated.pcapng": "--annotate",
    "decisions.jsonl": "--decisions",
    "azure.jsonl": "--azure-log",
}


def run(binary, *words, stdout=subprocess.PIPE, limit=None):
    def limited():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    return subprocess.run([binary, *words], stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=300,
                          preexec_fn=limited if limit else None)


def replay(*words):
    return ["replay", "--config", str(SAMPLES / "lab.toml"), "--scenario", str(SAMPLES / "opened.toml"),
            str(SAMPLES / "ssh.pcap"), *words]


def differs(what, found, expected):
    if found != expected:
        yield f"{what}: {found!r}, not {expected!r}"


def becomes_full(binary, folder, name, flag):
    """A file that may not grow any further: a write that is cut short, then one that fails."""
    whole, cut = folder / f"whole-{name}", folder / name
    yield from differs(name, run(binary, *replay("--quiet", flag, str(whole))).returncode, 0)
    full = run(binary, *replay("--quiet", flag, str(cut)), limit=LIMIT)
    yield from differs(name, full.returncode, 3)
    yield from differs(name, full.stderr, f"portcullis: cannot write {cut}: File too large\n")
    yield from differs(f"{name}: bytes", cut.stat().st_size, LIMIT)
    yield from differs(f"{name}: is how the whole file begins", whole.read_bytes().startswith(cut.read_bytes()), True)
    if flag in ("--write", "--annotate"):
        again = run(binary, "replay", "--config", str(SAMPLES / "lab.toml"), str(cut))
        yield from differs(f"{name} read again", again.returncode, 3)
        packets = int(again.stdout.split(" packets")[0].rsplit(" ", 1)[1])
        yield from differs(f"{name} read again: {packets} packets, then its end named",
                           packets > 20 and f"packet {packets + 1} " in again.stderr, True)


def is_full(binary, name, *words):
    """No byte fits."""
    with open("/dev/full", "w") as full:
        ran = run(binary, *words, stdout=full)
    yield from differs(name, ran.returncode, 3)
    place = "/dev/full" if "/dev/full" in words else "standard output"
    yield from differs(name, ran.stderr, f"portcullis: cannot write {place}: No space left on device\n")


def main(binary):
    wrong = []
    with tempfile.TemporaryDirectory() as scratch:
        for name, flag in OUTPUTS.items():
            wrong += becomes_full(binary, pathlib.Path(scratch), name, flag)
    for flag in sorted({*OUTPUTS.values(), "--summary-json"}):
        wrong += is_full(binary, flag, *replay("--quiet", flag, "/dev/full"))
        wrong += is_full(binary, f"{flag} -", *replay("--quiet", flag, "-"))
    wrong += is_full(binary, "the table", *replay())
    lab = ["--config", str(SAMPLES / "lab.toml")]
    wrong += is_full(binary, "check", "check", *lab)
    wrong += is_full(binary, "explain", "explain", *lab, "--from", "198.51.100.7:40000", "--to", "203.0.113.10:50022")
    print("\n".join(wrong) or "every full disk was told of")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
