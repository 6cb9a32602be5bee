#!/usr/bin/env python3
"""`portcullis run` and the commands that ask it, as a person uses them: real processes, TLS on loopback, a store of its own.

Usage: service.py PORTCULLIS
"""

import hashlib
import json
import os
import pathlib
import re
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time

from namespaces import use_own_network

SCOPE = "/subscriptions/20ff7fc3-e762-44dd-bd96-b71116dcdc23/resourceGroups/lab"
DONE, REFUSED, USAGE, UNREACHABLE = range(4)
LONG = 120  # s: a deadline for what must come
failures = []


def check(good, what):
    if not good:
        failures.append(what)
        print(f"FAILED: {what}", flush=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def configuration(port, tokens, more=""):
    text = f"""
[firewall]
name = "lab-fw"
subscription = "20ff7fc3-e762-44dd-bd96-b71116dcdc23"
resource_group = "lab"
public_ips = ["203.0.113.10"]
instance_ip = "10.0.1.5"
[api]
listen = "127.0.0.1:{port}"
{more}
"""
    for name, os_name, address in [("web01", "linux", 4), ("win01", "windows", 5), ("free01", "linux", 6)]:
        text += f'[[virtual_machine]]\nname = "{name}"\nos = "{os_name}"\nprivate_ip = "10.1.0.{address}"\n'
    text += """
[[nat_rule_collection]]
name = "inbound"
priority = 200
  [[nat_rule_collection.rule]]
  name = "ssh-web01"
  protocols = ["TCP"]
  source_addresses = ["*"]
  destination_addresses = ["203.0.113.10"]
  destination_ports = ["50022"]
  translated_address = "10.1.0.4"
  translated_port = "22"
[[jit_policy]]
name = "default"
"""
    for name, number in [("web01", 22), ("win01", 3389)]:
        text += f'[[jit_policy.virtual_machine]]\nname = "{name}"\n'
        text += f'ports = [ {{ number = {number}, protocol = "TCP", allowed_source_address_prefix = "*" }} ]\n'
    for name, role in [("ana", "JIT Requester"), ("owner", "Owner"), ("nobody", "")]:
        digest = hashlib.sha256(tokens[name].encode()).hexdigest()
        text += f'[[principal]]\nname = "{name}@lab.example"\ntoken_sha256 = "{digest}"\n'
        if role:
            text += f'[[role_assignment]]\nprincipal = "{name}@lab.example"\nrole = "{role}"\nscope = "{SCOPE}"\n'
    return text


class Lab:
    def __init__(self, binary, folder):
        self.binary, self.folder, self.port = binary, folder, free_port()
        self.tokens = {name: self.new_token(name) for name in ["ana", "owner", "nobody"]}
        self.ca = str(folder / "portcullis-cert.pem")
        (folder / "lab.toml").write_text(configuration(self.port, self.tokens))
        self.process = None

    def new_token(self, name):
        told = subprocess.run([self.binary, "token", "new", "--name", name], capture_output=True, text=True, check=True).stdout
        token = told.splitlines()[0]
        check(re.fullmatch(r"ptc_[\w-]{43}", token), f"a token: {token}")
        check(f'token_sha256 = "{hashlib.sha256(token.encode()).hexdigest()}"' in told, "its hash line")
        check(told.count(token) == 1, "a token is printed once")
        return token

    def start(self):
        log = open(self.folder / "log.txt", "wb")
        # Elsewhere than the configuration: its paths are relative to its own folder.
        self.process = subprocess.Popen([self.binary, "run", "--config", str(self.folder / "lab.toml")], stderr=log, cwd="/")
        until = time.monotonic() + LONG
        while self.process.poll() is None and time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self.port), LONG).close()
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError(self.log())

    def stop(self, how=signal.SIGINT):
        self.process.send_signal(how)
        code = self.process.wait(LONG)
        check(code == DONE, f"{how.name} ends it with 0, not {code}")

    def log(self):
        return (self.folder / "log.txt").read_text()

    def run(self, *words, who="ana", **environment):
        settings = {
            "PATH": os.environ["PATH"], "HOME": str(self.folder), "PORTCULLIS_CA": self.ca,
            "PORTCULLIS_ENDPOINT": f"https://127.0.0.1:{self.port}", "PORTCULLIS_TOKEN": self.tokens.get(who, who),
        } | environment
        settings = {name: value for name, value in settings.items() if value}
        return subprocess.run([self.binary, *map(str, words)], capture_output=True, text=True, env=settings, timeout=LONG)

    def expect(self, code, *words, **options):
        told = self.run(*words, **options)
        check(told.returncode == code, f"{words}: {told.returncode} instead of {code}: {told.stdout}{told.stderr}")
        return told

    def curl(self, path, *flags):
        command = ["curl", "-sS", "--cacert", self.ca, *flags, f"https://127.0.0.1:{self.port}{path}"]
        return subprocess.run(command, capture_output=True, text=True, timeout=LONG).stdout


