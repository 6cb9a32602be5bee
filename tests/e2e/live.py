#!/usr/bin/env python3
"""`portcullis run` between two networks: real programs on both sides, doors opened through the API.

Usage: live.py PORTCULLIS DRIVER on|off     (as root; on, off: the interfaces' offloads)
"""

import contextlib
import hashlib
import http.server
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from live_lab import CLIENT, OTHER_CLIENT, PUBLIC, WEB, Lab, is_closed, rules, serve_ssh, tcp_from, udp_from, wait_for
from namespaces import require

BULK = int(os.environ.get("PORTCULLIS_BULK", "20")) * 1_000_000
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
failures = []


def check(good, what):
    if not good:
        failures.append(what)
        print(f"FAILED: {what}", flush=True)


def main():
    require("ip", "ethtool", "ssh", "scp", "sftp", "ssh-keygen", "sshd", "unshare")
    portcullis, driver, offloads = sys.argv[1], sys.argv[2], sys.argv[3] == "on"
    for case in (an_ordinary_day, doors_follow_the_clock, traffic_as_it_comes, a_narrow_wire, rules_are_reloaded,
                 wires_are_lost_and_found, a_killed_gateway_forwards_nothing):
        begun = time.monotonic()
        with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as running:
            lab = Lab(portcullis, folder, offloads, 1400 if case is a_narrow_wire else 1500)
            try:
                case(lab, driver, running)
            except Exception as error:  # pylint: disable=W0718
                check(False, f"{case.__name__}: {error!r}\n{lab.log()}")
            finally:
                if lab.service is not None and lab.service.poll() is None:
                    lab.stop()
        print(f"{case.__name__}: {time.monotonic() - begun:.1f} s", flush=True)
    sys.exit(1 if failures else 0)


def an_ordinary_day(lab, driver, running):
    """Closed; asked for; used; revoked."""
    ssh = serve_ssh(lab, running)
    lab.start(driver=driver)
    check(is_closed(lab.client, CLIENT, 50022), "a guarded port is closed without a window")

    waiting = half_open(lab, CLIENT, 50022)  # its SYN comes before the window, and again after it
    begun = time.monotonic()
    view = lab.request("web01")
    check("50022" in str(view) and PUBLIC in str(view), f"the answer tells where to connect: {view}")
    tcp_from(lab.client, CLIENT, 50022, 1).close()
    check(time.monotonic() - begun < 2, "the door is open when the answer is there")
    check(waiting.wait(5) == 0, "a SYN that is retransmitted after the window opened gets in")
    check(is_closed(lab.client, OTHER_CLIENT, 50022), "the window is open for nobody else")
    check(is_closed(lab.client, CLIENT, 50023), "nor is any other machine's")

    said = lab.client.run("ssh", *ssh, "-p", "50022", f"root@{PUBLIC}", "echo $SSH_CONNECTION; seq 5000", capture_output=True)
    check(said.stdout.startswith("10.0.1.5 "), "the machine sees the firewall instance")
    check(said.stdout.endswith("\n5000\n"), "ssh says all")
    copy_files(lab, ssh)

    session = begin_session(lab, ssh)
    lab.ask("revoke", "web01", "--port", "22")
    check(is_closed(lab.client, CLIENT, 50022), "a revoked window admits nobody")
    session.stdin.write("still here\n")
    session.stdin.flush()
    check(session.stdout.readline() == "still here\n", "an open session goes on after a revocation")
    lab.request("web01")
    session.kill()
    session = begin_session(lab, ssh)
    lab.request("web01")  # again: the session is the newer window's now
    lab.ask("revoke", "web01", "--port", "22", "--cut")
    begun = time.monotonic()
    check(session.wait(5) == 255 and time.monotonic() - begun < 0.5, "a cut ends the session, renewed by then, at once")
    took, code = lab.stop()
    check(took < 1 and code == 0, f"SIGTERM stops it within a second: {took:.2f} s, exit {code}")


