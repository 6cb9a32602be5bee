#!/usr/bin/env python3
"""`portcullis run` between two networks: real programs on both sides, doors opened through the API.

Usage: live.py PORTCULLIS DRIVER on|off [SCENARIO… | --bulk]     (as root; on, off: the interfaces' offloads)

Each scenario has a lab and a process of its own; some run at a time. --bulk: files of as many MB as PORTCULLIS_BULK says.
"""

import os
import sys

import live_doors
import live_runner
import live_traffic
import live_wires
from live_lab import Lab
from namespaces import require, skip

SCENARIOS = live_doors.SCENARIOS + live_traffic.SCENARIOS + live_wires.SCENARIOS


def main():
    require("ip", "ss", "ethtool", "ssh", "scp", "sftp", "ssh-keygen", "sshd", "unshare", "curl", "nginx", "dnsmasq", "dig", "iperf3")
    portcullis, driver, offloads, *chosen = sys.argv[1:]
    if chosen == ["--bulk"]:
        if "PORTCULLIS_BULK" not in os.environ:
            skip("set PORTCULLIS_BULK to the MB of the files to copy")
        chosen = ["files_arrive_intact"]

    def make_lab(scenario, folder):
        return Lab(portcullis, folder, offloads == "on", live_traffic.mtu_inside(scenario))
    live_runner.run(SCENARIOS, [portcullis, driver, offloads], chosen, make_lab, at_a_time=4, seconds=900 + live_traffic.BULK)


if __name__ == "__main__":
    main()
