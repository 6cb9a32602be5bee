#!/usr/bin/env python3
"""The lints themselves, tried on a small tree: it passes them clean, and each one names the place of a planted fault."""

import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent

CLEAN = {
    "captures/base/CMakeLists.txt": "portcullis_library(captures SOURCES a.cpp HEADERS a.hpp)\n",
    "captures/base/a.hpp": "#pragma once\n\n#include <chrono>\n",
    "captures/base/a.cpp": '#include "captures/base/a.hpp"\n',
    "dnat/CMakeLists.txt": "portcullis_library(dnat SOURCES b.cpp HEADERS b.hpp)\n",
    "dnat/b.hpp": '#pragma once\n\n#include "captures/base/a.hpp"\n\nint b(int now);  // never system_clock::now()\n',
    "dnat/b.cpp": '#include "dnat/b.hpp"\n\nint b(int now) { return now; }\n',
}

# Lint, file that gets the fault, its whole text, what the lint must say of it.
FAULTS = [
    ("layers", "captures/base/a.cpp", '#include "captures/base/a.hpp"\n#include "dnat/b.hpp"\n', "captures/base/a.cpp:2:"),
    ("layers", "dnat/b.cpp", '#include "dnat/b.hpp"\n#include "tests/support/x.hpp"\n', "dnat/b.cpp:2:"),
    ("layers", "captures/base/a.cpp", '#include "captures/base/a.hpp"\n#include "captures/packet/c.hpp"\n', "captures/base/a.cpp:2:"),
    ("layers", "gateway/config/d.cpp", '#include "gateway/live/e.hpp"\n', "gateway/config/d.cpp:1:"),
    ("layers", "gateway/elsewhere/d.cpp", "\n", "gateway/elsewhere/d.cpp:1:"),
    ("layers", "captures/base/a.cpp", "namespace captures {\n}\n", "captures/base/a.cpp:1:"),
    ("layers", "dnat/b.cpp", '#include "b.hpp"\n', "dnat/b.cpp:1:"),
    ("layers", "dnat/b.cpp", "#  include <pcap.h>\n", "dnat/b.cpp:1:"),
    ("layers", "captures/base/a.cpp", "#include <boost/beast/http.hpp>\n", "captures/base/a.cpp:1:"),
    ("purity", "dnat/b.cpp", "#include <mutex>\n", "dnat/b.cpp:1:"),
    ("purity", "dnat/b.cpp", "#include <chrono>\nauto t = std::chrono::steady_clock::now();\n", "dnat/b.cpp:2:"),
    ("purity", "dnat/b.cpp", "#include <spdlog/spdlog.h>\n", "dnat/b.cpp:1:"),
    ("purity", "dnat/b.hpp", "#pragma once\n#include <sys/socket.h>\n", "dnat/b.hpp:2:"),
    ("sizes", "dnat/b.cpp", "\n" * 401, "dnat/b.cpp:401:"),
    ("sizes", "dnat/b.hpp", "int b();\n", "dnat/b.hpp:1:"),
    ("listed", "dnat/forgotten.cpp", "\n", "dnat/forgotten.cpp:1:"),
    ("listed", "tests/dnat/forgotten_test.cpp", "\n", "tests/dnat/forgotten_test.cpp:1:"),
    ("format", "dnat/b.cpp", "int  b( int now ){return now;}\n", "dnat/b.cpp:1:"),
]


def lint(name, tree):
    return subprocess.run([sys.executable, HERE / f"{name}.py", tree], capture_output=True, text=True)


def plant(tree, texts):
    for name, text in texts.items():
        path = pathlib.Path(tree) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    shutil.copy(HERE.parent.parent / ".clang-format", tree)


failures = 0
cases = [(name, {}, None) for name in sorted({fault[0] for fault in FAULTS})]
cases += [(name, {file: text}, said) for name, file, text, said in FAULTS]
pcap = {f"captures/port/p{i}.cpp": "#include <pcap.h>\n" for i in range(4)}
cases += [("layers", pcap, "<pcap.h> in 4 files")]
for name, fault, said in cases:
    with tempfile.TemporaryDirectory() as tree:
        plant(tree, CLEAN | fault)
        told = lint(name, tree)
    good = told.returncode == 0 if said is None else told.returncode == 1 and said in told.stdout
    if not good:
        failures += 1
        print(f"{name}: with {fault or 'the clean tree'} expected {said or 'no finding'}, got {told.returncode}:")
        print(told.stdout + told.stderr)
print(f"{len(cases)} cases, {failures} failed")
sys.exit(1 if failures else 0)