def begin_session(lab, ssh):
    session = lab.client.start("ssh", *ssh, "-p", "50022", f"root@{PUBLIC}", "echo ready; cat", stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    check(session.stdout.readline() == "ready\n", "a session begins")
    return session


def half_open(lab, source, port):
    """A process that has sent a SYN, and ends well if it is connected by its retransmissions."""
    script = (f"import socket\nmade = socket.socket()\nmade.settimeout(4)\nmade.bind(('{source}', 0))\n"
              f"made.connect(('{PUBLIC}', {port}))")
    process = lab.client.start(sys.executable, "-c", script)
    time.sleep(0.3)
    return process


def copy_files(lab, ssh):
    file, copy = lab.folder / "file", lab.folder / "copy"
    with open(file, "wb") as out:
        for _ in range(BULK // 1_000_000):
            out.write(os.urandom(1_000_000))
    lab.client.run("scp", *ssh, "-q", "-P", "50022", file, f"root@{PUBLIC}:{copy}")
    check(digest(copy) == digest(file), f"{BULK // 1_000_000} MB by scp arrive intact")
    copy.unlink()
    small = lab.folder / "small"
    small.write_bytes(b"0123456789" * 100_000)
    lab.client.run("sftp", *ssh, "-q", "-P", "50022", "-b", "-", f"root@{PUBLIC}", input=f"put {small} {copy}\n",
                   stdout=subprocess.DEVNULL)
    check(digest(copy) == digest(small), "so does a file by sftp")


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else \
            hashlib.sha256(file.read()).hexdigest()


def doors_follow_the_clock(lab, driver, running):
    """Five minutes are Azure's least, so the wall clock is set forward meanwhile."""
    if not pathlib.Path(FAKETIME).exists():
        print("no faketime here: expiry is not tried")
        return
    offset = lab.folder / "offset"
    offset.write_text("+0")
    sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
    os.environ.update({"LD_PRELOAD": FAKETIME, "ASAN_OPTIONS": sanitizer, "FAKETIME_NO_CACHE": "1", "FAKETIME_TIMESTAMP_FILE": str(offset),
                       "DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"})
    try:
        lab.start(driver=driver)
    finally:
        for name in ("LD_PRELOAD", "FAKETIME_TIMESTAMP_FILE"):
            del os.environ[name]
    serve_echo(lab, running)
    serve_tcp_echo(lab.server, WEB, 22, running)
    lab.request("web01", 22, "PT5M")
    session = tcp_from(lab.client, CLIENT, 50022)
    check(say(session, b"one") == b"one", "the window lets a session in")
    offset.write_text("+297")
    wait_for(lambda: is_closed(lab.client, CLIENT, 50022, 0.3), "the window does not end", 6)
    check(say(session, b"two") == b"two", "what it admitted goes on after it has expired")
    lab.request("web01", 22, "PT5M")
    tcp_from(lab.client, CLIENT, 50022).close()


def say(connection, data):
    connection.sendall(data)
    return connection.recv(65535)


def traffic_as_it_comes(lab, driver, running):
    serve_echo(lab, running)
    serve_pages(lab, running)
    serve_tcp_echo(lab.server, WEB, 7000, running)
    lab.start(driver=driver)
    talk = udp_from(lab.client, CLIENT)
    talk.connect((PUBLIC, 6000))
    for data in (b"small", b"", b"x" * 4000, b"y" * 30000):
        talk.send(data)
        check(talk.recv(65535) == data, f"{len(data)} bytes of UDP come back")
    wrong = udp_from(lab.client, CLIENT)
    wrong.connect((PUBLIC, 6002))
    wrong.send(b"anybody?")
    try:
        wrong.recv(1)
        check(False, "a closed port answered")
    except ConnectionRefusedError:
        pass  # the machine's ICMP error found its way
    same = [tcp_from(lab.client, source, 7000, source_port=40000) for source in (CLIENT, OTHER_CLIENT)]
    for number, connection in enumerate(same):
        check(say(connection, b"%d" % number) == b"%d" % number, "two clients with the same source port are kept apart")
    page = lab.client.run("curl", "-s", "-m", "20", f"http://{PUBLIC}:8080/", capture_output=True, text=False)
    check(page.stdout == Pages.body, "a large page arrives intact")
    sent = lab.client.run("curl", "-s", "-m", "20", "--data-binary", "@-", f"http://{PUBLIC}:8080/", capture_output=True, text=False,
                          input=Pages.body)
    check(sent.stdout == Pages.body[::-1], "and one that is sent")
    ttl = udp_from(lab.client, CLIENT)
    ttl.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 1)
    ttl.setsockopt(socket.IPPROTO_IP, 11, 1)  # IP_RECVERR
    ttl.connect((PUBLIC, 6000))
    ttl.send(b"traceroute")
    try:
        ttl.recv(1)
        check(False, "a TTL of 1 went through")
    except OSError as error:
        check(error.errno == 113, f"a TTL of 1 is answered by time exceeded: {error}")


def serve_echo(lab, running):
    with lab.server.entered():
        echo = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        echo.bind((WEB, 6001))

    def answer():
        with contextlib.suppress(OSError):
            while True:
                data, sender = echo.recvfrom(65535)
                echo.sendto(data, sender)
    threading.Thread(target=answer, daemon=True).start()
    running.callback(echo.close)


def serve_tcp_echo(space, address, port, running):
    with space.entered():
        listener = socket.create_server((address, port))

    def answer(connection):
        with contextlib.suppress(OSError):
            while data := connection.recv(65535):
                connection.sendall(data)

    def accept():
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()
    threading.Thread(target=accept, daemon=True).start()
    running.callback(listener.close)


def serve_pages(lab, running):
    with lab.server.entered():
        web = http.server.ThreadingHTTPServer((WEB, 80), Pages)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    running.callback(web.server_close)
    running.callback(web.shutdown)


class Pages(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    body = bytes(range(251)) * 20_000

    def do_GET(self):
        self.say(self.body)

    def do_POST(self):
        self.say(self.rfile.read(int(self.headers["Content-Length"]))[::-1])

    def log_message(self, *_):
        pass

    def say(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def a_narrow_wire(lab, driver, running):
    """1400 bytes inside, 1500 outside; the client is told nothing of it but by ICMP."""
    serve_pages(lab, running)
    serve_echo(lab, running)
    lab.start(driver=driver)
    sent = lab.client.run("curl", "-s", "-m", "20", "--data-binary", "@-", f"http://{PUBLIC}:8080/", capture_output=True, text=False,
                          input=Pages.body)
    check(sent.stdout == Pages.body[::-1], "path MTU discovery finds the narrow wire")
    talk = udp_from(lab.client, CLIENT)
    talk.setsockopt(socket.IPPROTO_IP, 10, 0)  # IP_MTU_DISCOVER: IP_PMTUDISC_DONT
    talk.connect((PUBLIC, 6000))
    talk.send(b"z" * 1450)
    check(talk.recv(65535) == b"z" * 1450, "what may be fragmented is")


def rules_are_reloaded(lab, driver, running):
    serve_tcp_echo(lab.server, WEB, 7000, running)
    serve_tcp_echo(lab.server, WEB, 80, running)
    lab.start(driver=driver)
    kept, lost = tcp_from(lab.client, CLIENT, 8080), tcp_from(lab.client, CLIENT, 7000)
    config = lab.folder / "lab.toml"
    whole = config.read_text()
    config.write_text(whole.replace('name = "web01"', 'nome = "web01"', 1))
    lab.service.send_signal(signal.SIGHUP)
    wait_for(lambda: "nome" in lab.log(), "a bad configuration is not refused")
    check(say(kept, b"a") == b"a" and say(lost, b"b") == b"b", "the old rules stay when the new ones are bad")
    config.write_text(whole.replace(rules(["echo-tcp"]), ""))
    lab.service.send_signal(signal.SIGHUP)
    wait_for(lambda: "was read anew" in lab.log(), lambda: f"good rules are not taken:\n{lab.log()}")
    check(say(kept, b"c") == b"c", "a flow of a rule that stays lives on")
    check(is_closed(lab.client, CLIENT, 7000), "a removed rule admits nobody")
    lost.settimeout(0.7)
    try:
        say(lost, b"d")
        check(False, "a flow of a removed rule lives on")
    except TimeoutError:
        pass


def wires_are_lost_and_found(lab, driver, running):
    serve_tcp_echo(lab.server, WEB, 7000, running)
    lab.start(driver=driver)
    session = tcp_from(lab.client, CLIENT, 7000)
    lab.gateway.run("ip", "link", "set", "inside0", "down")
    wait_for(lambda: "inside0 is lost" in lab.log(), lambda: f"the loss is not noticed:\n{lab.log()}")
    check(is_closed(lab.client, CLIENT, 7000), "nothing is answered while a wire is lost")
    lab.gateway.run("ip", "link", "set", "inside0", "up")
    wait_for(lambda: "inside0 is back" in lab.log(), lambda: f"the wire is not found again:\n{lab.log()}")
    check(say(session, b"again") == b"again", "an open session goes on when the wire is back")
    check(lab.service.poll() is None, "it has not ended")


def a_killed_gateway_forwards_nothing(lab, driver, running):
    serve_tcp_echo(lab.server, WEB, 22, running)
    serve_tcp_echo(lab.server, WEB, 7000, running)
    lab.gateway.sysctl({"net.ipv4.ip_forward": 1})  # as on a machine that routes for others
    lab.start(driver=driver)
    lab.request("web01")
    tcp_from(lab.client, CLIENT, 50022).close()
    lab.stop(signal.SIGKILL)
    check(is_closed(lab.client, CLIENT, 50022) and is_closed(lab.client, CLIENT, 7000), "a killed gateway forwards nothing")
    lab.start(driver=driver)
    tcp_from(lab.client, CLIENT, 50022).close()
    check(is_closed(lab.client, OTHER_CLIENT, 50022), "after a restart the windows are as they were")


if __name__ == "__main__":
    main()
