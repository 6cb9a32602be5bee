"""Runs scenarios of the live gateway, each with a lab and a process of its own, and within its time."""

import concurrent.futures
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback

from live_check import check, failures

SECONDS_TO_CLEAN_UP = 120


class TooLong(Exception):
    """Not an OSError: scenarios take many of those for an answer."""


def run(scenarios, arguments, chosen, make_lab, at_a_time=1, seconds=900):
    """Does not return. Of `scenarios`, functions of (lab, driver, running), the ones that are named in `chosen`, or all.

    `arguments`: those of this program, before the names of scenarios; the second is the driver. `make_lab`: of (scenario, folder).
    """
    by_name = {each.__name__: each for each in scenarios}
    if len(chosen) == 1:
        play(by_name[chosen[0]], arguments[1], make_lab, seconds)
        sys.exit(1 if failures else 0)
    at_a_time = min(at_a_time, 2 * len(os.sched_getaffinity(0)))
    with concurrent.futures.ThreadPoolExecutor(at_a_time) as pool:
        codes = list(pool.map(lambda name: play_alone([*arguments, name], seconds), chosen or by_name))
    sys.exit(1 if any(codes) else 0)


def play_alone(arguments, seconds):
    with tempfile.TemporaryFile("w+") as told:  # not a pipe: servers may keep that open, which nobody ends
        command = [sys.executable, "-B", sys.argv[0], *arguments]
        try:
            code = subprocess.run(command, stdout=told, stderr=subprocess.STDOUT, check=False,
                                  timeout=seconds + SECONDS_TO_CLEAN_UP).returncode
        except subprocess.TimeoutExpired:
            told.seek(0, 2)
            told.write(f"FAILED: {arguments[-1]}: it does not even end when its time is over\n")
            code = 1
        told.seek(0)
        print(told.read(), end="", flush=True)
        return code


def play(scenario, driver, make_lab, seconds):
    def end_it(*_):
        raise TooLong(f"it takes more than {seconds} s")

    begun = time.monotonic()
    signal.signal(signal.SIGALRM, end_it)
    signal.alarm(seconds)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, contextlib.ExitStack() as running:
        lab = make_lab(scenario, folder)
        try:
            scenario(lab, driver, running)
        except Exception as error:  # pylint: disable=W0718
            check(False, f"{scenario.__name__}: {traceback.format_exc()}{getattr(error, 'stderr', '')}\n{lab.log()}")
        finally:
            signal.alarm(0)
            if lab.service is not None and lab.service.poll() is None:
                lab.stop()
    print(f"{scenario.__name__}: {time.monotonic() - begun:.1f} s", flush=True)
