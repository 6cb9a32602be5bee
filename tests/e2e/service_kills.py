#!/usr/bin/env python3
"""Kills `portcullis run` again and again while clients open and close windows: what was acknowledged is there afterwards.

Usage: service_kills.py PORTCULLIS [CYCLES]   (default 40; CI takes PORTCULLIS_KILLS)

After each kill the same store is opened by the next process, which must know every request that was answered 202 and every
revocation that was answered 200, must hold no window open that was not asked for, and must carry on an unbroken audit chain.
"""

import hashlib
import http.client
import json
import os
import pathlib
import random
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

from namespaces import use_own_network

GROUP = "/subscriptions/20ff7fc3-e762-44dd-bd96-b71116dcdc23/resourceGroups/lab"
MACHINES = [f"vm{number:02}" for number in range(12)]
CLIENTS = ["one", "two", "three"]
TOKENS = {name: "token-of-" + name for name in [*CLIENTS, "admin"]}


def configuration(port):
    lines = [
        "[firewall]", 'subscription = "20ff7fc3-e762-44dd-bd96-b71116dcdc23"', 'resource_group = "lab"',
        'public_ips = ["203.0.113.10"]', 'instance_ip = "10.0.1.5"',
        "[store]", 'url = "sqlite:store.db"', "[api]", f'listen = "127.0.0.1:{port}"', "requests_per_minute = 1000000",
    ]
    for number, name in enumerate(MACHINES):
        lines += ["[[virtual_machine]]", f'name = "{name}"', f'private_ip = "10.1.0.{number + 10}"']
    lines += ["[[jit_policy]]", 'name = "default"']
    for name in MACHINES:
        lines += ["[[jit_policy.virtual_machine]]", f'name = "{name}"',
                  'ports = [ { number = 22, protocol = "TCP", allowed_source_address_prefix = "*" } ]']
    for name, token in TOKENS.items():
        digest = hashlib.sha256(token.encode()).hexdigest()
        role = "Owner" if name == "admin" else "JIT Requester"
        lines += ["[[principal]]", f'name = "{name}@lab.example"', f'token_sha256 = "{digest}"',
                  "[[role_assignment]]", f'principal = "{name}@lab.example"', f'role = "{role}"', f'scope = "{GROUP}"']
    return "\n".join(lines) + "\n"


class Service:
    def __init__(self, binary, folder, port):
        self.port = port
        self.log = open(folder / "log.txt", "ab")
        self.process = subprocess.Popen([binary, "run", "--config", str(folder / "lab.toml")], stdout=self.log,
                                        stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 120
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 120).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    sys.exit("the service does not start:\n" + (folder / "log.txt").read_text()[-2000:])
                time.sleep(0.01)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.log.close()


class Client:
    """A connection of one principal; what it asks it may ask again on the next."""

    def __init__(self, port, name):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # whose certificate it is, other tests look at
        self.connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=120, context=context)
        self.headers = {"Authorization": "Bearer " + TOKENS[name], "Content-Type": "application/json"}

    def call(self, method, path, body=None):
        self.connection.request(method, path, None if body is None else json.dumps(body), self.headers)
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read() or b"null")


class Truth:
    """What was acknowledged, in the order of the acknowledgements of each principal and machine."""

    def __init__(self):
        self.lock = threading.Lock()
        self.requests = {}  # id -> (principal, machine)
        self.ended = set()  # ids whose end was acknowledged

    def opened(self, principal, machine, request):
        with self.lock:
            self.requests[request] = (principal, machine)

    def closed(self, requests):
        with self.lock:
            self.ended.update(requests)


def load(port, name, truth, seed, stop):
    rng = random.Random(seed)
    mine = {}
    try:
        client = Client(port, name)
        while not stop.is_set():
            machine = rng.choice(MACHINES)
            if machine in mine and rng.random() < 0.4:
                status, _ = client.call("POST", "/portcullis/v1/revoke", {"machine": machine, "port": 22, "cut": False})
                if status == 200:
                    truth.closed([mine.pop(machine)])
                continue
            status, answer = client.call("POST", "/portcullis/v1/requests",
                                         {"machine": machine, "ports": [{"number": 22, "duration": "PT1H"}]})
            if status == 202:
                truth.opened(name, machine, answer["id"])
                if machine in mine:
                    truth.closed([mine[machine]])
                mine[machine] = answer["id"]
    except (OSError, http.client.HTTPException, ValueError):
        return  # the service was killed


