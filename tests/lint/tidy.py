#!/usr/bin/env python3
"""clang-tidy over all sources of the lint build, on all cores: python3 tests/lint/tidy.py . build/lint [part of a path…]

Headers are judged where they are included. A source whose preprocessed text (comments, for their NOLINT, included),
flags and rules have passed before is not judged again: that takes it from ten seconds to half of one.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys

from sources import FOLDERS, finish, root

BUILD = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else "build/lint").resolve()
PARTS = sys.argv[3:]
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "portcullis" / "tidy"


def commands():
    """Yields (source, compile command without its output) of each source of ours; generated ones are not."""
    for entry in json.loads((BUILD / "compile_commands.json").read_text()):
        source = pathlib.Path(entry["directory"], entry["file"]).resolve()
        if not source.is_relative_to(root()) or source.is_relative_to(BUILD):
            continue
        path = source.relative_to(root())
        if path.parts[0] in FOLDERS + ["tests"] and (not PARTS or any(part in str(path) for part in PARTS)):
            words = shlex.split(entry["command"])
            while "ccache" in words[0]:
                words.pop(0)
            at = words.index("-o")
            yield path, [word for word in words[:at] + words[at + 2 :] if word != "-c"]


def rules_for(path):
    """The .clang-tidy files that apply."""
    return [file.read_bytes() for above in path.parents if (file := root() / above / ".clang-tidy").exists()]


def key_of(path, command, version):
    text = subprocess.run(command + ["-E", "-CC"], cwd=BUILD, capture_output=True).stdout
    sum = hashlib.sha256()
    for part in [version, shlex.join(command).encode(), *rules_for(path), text]:
        sum.update(part.replace(bytes(root()), b"."))
        sum.update(b"\0")
    return CACHE / sum.hexdigest()


def judge(path, command, version):
    key = key_of(path, command, version)
    if key.exists():
        return []
    tidy = ["clang-tidy", "--quiet", "-p", str(BUILD), str(root() / path)]
    told = subprocess.run(tidy, cwd=root(), capture_output=True, text=True)
    if told.returncode == 0:
        key.touch()
        return []
    print(told.stdout or told.stderr, flush=True)
    findings = {line for line in told.stdout.splitlines() if ": error:" in line}
    return findings or [f"{path}:1: clang-tidy ended with {told.returncode}"]


CACHE.mkdir(parents=True, exist_ok=True)
version = subprocess.run(["clang-tidy", "--version"], check=True, capture_output=True).stdout
sources = dict(commands())
with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    results = list(pool.map(lambda source: judge(*source, version), sources.items()))
finish(sorted({finding.replace(f"{root()}/", "") for findings in results for finding in findings}), len(sources))
