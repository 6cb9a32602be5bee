#!/usr/bin/env python3
"""clang++ over each file by itself: python3 tests/lint/alone.py . build/lint [--all] [part of a path…]

The other builds precompile the headers of libraries, and so cannot see that a file forgets to include one. A header
that its own source or test includes first is compiled by itself there; the rest through a file that CMake makes.
"""

import pathlib
import subprocess

from judged import BUILD, commands, remembered, run
from sources import includes, root


def first_include(path):
    return next((name for _, _, name in includes(path)), None) if (root() / path).exists() else None


def proven(header):
    tests = [pathlib.Path("tests", folder, f"{header.stem}_test.cpp") for folder in (header.parts[0], header.parent)]
    return any(first_include(source) == str(header) for source in (header.with_suffix(".cpp"), *tests))


def judge(file, path, flags):
    command = [*flags, "-fsyntax-only", str(file)]

    def compile():
        told = subprocess.run(command, cwd=BUILD, capture_output=True, text=True)
        if told.returncode == 0:
            return []
        print(told.stderr, flush=True)
        return [line for line in told.stderr.splitlines() if "error:" in line] or [f"{path}:1: clang++ failed"]

    return remembered(["alone", *command], [*flags, str(file)], compile)


tasks = [task for task in commands() if task[1].suffix == ".cpp" or not proven(task[1])]
run(judge, tasks, len(tasks))
