#!/usr/bin/env python3
"""The API beside nginx serving the same bytes: requests a second and latencies, best of several rounds, interleaved, so
that a noisy machine is noisy for both. Same certificate, same TLS library, one process and one thread each, loopback.

    tests/bench/api_rivals.py [--machines N,N] [--requests N] [--seconds S] [--rounds N] [--folder DIR] [--strace]

For each number of machines `portcullis run` starts on a store with so many past requests and an open window on each
machine. Then wrk asks for
  list       the policy `default` with all machines and its newest 200 requests (jitNetworkAccessPolicies)
  page       the first hundred virtual machines
  look-up    where to connect to one machine after another
  initiate   new windows, machine after machine, port after port, each from another source; beside it, in the same
             rounds, what the store's disk takes to make as many bytes durable as a request writes (write and fdatasync in
             a file that is there already), and how many times that the slowest hundredth of requests took
--folder says on which disk. --strace tells the service's syncs by thread, in a run of its own.
Needs wrk and nginx (apt-get install wrk nginx-light); exits 77 without them.
"""
import argparse
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request

SUBSCRIPTION = "/subscriptions/20ff7fc3-e762-44dd-bd96-b71116dcdc23"
GROUP = SUBSCRIPTION + "/resourceGroups/lab"
POLICIES = "/providers/Microsoft.Security/locations/westeurope/jitNetworkAccessPolicies"
TOKEN = "bench-only"
WHO = "bench@lab.example"
PORTS = [22, 3389, 5985, 5986]  # a NAT rule leads to the first, mapped ports to the others of the first machines

SCRIPT = """
local head = {["Authorization"] = "Bearer %(token)s", ["Content-Type"] = "application/json"}
local machines, ports, start, at = %(machines)d, {%(ports)s}, %(start)d, 0
request = function()
    at = at + 1
    %(body)s
end
done = function(summary, latency, requests)
    local wrong = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write
    io.write(string.format("RESULT %%d %%d %%d %%d %%d\\n", summary.requests, summary.duration, wrong,
                           latency:percentile(50), latency:percentile(99)))
end
"""
GET = 'return wrk.format("GET", "%s", head)'
LOOKUP = """
    return wrk.format("GET", string.format("/portcullis/v1/connections?machine=vm%05d&port=22", at % machines), head)
"""
INITIATE = """
    local n = start + at
    local machine = n % machines
    local port = machine < 1000 and ports[1 + math.floor(n / machines) % #ports] or ports[1]
    local source = string.format("%d.%d.%d.%d", 11 + math.floor(n / 16777216), math.floor(n / 65536) % 256,
                                 math.floor(n / 256) % 256, n % 256)
    local body = string.format('{"virtualMachines":[{"id":"GROUP/providers/Microsoft.Compute/virtualMachines/vm%05d",' ..
        '"ports":[{"number":%d,"duration":"PT1H","allowedSourceAddressPrefix":"%s"}]}],"justification":"patches"}',
        machine, port, source)
    return wrk.format("POST", "GROUPPOLICIES/default/initiate?api-version=2020-01-01", head, body)
""".replace("GROUP", GROUP, 2).replace("POLICIES", POLICIES)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def configuration(machines, port):
    address = lambda n: f"10.{1 + n // 60000}.{n // 250 % 240}.{4 + n % 250}"
    text = f"""[firewall]
name = "bench"
subscription = "{SUBSCRIPTION.split('/')[2]}"
resource_group = "lab"
public_ips = ["203.0.113.10"]
instance_ip = "10.255.0.5"
[api]
listen = "127.0.0.1:{port}"
requests_per_minute = 10000000
[[principal]]
name = "{WHO}"
token_sha256 = "{hashlib.sha256(TOKEN.encode()).hexdigest()}"
[[role_assignment]]
principal = "{WHO}"
role = "Contributor"
scope = "{GROUP}"
"""
    for n in range(machines):
        text += f'[[virtual_machine]]\nname = "vm{n:05}"\nprivate_ip = "{address(n)}"\n'
    text += '[[nat_rule_collection]]\nname = "bench"\npriority = 200\n'
    for n in range(machines):
        text += f"""[[nat_rule_collection.rule]]
name = "ssh-vm{n:05}"
protocols = ["TCP"]
source_addresses = ["*"]
destination_addresses = ["203.0.113.10"]
destination_ports = ["{20000 + n}"]
translated_address = "{address(n)}"
translated_port = "22"
"""
    ports = ", ".join(f'{{ number = {one}, protocol = "TCP", allowed_source_address_prefix = "*" }}' for one in PORTS)
    text += '[[jit_policy]]\nname = "default"\n'
    for n in range(machines):
        text += f'[[jit_policy.virtual_machine]]\nname = "vm{n:05}"\nports = [{ports}]\n'
    return text


