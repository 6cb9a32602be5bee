#!/usr/bin/env python3
"""Every source file looks as clang-format leaves it. Mend with: tests/lint/format.py . --fix"""

import subprocess
import sys

from sources import files, finish, root

fix = "--fix" in sys.argv
paths = files({".hpp", ".cpp"})
findings = []
if paths:
    command = ["clang-format", "--style=file"] + (["-i"] if fix else ["--dry-run", "--Werror"])
    told = subprocess.run(command + [str(path) for path in paths], cwd=root(), capture_output=True, text=True)
    findings = [line for line in told.stderr.splitlines() if ": error:" in line]
    if told.returncode != 0 and not findings:
        findings = [told.stderr or f"clang-format ended with {told.returncode}"]
finish(findings, len(paths))
