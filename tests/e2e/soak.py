#!/usr/bin/env python3
"""Half an hour of mixed traffic through `portcullis run`, by hand: does it use more memory, lose anything, forget anything?

Usage: soak.py PORTCULLIS DRIVER [MINUTES]     (as root; 30 minutes unless told)

At once, at modest rates: ssh sessions through doors that are opened, used and revoked; a bulk transfer; datagrams there and back;
new connections; short floods; reloads; lookups. Each minute a line with what was done and the memory of the process; at the end
what failed, and how far memory went after the first fifth.
"""

import contextlib
import http.client
import json
import pathlib
import re
import signal
import ssl
import sys
import tempfile
import threading
import time

import live_floods
from live_lab import CLIENT, CONFIG, OTHER_CLIENT, PUBLIC, TOKENS, WEB, Lab, is_closed, rules, serve_ssh, tcp_from, udp_from
from live_servers import say, serve_echo, serve_iperf, serve_tcp_echo
from namespaces import require


class Soak:
    """Several jobs at a time, each counted; whatever goes wrong is kept."""

    def __init__(self, lab, ssh):
        self.lab, self.ssh = lab, ssh
        self.over = threading.Event()
        self.done = {}
        self.failed = []

    def begin(self, job, pause):
        def repeat():
            while not self.over.is_set():
                try:
                    job()
                    self.done[job.__name__] = self.done.get(job.__name__, 0) + 1
                except Exception as error:  # pylint: disable=W0718
                    self.failed.append(f"{time.strftime('%H:%M:%S')} {job.__name__}: {error!r}")
                self.over.wait(pause)
        thread = threading.Thread(target=repeat)
        thread.start()
        return thread

    def session(self):
        """A door is closed, opened, used and closed again."""
        expect(is_closed(self.lab.client, CLIENT, 50022), "a closed door")
        self.lab.request("web01")
        try:
            said = self.lab.client.run("ssh", *self.ssh, "-p", "50022", f"root@{PUBLIC}", "seq 20000 | sha256sum", capture_output=True)
            expect(len(said.stdout) == 68, said)
            expect(is_closed(self.lab.client, OTHER_CLIENT, 50022), "closed to others")
        finally:
            self.lab.ask("revoke", "web01", "--port", "22", "--cut")

    def bulk(self):
        told = json.loads(self.lab.client.run("iperf3", "--client", PUBLIC, "--bind", CLIENT, "--time", "10", "--bitrate", "20M", "--json",
                                              capture_output=True, check=False).stdout)
        expect("error" not in told and min(each["sum"]["bytes"] for each in told["intervals"]) > 0, told.get("error", "a second of silence"))

    def datagrams(self):
        with contextlib.closing(udp_from(self.lab.client, CLIENT, 2)) as talk:
            talk.connect((PUBLIC, 6000))
            for size in (0, 100, 1400, 4000):
                expect(say(talk, b"x" * size) == b"x" * size, f"{size} bytes come back")

    def connections(self):
        for _ in range(20):
            with contextlib.closing(tcp_from(self.lab.client, CLIENT, 7000)) as connection:
                expect(say(connection, b"hello") == b"hello", "an echo")

    def flood(self):
        for kind, port in (("syn-flood", 50022), ("udp-flood", 9), ("fragments", None), ("icmp-errors", None)):
            live_floods.flood(self.lab, kind, ports=port, packets=10_000, rate=2_500)

    def reload(self):
        before = self.lab.log().count("was read anew")
        self.lab.service.send_signal(signal.SIGHUP)
        end = time.monotonic() + 10
        while self.lab.log().count("was read anew") == before:
            expect(time.monotonic() < end, "a reload takes too long")
            time.sleep(0.1)

    def lookup(self):
        self.lab.ask("lookup", "web01", "--json", check=False)
        context = ssl.create_default_context(cafile=self.lab.folder / "portcullis-cert.pem")
        with self.lab.gateway.entered():
            client = http.client.HTTPSConnection("127.0.0.1", 8443, timeout=10, context=context)
            client.connect()
        for page in ("/metrics", "/healthz", "/portcullis/v1/connections", "/portcullis/v1/audit?limit=100"):
            client.request("GET", page, headers={"Authorization": f"Bearer {TOKENS['admin@lab.example']}"})
            answer = client.getresponse()
            answer.read()
            expect(answer.status == 200, f"{page}: {answer.status}")
        client.close()


def expect(good, what):
    if not good:
        raise AssertionError(what)


def memory(lab):
    """kB: resident, and of it what is the process's own."""
    status = pathlib.Path(f"/proc/{lab.service.pid}/status").read_text(encoding="ascii")
    return tuple(int(re.search(rf"{name}:\s+(\d+)", status)[1]) for name in ("VmRSS", "RssAnon"))


def main():
    require("ip", "ethtool", "ssh", "sshd", "ssh-keygen", "unshare", "iperf3")
    portcullis, driver, minutes = sys.argv[1], sys.argv[2], int(sys.argv[3] if len(sys.argv) > 3 else 30)
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as running:
        lab = Lab(portcullis, folder)
        ssh = serve_ssh(lab, running)
        serve_echo(lab, running)
        serve_tcp_echo(lab.server, WEB, 7000, running)
        serve_iperf(lab, running)
        lab.start(CONFIG + rules() + "[api]\nrequests_per_minute = 100000\n[timeouts]\nudp_idle = '30s'\ntcp_transitory = '30s'\n", driver)
        soak = Soak(lab, ssh)
        old = tcp_from(lab.client, CLIENT, 7000)  # lives through all of it
        threads = [soak.begin(job, pause) for job, pause in (
            (soak.session, 3), (soak.bulk, 5), (soak.datagrams, 0.2), (soak.connections, 1), (soak.flood, 20), (soak.reload, 7),
            (soak.lookup, 1))]
        samples = []
        for minute in range(1, minutes + 1):
            time.sleep(60)
            samples.append(memory(lab))
            try:
                expect(say(old, b"%d" % minute) == b"%d" % minute, "it does not echo")
            except (OSError, AssertionError) as error:
                soak.failed.append(f"minute {minute}: the old connection: {error!r}")
            print(f"{minute:3} min  resident {samples[-1][0]} kB, anonymous {samples[-1][1]} kB  "
                  + "  ".join(f"{name} {count}" for name, count in sorted(soak.done.items())) + f"  failed {len(soak.failed)}", flush=True)
            if lab.service.poll() is not None:
                break
        soak.over.set()
        for thread in threads:
            thread.join()
        took, code = lab.stop()
        print(lab.log()[-1000:])
    print(*soak.failed, sep="\n")
    settled = samples[len(samples) // 5:]
    print(f"memory after the first fifth: resident {min(settled)[0]} to {max(settled)[0]} kB; stopped in {took:.2f} s, exit {code}; "
          f"{len(soak.failed)} failed")
    sys.exit(1 if soak.failed or code != 0 else 0)


if __name__ == "__main__":
    main()
