#!/usr/bin/env python3
"""Makes the cases' inputs from their input.py; with --check, tells whether the committed ones are what these make.

Usage: inputs.py [--check] [CASE…]
"""

import pathlib
import runpy
import sys

HERE = pathlib.Path(__file__).resolve().parent
LARGEST = 20_000

sys.path.insert(0, str(HERE))


def inputs_of(case):
    return runpy.run_path(str(case / "input.py"))["inputs"]


def problems(case):
    made = inputs_of(case)
    for path in case.glob("*.pcap*"):
        if path.name not in made:
            yield f"{path}: input.py does not make it"
    for name, data in made.items():
        if not (case / name).is_file() or (case / name).read_bytes() != data:
            yield f"{case / name}: not what input.py makes; run inputs.py"
        if len(data) > LARGEST:
            yield f"{case / name}: {len(data)} bytes, at most {LARGEST}"


def main(arguments):
    check = "--check" in arguments
    names = [argument for argument in arguments if argument != "--check"]
    cases = [HERE / name for name in names] or sorted(path.parent for path in HERE.glob("*/input.py"))
    found = []
    for case in cases:
        if not check:
            for name, data in inputs_of(case).items():
                (case / name).write_bytes(data)
        found += problems(case)
    print("\n".join(found) or f"the inputs of {len(cases)} cases are reproduced")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
