#!/usr/bin/env python3
"""#includes point left in captures <- dnat <- policy <- gateway <- tools, and costly or outside headers stay in few files."""

from sources import FOLDERS, files, finish, includes

# Header: (most files that may include it, where they may be).
SCARCE = {
    "pcap.h": (3, "captures/"),
    "pcap/": (3, "captures/"),
    "boost/beast": (2, "gateway/"),  # 10-20 s of compile time a file
    "soci": (9, "gateway/store/"),
    "sqlite3.h": (0, ""),  # SOCI is the way to SQL
    "toml++/": (9, "gateway/"),
    "CLI/": (99, "tools/"),
    "spdlog": (99, ("gateway/", "tools/")),
}

findings = []
users = {header: [] for header in SCARCE}
paths = files({".hpp", ".cpp"})
for path in paths:
    folder = path.parts[0]
    for number, bracket, name in includes(path):
        place = f"{path}:{number}"
        target = name.split("/")[0]
        if bracket == '"':
            if "/" not in name or target not in FOLDERS + ["tests"]:
                findings.append(f'{place}: "{name}" is not of the form "folder/file.hpp"')
            elif folder != "tests" and target == "tests":
                findings.append(f"{place}: {folder} includes a test's {name}")
            elif folder != "tests" and FOLDERS.index(target) > FOLDERS.index(folder):
                findings.append(f"{place}: {folder} includes {name}, which is to its right")
        elif target in FOLDERS and name.endswith(".hpp"):
            findings.append(f'{place}: write "{name}", it is ours')
        for header, (_, where) in SCARCE.items():
            if bracket == "<" and name.startswith(header) and folder != "tests":
                users[header].append(place)
                if not str(path).startswith(where):
                    findings.append(f"{place}: <{name}> is not for this folder")

for header, (most, where) in SCARCE.items():
    names = sorted({place.rsplit(":", 1)[0] for place in users[header]})
    if len(names) > most:
        findings.append(f"{users[header][-1]}: <{header}> in {len(names)} files, {most} at most: {', '.join(names)}")

finish(findings, len(paths))
