#!/usr/bin/env python3
""".ci/judge-skips, over what a real ctest has run."""

import pathlib
import subprocess
import sys
import tempfile

JUDGE = pathlib.Path(__file__).resolve().parents[2] / ".ci/judge-skips"
TESTS = """
add_test(passes sh -c "echo all is well")
add_test(skips sh -c "echo; echo skipped: there is no such tool; exit 77")
add_test(skips_in_part sh -c "yes padding | head -n 5000; echo 'skipped: one: needs root'; echo 'skipped: one: needs root'; exit 0")
set_tests_properties(skips skips_in_part PROPERTIES SKIP_RETURN_CODE 77)
"""
NOT_THERE = "add_test(not_there /nowhere/program)\n"
WHOLE, PART = "skips: there is no such tool", "skips_in_part: one: needs root"
failures = []


def judge(tests, may_skip):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "CTestTestfile.cmake").write_text(tests)
        (folder / "may-skip").write_text(may_skip)
        subprocess.run(["ctest", "--test-dir", folder, "--output-junit", folder / "junit.xml", "--test-output-size-passed", "1000000"],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        judged = subprocess.run([JUDGE, folder / "junit.xml", folder / "may-skip"], capture_output=True, text=True, check=False)
        return judged.returncode, judged.stdout.splitlines(), judged.stderr


def expect(tests, may_skip, code, lines):
    judged = judge(tests, may_skip)
    if judged[:2] != (code, lines):
        failures.append(may_skip)
        print(f"FAILED: with {may_skip!r}: expected {code}, {lines}; got {judged}")


def main():
    both = "# why\nskips  there is no such\n\nskips_in_part   one: needs root\n"
    refused = "skipped, which .ci/may-skip does not allow: "
    expect(TESTS, both, 0, [f"skipped: {WHOLE}", f"skipped: {PART}"])
    expect(TESTS, "", 1, [refused + WHOLE, refused + PART])
    expect(TESTS, "skips  there is no such tool\n", 1, [f"skipped: {WHOLE}", refused + PART])
    expect(TESTS, both.replace("no such", "another"), 1, [refused + WHOLE, f"skipped: {PART}"])
    expect(TESTS, "skips\n", 1, [])
    expect("add_test(passes true)\n", both, 0, [])
    expect(NOT_THERE, both, 1, [refused + "not_there: Unable to find executable"])
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