def check_requests(port, truth, since):
    """Every acknowledged request of this cycle is known, and every acknowledged end is one."""
    clients = {name: Client(port, name) for name in CLIENTS}
    for request in since:
        principal, machine = truth.requests[request]
        status, answer = clients[principal].call("GET", f"/portcullis/v1/requests/{request}")
        if status != 200:
            sys.exit(f"request {request} of {principal} for {machine} was acknowledged and is lost: {status} {answer}")
        state = answer["machines"][0]["ports"][0]["status"]
        if request in truth.ended and state != "Revoked":
            sys.exit(f"request {request} of {principal} for {machine} was ended and is {state} again")


def check_windows(port):
    """No machine is open twice to the same principal, and nobody but those who ask has a window."""
    _, answer = Client(port, "admin").call("GET", "/portcullis/v1/connections")
    open_windows = [(one["requestor"], one["machine"]) for one in answer["value"]]
    if len(set(open_windows)) != len(open_windows):
        sys.exit(f"a newer request did not replace the older one: {sorted(open_windows)}")
    strangers = {who for who, _ in open_windows} - {name + "@lab.example" for name in CLIENTS}
    if strangers:
        sys.exit(f"windows of {strangers}")
    return len(open_windows)


def nanoseconds(text):
    whole, fraction = text.rstrip("Z").split(".")
    seconds = int(time.mktime(time.strptime(whole + " UTC", "%Y-%m-%dT%H:%M:%S %Z"))) - time.timezone
    return seconds * 10**9 + int(fraction.ljust(9, "0"))


def check_chain(port):
    """Recomputes the chain from nothing but what policy/audit.hpp says of it."""
    client, previous, sequence, accepted = Client(port, "admin"), "0" * 64, 0, 0
    while True:
        _, answer = client.call("GET", f"/portcullis/v1/audit?after={sequence}&limit=1000")
        if not answer["value"]:
            break
        for event in answer["value"]:
            sequence += 1
            fields = [previous, str(event["sequence"]), str(nanoseconds(event["time"]))]
            fields += [event[key] for key in ("operation", "status", "subStatus", "caller", "callerAddress", "resource",
                                              "machine", "correlationId", "clientRequestId", "detail")]
            text = b"".join(b"%d:%s," % (len(field.encode()), field.encode()) for field in fields)
            previous = hashlib.sha256(text).hexdigest()
            if event["sequence"] != sequence or event["hash"] != previous:
                sys.exit(f"the audit chain breaks at event {sequence}: {event}")
            accepted += event["status"] == "Accepted"
    return sequence, accepted


def main():
    binary = sys.argv[1]
    cycles = int(sys.argv[2] if len(sys.argv) > 2 else os.environ.get("PORTCULLIS_KILLS", "40"))
    rng = random.Random(20261123)
    truth, checked = Truth(), set()
    use_own_network()
    with tempfile.TemporaryDirectory(prefix="portcullis-kills-") as name:
        folder = pathlib.Path(name)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        (folder / "lab.toml").write_text(configuration(port))
        for cycle in range(cycles):
            service, stop = Service(binary, folder, port), threading.Event()
            try:
                check_requests(port, truth, truth.requests.keys() - checked)
                checked = set(truth.requests)
                check_windows(port)
                threads = [threading.Thread(target=load, args=(port, who, truth, f"{cycle} {who}", stop)) for who in CLIENTS]
                for thread in threads:
                    thread.start()
                time.sleep(rng.uniform(0.02, 0.3))  # any moment will do; what a slow machine has not got done, nobody misses
            finally:
                service.kill()
                stop.set()
            for thread in threads:
                thread.join()
        service = Service(binary, folder, port)
        try:
            check_requests(port, truth, list(truth.requests))
            events, accepted = check_chain(port)
            still_open = check_windows(port)
        finally:
            service.kill()
    if not truth.requests or accepted < len(truth.requests):
        sys.exit(f"{len(truth.requests)} requests acknowledged in {cycles} cycles, {accepted} in the audit")
    print(f"{cycles} kills: {len(truth.requests)} requests and {len(truth.ended)} ends acknowledged, none lost; "
          f"{events} events in one chain; {still_open} windows open")


main()