class Process:
    def __init__(self, command, port, log):
        self.log = open(log, "ab+")
        self.process = subprocess.Popen(command, stderr=self.log)
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", port), 60).close()
                return
            except OSError:
                time.sleep(0.1)
                if self.process.poll() is not None:
                    break
        self.log.seek(0)
        sys.exit(f"{command[0]} does not start:\n{self.log.read().decode()}")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()


def nginx_configuration(folder, port):
    return f"""
worker_processes 1;
daemon off;
{"user root;" if os.geteuid() == 0 else ""}
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  default_type application/json;
  sendfile on;
  tcp_nodelay on;
  keepalive_requests 1000000000;
  open_file_cache max=100;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {folder}/portcullis-cert.pem;
    ssl_certificate_key {folder}/portcullis-key.pem;
    root {folder}/www;
  }}
}}
"""


def fetch(port, path):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    request = urllib.request.Request(f"https://127.0.0.1:{port}{path}", headers={"Authorization": "Bearer " + TOKEN})
    with urllib.request.urlopen(request, context=context, timeout=60) as answer:
        return answer.read()


class Wrk:
    def __init__(self, folder, machines, seconds):
        self.folder, self.machines, self.seconds, self.asked = folder, machines, seconds, 0

    def run(self, port, body, connections):
        """Requests a second, p50 and p99 in microseconds."""
        script = self.folder / "ask.lua"
        script.write_text(SCRIPT % {"token": TOKEN, "machines": self.machines, "ports": ",".join(map(str, PORTS)),
                                    "start": self.asked, "body": body})
        done = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{self.seconds}s", "--timeout", "20s", "-s", str(script),
                               f"https://127.0.0.1:{port}"], capture_output=True, text=True, timeout=self.seconds + 120, check=True)
        told = re.search(r"^RESULT (\d+) (\d+) (\d+) (\d+) (\d+)$", done.stdout, re.M)
        requests, microseconds, wrong, median, slow = map(int, told.groups())
        if wrong or requests == 0:
            sys.exit(f"{wrong} of {requests} requests failed\n{done.stdout}")
        self.asked += requests + connections
        return {"rate": requests / microseconds * 1e6, "p50": median, "p99": slow, "requests": requests}


def bytes_written(process):
    """By write(2) and its like; what goes to sockets does not count there."""
    return int(re.search(r"^wchar: (\d+)", pathlib.Path(f"/proc/{process.pid}/io").read_text(), re.M)[1])


