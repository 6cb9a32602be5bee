#!/usr/bin/env python3
"""tidy.py and alone.py, tried on a small tree that the lint preset configures: each names the place of a planted fault.

They judge the clean tree first, and remember that; so a fault is also seen in what has passed before.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
NEEDED = ["cmake", "ninja", "clang++", "clang-tidy"]
COPIED = ["CMakePresets.json", ".clang-tidy", "tests/.clang-tidy"]

CLEAN = {
    "CMakeLists.txt": """cmake_minimum_required(VERSION 3.25)
project(tried LANGUAGES CXX)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
add_compile_options(-Werror)
add_subdirectory(captures)
add_subdirectory(tests)
""",
    "captures/CMakeLists.txt": """add_library(captures a.cpp b.cpp)
target_sources(captures PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR} FILES a.hpp shared.hpp)
""",
    "captures/a.hpp": "#pragma once\n\nint a();\n",
    "captures/shared.hpp": "#pragma once\n\n#include <cstddef>\n\ninline std::size_t none() { return 0; }\n",
    # Both have a `one` of their own, so that they cannot be judged together.
    "captures/a.cpp": '#include "captures/a.hpp"\n\nnamespace {\nconst int one = 1;\n}\n\nint a() { return one; }\n',
    "captures/b.cpp": '#include <cstddef>\n\n#include "captures/shared.hpp"\n\nnamespace {\nconst std::size_t one = 1;\n}\n\n'
    "std::size_t b();\nstd::size_t b() { return none() + one; }\n",
    "tests/CMakeLists.txt": "add_library(captures_tests OBJECT a_test.cpp)\ntarget_link_libraries(captures_tests captures)\n",
    "tests/a_test.cpp": '#include "captures/a.hpp"\n\nint test();\nint test() { return a() + 1 == 0 ? 3 : 4; }\n',
}

# Judge, file that gets the fault, what of it is replaced by what, what the judge must say of it.
FAULTS = [
    ("tidy", "captures/a.cpp", ("one", "One"), "captures/a.cpp:4:"),
    ("tidy", "captures/b.cpp", ("return none() + one;", "if (one == one) return none(); return 2;"), "captures/b.cpp:10:"),
    ("tidy", "captures/shared.hpp", ("none", "None"), "captures/shared.hpp:5:"),
    ("tidy", "tests/a_test.cpp", ("a() + 1 == 0", "a() == a()"), "tests/a_test.cpp:4:"),
    ("alone", "captures/a.cpp", ("const int", "const std::size_t"), "captures/a.cpp:4:"),
    ("alone", "captures/shared.hpp", ("#include <cstddef>", ""), "captures/shared.hpp:5:"),
]


def judge(name, tree):
    command = [sys.executable, HERE / f"{name}.py", tree, tree / "build" / "lint"]
    return subprocess.run(command, env=os.environ | {"XDG_CACHE_HOME": str(tree / "cache")}, capture_output=True, text=True)


def tried(name, tree, said):
    """Whether the judge finds just what is said, and that alone."""
    told = judge(name, tree)
    found = [line for line in told.stdout.splitlines() if line.startswith(said)] if said else []
    if told.returncode == (1 if said else 0) and bool(found) == bool(said):
        return True
    print(f"{name}: expected {said or 'no finding'}, got {told.returncode}:\n{told.stdout}{told.stderr}")
    return False


def missing():
    """What the judges need and this machine lacks; clang-tidy comes without the headers that its plugin includes."""
    yield from (program for program in NEEDED if shutil.which(program) is None)
    tidy = shutil.which("clang-tidy")
    if tidy and not (pathlib.Path(tidy).resolve().parent.parent / "include" / "clang-tidy" / "ClangTidyCheck.h").exists():
        yield "clang-tidy/ClangTidyCheck.h"


if lacks := list(missing()):
    print(f"skipped: packages of .ci/packages-clang.txt are not installed ({', '.join(lacks)})")
    sys.exit(77)

with tempfile.TemporaryDirectory() as made:
    tree = pathlib.Path(made).resolve()
    for name, text in (CLEAN | {name: (PROJECT / name).read_text() for name in COPIED}).items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
    subprocess.run(["cmake", "--preset", "lint", "--no-warn-unused-cli"], cwd=tree, check=True, stdout=subprocess.DEVNULL)

    results = [tried(name, tree, None) for name in ("tidy", "alone")]
    for name, file, (old, new), said in FAULTS:
        (tree / file).write_text(CLEAN[file].replace(old, new))
        results.append(tried(name, tree, said))
        (tree / file).write_text(CLEAN[file])

print(f"{len(results)} cases, {results.count(False)} failed")
sys.exit(0 if all(results) else 1)
