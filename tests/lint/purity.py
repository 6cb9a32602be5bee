#!/usr/bin/env python3
"""dnat and policy decide; they have no clock, thread, lock, socket, file or log. Time comes in as an argument."""

import re

from sources import files, finish, includes, lines

# Memory is theirs to ask for, so sys/mman.h is not among these. Nor is openssl/evp.h: a digest is a function.
HEADERS = re.compile(
    r"(thread|mutex|shared_mutex|condition_variable|future|semaphore|latch|barrier|stop_token|coroutine"
    r"|fstream|iostream|istream|filesystem|cstdio|stdio\.h|ctime|time\.h|random|print"
    r"|unistd\.h|fcntl\.h|pthread\.h|sys/(?!mman).*|net/.*|netinet/.*|arpa/.*|linux/.*|poll\.h"
    r"|boost/(asio|beast|log|thread|filesystem|process|interprocess).*|spdlog/.*|pcap.*|soci.*"
    r"|toml\+\+/.*|openssl/(?!evp\.h).*"
    r"|captures/(file|port)/.*)"
)
# Also what needs no header of its own, or comes in with an innocent one.
WORDS = re.compile(
    r"::now\s*\(|\bstd::(cout|cerr|clog|thread|jthread|mutex)\b"
    r"|\b(getenv|printf|fprintf|puts|fopen|clock_gettime|gettimeofday|random_device|thread_local)\b"
)

findings = []
paths = files({".hpp", ".cpp"}, ["dnat", "policy"])
for path in paths:
    for number, _, name in includes(path):
        if HEADERS.fullmatch(name):
            findings.append(f"{path}:{number}: includes {name}; {path.parts[0]} is pure")
    for number, line in enumerate(lines(path), 1):
        code = re.sub(r'"(\\.|[^"\\])*"', '""', line.split("//")[0])
        if match := WORDS.search(code):
            findings.append(f"{path}:{number}: {match[0].strip()}; {path.parts[0]} is pure")
finish(findings, len(paths))
