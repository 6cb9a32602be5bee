#!/usr/bin/env python3
"""tools/lab as its users have it: a door is opened and gone through, and nothing is left afterwards.

Usage: lab.py PORTCULLIS     (as root)
"""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

from live_check import check, failures
from namespaces import require

LAB = pathlib.Path(__file__).resolve().parents[2] / "tools/lab"
SSH = ["ssh", "-o", "ConnectTimeout=60"]  # a log-in takes its time on a busy machine
LOGIN = [*SSH, "-p", "50022", "root@203.0.113.10"]
NO_LOGIN = ["ssh", "-o", "ConnectTimeout=2", *LOGIN[len(SSH):]]
LONG = 300  # s: a deadline, where one is needed at all


class Lab:
    def __init__(self, portcullis, folder):
        self.folder = folder
        self.environment = os.environ | {"PORTCULLIS": portcullis, "PORTCULLIS_LAB": str(folder)}

    def __call__(self, *words, **options):
        return subprocess.run([LAB, *words], env=self.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LONG,
                              check=False, **options)

    def in_foreground(self):
        return subprocess.Popen([LAB], env=self.environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, start_new_session=True)

    def left(self):
        """What there still is of it."""
        found = [f"{self.folder} is there"] if self.folder.exists() else []
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if int(process.name) != os.getpid() and f"PORTCULLIS_LAB={self.folder}" in (process / "environ").read_text(errors="replace"):
                    found.append(f"process {process.name}: " + (process / "cmdline").read_text().replace("\0", " "))
        found += [line for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines() if str(self.folder) in line]
        return found


def a_newcomers_way(lab, other):
    check(lab("status").returncode == 3, "no lab is up at first")
    told = lab("up")
    check(told.returncode == 0 and "portcullis request web01" in told.stdout, f"it comes up and tells what to do: {told}")
    check(lab("on", "client", *NO_LOGIN, "hostname").returncode == 255, "closed: ssh gets no answer")
    told = lab("on", "client", "portcullis", "request", "web01", "--port", "22", "--duration", "1h")
    command = told.stdout.splitlines()[-1]
    check(command == "ssh -p 50022 USER@203.0.113.10", f"a request says what to type: {told}")
    told = lab("on", "client", *SSH, *command.replace("USER", "root").split()[1:], "hostname")
    check(told.stdout == "web01\n", f"that logs in: {told}")
    told = lab("status")
    check(told.returncode == 0 and "web01 port 22 is open" in told.stdout, f"the status has the open door: {told}")
    check(lab("up").returncode == 0, "up again changes nothing")
    check(lab("on", "client", *LOGIN, "hostname").stdout == "web01\n", "the door is still open")

    check(other("up").returncode == 0, "a second lab comes up beside it")
    check(other("on", "client", *NO_LOGIN, "hostname").returncode == 255, "and is closed")
    check(other("down").returncode == 0 and not other.left(), f"down leaves nothing: {other.left()}")
    check(lab("on", "client", *LOGIN, "hostname").stdout == "web01\n", "the first lab does not mind")
    check(lab("down").returncode == 0 and not lab.left(), f"down leaves nothing: {lab.left()}")
    check(lab("down").returncode == 0, "down of nothing is no mistake")


def in_one_terminal(lab):
    told = lab(input="hostname\nportcullis request web01 --port 22 --duration 1h\n" + " ".join(LOGIN) + " hostname\n")
    check(told.returncode == 0 and told.stdout.endswith("\nweb01\n") and "\nclient\n" in told.stdout, f"a shell on the client: {told}")
    check(not lab.left(), f"leaving it leaves nothing: {lab.left()}")
    for how in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        with in_use(lab) as process:
            os.killpg(process.pid, how)
            process.stdin.close()
            process.wait(LONG)
        check(not lab.left(), f"{how!r} leaves nothing: {lab.left()}")
    with in_use(lab) as process:
        process.kill()
        until = time.monotonic() + LONG
        while time.monotonic() < until and any("process" in each for each in lab.left()):
            time.sleep(0.05)
    # By now the kernel may still be closing what the gateway had open; the lab's commands wait for that.
    check(lab.left() == [f"{lab.folder} is there"], f"SIGKILL leaves the folder alone: {lab.left()}")
    told = lab("on", "client", "true")
    check(told.returncode == 2, f"which is no lab: {told}")
    told = lab(input="hostname\n")
    check(told.stdout.endswith("\nclient\n") and not lab.left(), f"and is used again: {told}, {lab.left()}")


@contextlib.contextmanager
def in_use(lab):
    process = lab.in_foreground()
    try:
        while (line := process.stdout.readline()) and "tools/lab status" not in line:
            pass
        check(line, "it comes up in the foreground")
        yield process
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            stream.close()


def refusals(lab, folder):
    told = subprocess.run(["unshare", "--user", LAB, "up"], capture_output=True, text=True, check=False)
    check(told.returncode == 2 and told.stderr == "lab: needs root, to make network namespaces; try: sudo tools/lab up\n", f"{told}")
    told = lab("on", "nowhere", "true")
    check(told.returncode == 2 and "client, gateway and web01" in told.stdout, f"an unknown host: {told}")
    check(lab("upp").returncode == 2 and "Usage" in lab("upp").stdout, "an unknown word")
    broken = Lab("/bin/false", folder / "broken")
    told = broken("up")
    check(told.returncode == 2 and "did not come up" in told.stdout and not broken.left(), f"a gateway that does not start: {told}")
    precious = Lab(sys.argv[1], folder / "precious")
    precious.folder.mkdir()
    (precious.folder / "file").touch()
    check(precious("up").returncode == 2 and (precious.folder / "file").exists(), "another's folder is left alone")


def main():
    require("ip", "ssh", "sshd", "ssh-keygen", "unshare", "nsenter", "setpriv", "flock")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        lab, other = Lab(sys.argv[1], folder / "lab"), Lab(sys.argv[1], folder / "other")
        begun = time.monotonic()
        try:
            for part in (lambda: a_newcomers_way(lab, other), lambda: in_one_terminal(lab), lambda: refusals(lab, folder)):
                part()
        finally:
            lab("down")
            other("down")
    print(f"{time.monotonic() - begun:.1f} s, {len(failures)} failures")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
