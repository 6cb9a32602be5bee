#!/usr/bin/env python3
"""The runner of the live tests ends whatever a scenario does, and tells of it.

Usage: live_runner_test.py     (with arguments: such a test, of the scenarios here)
"""

import os
import re
import signal
import subprocess
import sys
import time

import live_runner
from live_check import check, failures

SECONDS = 4


def is_good(*_):
    pass


def goes_wrong(*_):
    check(False, "it is wrong")


def breaks(*_):
    raise RuntimeError("it is broken")


def never_ends(*_):
    time.sleep(1000)


def leaves_a_server_behind(*_):
    """As a killed ssh does whose end does not come through a gateway that has stopped: the session keeps all that it has open."""
    print("left behind:", subprocess.Popen(["sleep", "1000"]).pid)  # pylint: disable=R1732


SCENARIOS = [is_good, goes_wrong, breaks, never_ends, leaves_a_server_behind]


class NoLab:
    service = None

    def log(self):
        return "the lab's log"


def ends_what_is_left_behind(told):
    """Whether it still ran."""
    number = int(re.search(r"left behind: (\d+)", told)[1])
    try:
        os.kill(number, signal.SIGKILL)
        return True
    except ProcessLookupError:
        return False


def main():
    if len(sys.argv) > 1:
        live_runner.run(SCENARIOS, sys.argv[1:3], sys.argv[3:], lambda *_: NoLab(), at_a_time=2, seconds=SECONDS)
    told = subprocess.run([sys.executable, "-B", __file__, "x", "driver"], capture_output=True, text=True, check=False)
    check(ends_what_is_left_behind(told.stdout), f"nobody waits for what is left behind:\n{told.stdout}")
    check(told.returncode == 1 and not told.stderr, f"what went wrong counts: {told}")
    for text in ("FAILED: it is wrong", "RuntimeError: it is broken", "the lab's log", f"it takes more than {SECONDS} s"):
        check(text in told.stdout, f"'{text}' is missing:\n{told.stdout}")
    check(told.stdout.count("FAILED") == 3, f"nothing else fails:\n{told.stdout}")
    for each in SCENARIOS:
        check(f"{each.__name__}: " in told.stdout, f"{each.__name__} has run:\n{told.stdout}")
    good = subprocess.run([sys.executable, "-B", __file__, "x", "driver", "is_good", "leaves_a_server_behind"], check=False,
                          stdout=subprocess.PIPE, text=True)
    check(good.returncode == 0 and ends_what_is_left_behind(good.stdout), "what is good is good")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
