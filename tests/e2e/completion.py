#!/usr/bin/env python3
"""Completion as a person meets it: real shells on a terminal, a key, and what the line has become.

Usage: completion.py PORTCULLIS
"""

import contextlib
import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

COMPLETION = pathlib.Path(__file__).resolve().parents[2] / "tools/packaging/completion"
LONG = 120  # s: a deadline for what must come
TAB, ALL_OF_THEM, LINE_START = "\t", "\033*", "\001"
failures = []


class Shell:
    """On a terminal of its own, in a folder with some files."""

    def __init__(self, command, folder, setup, pause=0.0):
        self.pause = pause
        self.process, self.terminal = pty.fork()
        if self.process == 0:
            os.chdir(folder)
            os.environ.update(PATH=f"{folder}/bin:{os.environ['PATH']}", TERM="dumb", PS1="> ", HOME=str(folder))
            os.execvp(command[0], command)
        self.asked = 0
        self.tell(setup)

    def tell(self, command):
        """Types a command, and waits until the shell is through with it."""
        self.asked += 1
        self.type(f"{command}\necho END-$((0 + {self.asked}))\n")
        return self.read_until(f"END-{self.asked}\\b")

    def line_after(self, typed, key):
        """The line that `key` makes of `typed`, as the shell itself tells it."""
        for pause in (self.pause, 10 * self.pause, 100 * self.pause):
            self.asked += 1
            self.type(typed + key)
            time.sleep(pause)
            self.type(f"{LINE_START}echo END-{self.asked}:\n")
            with contextlib.suppress(TimeoutError):
                told = self.read_until(f"\\nEND-{self.asked}:[^\r]*\r", LONG if self.pause == 0 else 10 + pause)
                return re.findall(f"\nEND-{self.asked}:([^\r]*)\r", told)[-1]
            self.type("\003")
        raise TimeoutError(f"the shell does not answer: {typed!r}")

    def type(self, text):
        os.write(self.terminal, text.encode())

    def read_until(self, pattern, seconds=LONG):
        told, until = "", time.monotonic() + seconds
        while not re.search(pattern, told):
            if not select.select([self.terminal], [], [], max(0, until - time.monotonic()))[0]:
                raise TimeoutError(f"the shell did not answer: {told!r}")
            told += os.read(self.terminal, 65536).decode()
        return told

    def close(self):
        os.close(self.terminal)
        os.waitpid(self.process, 0)


def check(shell, typed, got, wanted):
    missing = [word for word in wanted if word not in got]
    if missing or not wanted:
        failures.append(typed)
        print(f"FAILED: {shell}: {typed!r} becomes {got!r} without {missing}")


def without(shell, typed, got, unwanted):
    if set(unwanted) & set(got):
        failures.append(typed)
        print(f"FAILED: {shell}: {typed!r} becomes {got!r}")


def bash(folder, subcommands):
    shell = Shell(["bash", "--norc", "--noprofile"], folder, f"bind 'set enable-bracketed-paste off'; . {COMPLETION}/portcullis.bash")

    def offered(typed):
        return shell.line_after(typed, ALL_OF_THEM).split()[len(typed.split()) - (typed[-1] != " "):]

    check("bash", "portcullis ", offered("portcullis "), subcommands)
    for typed, wanted, unwanted in [
        ("portcullis re", ["replay", "request", "revoke"], ["run"]),
        ("portcullis policy ", ["list", "show", "set", "enable", "remove", "delete"], ["check"]),
        ("portcullis request web01 --", ["--port", "--duration", "--wait", "--endpoint"], ["--cut", "--scenario"]),
        ("portcullis audit verify --", ["--head", "--store"], ["--machine"]),
        ("portcullis run --config ", ["lab.toml", "more"], ["capture.pcap"]),
        ("portcullis run --config m", ["more"], ["lab.toml"]),
        ("portcullis run --config more/", ["more/b.toml", "more/c.toml"], []),
        ("portcullis replay --config lab.toml ", ["capture.pcap", "more"], ["--scenario"]),
        ("portcullis explain --protocol ", ["tcp", "udp"], ["lab.toml"]),
        ("portcullis replay --vantage o", ["outside"], ["both"]),
        ("portcullis extend web01 --port ", ["--port"], ["lab.toml"]),
    ]:
        got = shell.line_after(typed, ALL_OF_THEM).split()
        check("bash", typed, got, wanted)
        without("bash", typed, got, unwanted)
    check("bash", "portcullis chTAB", shell.line_after("portcullis ch", TAB).split(), ["check"])
    shell.close()


def zsh(folder):
    shell = Shell(["zsh", "-f"], folder, f"PS1='> '; fpath=({COMPLETION} $fpath); autoload -U compinit; compinit -u -D; bindkey -e",
                  pause=0.3)  # it drops what is typed while it completes; how long that is, nobody knows
    for typed, wanted in [
        ("portcullis ch", "check"), ("portcullis policy sh", "show"), ("portcullis run --con", "--config"),
        ("portcullis run --config l", "lab.toml"), ("portcullis explain --protocol u", "udp"),
        ("portcullis replay --config lab.toml cap", "capture.pcap"),
    ]:
        check("zsh", typed, shell.line_after(typed, TAB).split(), [wanted])
    shell.close()


def fish(folder):
    for typed, wanted in [
        ("portcullis re", ["replay", "request", "revoke"]), ("portcullis policy ", ["list", "show"]),
        ("portcullis run --", ["--config"]), ("portcullis run --config l", ["lab.toml"]),
        ("portcullis explain --protocol ", ["tcp", "udp"]),
    ]:
        environment = os.environ | {"PATH": f"{folder}/bin:{os.environ['PATH']}", "HOME": str(folder)}
        told = subprocess.run(["fish", "--no-config", "-c", f"source {COMPLETION}/portcullis.fish; complete -C '{typed}'"], cwd=folder,
                              env=environment, capture_output=True, text=True, check=True, timeout=LONG).stdout
        check("fish", typed, [line.split("\t")[0] for line in told.splitlines()], wanted)


def main():
    binary = pathlib.Path(sys.argv[1]).resolve()
    told = subprocess.run([binary, "--help"], capture_output=True, text=True, check=True).stdout
    subcommands = re.findall(r"^  ([a-z]+) ", told[told.index("Subcommands:"):], re.M)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "bin").mkdir()
        (folder / "bin/portcullis").symlink_to(binary)
        (folder / "more").mkdir()
        for file in ["lab.toml", "capture.pcap", "more/b.toml", "more/c.toml"]:
            (folder / file).touch()
        bash(folder, subcommands)
        tried = ["bash"]
        for shell in [zsh, fish]:
            if shutil.which(shell.__name__):
                shell(folder)
                tried.append(shell.__name__)
    print(f"{', '.join(tried)}: {len(failures)} failures")
    sys.exit(1 if failures else 0)


main()
