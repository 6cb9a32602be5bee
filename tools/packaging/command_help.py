"""What `portcullis --help` and its subcommands' say, as Markdown: the manual of commands is the program's own."""

import collections
import re
import subprocess

SHARED_BY = 5  # as many commands with an option of the same meaning share its description


class Command:
    def __init__(self, binary, words):
        self.words = words
        told = subprocess.run([binary, *words, "--help"], check=True, capture_output=True, text=True).stdout
        self.summary = told.splitlines()[0]
        self.sections = collections.defaultdict(list)  # heading: [term, meaning]…
        section = ""
        for line in told.splitlines()[1:]:
            if match := re.fullmatch(r"(\w+):", line):
                section = match[1]
            elif match := re.fullmatch(r"  (\S.*?)(?:  +(\S.*))?", line):
                self.sections[section].append([match[1], match[2] or ""])
            elif section and line.strip():
                entry = self.sections[section][-1]
                entry[1] = f"{entry[1]} {line.strip()}".strip()

    def options(self):
        return [tuple(entry) for entry in self.sections["Options"] if not entry[0].startswith("-h,")]

    def subcommands(self):
        return [name for name, _ in self.sections["Subcommands"]]


def all_commands(binary):
    """Those that do something: of `policy`, `policy list` and the others."""
    waiting, found = [[]], []
    while waiting:
        command = Command(binary, waiting.pop(0))
        waiting = [command.words + [name] for name in command.subcommands()] + waiting
        if not command.subcommands():
            found.append(command)
    return found


def term(text):
    """`--port UINT:INT in [1 - 65535] ... REQUIRED` as people write it."""
    name, _, value = text.partition(" ")
    value = re.sub(r" ?REQUIRED", "", value)
    value, repeated = re.subn(r" ?\.\.\.", "", value)
    if choices := re.search(r"\{(.*)\}", value):
        value = choices[1].replace(",", "|")
    elif between := re.search(r"\[(\d+) - (\d+)\]", value):
        value = f"{between[1]}..{between[2]}"
    else:
        value = {"TEXT": "TEXT" if name.startswith("-") else "", "UINT": "NUMBER"}.get(value, value)
    return f"`{name}`" + (f" {value}" if value else "") + (" …" if repeated else "")


def definitions(entries):
    lines = []
    for left, right in entries:
        required = "Required. " if "REQUIRED" in left and left.startswith("-") else ""
        lines.append(f"{term(left)}\n: {required}{right}\n")
    return "\n".join(lines)


def manual(binary):
    commands = all_commands(binary)
    users = collections.Counter(option for command in commands for option in command.options())
    shared = [option for option, count in users.items() if count >= SHARED_BY]
    parts = ["## Commands\n"]
    for command in commands:
        positionals = command.sections["Positionals"]
        named = "".join(f" {left.split()[0]}" if "REQUIRED" in left else f" [{left.split()[0]}]" for left, _ in positionals)
        asks = any(option in shared for option in command.options())
        parts.append(f"### `portcullis {' '.join(command.words)}`{named}\n")
        parts.append(command.summary + ("" if command.summary[-1] in "?." else ".")
                     + (" Takes the common options, too.\n" if asks else "\n"))
        parts.append(definitions(positionals + [option for option in command.options() if option not in shared]))
    parts.append("## Common options\n\nOf the commands that ask a server:\n")
    parts.append(definitions(shared))
    return "\n".join(parts)
