#!/usr/bin/env python3
"""A replay that waits for more of its input ends at the first SIGINT or SIGTERM, and tells of all that came before.

Usage: interrupts.py PORTCULLIS
"""

import array
import fcntl
import pathlib
import signal
import subprocess
import sys
import termios
import time

SAMPLES = pathlib.Path(__file__).resolve().parents[2] / "captures" / "samples"
SECONDS = 300


def waits_for_input(process):
    """Whether it has read all that was written to it, and sleeps."""
    unread = array.array("i", [0])
    fcntl.ioctl(process.stdin, termios.FIONREAD, unread)
    state = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0]
    return unread[0] == 0 and state == "S"


def interrupted(binary, number, capture):
    """Exit code, packets decided and stderr of a replay that gets so much and then the signal."""
    process = subprocess.Popen([binary, "replay", "--quiet", "--config", str(SAMPLES / "lab.toml"), "-", "--decisions",
                                "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with process:
        try:
            process.stdin.write(capture)
            process.stdin.flush()
            deadline = time.monotonic() + SECONDS
            while not waits_for_input(process) and time.monotonic() < deadline:
                time.sleep(0.01)
            process.send_signal(number)
            process.wait(SECONDS)  # its standard input stays open
            return process.returncode, process.stdout.read().count(b"\n"), process.stderr.read().decode()
        finally:
            process.kill()


def main(binary):
    capture = (SAMPLES / "ssh.pcap").read_bytes()
    wrong = []
    for number in (signal.SIGINT, signal.SIGTERM):
        for what, size, packets in (("between packets", len(capture), 170), ("in a packet", len(capture) - 5, 169)):
            found = interrupted(binary, number, capture[:size])
            expected = (3, packets, f"portcullis: interrupted after packet {packets}\n")
            if found != expected:
                wrong.append(f"{number.name} {what}: {found}, not {expected}")
    print("\n".join(wrong) or "every interrupt ended the waiting")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
