#!/usr/bin/env python3
"""`portcullis run` between two networks: real programs on both sides, doors opened through the API.

Usage: live.py PORTCULLIS DRIVER on|off [SCENARIO… | --bulk]     (as root; on, off: the interfaces' offloads)

Each scenario has a lab and a process of its own; some run at a time. --bulk: files of as many MB as PORTCULLIS_BULK says.
"""

import concurrent.futures
import contextlib
import os
import subprocess
import sys
import tempfile
import time

import live_doors
import live_traffic
import live_wires
from live_check import check, failures
from live_lab import Lab
from namespaces import require, skip

SCENARIOS = {each.__name__: each for each in live_doors.SCENARIOS + live_traffic.SCENARIOS + live_wires.SCENARIOS}
AT_A_TIME = 4
MOST_SECONDS = 300 + live_traffic.BULK


def main():
    require("ip", "ss", "ethtool", "ssh", "scp", "sftp", "ssh-keygen", "sshd", "unshare", "curl", "nginx", "dnsmasq", "dig", "iperf3")
    portcullis, driver, offloads, *chosen = sys.argv[1:]
    if chosen == ["--bulk"]:
        if "PORTCULLIS_BULK" not in os.environ:
            skip("set PORTCULLIS_BULK to the MB of the files to copy")
        chosen = ["files_arrive_intact"]
    if len(chosen) == 1:
        play(SCENARIOS[chosen[0]], portcullis, driver, offloads == "on")
        sys.exit(1 if failures else 0)
    with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
        codes = list(pool.map(lambda name: play_alone(name, *sys.argv[1:4]), chosen or SCENARIOS))
    sys.exit(1 if any(codes) else 0)


def play_alone(name, *arguments):
    with subprocess.Popen([sys.executable, "-B", __file__, *arguments, name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True) as process:
        try:
            told = process.communicate(timeout=MOST_SECONDS)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            told = process.communicate()[0] + f"FAILED: {name}: it takes more than {MOST_SECONDS} s\n"
    print(told, end="", flush=True)
    return process.returncode


def play(scenario, portcullis, driver, offloads):
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as running:
        lab = Lab(portcullis, folder, offloads, live_traffic.mtu_inside(scenario))
        try:
            scenario(lab, driver, running)
        except Exception as error:  # pylint: disable=W0718
            check(False, f"{scenario.__name__}: {error!r}\n{lab.log()}")
        finally:
            if lab.service is not None and lab.service.poll() is None:
                lab.stop()
    print(f"{scenario.__name__}: {time.monotonic() - begun:.1f} s", flush=True)


if __name__ == "__main__":
    main()
