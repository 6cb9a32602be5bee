#!/usr/bin/env python3
"""clang-tidy over all sources of the lint build: python3 tests/lint/tidy.py . build/lint [part of a path…]

Headers are judged where they are included. Most of a run's time is spent in the headers of the libraries, so sources
that share their flags and rules are judged together, a few at a time, through a file that includes them.
"""

import hashlib
import pathlib
import subprocess

from judged import BUILD, commands, remembered, run
from sources import root

TOGETHER = 10
VERSION = subprocess.run(["clang-tidy", "--version"], check=True, capture_output=True, text=True).stdout


def rules_for(path):
    """The .clang-tidy files that apply, nearest first."""
    return [file for above in path.parents if (file := root() / above / ".clang-tidy").exists()]


def batches():
    alike = {}
    for file, path, flags in commands():
        if path.suffix == ".cpp":
            alike.setdefault((path.parent, tuple(flags)), []).append(file)
    for (folder, flags), files in sorted(alike.items()):
        for begin in range(0, len(files), TOGETHER):
            yield folder, list(flags), files[begin : begin + TOGETHER]


def judge(folder, flags, files):
    text = "".join(f'#include "{file}"  // NOLINT(bugprone-suspicious-include)\n' for file in files)
    joined = BUILD / "tidy" / f"{str(folder).replace('/', '_')}_{hashlib.sha256(text.encode()).hexdigest()[:8]}.cpp"
    joined.parent.mkdir(exist_ok=True)
    joined.write_text(text)
    rules = rules_for(folder / "any.cpp")
    # clang-tidy looks for rules above the joined file, so the nearest are given to it; they name those above as parents.
    nearest = [] if rules[0].parent == root() else [f"--config-file={rules[0]}"]
    tidy = ["clang-tidy", "--quiet", *nearest, str(joined), "--", *flags[1:]]

    def ask():
        told = subprocess.run(tidy, cwd=BUILD, capture_output=True, text=True)
        if told.returncode == 0:
            return []
        if "[clang-diagnostic-" in told.stdout and len(files) > 1:  # two of them use a name that is hidden in each
            return [finding for file in files for finding in judge(folder, flags, [file])]
        print(told.stdout or told.stderr, flush=True)
        findings = [line for line in told.stdout.splitlines() if ": error:" in line]
        return findings or [f"{files[0]}:1: clang-tidy ended with {told.returncode}"]

    return remembered([VERSION, text, *tidy, *(file.read_text() for file in rules)], [*flags, str(joined)], ask)


tasks = list(batches())
run(judge, tasks, sum(len(files) for _, _, files in tasks))
