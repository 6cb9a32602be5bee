#!/usr/bin/env python3
"""clang-tidy over sources of the lint build: python3 tests/lint/tidy.py . build/lint [--all] [part of a path…]

Headers are judged where they are included. A run's time is spent in reading headers, so sources that share their flags
and rules are judged together, through a file that includes them; and ours_only.cpp keeps the checks to our own code.
"""

import hashlib
import pathlib
import shutil
import subprocess

from judged import BUILD, commands, remembered, run
from sources import root

TOGETHER = 16
VERSION = subprocess.run(["clang-tidy", "--version"], check=True, capture_output=True, text=True).stdout
PLUGIN_SOURCE = pathlib.Path(__file__).with_name("ours_only.cpp")
PLUGIN = BUILD / "tidy" / "ours_only.so"


def compile_plugin():
    if PLUGIN.exists() and PLUGIN.stat().st_mtime > PLUGIN_SOURCE.stat().st_mtime:
        return
    headers = pathlib.Path(shutil.which("clang-tidy")).resolve().parent.parent / "include"
    PLUGIN.parent.mkdir(exist_ok=True)
    subprocess.run(["g++", "-std=c++17", "-fno-rtti", "-shared", "-fPIC", "-isystem", headers, PLUGIN_SOURCE, "-o", PLUGIN],
                   check=True)


def rules_for(path):
    """The .clang-tidy files that apply, nearest first."""
    return [file for above in path.parents if (file := root() / above / ".clang-tidy").exists()]


def batches():
    alike = {}
    for file, path, flags in commands():
        if path.suffix == ".cpp":
            alike.setdefault((path.parent, tuple(flags)), []).append(file)
    for (folder, flags), files in sorted(alike.items()):
        count = -(-len(files) // TOGETHER)
        for number in range(count):
            yield folder, list(flags), files[number::count]


def judge(folder, flags, files):
    text = "".join(f'#include "{file}"  // NOLINT(bugprone-suspicious-include)\n' for file in files)
    joined = BUILD / "tidy" / f"{str(folder).replace('/', '_')}_{hashlib.sha256(text.encode()).hexdigest()[:8]}.cpp"
    joined.write_text(text)
    rules = rules_for(folder / "any.cpp")
    # clang-tidy looks for rules above the joined file, so the nearest are given to it; they name those above as parents.
    nearest = [] if rules[0].parent == root() else [f"--config-file={rules[0]}"]
    tidy = ["clang-tidy", "--quiet", f"--load={PLUGIN}", "--checks=portcullis-ours-only", *nearest, str(joined), "--", *flags[1:]]

    def ask():
        told = subprocess.run(tidy, cwd=BUILD, capture_output=True, text=True)
        if told.returncode == 0:
            return []
        if "[clang-diagnostic-" in told.stdout and len(files) > 1:  # two of them use a name that is hidden in each
            half = len(files) // 2
            return judge(folder, flags, files[:half]) + judge(folder, flags, files[half:])
        print(told.stdout or told.stderr, flush=True)
        findings = [line for line in told.stdout.splitlines() if ": error:" in line]
        return findings or [f"{files[0]}:1: clang-tidy ended with {told.returncode}"]

    key = [VERSION, PLUGIN_SOURCE.read_text(), text, *tidy, *(file.read_text() for file in rules)]
    return remembered(key, [*flags, str(joined)], ask)


compile_plugin()
tasks = list(batches())
run(judge, tasks, sum(len(files) for _, _, files in tasks))
