"""Doors: closed, asked for, used, expired, revoked, cut; rules that change; a gateway that is killed."""

import json
import os
import pathlib
import shlex
import signal
import socket
import subprocess
import sys

from live_check import check, check_refused
from live_lab import BRIEF, CLIENT, CONFIG, LONG, OTHER_CLIENT, PUBLIC, WEB, is_closed, rules, serve_ssh, tcp_from, wait_for
from live_servers import say, serve_tcp_echo

FAKETIME = next(map(str, pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")), None)


def an_ordinary_day(lab, driver, running):
    """Closed; asked for; used; revoked."""
    ssh = serve_ssh(lab, running)
    lab.start(driver=driver, arguments=("--decisions", decisions_of(lab)))
    check(is_closed(lab.client, CLIENT, 50022), "a guarded port is closed without a window")

    waiting = half_open(lab, CLIENT, 50022)  # its SYN comes before the window, and again after it
    view = lab.request("web01")
    check(first_syn_gets_in(lab), "the door is open when the answer is there")
    check(waiting.wait(LONG) == 0, "a SYN that is retransmitted after the window opened gets in")
    check(is_closed(lab.client, OTHER_CLIENT, 50022), "the window is open for nobody else")
    check(is_closed(lab.client, CLIENT, 50023), "nor is any other machine's")

    command = view["machines"][0]["ports"][0]["command"]
    said = lab.client.run("sh", "-c", type_in(command, ssh) + " 'echo $SSH_CONNECTION; seq 5000'", capture_output=True, check=False)
    check(said.stdout.startswith("10.0.1.5 "), f"the command that the answer has logs in, as the firewall instance: {command}: {said}")
    check(said.stdout.endswith("\n5000\n"), "ssh says all")

    session = begin_session(lab, ssh)
    lab.ask("revoke", "web01", "--port", "22")
    check(is_closed(lab.client, CLIENT, 50022), "a revoked window admits nobody")
    check(goes_on(session), "an open session goes on after a revocation")
    lab.request("web01")
    session.kill()
    session = begin_session(lab, ssh)
    lab.request("web01")  # again: the session is the newer window's now
    lab.ask("revoke", "web01", "--port", "22", "--cut")
    check(session.wait(LONG) == 255, "a cut ends the session, renewed by then")
    check(is_closed(lab.client, CLIENT, 50022), "and admits nobody")
    took, code = lab.stop()
    check(code == 0, f"SIGTERM stops it in order: exit {code}")
    print(f"  stopped in {took:.2f} s")


def decisions_of(lab):
    return lab.folder / "decisions.jsonl"


def first_syn_gets_in(lab):
    with tcp_from(lab.client, CLIENT, 50022) as made:
        client = f"{CLIENT}:{made.getsockname()[1]}"
    decided = [line["reason"] for line in decided_of(lab, client)]
    check(decided, f"the decision about {client} is told")
    return decided[0] == "dnat"


def decided_of(lab, client):
    """Decisions about what this client sent, once there are any."""
    def look():
        lines = decisions_of(lab).read_text(encoding="utf-8").splitlines(keepends=True)
        return [one for one in (json.loads(line) for line in lines if line.endswith("\n")) if one.get("from") == client]
    wait_for(look, f"no decision about {client} is told")
    return look()


def type_in(command, ssh):
    """What a person types who pastes the answer's command: a user's name, and here the lab's keys."""
    return command.replace("USER@", "root@", 1).replace("ssh ", f"ssh {shlex.join(ssh)} ", 1)


def begin_session(lab, ssh):
    session = lab.client.start("ssh", *ssh, "-p", "50022", f"root@{PUBLIC}", "echo ready; cat", stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    check(session.stdout.readline() == "ready\n", "a session begins")
    return session


def goes_on(session):
    session.stdin.write("still here\n")
    session.stdin.flush()
    return session.stdout.readline() == "still here\n"


def half_open(lab, source, port):
    """A process that has sent a SYN, and ends well if it is connected by its retransmissions."""
    script = (f"import socket\nmade = socket.socket()\nmade.settimeout({LONG})\nmade.bind(('{source}', 0))\n"
              f"made.connect(('{PUBLIC}', {port}))")
    seen = decisions_of(lab).read_text(encoding="utf-8").count("jit-closed")
    process = lab.client.start(sys.executable, "-c", script)
    wait_for(lambda: decisions_of(lab).read_text(encoding="utf-8").count("jit-closed") > seen, "its SYN is not dropped")
    return process


def doors_follow_the_clock(lab, driver, running):
    clock = Clock(lab)
    if not clock.can_be_set():
        return
    ssh = serve_ssh(lab, running)
    lab.start(driver=driver, environment=clock.environment, arguments=("--decisions", decisions_of(lab)))
    lab.request("web01", 22, "PT5M")
    session = begin_session(lab, ssh)
    clock.set_forward(299)
    wait_for(lambda: has_no_window(lab), "the window does not end")
    check(is_closed(lab.client, CLIENT, 50022), "a window that has ended admits nobody")
    check(goes_on(session), "a session that the window let in goes on after it has expired")
    lab.request("web01", 22, "PT5M")
    check(first_syn_gets_in(lab), "a new window opens the door again")
    session.kill()


def a_policy_may_cut_at_expiry(lab, driver, running):
    clock = Clock(lab)
    if not clock.can_be_set():
        return
    ssh = serve_ssh(lab, running)
    policy = '[[jit_policy]]\nname = "default"\n'
    lab.start((CONFIG + rules()).replace(policy, policy + 'on_expiry = "cut"\n'), driver, environment=clock.environment)
    lab.request("web01", 22, "PT5M")
    session = begin_session(lab, ssh)
    clock.set_forward(200)
    check(goes_on(session), "a session lives in its window's last two minutes")
    clock.set_forward(301)
    check(session.wait(LONG) == 255, "and ends with it")
    check(is_closed(lab.client, CLIENT, 50022), "when the door is closed, too")


def has_no_window(lab):
    return lab.ask("lookup", "web01", check=False).returncode == 1


class Clock:
    """The service's wall clock, to be set: five minutes are the least that Azure grants."""

    def __init__(self, lab):
        self.offset = lab.folder / "offset"
        self.set_forward(0)
        self.environment = os.environ | {
            "LD_PRELOAD": FAKETIME or "", "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0",
            "FAKETIME_NO_CACHE": "1", "FAKETIME_TIMESTAMP_FILE": str(self.offset), "DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1"}

    def can_be_set(self):
        if FAKETIME is None:
            print("skipped: no faketime here: expiry is not tried")
        return FAKETIME is not None

    def set_forward(self, seconds):
        new = self.offset.with_suffix(".new")  # an empty file, as it is for an instant if it is written in place, sets the clock back
        new.write_text(f"+{seconds}")
        new.rename(self.offset)


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
    lost.settimeout(BRIEF)
    check_refused(lambda: say(lost, b"d"), TimeoutError, "a flow of a removed rule ends in silence")


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


SCENARIOS = [an_ordinary_day, doors_follow_the_clock, a_policy_may_cut_at_expiry, rules_are_reloaded, a_killed_gateway_forwards_nothing]
