#!/usr/bin/env python3
"""The runner of the live tests ends whatever a scenario does, and tells of it.

Usage: live_runner_test.py     (with arguments: such a test, of the scenarios here)
"""

import subprocess
import sys
import time

import live_runner
from live_check import check, failures

SECONDS = 2


def is_good(*_):
    pass


def goes_wrong(*_):
    check(False, "it is wrong")


def breaks(*_):
    raise RuntimeError("it is broken")


def never_ends(*_):
    time.sleep(100)


def leaves_a_server_behind(*_):
    """As a killed ssh does whose end does not come through a gateway that has stopped: the session keeps all that it has open."""
    subprocess.Popen(["sleep", "20"])  # pylint: disable=R1732


SCENARIOS = [is_good, goes_wrong, breaks, never_ends, leaves_a_server_behind]


class NoLab:
    service = None

    def log(self):
        return "the lab's log"


def main():
    if len(sys.argv) > 1:
        live_runner.run(SCENARIOS, sys.argv[1:3], sys.argv[3:], lambda *_: NoLab(), at_a_time=2, seconds=SECONDS)
    begun = time.monotonic()
    told = subprocess.run([sys.executable, "-B", __file__, "x", "driver"], capture_output=True, text=True, check=False)
    check(time.monotonic() - begun < 15, "it ends in its time")
    check(told.returncode == 1 and not told.stderr, f"what went wrong counts: {told}")
    for text in ("FAILED: it is wrong", "RuntimeError: it is broken", "the lab's log", f"it takes more than {SECONDS} s"):
        check(text in told.stdout, f"'{text}' is missing:\n{told.stdout}")
    check(told.stdout.count("FAILED") == 3, f"nothing else fails:\n{told.stdout}")
    for each in SCENARIOS:
        check(f"{each.__name__}: " in told.stdout, f"{each.__name__} has run:\n{told.stdout}")
    good = subprocess.run([sys.executable, "-B", __file__, "x", "driver", "is_good", "leaves_a_server_behind"], check=False,
                          stdout=subprocess.DEVNULL)
    check(good.returncode == 0, "what is good is good")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
