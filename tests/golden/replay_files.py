#!/usr/bin/env python3
"""What a replay reads and what it writes are different files, all of them good, before any is touched.

Usage: replay_files.py PORTCULLIS
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

SAMPLES = pathlib.Path(__file__).resolve().parents[2] / "captures" / "samples"
OLD = b"what was there before\n"


class Lab:
    """A folder with the recorded sessions, a scenario that reloads, and an older output of each name."""

    def __init__(self, binary, folder):
        self.binary, self.folder = binary, folder
        self.wrong = []
        for name in ("ssh.pcap", "lab.toml"):
            shutil.copy(SAMPLES / name, folder)
        shutil.copy(SAMPLES / "lab.toml", folder / "next.toml")
        (folder / "day.toml").write_text('[[event]]\nat = "+1s"\nreload = { config = "next.toml" }\n')
        for name in ("a", "b"):
            (folder / name).write_bytes(OLD)
        os.link(folder / "a", folder / "hard")
        os.symlink("a", folder / "symbolic")

    def replay(self, *words, stdin=None):
        return subprocess.run([self.binary, "replay", "--quiet", "--config", "lab.toml", *words], cwd=self.folder,
                              stdin=stdin, capture_output=True, timeout=300)

    def refuses(self, words, message, stdin=None):
        """Exit 2, this message, nothing on standard output, and every file as it was."""
        before = {path.name: path.read_bytes() for path in self.folder.iterdir()}
        ran = self.replay(*words.split(), stdin=stdin)
        after = {path.name: path.read_bytes() for path in self.folder.iterdir()}
        self.differs(words, (ran.returncode, ran.stderr.decode(), ran.stdout[:60]),
                     (2, f"portcullis: {message}\n", b""))
        self.differs(f"{words}: files", {name for name in before | after if before.get(name) != after.get(name)}, set())

    def differs(self, what, found, expected):
        if found != expected:
            self.wrong.append(f"{what}: {found!r}, not {expected!r}")


def both(first, second, name):
    return f"{first} and {second} both write {name}: give each a file of its own"


def two_outputs_of_one_name(lab):
    lab.refuses("ssh.pcap --decisions x --azure-log x", both("--decisions", "--azure-log", "x"))
    lab.refuses("ssh.pcap --write a --annotate hard", both("--write", "--annotate", "hard"))
    lab.refuses("ssh.pcap --write symbolic --summary-json a", both("--write", "--summary-json", "a"))
    lab.refuses("ssh.pcap --write - --decisions -", both("--write", "--decisions", "standard output"))


def an_output_that_is_an_input(lab):
    lab.refuses("ssh.pcap --scenario day.toml --write next.toml", "next.toml is also an input: choose another name")
    with open(lab.folder / "ssh.pcap") as stdin:
        lab.refuses("- --write ssh.pcap", "ssh.pcap is also an input: choose another name", stdin)


def one_output_of_several_that_cannot_be(lab):
    for option in ("--decisions", "--azure-log", "--summary-json"):
        lab.refuses(f"ssh.pcap --write a --annotate new {option} no/such/folder",
                    "cannot create no/such/folder: No such file or directory")


def outputs_of_their_own(lab):
    ran = lab.replay("ssh.pcap", "--write", "a", "--annotate", "b", "--decisions", "/dev/null", "--azure-log",
                     "/dev/null", "--summary-json", "-")
    lab.differs("all are written", (ran.returncode, ran.stderr), (0, b""))
    lab.differs("the older content is gone", any(OLD in (lab.folder / name).read_bytes() for name in ("a", "b")), False)


def main(binary):
    with tempfile.TemporaryDirectory() as scratch:
        lab = Lab(str(pathlib.Path(binary).resolve()), pathlib.Path(scratch))
        two_outputs_of_one_name(lab)
        an_output_that_is_an_input(lab)
        one_output_of_several_that_cannot_be(lab)
        outputs_of_their_own(lab)
    print("\n".join(lab.wrong) or "no file was lost")
    return 1 if lab.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