def what_it_prints_on_start(lab):
    log = lab.log()
    made = subprocess.run(["openssl", "x509", "-in", lab.ca, "-noout", "-fingerprint", "-sha256"], capture_output=True,
                          text=True).stdout.strip().split("=")[-1]
    for part in [f"https://127.0.0.1:{lab.port}", lab.ca, made, str(lab.folder / "portcullis.db"), "principals 3"]:
        check(part in log, f"the log tells {part}")
    check(not re.search(r"\bptc_|token_sha256", log), "no secret is in the log")
    check(stat.S_IMODE((lab.folder / "portcullis-key.pem").stat().st_mode) == 0o600, "the key is its owner's only")


def a_request_and_what_follows(lab):
    told = lab.expect(DONE, "request", "web01", "--port", 22, "--duration", "30m", "--justification", "patching", "--wait")
    lines = told.stdout.splitlines()
    check(len(lines) == 2, f"two lines: {told.stdout}")
    check(re.match(r"web01 port 22 is open for 127\.0\.0\.1 until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$", lines[0]), lines[0])
    check(lines[1] == "ssh -p 50022 USER@203.0.113.10", lines[1])
    check(lab.expect(DONE, "lookup", "web01").stdout.splitlines()[1] == lines[1], "a look-up tells the same")
    before = json.loads(lab.expect(DONE, "lookup", "--json").stdout)["value"][0]
    status = json.loads(lab.expect(DONE, "status", before["requestId"], "--json").stdout)
    check(status["justification"] == "patching", f"why: {status}")
    check(status["machines"][0]["ports"][0]["status"] == "Initiated", f"its status: {status}")
    machine = f"{SCOPE}/providers/Microsoft.Compute/virtualMachines/web01"
    lab.expect(DONE, "extend", machine, "--port", 22, "--duration", "1h")
    lab.expect(DONE, "extend", "web01", "--port", 22, "--duration", "2h")
    after = json.loads(lab.expect(DONE, "lookup", "--json").stdout)["value"][0]
    check(after["endTimeUtc"] > before["endTimeUtc"], "extended")
    check("is closed again" in lab.expect(DONE, "revoke", "web01", "--port", 22, "--cut").stdout, "revoked")
    check("nothing is open for you" in lab.expect(DONE, "lookup").stdout, "nothing is open after that")
    lab.expect(REFUSED, "lookup", "web01")
    check("Revoked" in lab.expect(DONE, "status", before["requestId"]).stdout, "and its status says so")


