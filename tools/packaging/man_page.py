#!/usr/bin/env python3
"""Makes a man page of one of the project's Markdown pages, so that what both say is written once.

Usage: man_page.py NAME SECTION VERSION DATE SHORT_DESCRIPTION PAGE.md [PORTCULLIS] >NAME.SECTION

The line COMMANDS of a page is what the program PORTCULLIS says of its subcommands.

Tables become definition lists: their last columns are sentences, which a terminal has no room for.
"""

import pathlib
import re
import subprocess
import sys

import command_help


def cells(row):
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", row.strip().strip("|"))]


def definition(heads, row):
    term, *rest = cells(row)
    meaning = rest[-1]
    if len(rest) > 1 and rest[0]:
        default = rest[0] if rest[0] == "required" or heads[1] != "default" else f"default {rest[0]}"
        meaning = f"({default}) {meaning}".strip()
    return f"{term}\n: {meaning or '-'}\n"


def without_tables(text):
    """Rows of tables, but those in code, as definitions."""
    made, heads, in_code = [], None, False
    for line in text.splitlines():
        in_code ^= line.startswith("```")
        if in_code or not line.startswith("|"):
            heads = None
            made.append(line)
        elif heads is None:
            heads = cells(line)
        elif not re.fullmatch(r"[|:\- ]+", line):
            made.append(definition(heads, line))
    return "\n".join(made) + "\n"


def prepared(text, name, summary):
    text = re.sub(r"^# .*\n", "", text, count=1)
    text = re.sub(r"^## (.*)$", lambda match: f"# {match[1]}", text, flags=re.M)
    text = re.sub(r"^### (.*)$", lambda match: f"## {match[1]}", text, flags=re.M)
    text = re.sub(r"\[([^\]]+)\]\([^)]+\.md[^)]*\)", r"\1", text)  # a link to another page of the repository
    if not text.lstrip().startswith("#"):
        text = f"# Description\n\n{text}"
    return f"# Name\n\n{name} - {summary}\n\n{without_tables(text)}"


def heading(match):
    """Headings are upper case in man pages, but for what is typed as it is written."""
    words = re.split(r"(\\fB.+?\\fR)", match[1])
    return ".SH " + "".join(word if word.startswith("\\fB") else word.upper() for word in words)


def polished(roff):
    roff = re.sub(r"\\fC|\\f\(C[BWR]", r"\\fB", roff)  # what is typed is bold in a man page
    roff = re.sub(r"^\.SH\n(.*)$", heading, roff, flags=re.M)
    roff = re.sub(r"^\.SS\n(.*)$", r".SS \1", roff, flags=re.M)
    roff = re.sub(r"^(\.S[HS] .*\n)\.[LP]P\n", r"\1", roff, flags=re.M)
    # lowdown moves a definition up to its term by negative spaces, which man(1) loses at some lines.
    roff = re.sub(r"^\.LP\n(.+)\n\.if n .*\n.*\n\.if t .*\n.*\n\.IP \"\" 5n\n", r".TP 5n\n\1\n", roff, flags=re.M)
    return re.sub(r"^(\.TH .*\n)", r"\1.nh\n.ad l\n", roff, count=1, flags=re.M)


def main():
    name, section, version, date, summary, page = sys.argv[1:7]
    text = pathlib.Path(page).read_text(encoding="utf-8")
    if len(sys.argv) > 7:
        text = re.sub("^COMMANDS$", lambda _: command_help.manual(sys.argv[7]), text, flags=re.M)
    text = prepared(text, name, summary)
    facts = {"title": name.upper(), "section": section, "source": f"portcullis {version}",
             "volume": "Portcullis", "date": date}
    flags = [word for key, value in facts.items() for word in ("-M", f"{key}={value}")]
    made = subprocess.run(["lowdown", "-s", "-tman", "--parse-no-metadata", "--out-no-smarty", *flags], input=text, check=True,
                          capture_output=True, text=True).stdout
    sys.stdout.write(polished(made))


main()
