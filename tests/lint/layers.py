#!/usr/bin/env python3
"""Every #include points left in the total order of rooms, no cycle of headers, namespace = folder; costly or outside
headers stay in few files."""

import re

from sources import FOLDERS, ROOMS, files, finish, includes, lines

# Header: (most files that may include it, where they may be).
SCARCE = {
    "pcap.h": (3, "captures/port/"),
    "pcap/": (3, "captures/port/"),
    "boost/beast": (2, "gateway/api/http/"),  # 10-20 s of compile time a file
    "soci": (9, "gateway/store/"),
    "sqlite3.h": (0, ""),  # SOCI is the way to SQL
    "toml++/": (9, ("gateway/config_file/", "gateway/replay/")),
    "CLI/": (99, "tools/"),
    "spdlog": (99, ("gateway/", "tools/")),
}
NAMESPACE = re.compile(r"namespace ((?:\w+::)*\w+) \{")


def room_of(path):
    """The deepest room that a path lies in."""
    for above in path.parents:
        if str(above) in ROOMS:
            return str(above)
    return None


findings = []
users = {header: [] for header in SCARCE}
paths = files({".hpp", ".cpp"})
for path in paths:
    folder, room = path.parts[0], room_of(path)
    if folder != "tests" and room is None:
        findings.append(f"{path}:1: is in no room; sources.py lists the rooms and their order")
        continue
    for number, bracket, name in includes(path):
        place = f"{path}:{number}"
        target = name.split("/")[0]
        if bracket == '"':
            its_room = room_of(type(path)(name))
            if "/" not in name or target not in FOLDERS + ["tests"]:
                findings.append(f'{place}: "{name}" is not of the form "folder/file.hpp"')
            elif folder != "tests" and target == "tests":
                findings.append(f"{place}: {folder} includes a test's {name}")
            elif target != "tests" and its_room is None:
                findings.append(f'{place}: "{name}" is in no room')
            elif folder != "tests" and ROOMS.index(its_room) > ROOMS.index(room):
                findings.append(f"{place}: {room} includes {name}, which is to its right")
        elif target in FOLDERS and name.endswith(".hpp"):
            findings.append(f'{place}: write "{name}", it is ours')
        for header, (_, where) in SCARCE.items():
            if bracket == "<" and name.startswith(header) and folder != "tests":
                users[header].append(place)
                if not str(path).startswith(where):
                    findings.append(f"{place}: <{header}> is not for this folder")
    if folder in ("captures", "dnat", "policy", "gateway"):
        full = room.replace("/", "::")
        names = [match[1] for line in lines(path) if (match := NAMESPACE.match(line))]
        if names and not any(name == full or name.startswith(full + "::") for name in names):
            findings.append(f"{path}:1: its namespace is {names[0]}, its folder says {full}")

for header, (most, where) in SCARCE.items():
    names = sorted({place.rsplit(":", 1)[0] for place in users[header]})
    if len(names) > most:
        findings.append(f"{users[header][-1]}: <{header}> in {len(names)} files, {most} at most: {', '.join(names)}")

finish(findings, len(paths))