def remote_desktop(lab):
    asked = ["request", "win01", "--port", "3389", "--source", "198.51.100.0/24", "--source", "203.0.113.7"]
    told = json.loads(lab.expect(DONE, *asked, "--json").stdout)
    port = told["machines"][0]["ports"][0]
    check(port["allowedSourceAddressPrefixes"] == ["198.51.100.0/24", "203.0.113.7/32"] or
          port["allowedSourceAddressPrefixes"] == ["198.51.100.0/24", "203.0.113.7"], f"sources: {port}")
    check(port["command"].startswith("mstsc /v:203.0.113.10:5"), f"a mapped port: {port}")
    file = lab.folder / "win01.rdp"
    lab.expect(DONE, "lookup", "win01", "--rdp", file)
    check(f"full address:s:203.0.113.10:{port['mappedPort']}" in file.read_text(), "a file for Remote Desktop")
    # Windows that are open are open after a restart.
    lab.stop(signal.SIGTERM)
    lab.start()
    check("made a new certificate" not in lab.log(), "its certificate is the same")
    again = json.loads(lab.expect(DONE, "lookup", "win01", "--json").stdout)["value"][0]
    check(again["mappedPort"] == port["mappedPort"], "the mapped port is the same")


def refusals(lab):
    for words, part in [
        (["request", "web01", "--port", "23"], "23"),
        (["request", "web01", "--port", "22", "--duration", "25h"], "limit"),
        (["request", "nowhere", "--port", "22"], "nowhere"),
        (["extend", "web01", "--port", "22", "--duration", "1h"], ""),
        (["revoke", "web01", "--port", "22"], ""),
        (["status", "no-such-request"], ""),
        (["audit", "verify"], "Microsoft.Insights"),
    ]:
        told = lab.expect(REFUSED, *words)
        check(told.stdout == "" and told.stderr.startswith("portcullis: "), f"{words} is refused in a line: {told}")
        check(part == "limit" or part in told.stderr, f"{words} names {part}: {told.stderr}")
    told = lab.expect(REFUSED, "request", "web01", "--port", "23", "--json")
    check("code" in json.loads(told.stdout)["error"], "a program gets the error as JSON")
    for who in ["nobody", "ptc_of-nobody-at-all"]:
        told = lab.expect(REFUSED, "request", "web01", "--port", "22", who=who)
        check("203.0.113" not in told.stderr, "no address is in a refusal")
        check("203.0.113" not in lab.run("machines", who=who).stdout, "nor in a list")


def wrong_usage(lab):
    for words in [["request", "web01"], ["request", "web01", "--port", "0"], ["nonsense"], [], ["policy"], ["audit", "x"],
                  ["request", "web01", "--port", "22", "--duration", "soon"], ["run", "--config", "/nowhere.toml"]]:
        lab.expect(USAGE, *words)
    check("no token" in lab.expect(USAGE, "lookup", who="", PORTCULLIS_TOKEN="").stderr, "without a token")
    check("in the clear" in lab.expect(USAGE, "lookup", "--endpoint", "http://127.0.0.1:1").stderr, "without TLS")
    told = lab.expect(USAGE, "run", "--config", lab.folder / "lab.toml")
    check("portcullis.db" in told.stderr, f"a second process on the store is refused: {told.stderr}")


def the_way_to_the_server(lab):
    told = lab.expect(UNREACHABLE, "lookup", PORTCULLIS_CA="")
    made = re.search(r"fingerprint ((?:[0-9A-F]{2}:){31}[0-9A-F]{2})", lab.log())[1]
    check(made in told.stderr and "--ca" in told.stderr, f"an unknown certificate is told: {told.stderr}")
    lab.expect(DONE, "lookup", "--insecure", PORTCULLIS_CA="")
    lab.expect(DONE, "lookup", "--ca", lab.ca, PORTCULLIS_CA="")
    lab.expect(DONE, "lookup", "--endpoint", f"https://localhost:{lab.port}/")
    told = lab.expect(UNREACHABLE, "lookup", "--endpoint", f"https://127.0.0.1:{free_port()}")
    check("cannot reach" in told.stderr, told.stderr)
    config = lab.folder / ".config" / "portcullis"
    config.mkdir(parents=True)
    (config / "token").write_text(lab.tokens["ana"] + "\n")
    (config / "client.toml").write_text(f'endpoint = "https://127.0.0.1:{lab.port}"\ntoken_file = "token"\nca = "{lab.ca}"\n')
    lab.expect(DONE, "lookup", PORTCULLIS_CA="", PORTCULLIS_ENDPOINT="", PORTCULLIS_TOKEN="")
    (config / "client.toml").write_text('endpont = "x"\n')
    check("client.toml:1:1" in lab.expect(USAGE, "lookup").stderr, "a mistake in the client's file has its place")
    (config / "client.toml").unlink()


