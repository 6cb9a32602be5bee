#!/usr/bin/env python3
"""The manual as man(1) shows it: all that the program can be told is in it, and nothing in it is broken.

Usage: manual.py PORTCULLIS FOLDER_OF_MAN_PAGES
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = 77
failures = []


def check(good, what):
    if not good:
        failures.append(what)
        print(f"FAILED: {what}")


def shown(page):
    environment = os.environ | {"MANWIDTH": "500", "MAN_KEEP_FORMATTING": "", "LC_ALL": "C.UTF-8"}
    told = subprocess.run(["man", "--warnings", "--local-file", str(page)], capture_output=True, text=True, env=environment, check=True)
    check(not told.stderr, f"{page.name}: {told.stderr}")
    return re.sub(r".\x08", "", told.stdout)


def lint(page):
    if not shutil.which("mandoc"):
        return
    told = subprocess.run(["mandoc", "-Tlint", "-Wwarning", str(page)], capture_output=True, text=True, check=False)
    check(not told.stdout, f"mandoc: {told.stdout}")


def words_of(binary, *command):
    """Subcommands and their flags, as `--help` has them."""
    told = subprocess.run([binary, *command, "--help"], capture_output=True, text=True, check=True).stdout
    yield from re.findall(r"^  (?:-\w,)?(--[a-z-]+)", told, re.M)
    if "Subcommands:" in told:
        for name in re.findall(r"^  ([a-z-]+) ", told[told.index("Subcommands:"):], re.M):
            inner = list(words_of(binary, *command, name))
            if not {word for word in inner if not word.startswith("-")}:
                yield " ".join(("portcullis", *command, name))
            yield from inner


def keys():
    """What docs/configuration.md puts into backquotes in the first column of a table, or as a table's name anywhere."""
    text = re.sub(r"```.*?```", "", (ROOT / "docs/configuration.md").read_text(encoding="utf-8"), flags=re.S)
    for row in re.findall(r"^\|([^|]*)\|", text, re.M):
        yield from re.findall(r"`([^`]+)`", row)
    yield from re.findall(r"`(\[\[?[a-z_.]+\]?\])`", text)


def main():
    binary, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    pages = {name: folder / f"{name}.gz" for name in ["portcullis.1", "portcullis.toml.5", "portcullis.service.8"]}
    if not shutil.which("man") or not all(page.exists() for page in pages.values()):
        print("skipped: missing man, or lowdown to make the pages with")
        sys.exit(SKIPPED)
    text = {}
    for name, page in pages.items():
        lint(page)
        text[name] = shown(page)
        check(re.search(r"^NAME\n +portcullis\S* - \w", text[name], re.M), f"{name}: whatis(1) finds no line")
    commands = set(words_of(binary)) - {"--help", "--version"}
    for word in sorted(commands):
        check(re.search(rf"^ +{re.escape(word)}(?!\S)", text["portcullis.1"], re.M), f"portcullis.1 does not have {word}")
    known = set(keys())
    for key in sorted(known):
        check(key in text["portcullis.toml.5"], f"portcullis.toml.5 does not have {key}")
    check(len(commands) > 30 and len(known) > 80, f"only {len(commands)} flags and {len(known)} keys")
    print(f"{len(commands)} subcommands and flags, {len(known)} keys, {len(failures)} failures")
    sys.exit(1 if failures else 0)


main()
