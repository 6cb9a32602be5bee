"""Shared by tidy.py and alone.py: the compile commands of the lint build, run on all cores, each result remembered.

.ci/lint-base names a commit of which everything has passed. Only files that have changed since, and those that include
them, are judged; all with --all, or if that commit is not in the history, or the rules have changed since.

What has passed is not judged again while everything that was read is as it was: the command, the rules, each file of
ours by its text, each file of the system by its size and time. So a second run takes seconds.
"""

import concurrent.futures
import functools
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import time

from sources import files, finish, includes, root

BUILD = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else "build/lint").resolve()
ALL = "--all" in sys.argv[3:]
PARTS = [part for part in sys.argv[3:] if part != "--all"]
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "portcullis" / "lint"
GENERATED = re.compile(r"[^/]+/(?:.*/)?[a-z_]+_verify_interface_header_sets/(.*\.hpp)\.cxx")

RULES = re.compile(r"(.*/)?\.clang-tidy|tests/lint/(alone|tidy|judged)\.py|tests/lint/ours_only\.cpp|CMakeLists\.txt|CMakePresets\.json")


def git(*arguments):
    command = ["git", "-c", "safe.directory=*", "-C", str(root()), *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def changed():
    """The names of files that are not as they were at the commit of .ci/lint-base; None if there is no such commit."""
    base = root() / ".ci" / "lint-base"
    commit = base.read_text().strip() if base.exists() else ""
    if not commit or git("merge-base", "--is-ancestor", commit, "HEAD").returncode != 0:
        return None
    differs = git("diff", "--name-only", "--no-renames", commit, "--")
    new = git("ls-files", "--others", "--exclude-standard")
    return None if differs.returncode or new.returncode else {*differs.stdout.splitlines(), *new.stdout.splitlines()}


@functools.cache
def affected():
    """The names of the sources and headers to judge: what has changed, and what includes that. None: all."""
    seeds = None if ALL else changed()
    if seeds is None or any(RULES.fullmatch(name) for name in seeds):
        return None
    included_by = {}
    for path in files({".hpp", ".cpp"}):
        for _, _, name in includes(path):
            for target in (name, str(path.parent / name)):
                included_by.setdefault(target, set()).add(str(path))
    found, waiting = set(), list(seeds)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += included_by.get(name, ())
    return found


def commands():
    """Yields (file, its path below the root, compiler and flags) of each source to judge, and of each header that is compiled by itself."""
    wanted = affected()
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
        if path and (wanted is None or str(path) in wanted) and (not PARTS or any(part in str(path) for part in PARTS)):
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
    if not tasks and not PARTS and affected() is not None:
        print("no file to judge has changed since the commit of .ci/lint-base")
        sys.exit(0)
    CACHE.mkdir(parents=True, exist_ok=True)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda task: judge(*task), tasks))
    finish(sorted({finding.replace(f"{root()}/", "") for findings in results for finding in findings}), checked)