def policies(lab):
    check("default" in lab.expect(DONE, "policy", "list", who="owner").stdout, "the policy is listed")
    shown = lab.expect(DONE, "policy", "show", who="owner").stdout
    check("web01" in shown and "3389" in shown, shown)
    policy = json.loads(lab.expect(DONE, "policy", "show", "default", "--json", who="owner").stdout)
    policy["properties"]["virtualMachines"][0]["ports"][0]["maxRequestAccessDuration"] = "PT45M"
    file = lab.folder / "policy.json"
    file.write_text(json.dumps(policy))
    lab.expect(REFUSED, "policy", "set", file)
    lab.expect(DONE, "policy", "set", file, who="owner")
    lab.expect(REFUSED, "request", "web01", "--port", 22, "--duration", "1h")
    check("22" in lab.expect(DONE, "policy", "enable", "free01", who="owner").stdout, "free01 is guarded")
    check("free01               Configured" in lab.expect(DONE, "machines", who="owner").stdout, "and listed so")
    lab.expect(DONE, "policy", "remove", "free01", who="owner")
    for part in ["id", "name", "type", "location"]:
        policy.pop(part, None)
    machines = policy["properties"]["virtualMachines"]
    machines[:] = [machines[0] | {"id": machines[0]["id"].replace("web01", "free01")}]
    file.write_text(json.dumps(policy))
    lab.expect(DONE, "policy", "set", file, "--name", "another", who="owner")
    check("another" in lab.expect(DONE, "policy", "list", who="owner").stdout, "another policy")
    lab.expect(DONE, "policy", "delete", "another", who="owner")
    lab.expect(REFUSED, "policy", "show", "another", who="owner")


def audit(lab):
    check("Initiate JIT" in lab.expect(DONE, "audit", "list", "--machine", "web01", who="owner").stdout, "the log lists")
    table = lab.expect(DONE, "audit", "csv", who="owner").stdout.splitlines()
    check(table[0].startswith("Correlation id,Operation name,Status") and len(table) > 10, "the log as a table")
    told = lab.expect(DONE, "audit", "verify", who="owner").stdout
    head = re.search(r"--head (\d+:[0-9a-f]{64})", told)[1]
    lab.expect(DONE, "audit", "verify", "--head", head, who="owner")
    sequence, digest = head.split(":")
    lab.expect(REFUSED, "audit", "verify", "--head", f"{sequence}:{'0' * 64}", who="owner")
    lab.expect(REFUSED, "audit", "verify", "--head", f"{int(sequence) + 1000}:{digest}", who="owner")
    lab.stop()
    store = lab.folder / "portcullis.db"
    lab.expect(DONE, "audit", "verify", "--store", store, "--head", head)
    lab.expect(USAGE, "audit", "verify", "--store", lab.folder / "none.db")
    data = store.read_bytes()
    check(b"patching" in data, "the reason is in the store")
    store.write_bytes(data.replace(b"patching", b"pilfered"))
    told = lab.expect(REFUSED, "audit", "verify", "--store", store)
    check("NOT intact" in told.stderr, f"a change is found: {told.stderr}")
    store.write_bytes(data)
    lab.start()


