#!/usr/bin/env python3
"""No file of code is over 400 lines; every header guards itself; the median, for the reader."""

import statistics

from sources import FOLDERS, files, finish, lines

CEILING = 400

findings = []
paths = files({".hpp", ".cpp", ".py", ".sh", ".txt", ""}, FOLDERS + ["tests", ".ci"])
paths = [path for path in paths if not {"corpus", "golden", "samples"} & set(path.parts[:-1]) or path.suffix == ".py"]
sizes = {path: len(lines(path)) for path in paths}
for path, size in sizes.items():
    if size > CEILING:
        findings.append(f"{path}:{CEILING + 1}: {size} lines, {CEILING} at most")
    if path.suffix == ".hpp" and "#pragma once" not in lines(path):
        findings.append(f"{path}:1: no #pragma once")

ours = {path: size for path, size in sizes.items() if path.parts[0] in FOLDERS and path.suffix in {".hpp", ".cpp"}}
if ours:
    print(f"lines: median {statistics.median(ours.values()):.0f}, in all {sum(ours.values())}; the longest:")
    for path in sorted(ours, key=ours.get, reverse=True)[:5]:
        print(f"  {ours[path]:4} {path}")
finish(findings, len(paths))
