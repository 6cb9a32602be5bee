#!/usr/bin/env python3
"""`portcullis run` under load and faults: what breaks is one thing at a time, doors stay closed, and traffic goes on.

Usage: live_faults.py PORTCULLIS DRIVER [SCENARIO]…     (as root)
"""

import contextlib
import ctypes
import http.client
import os
import re
import resource
import signal
import socket
import ssl
import sys
import threading

import live_floods
import live_runner
from live_check import check
from live_doors import Clock, has_no_window
from live_lab import (BRIEF, CLIENT, CONFIG, INSTANCE, LONG, OTHER_CLIENT, PUBLIC, TOKENS, WEB, Lab, is_closed, rules, settled, tcp_from,
                      udp_from, wait_for)
from live_servers import say, serve_echo, serve_sink, serve_tcp_echo
from namespaces import require

_CLONE_NEWNS, _MS_REC, _MS_PRIVATE, _MNT_DETACH = 0x00020000, 0x4000, 1 << 18, 2


def wires_are_removed_and_made_anew(lab, driver, running):
    """With other MAC addresses: neighbours must hear of them, and the kernel must be kept off again."""
    serve_tcp_echo(lab.server, WEB, 7000, running)
    serve_tcp_echo(lab.server, WEB, 22, running)
    lab.start(driver=driver)
    lab.request("web01")
    sessions = [tcp_from(lab.client, CLIENT, port) for port in (7000, 50022)]
    lab.gateway.run("ip", "link", "delete", "inside0")
    wait_for(lambda: "inside0 is lost" in lab.log(), lambda: f"the loss is not noticed:\n{lab.log()}")
    check(is_closed(lab.client, CLIENT, 7000), "nothing is answered while a wire is gone")
    lab.lay_inside()
    wait_for(lambda: "inside0 is back" in lab.log(), lambda: f"the wire is not found again:\n{lab.log()}")
    check(all(say(session, b"inside") == b"inside" for session in sessions), "open sessions go on on the new wire inside")

    lab.gateway.run("ip", "link", "delete", "outside0")
    wait_for(lambda: "outside0 is lost" in lab.log(), lambda: f"the loss is not noticed:\n{lab.log()}")
    lab.lay_outside()
    wait_for(lambda: "outside0 is back" in lab.log(), lambda: f"the wire is not found again:\n{lab.log()}")
    check(all(say(session, b"outside") == b"outside" for session in sessions), "and on the new wire outside")
    check(is_closed(lab.client, OTHER_CLIENT, 50022), "no door has opened meanwhile")
    tcp_from(lab.client, CLIENT, 50022).close()
    check(isolated(lab) == {"outside0", "inside0"}, f"the kernel is kept off both new wires: {isolated(lab)}")
    took, code = lab.stop()
    check(code == 0 and not isolated(lab), f"nothing stays behind: exit {code}, {isolated(lab)}")


def a_wire_that_cannot_be_opened_again_stays_closed(lab, driver, running):
    """It is back, but there are no descriptors to open it with: the kernel must not have it meanwhile."""
    serve_echo(lab, running)
    the_kernel_would_forward(lab)
    lab.start(driver=driver)
    lab.gateway.run("ip", "link", "set", "inside0", "down")
    wait_for(lambda: "inside0 is lost" in lab.log(), lambda: f"the loss is not noticed:\n{lab.log()}")
    taken = settled(lambda: {int(name) for name in os.listdir(f"/proc/{lab.service.pid}/fd")}, "it does not close what the lost wire had")
    limits = resource.prlimit(lab.service.pid, resource.RLIMIT_NOFILE)
    one_more = min(set(range(len(taken) + 1)) - taken) + 1
    resource.prlimit(lab.service.pid, resource.RLIMIT_NOFILE, (one_more, limits[1]))
    lab.gateway.run("ip", "link", "set", "inside0", "up")
    the_kernel_would_forward(lab)
    for _ in range(2):  # each attempt begins with a new table
        before = tables(lab)
        wait_for(lambda before=before: tables(lab) != before, "it does not try to get the wire back")
    check("inside0 is back" not in lab.log(), "it cannot be opened")
    check(isolated(lab) == {"outside0", "inside0"}, f"it is closed all the same: {isolated(lab)}")
    resource.prlimit(lab.service.pid, resource.RLIMIT_NOFILE, limits)
    wait_for(lambda: "inside0 is back" in lab.log(), lambda: f"the wire is not found again:\n{lab.log()}")
    check(passes(lab, PUBLIC, 6000), "and it works again when it can be opened")


def the_api_is_besieged(lab, driver, running):
    """One address takes every connection that it may have, and says half a request on each: others are served all the same."""
    serve_echo(lab, running)
    serve_tcp_echo(lab.server, WEB, 22, running)
    lab.start(CONFIG + rules() + "[api]\nmax_connections = 40\nrequests_per_minute = 1000000\n", driver)
    with Talk(lab) as talk, asked_all_the_time(lab) as answers:
        siege = [half_a_request(lab) for _ in range(30)]
        lab.request("web01")
        tcp_from(lab.client, CLIENT, 50022).close()
        for connection in siege:  # killed, not closed: RST
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            connection.close()
        lab.ask("revoke", "web01", "--port", "22")
        check(is_closed(lab.client, CLIENT, 50022), "a door can be closed under siege")
        wait_for(lambda: len(answers) > 100, lambda: f"it answers only {len(answers)} times")
    check(talk.lost == 0, f"{talk.lost} of {talk.said} datagrams are lost meanwhile")
    check(set(answers) == {200}, f"and well: {set(answers)}")