def hostile_words(lab):
    """What others wrote reaches no terminal as it is: escapes, C1, marks of direction."""
    body = json.dumps({"machine": "\x1b]0;owned\x07\x9b31m\u202egpj", "port": 22, "duration": "PT1H"})
    lab.curl("/portcullis/v1/extend", "-d", body, "-H", "Authorization: Bearer " + lab.tokens["ana"])
    for words in [["audit", "list"], ["audit", "csv"]]:
        told = lab.expect(DONE, *words, who="owner").stdout
        check("]0;owned" in told or words[1] == "list", f"{words} tells of it: {told[:1000]}")
        check(not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", told.replace("\r\n", "\n")), f"{words} prints controls")
    # More than one of the server's pages.
    check(len(lab.expect(DONE, "audit", "list", "--limit", 3000, who="owner").stdout.splitlines()) > 10, "pages are followed")


def small_mistakes(lab):
    for name in ["", "a b", 'a"b', "a\tb", "x" * 300]:
        lab.expect(USAGE, "token", "new", "--name", name)
    lab.expect(USAGE, "audit", "csv", "--json", who="owner")
    check("alone" in lab.expect(USAGE, "request", "web01", "--port", 22, "--source", "me", "--source", "192.0.2.1").stderr, "me")
    check("portcullis lookup" in lab.expect(REFUSED, "status").stderr, "what a requester may ask instead")
    told = lab.expect(DONE, "policy", "delete", "default", "--json", who="owner").stdout
    check(json.loads(told) == {"name": "default", "deleted": True}, f"a program is told, too: {told}")


def what_needs_no_token(lab):
    check(json.loads(lab.curl("/healthz")) == {"status": "ok"}, "it is healthy")
    numbers = lab.curl("/metrics")
    check("portcullis_windows_open 1\n" in numbers, numbers)
    check(not re.search(r"web01|win01|free01|ana|203\.0|10\.1|default", numbers), "numbers name nobody")
    version = "?api-version=2020-01-01"
    token = ["-H", "Authorization: Bearer " + lab.tokens["owner"]]
    answer = json.loads(lab.curl(f"/subscriptions{version}", *token))
    check(answer["value"][0]["subscriptionId"] == SCOPE.split("/")[2], f"curl is served: {answer}")
    check("MissingApiVersionParameter" in lab.curl("/subscriptions", *token), "and refused")
    check("WWW-Authenticate: Bearer" in lab.curl(f"/subscriptions{version}", "-i"), "and challenged")


def lab_sign_in(lab):
    lab.stop()
    port = free_port()
    more = f'[api.lab_sign_in]\nprincipal = "ana@lab.example"\nlisten = "127.0.0.1:{port}"\n'
    (lab.folder / "lab.toml").write_text(configuration(lab.port, lab.tokens, "requests_per_minute = 1\n" + more))
    lab.start()
    check("lab sign-in is ON: everybody on this machine can be ana@lab.example" in lab.log(), lab.log())
    command = ["curl", "-sS", f"http://127.0.0.1:{port}/oauth2/token", "-d", "resource=https://management.azure.com/"]
    check("Metadata" in subprocess.run(command, capture_output=True, text=True).stdout, "not without the header")
    told = json.loads(subprocess.run([*command, "-H", "Metadata: true"], capture_output=True, text=True).stdout)
    check(told["token_type"] == "Bearer" and told["resource"] == "https://management.azure.com/", told)
    lab.expect(DONE, "lookup", who=told["access_token"])
    # The same principal asks too often.
    answer = lab.curl("/portcullis/v1/machines", "-i", "-H", "Authorization: Bearer " + lab.tokens["ana"])
    check(answer.startswith("HTTP/1.1 429") and re.search(r"Retry-After: [1-6]?[0-9]\n", answer), answer)
    check("TooManyRequests" in answer, answer)
    lab.expect(DONE, "lookup", who="owner")


def main():
    begun = time.monotonic()
    use_own_network()
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(os.path.abspath(sys.argv[1]), pathlib.Path(folder))
        lab.start()
        try:
            for part in [what_it_prints_on_start, a_request_and_what_follows, remote_desktop, refusals, wrong_usage,
                         the_way_to_the_server, policies, audit, hostile_words, what_needs_no_token, small_mistakes, lab_sign_in]:
                print(part.__name__, flush=True)
                part(lab)
            lab.stop()
        finally:
            if lab.process.poll() is None:
                lab.process.kill()
    print(f"{len(failures)} failures, {time.monotonic() - begun:.1f} s")
    sys.exit(1 if failures else 0)


main()
