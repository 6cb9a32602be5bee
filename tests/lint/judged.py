"""Shared by tidy.py and alone.py: the compile commands of the lint build, run on all cores, each result remembered.

What has passed is not judged again while everything that was read is as it was: the command, the rules, each file of
ours by its text, each file of the system by its size and time. So a second run takes seconds.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import time

from sources import finish, root

BUILD = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else "build/lint").resolve()
PARTS = sys.argv[3:]
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "portcullis" / "lint"
GENERATED = re.compile(r"[^/]+/(?:.*/)?[a-z_]+_verify_interface_header_sets/(.*\.hpp)\.cxx")


def commands():
    """Yields (file, its path below the root, compiler and flags) of each source, and of each header that is compiled by itself."""
    for entry in json.loads((BUILD / "compile_commands.json").read_text()):
        file = pathlib.Path(entry["directory"], entry["file"]).resolve()
        words = shlex.split(entry["command"])
        while "ccache" in words[0]:
            words.pop(0)
        flags = words[: words.index("-o")]
        if file.is_relative_to(BUILD):
            header = GENERATED.fullmatch(str(file.relative_to(BUILD)))
            path = pathlib.Path(header[1]) if header else None
        else:
            path = file.relative_to(root()) if file.is_relative_to(root()) else None
        if path and (not PARTS or any(part in str(path) for part in PARTS)):
            yield file, path, flags


def state_of(file):
    """Ours by their text: a fresh clone has new times."""
    path = pathlib.Path(root(), file)
    try:
        if path.is_relative_to(root()):
            return hashlib.sha256(path.read_bytes()).hexdigest()
        return f"{path.stat().st_size} {path.stat().st_mtime_ns}"
    except OSError:
        return ""


def read_by(command):
    """The files that the compiler reads, those below the root as relative paths."""
    told = subprocess.run([*command, "-M"], cwd=BUILD, check=True, capture_output=True, text=True)
    for word in told.stdout.replace("\\\n", " ").split()[1:]:
        path = pathlib.Path(BUILD, word).resolve()
        yield str(path.relative_to(root()) if path.is_relative_to(root()) else path)


def remembered(key, command, judge):
    """The findings of judge(): none without asking it, if nothing has changed since it had none."""
    key = hashlib.sha256("\0".join(key).replace(str(root()), ".").encode()).hexdigest()
    note = CACHE / key
    before = json.loads(note.read_text()) if note.exists() else {}
    if before and all(state_of(file) == state for file, state in before.items()):
        return []
    begun = time.time()
    findings = judge()
    if findings:
        return findings
    read = list(read_by(command))
    if all(pathlib.Path(root(), file).stat().st_mtime <= begun for file in read):  # or what passed may be an older text
        seen = {file: state_of(file) for file in read}
        fresh = note.with_suffix(f".{os.getpid()}")
        fresh.write_text(json.dumps(seen))
        fresh.rename(note)
    return []


def run(judge, tasks, checked):
    """Calls judge(*task) for each task, and ends the program with what they found."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda task: judge(*task), tasks))
    finish(sorted({finding.replace(f"{root()}/", "") for findings in results for finding in findings}), checked)