def the_disk_is_full(lab, driver, running):
    """Requests and revocations are refused, open doors still close at their time, traffic goes on, nothing comes back."""
    clock = Clock(lab)
    if not clock.can_be_set():
        return
    disk = small_disk(lab, running)
    serve_echo(lab, running)
    serve_tcp_echo(lab.server, WEB, 22, running)
    text = CONFIG + rules() + f'[store]\nurl = "sqlite:{disk}/portcullis.db"\n'
    (lab.folder / "portcullis-cert.pem").symlink_to(disk / "portcullis-cert.pem")
    lab.start(text, driver, environment=clock.environment)
    lab.request("web01", 22, "PT5M")
    session = tcp_from(lab.client, CLIENT, 50022)
    with Talk(lab) as talk:
        fill(disk)
        for what in (("request", "db01", "--duration", "PT1H", "--source", CLIENT), ("revoke", "web01")):
            refused = lab.ask(*what, "--port", "22", check=False)
            check(refused.returncode != 0 and "StoreUnavailable" in refused.stderr, f"a full disk refuses: {what[0]}: {refused}")
        check(is_closed(lab.client, CLIENT, 50023), "a refused request opens no door")
        tcp_from(lab.client, CLIENT, 50022).close()
        clock.set_forward(301)
        wait_for(lambda: has_no_window(lab), "the window does not end while the disk is full")
        check(is_closed(lab.client, CLIENT, 50022), "nobody gets in any more")
        check(say(session, b"on") == b"on", "the session that it let in goes on")
    check(talk.lost == 0, f"{talk.lost} of {talk.said} datagrams are lost meanwhile")
    (disk / "filler").unlink()
    lab.request("db01", 22, "PT5M")
    wait_for(lambda: "takes writes again" in lab.log(), "it does not tell that the disk has room again")
    lab.stop(signal.SIGKILL)
    lab.start(text, driver, environment=clock.environment)
    check(is_closed(lab.client, CLIENT, 50022), "what ended while the disk was full has ended after a restart, too")


def a_killed_gateway_leaves_its_wires_closed(lab, driver, running):
    """The kernel has routes and may forward; what it may not is kept from it until somebody says so, or the gateway is back."""
    serve_echo(lab, running)
    serve_tcp_echo(lab.server, WEB, 22, running)
    the_kernel_would_forward(lab)
    lab.start(driver=driver)
    macs = [lab.gateway.mac(name) for name in ("outside0", "inside0")]
    lab.client.run("ip", "neighbour", "replace", "203.0.113.1", "lladdr", macs[0], "dev", "wire0", "nud", "permanent")
    lab.server.run("ip", "neighbour", "replace", INSTANCE, "lladdr", macs[1], "dev", "wire0", "nud", "permanent")
    lab.request("web01")
    session = tcp_from(lab.client, CLIENT, 50022)
    lab.stop(signal.SIGKILL)
    check(not passes(lab, WEB, 6001, BRIEF), "the kernel forwards nothing for a killed gateway")
    check(is_closed(lab.client, CLIENT, 50022), "no door is open")
    check(isolated(lab) == {"outside0", "inside0"}, f"its tables are there: {isolated(lab)}")
    lab.start(driver=driver)
    tcp_from(lab.client, CLIENT, 50022).close()
    check(is_closed(lab.client, OTHER_CLIENT, 50022), "the window is resumed, and no other")
    session.settimeout(BRIEF)
    with contextlib.suppress(TimeoutError, ConnectionError):
        check(say(session, b"?") == b"", "a connection from before begins anew")
    check(passes(lab, PUBLIC, 6000), "traffic passes again")
    lab.stop()
    check(not isolated(lab), f"stopped in order, it leaves no table behind: {isolated(lab)}")
    check(passes(lab, WEB, 6001), "then the kernel forwards: so what kept it from that was the gateway's")


def it_stops_under_load_and_undoes_all(lab, driver, running):
    """Under a flood, and with a transfer running."""
    before = features(lab)
    sink = serve_sink(lab.server, WEB, 7000, running)
    lab.start(driver=driver)
    check(len(isolated(lab)) == 2, "both interfaces are isolated meanwhile")
    with live_floods.transfer(lab), live_floods.flooding(lab, "syn-flood", 50022) as flood:
        wait_for(lambda: sink.bytes and live_floods.counters(lab).get("jit-closed"), "nothing moves")
        took, code = lab.stop()
        check(code == 0 and flood.poll() is None, f"SIGTERM stops it while the flood goes on: exit {code}")
        print(f"  stopped in {took:.2f} s")
    check(not isolated(lab), f"no table is left: {isolated(lab)}")
    changed = set(before) ^ set(features(lab))
    check(not changed, f"the interfaces' offloads are as they were: {changed}")


