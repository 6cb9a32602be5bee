#!/usr/bin/env python3
"""The ends of the live bench that go past the kernel's stack: against each other, and each against the kernel's sockets.

    tests/bench/live/ends.py live_traffic
"""

import json
import subprocess
import sys
import time

from gateways import unseen
from namespaces import Namespace, require, wait_until_active

CLIENT, SERVER, PORT = "203.0.113.20", "203.0.113.1", 7000
TRAFFIC = sys.argv[1]
TO = ("--address", SERVER, "--port", str(PORT), "--milliseconds", "300")
LONG = 120  # s: a deadline for what must come


def served(client_is_bare, server_is_bare):
    """What the client says."""
    client, server = Namespace(), Namespace()
    client.run("ip", "link", "add", "wire0", "type", "veth", "peer", "name", "wire0", "netns", server.path)
    for space, address in ((client, CLIENT), (server, SERVER)):
        space.ip(f"address add {address}/24 dev wire0", "link set wire0 up")
    wait_until_active((client, "wire0"), (server, "wire0"))
    if client_is_bare:
        unseen(client, f"tcp sport {PORT}")
    if server_is_bare:
        unseen(server, f"tcp dport {PORT}")
    serve = ("answer", "--interface", "wire0") if server_is_bare else ("echo", "--address", SERVER)
    with server.start(TRAFFIC, *serve, "--port", str(PORT), stdout=subprocess.PIPE) as serving:
        try:
            if server_is_bare:
                serving.stdout.readline()
            while not server_is_bare and f":{PORT} " not in server.run("ss", "-Hltn", capture_output=True).stdout:
                time.sleep(0.02)
            mac = server.mac("wire0")
            ask = ("establish", "--interface", "wire0", "--gateway-mac", mac) if client_is_bare else ("connect",)
            until = time.monotonic() + LONG
            while True:  # until the machine has found the time for one connection
                told = json.loads(client.run(TRAFFIC, *ask, "--from", CLIENT, *TO, capture_output=True, timeout=LONG).stdout)
                if told["connections"] or told["failed"] or time.monotonic() > until:
                    return told
        finally:
            serving.terminate()


require("ip", "nft", "ss")
wrong = 0
for bare in ((True, True), (True, False), (False, True)):
    told = served(*bare)
    print("{} client, {} server:".format(*("our" if end else "the kernel's" for end in bare)), told)
    wrong += told["connections"] == 0 or told["failed"] != 0
sys.exit(wrong != 0)
