"""What the lint tests share: which files there are, what they include, and how a finding is told."""

import pathlib
import re
import subprocess
import sys

FOLDERS = ["captures", "dnat", "policy", "gateway", "tools"]
# Rooms in their total order: an #include may point left (up in this list), never right.
ROOMS = [
    "captures/base",
    "captures/packet",
    "captures/file",
    "captures/port",
    "dnat",
    "policy",
    "gateway/config",
    "gateway/config_file",
    "gateway/pipeline",
    "gateway/outputs",
    "gateway/access",
    "gateway/replay",
    "gateway/store",
    "gateway/control_plane",
    "gateway/live",
    "gateway/api/http",
    "gateway/api/sign_in",
    "gateway/api",
    "gateway/service",
    "tools/synth",
    "tools/portcullis",
]
INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')


def root():
    return pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()


def files(suffixes, folders=FOLDERS + ["tests"]):
    """Paths relative to the root, of tracked and new files that git does not ignore (or all of them, without git)."""
    base = root()
    if (base / ".git").exists():
        git = ["git", "-c", "safe.directory=*", "-C", str(base), "ls-files", "-z", "-co", "--exclude-standard", "--"]
        listed = subprocess.run(git + folders, check=True, capture_output=True, text=True).stdout.split("\0")
        paths = {pathlib.Path(name) for name in listed if name}
    else:
        paths = {path.relative_to(base) for folder in folders for path in (base / folder).rglob("*")}
    return sorted(path for path in paths if path.suffix in suffixes and (base / path).is_file())


def lines(path):
    return (root() / path).read_text(encoding="utf-8").splitlines()


def includes(path):
    """Yields (line number, `<` or `"`, name) of each #include."""
    for number, line in enumerate(lines(path), 1):
        if match := INCLUDE.match(line):
            yield number, match[1], match[2]


def finish(findings, checked):
    for finding in findings:
        print(finding)
    print(f"{checked} files checked, {len(findings)} findings")
    sys.exit(1 if findings or checked == 0 else 0)
