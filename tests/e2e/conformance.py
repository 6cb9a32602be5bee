#!/usr/bin/env python3
"""docs/conformance.md names tests: each has to exist, and each difference that a kernel case knows has to have a row."""

import pathlib
import re
import sys

import case
import live_kernel  # it fills CASES, too

ROOT = pathlib.Path(__file__).parents[2]


def main():
    text = (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8")
    cases = {(path.stem, name) for path in ROOT.glob("tests/**/*_test.cpp")
             for name in re.findall(r"_TEST_CASE\(\s*(\w+)", path.read_text(encoding="utf-8"))}
    named = re.findall(r"`(\w+_test|golden)/(\w+)`", text)
    missing = [f"{suite}/{name}" for suite, name in named
               if not ((suite, name) in cases or suite == "golden" and (ROOT / "tests" / "golden" / name).is_dir())]
    titles = [each.title for each in case.CASES]
    quoted = re.findall(r'kernel "([^"]+)"', text)
    missing += [f'kernel "{words}"' for words in quoted if words != "words" and not any(words in title for title in titles)]
    rows = set(re.findall(r"^\| `([\w-]+)` \|", text, re.MULTILINE))
    known = [each.differs for each in case.CASES] + list(live_kernel.LIVE_DIFFERS.values())
    differences = {differs.name for differs in known if differs}
    missing += [f"a row for the difference {name}" for name in sorted(differences - rows)]
    missing += [f"a case for the row {name}" for name in sorted(rows - differences)]
    for each in missing:
        print(f"docs/conformance.md: there is no {each}")
    print(f"{len(named) + len(quoted)} tests named, {len(rows)} differences")
    sys.exit(1 if missing or not named else 0)


if __name__ == "__main__":
    main()