def sync_times(folder, seconds, size):
    """What it takes to write so many bytes into a file that is there already, and sync them: p50 and p99 in microseconds."""
    block, whole, times = os.urandom(size), 16 << 20, []
    with open(folder / "sync.bin", "wb", buffering=0) as file:
        file.write(bytes(whole))
        os.fsync(file.fileno())
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            file.seek(len(times) * size % (whole - size))
            begun = time.perf_counter()
            file.write(block)
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - begun)
    times.sort()
    return {"rate": len(times) / seconds, "p50": times[len(times) // 2] * 1e6, "p99": times[len(times) * 99 // 100] * 1e6}


def count_syncs(service, wrk, port):
    """In the thread that answers requests, which wait for these; and in the one that copies the store's log."""
    trace = wrk.folder / "strace.txt"
    tracer = subprocess.Popen(["strace", "-f", "-T", "-e", "trace=fsync,fdatasync", "-o", str(trace), "-p", str(service.process.pid)],
                              stderr=subprocess.DEVNULL)
    time.sleep(1)
    made = wrk.run(port, INITIATE, 1)["requests"]
    tracer.send_signal(signal.SIGINT)
    tracer.wait(60)
    calls = re.findall(r"^(\d+) .*<([\d.]+)>$", trace.read_text(), re.M)
    answering = sorted(float(seconds) * 1000 for thread, seconds in calls if int(thread) == service.process.pid)
    return (f"traced: {made} requests waited for {len(answering)} syncs, p50 {answering[len(answering) // 2]:.3f} ms, "
            f"p99 {answering[len(answering) * 99 // 100]:.3f} ms; {len(calls) - len(answering)} were the log's copier's")


def best_of(results):
    """The best of each figure: what the machine can do when it is left alone."""
    return {"rate": max(one["rate"] for one in results), "p50": min(one["p50"] for one in results),
            "p99": min(one["p99"] for one in results)}


def line(label, one):
    return f"  {label:<26}{one['rate']:>9.0f}/s   p50 {one['p50'] / 1000:8.3f} ms   p99 {one['p99'] / 1000:8.3f} ms"


def measure(options, folder, machines):
    port, rival = free_port(), free_port()
    (folder / "bench.toml").write_text(configuration(machines, port))
    subprocess.run([options.history, folder / "portcullis.db", "--machines", str(machines), "--requests", str(options.requests),
                    "--requestor", WHO], check=True)
    begun = time.perf_counter()
    service = Process([options.portcullis, "run", "--config", str(folder / "bench.toml")], port, folder / "portcullis.log")
    print(f"{machines} machines, {options.requests} past requests: started in {time.perf_counter() - begun:.1f} s", flush=True)
    questions = {
        "list": GET % (GROUP + POLICIES + "?api-version=2020-01-01"),
        "page": GET % (GROUP + "/providers/Microsoft.Compute/virtualMachines?api-version=2024-07-01"),
        "look-up": LOOKUP,
    }
    paths = {name: re.search(r'"(/[^"]*)"', body)[1] for name, body in questions.items()}
    paths["look-up"] = paths["look-up"].replace("%05d", "00000")
    www = folder / "www"
    www.mkdir()
    (folder / "nginx.conf").write_text(nginx_configuration(folder, rival))
    nginx = Process([shutil.which("nginx") or "/usr/sbin/nginx", "-c", str(folder / "nginx.conf")], rival, folder / "nginx.out")
    wrk = Wrk(folder, machines, options.seconds)
    try:
        sizes = {}
        for name, path in paths.items():
            answer = fetch(port, path)
            json.loads(answer)
            sizes[name] = len(answer)
            (www / (name + ".json")).write_bytes(answer)
            if fetch(rival, f"/{name}.json") != answer:
                sys.exit("nginx answers something else")
        before = bytes_written(service.process)
        made = wrk.run(port, INITIATE, 1)["requests"]
        size = (bytes_written(service.process) - before) // made
        found = {}
        for _ in range(options.rounds):
            for name, body in questions.items():
                found.setdefault(name, []).append(wrk.run(port, body, options.connections))
                found.setdefault(name + " nginx", []).append(wrk.run(rival, GET % f"/{name}.json", options.connections))
            found.setdefault("disk", []).append(sync_times(folder, options.seconds, size))
            for connections in [1, options.connections]:
                found.setdefault(f"initiate {connections}", []).append(wrk.run(port, INITIATE, connections))
        best = {name: best_of(results) for name, results in found.items()}
        for name in questions:
            ratio = best[name]["rate"] / best[name + " nginx"]["rate"]
            print(line(f"{name}, {sizes[name]} bytes", best[name]) + f"   {ratio:.2f}x nginx")
            print(line("  nginx", best[name + " nginx"]), flush=True)
        for connections in [1, options.connections]:
            one = best[f"initiate {connections}"]
            print(line(f"initiate, {connections} connection{'s' * (connections > 1)}", one) +
                  f"   p99 {one['p99'] / best['disk']['p99']:.1f}x a sync's")
        print(line(f"  write {size} bytes, sync", best["disk"]))
        if options.strace:
            print("  " + count_syncs(service, wrk, port), flush=True)
    finally:
        nginx.stop()
        service.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    build = pathlib.Path(__file__).resolve().parents[2] / "build" / "release"
    parser.add_argument("--portcullis", default=build / "tools" / "portcullis" / "portcullis")
    parser.add_argument("--history", default=build / "tests" / "bench" / "access_history")
    parser.add_argument("--machines", default="1,100,10000")
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", default=None)
    parser.add_argument("--strace", action="store_true")
    options = parser.parse_args()
    if not shutil.which("wrk") or not (shutil.which("nginx") or os.path.exists("/usr/sbin/nginx")):
        print("skipped: wrk or nginx is not installed")
        sys.exit(77)
    for machines in map(int, options.machines.split(",")):
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            measure(options, pathlib.Path(folder), machines)


if __name__ == "__main__":
    main()