class Talk:
    """A datagram a few milliseconds, there and back, as long as this lasts."""

    def __init__(self, lab):
        self.said, self.lost, self._over = 0, 0, threading.Event()
        self._socket = udp_from(lab.client, CLIENT)
        self._socket.connect((PUBLIC, 6000))
        self._thread = threading.Thread(target=self._talk)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()
        self._socket.close()

    def _talk(self):
        while not self._over.wait(0.005):
            self.said += 1
            wanted = b"%d" % self.said
            try:
                answer = say(self._socket, wanted)
                while answer != wanted:  # one that was waited for too long already
                    answer = self._socket.recv(65535)
            except OSError:
                self.lost += 1


@contextlib.contextmanager
def asked_all_the_time(lab):
    """As fast as it answers, by four clients; the status of each answer."""
    answers, over = [], threading.Event()
    context = ssl.create_default_context(cafile=lab.folder / "portcullis-cert.pem")

    def ask():
        with lab.gateway.entered():
            plain = socket.create_connection(("127.0.0.1", 8443), LONG)
        client = http.client.HTTPConnection("127.0.0.1")
        client.sock = context.wrap_socket(plain, server_hostname="127.0.0.1")
        while not over.is_set():
            client.request("GET", "/portcullis/v1/connections", headers={"Authorization": f"Bearer {TOKENS['operator@lab.example']}"})
            answer = client.getresponse()
            answer.read()
            answers.append(answer.status)
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        over.set()
        for thread in threads:
            thread.join()


def half_a_request(lab):
    context = ssl.create_default_context(cafile=lab.folder / "portcullis-cert.pem")
    context.check_hostname = False
    with lab.gateway.entered():
        plain = socket.socket()
    plain.settimeout(LONG)
    plain.bind(("127.0.0.2", 0))
    plain.connect(("127.0.0.1", 8443))
    try:
        connection = context.wrap_socket(plain)
        connection.sendall(b"POST /portcullis/v1/requests HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        return connection
    except OSError:  # refused: it has as many as it may
        return plain


def small_disk(lab, running):
    """Of one megabyte, in a mount namespace of this process and those that it starts."""
    disk = lab.folder / "disk"
    disk.mkdir()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNS) != 0 or libc.mount(None, b"/", None, _MS_REC | _MS_PRIVATE, None) != 0:
        raise OSError(ctypes.get_errno(), "cannot make a mount namespace")
    if libc.mount(b"none", str(disk).encode(), b"tmpfs", 0, b"size=1m") != 0:
        raise OSError(ctypes.get_errno(), "cannot mount a tmpfs")
    running.callback(libc.umount2, str(disk).encode(), _MNT_DETACH)
    return disk


def fill(disk):
    with open(disk / "filler", "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


def the_kernel_would_forward(lab):
    """It has routes, and may."""
    lab.gateway.sysctl({"net.ipv4.ip_forward": 1})
    lab.gateway.ip("route replace 10.0.1.0/24 dev inside0", f"route replace {CLIENT}/32 dev outside0",
                   "address replace 192.0.2.1/32 dev lo")  # to ask its neighbours with
    lab.client.ip(f"route replace 10.0.1.0/24 via 203.0.113.1 dev wire0 src {CLIENT}")
    lab.server.ip(f"route replace {CLIENT}/32 via {INSTANCE}")


def passes(lab, address, port, seconds=LONG):
    talk = udp_from(lab.client, CLIENT, seconds)
    talk.connect((address, port))
    try:
        return say(talk, b"through") == b"through"
    except OSError:
        return False


def isolated(lab):
    """Interfaces that the gateway's tables keep from the kernel."""
    told = lab.gateway.run("nft", "list", "ruleset", capture_output=True).stdout
    return set(re.findall(r'hook ingress device "(\w+)" priority -500; policy drop', told))


def tables(lab):
    """Their names and numbers; one that is made again has another number."""
    return re.findall(r"table netdev (\w+) { # handle (\d+)", lab.gateway.run("nft", "--handle", "list", "ruleset", capture_output=True).stdout)


def features(lab):
    return [f"{name} {line.strip()}" for name in ("outside0", "inside0")
            for line in lab.gateway.run("ethtool", "-k", name, capture_output=True).stdout.splitlines()]


SCENARIOS = live_floods.SCENARIOS + [
    wires_are_removed_and_made_anew, a_wire_that_cannot_be_opened_again_stays_closed, the_api_is_besieged, the_disk_is_full,
    a_killed_gateway_leaves_its_wires_closed, it_stops_under_load_and_undoes_all]


def main():
    require("ip", "nft", "ethtool", "curl", "ss")
    portcullis, driver, *chosen = sys.argv[1:]
    live_runner.run(SCENARIOS, [portcullis, driver], chosen, lambda _, folder: Lab(portcullis, folder), at_a_time=3)


if __name__ == "__main__":
    main()
