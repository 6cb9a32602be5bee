#!/usr/bin/env python3
"""Every source file, header and test is named in a CMakeLists.txt: nothing is left out of the build unnoticed."""

import pathlib
import re

from sources import FOLDERS, files, finish, root

lists = {path: (root() / path).read_text() for path in files({".txt"}) if path.name == "CMakeLists.txt"}
mentions = {path: set(re.findall(r"[\w./${}-]+", re.sub(r"#.*", "", text))) for path, text in lists.items()}


def is_listed(path):
    """By the nearest lists upwards: a path relative to the list, or a test's header ([room/]header) in a call of portcullis_test."""
    for above in path.parents:
        relative = path.relative_to(above)
        names = mentions.get(above / "CMakeLists.txt", set())
        if {str(relative), path.name} & names:
            return True
        for ending in ("_test", "_fuzz"):
            if path.stem.endswith(ending):
                header = path.stem.removesuffix(ending)
                if {header, str(pathlib.Path(*relative.parts[1:-1], header))} & names:
                    return True
    return False


paths = files({".hpp", ".cpp"})
findings = [
    f"{path}:1: in no CMakeLists.txt"
    for path in paths
    if not is_listed(path) and not (path.suffix == ".hpp" and path.parts[0] in ("tests", "tools"))
]
finish(findings, len(paths))
