#!/usr/bin/env python3
"""The life of an installed appliance, on a machine that package.py has booted: do not run this on one that you need.

Installs, starts, moves packets by each driver, loses its wires, reloads, is hung, stopped, upgraded, removed and purged; systemd is the judge.
"""

import ctypes
import hashlib
import json
import os
import pathlib
import pwd
import re
import signal
import socket
import ssl
import stat
import subprocess
import time

TEST = pathlib.Path("/var/test")
CONFIG = pathlib.Path("/etc/portcullis/lab.toml")
STATE = pathlib.Path("/var/lib/portcullis")
TOKEN = "a-token-of-the-test"
MAC = bytes.fromhex("020000000001")
CAPABILITIES = 1 << 12 | 1 << 13 | 1 << 39  # NET_ADMIN, NET_RAW, BPF (linux/capability.h)
PRINCIPAL = f"""
[[principal]]
name = "ana@lab.example"
token_sha256 = "{hashlib.sha256(TOKEN.encode()).hexdigest()}"
[[role_assignment]]
principal = "ana@lab.example"
role = "JIT Requester"
scope = "/subscriptions/20ff7fc3-e762-44dd-bd96-b71116dcdc23/resourceGroups/lab"
"""
LIVE = """
[live]
outside = { interface = "out0", address = "203.0.113.1/24" }
inside = { interface = "in0", address = "10.0.1.5/24" }
"""
DRIVERS = ["pcap", "ring", "xdp"]
failures = []


def check(good, what):
    if not good:
        failures.append(what)
        print(f"FAILED: {what}")


def run(command, good=True):
    told = subprocess.run(command.split(), capture_output=True, text=True, timeout=300, check=False)
    if good:
        check(told.returncode == 0, f"{command}: {told.returncode}: {told.stdout}{told.stderr}")
    return told.stdout + told.stderr


def show(name):
    return run(f"systemctl show --value --property={name} portcullis").strip()


def portcullis(words):
    os.environ.update(PORTCULLIS_TOKEN=TOKEN, PORTCULLIS_CA=str(STATE / "portcullis-cert.pem"), HOME="/root")
    return run(f"portcullis {words}")


def eventually(look, what, seconds=120):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if look():
            return
        time.sleep(0.1)
    check(False, what)


def answers_arp(address="203.0.113.10", seconds=30):
    """Whether the gateway says on the outside wire that this address is there."""
    request = (b"\xff" * 6 + MAC + b"\x08\x06" + bytes.fromhex("0001080006040001") + MAC
               + socket.inet_aton("203.0.113.9") + bytes(6) + socket.inet_aton(address))
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806)) as wire:
        wire.bind(("outp", 0))
        wire.settimeout(0.2)
        wire.send(request)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                frame = wire.recv(2048)
            except TimeoutError:
                continue
            if frame[20:22] == b"\x00\x02" and frame[28:32] == socket.inet_aton(address):
                return True
    return False


def install():
    run("dpkg --install /var/test/first.deb")
    run("portcullis check --config /etc/portcullis/lab.toml")
    check(show("UnitFileState") == "disabled" and show("ActiveState") == "inactive", "nothing starts by being installed")
    user = pwd.getpwnam("portcullis")
    check(user.pw_uid < 1000 and user.pw_shell.endswith("nologin"), f"a system user: {user}")
    check(stat.S_IMODE(CONFIG.parent.stat().st_mode) == 0o750 and CONFIG.parent.group() == "portcullis", "who reads /etc/portcullis")
    found = run("systemd-analyze verify --man=no portcullis.service")
    check(not found, f"the unit: {found}")
    run("systemd-analyze security --no-pager --threshold=23 portcullis.service")
    for page in ["1 portcullis", "5 portcullis.toml", "8 portcullis.service"]:
        run(f"man --where {page}")
    check(pathlib.Path("/usr/share/bash-completion/completions/portcullis").exists(), "completion")


def start():
    """Type=notify: it is up when this returns."""
    run("systemctl start portcullis")
    check(show("ActiveState") == "active", "the example configuration runs")
    check("0 windows open" in show("StatusText") and "no packets move" in show("StatusText"), show("StatusText"))
    context = ssl.create_default_context(cafile=str(STATE / "portcullis-cert.pem"))
    with context.wrap_socket(socket.create_connection(("127.0.0.1", 8443), 120), server_hostname="localhost") as api:
        api.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        check(b" 200 " in api.recv(4096), "the API answers")
    for name, mode in [("portcullis.db", 0o600), ("portcullis-key.pem", 0o600), ("portcullis-cert.pem", 0o644)]:
        file = STATE / name
        check(stat.S_IMODE(file.stat().st_mode) == mode and file.owner() == "portcullis", f"{name}: {file.stat()}")


def rights():
    told = pathlib.Path(f"/proc/{show('MainPID')}/status").read_text()
    facts = dict(line.split(":\t", 1) for line in told.splitlines() if ":\t" in line)
    check(facts["Uid"].split() == [str(pwd.getpwnam("portcullis").pw_uid)] * 4, f"its user: {facts['Uid']}")
    for kind in ["CapEff", "CapPrm", "CapBnd", "CapAmb"]:
        check(int(facts[kind], 16) == CAPABILITIES, f"{kind} {facts[kind]}")
    check(facts["NoNewPrivs"] == "1" and facts["Seccomp"] == "2", "no new privileges, system calls filtered")
    writable = run(f"nsenter --target {show('MainPID')} --mount setpriv --reuid=portcullis --regid=portcullis --clear-groups "
                   "find / -maxdepth 3 -path /proc -prune -o -type d -writable -print", good=False)
    writable = {path for path in writable.splitlines() if "Permission denied" not in path}
    check(writable == {"/tmp", "/var/tmp", "/var/lib/portcullis", "/var/log/portcullis"}, f"where it may write: {writable}")


def log():
    lines = [json.loads(line) for line in run("journalctl --no-pager -o json _COMM=portcullis").splitlines()]
    of = {line["MESSAGE"]: line["PRIORITY"] for line in lines}
    check(of.get("listening on https://127.0.0.1:8443") == "6", f"information: {of}")
    check(any(text.startswith("there is no principal") and of[text] == "4" for text in of), f"a warning: {of}")


def plug(outer, inner):
    run(f"ip link add {outer} type veth peer name {inner}")
    run(f"ip link set {outer} up")
    run(f"ip link set {inner} up")


def packets():
    plug("out0", "outp")
    plug("in0", "inp")
    CONFIG.write_text(CONFIG.read_text() + PRINCIPAL + LIVE)
    run("systemctl restart portcullis")
    check("; packets move" in show("StatusText"), show("StatusText"))
    check(answers_arp(), "the public IP is there as soon as the service has started")
    told = portcullis("request web01 --port 22 --duration 30m --source 203.0.113.9 --wait")
    check("50022" in told, f"a door opens: {told}")
    eventually(lambda: "1 window open" in show("StatusText"), "the status tells of it")


def drivers():
    """Each has what it needs under the unit's restrictions."""
    original = CONFIG.read_text()
    locked = re.search(r"Max locked memory\s+\S+\s+(\S+)", pathlib.Path(f"/proc/{show('MainPID')}/limits").read_text())[1]
    for driver in DRIVERS:
        if driver == "xdp" and locked != "unlimited":
            print(f"skipped: xdp: this machine gives no unit more than {locked} bytes of locked memory", flush=True)
            continue
        CONFIG.write_text(original.replace("\n[live]\n", f'\n[live]\ndriver = "{driver}"\n'))
        run("systemctl restart portcullis")
        check(show("ActiveState") == "active" and answers_arp(), f"the driver {driver}: {last_words()}")
        check(last_words().count(f": driver {driver}") == 2, f"it is {driver} that moves the packets: {last_words()}")
    CONFIG.write_text(original)
    run("systemctl restart portcullis")


def last_words():
    """What the journal has of this start."""
    return run(f"journalctl --no-pager -o cat _SYSTEMD_INVOCATION_ID={show('InvocationID')}")


def wires():
    """One goes down and up; the other is pulled out, and another of its name is plugged in."""
    before = show("MainPID")
    run("ip link set in0 down")
    run("ip link delete out0")
    eventually(lambda: "in0 is lost" in last_words() and "out0 is lost" in last_words(), "the losses are told")
    check(show("ActiveState") == "active", "it does not end without its wires")
    run("ip link set in0 up")
    plug("out0", "outp")
    eventually(lambda: "in0 is back" in last_words() and "out0 is back" in last_words(), f"they are found again: {last_words()}")
    eventually(answers_arp, "and packets move again")
    check(show("MainPID") == before and show("NRestarts") == "0", "by the same process")
    check("web01" in portcullis("lookup"), "and the window is open still")


def reload():
    before, original = show("MainPID"), CONFIG.read_text()
    CONFIG.write_text(original.replace("[live]", "[life]"))
    run("systemctl reload portcullis")
    eventually(lambda: "life" in last_words(), "a bad configuration is told of")
    CONFIG.write_text(original)
    run("systemctl reload portcullis")
    eventually(lambda: "was read anew" in last_words(), f"a good one is taken: {last_words()}")
    check(show("MainPID") == before and answers_arp(), "by the same process")


def hung():
    """The packet thread alone stops; the control thread can still tell that it lives, and must not."""
    folder = pathlib.Path("/run/systemd/system/portcullis.service.d")
    folder.mkdir(exist_ok=True)
    (folder / "test.conf").write_text("[Service]\nWatchdogSec=10s\nRestartSec=100ms\n")
    run("systemctl daemon-reload")
    run("systemctl restart portcullis")
    before, begun = show("MainPID"), time.monotonic()
    eventually(lambda: time.monotonic() - begun > 11, "longer than the watchdog waits")
    check(show("MainPID") == before, "a service that lives is left alone")
    libc = ctypes.CDLL(None, use_errno=True)
    thread, = [int(task.name) for task in pathlib.Path(f"/proc/{before}/task").iterdir() if (task / "comm").read_text() == "packets\n"]
    check(libc.ptrace(16, thread, 0, 0) == 0, f"PTRACE_ATTACH: {os.strerror(ctypes.get_errno())}")

    def lives_anew():
        try:
            os.waitpid(thread, os.WNOHANG | 0x40000000)  # __WALL: a thread that is traced ends once its tracer knows
        except ChildProcessError:
            pass
        return show("MainPID") not in (before, "0") and show("ActiveState") == "active"

    eventually(lives_anew, "a hung packet thread is noticed")
    check("watchdog" in run("journalctl --no-pager -u portcullis"), "by the watchdog")
    check(answers_arp(), "packets move again")
    check("web01" in portcullis("lookup"), "a window outlives a hung process")
    (folder / "test.conf").unlink()
    run("systemctl daemon-reload")


def stop():
    run("systemctl stop portcullis")
    check(show("Result") == "success" and show("ExecMainStatus") == "0", f"{show('Result')} {show('ExecMainStatus')}")
    check(not answers_arp(seconds=1), "doors are closed without it")


def upgrade():
    run("dpkg --install /var/test/second.deb")
    check(show("ActiveState") == "inactive", "an upgrade starts nothing that does not run")
    run("dpkg --install /var/test/first.deb")
    run("systemctl enable --now portcullis")
    before, configuration = show("MainPID"), CONFIG.read_text()
    run("dpkg --install /var/test/second.deb")
    check(show("ActiveState") == "active" and show("MainPID") != before, "an upgrade restarts what runs")
    check(show("UnitFileState") == "enabled", "an upgrade leaves it enabled")
    check(CONFIG.read_text() == configuration and CONFIG.parent.group() == "portcullis", "an upgrade leaves the configuration")
    check("web01" in portcullis("lookup"), "an upgrade leaves the store")


def remove():
    run("dpkg --remove portcullis")
    check(not run("pidof portcullis", good=False), "removal stops it")
    check(CONFIG.exists() and (STATE / "portcullis.db").exists(), "removal leaves configuration and store")


def purge():
    run("dpkg --purge portcullis")
    left = run("find /etc /usr /lib/systemd /var /run/systemd/system -xdev -name *portcullis* -not -path /var/test/* -not -path *share/doc/libpam*")
    ours = [path for path in left.split() if not re.search(r"/work/|/tmp/|/run/systemd/system/portcullis.service.d", path)]
    check(not ours, f"purging leaves {ours}")
    for file in ["passwd", "group", "shadow"]:
        check("portcullis" not in pathlib.Path("/etc", file).read_text(), f"purging leaves a line in {file}")


def main():
    signal.alarm(1000)
    begun = time.monotonic()
    for step in [install, start, rights, log, packets, drivers, wires, reload, hung, stop, upgrade, remove, purge]:
        print(f"{step.__name__} ({time.monotonic() - begun:.1f} s)")
        try:
            step()
        except (OSError, KeyError, ValueError, subprocess.SubprocessError) as error:
            check(False, f"{step.__name__}: {error!r}")
    if failures:
        print(run("journalctl --no-pager -u portcullis -n 60", good=False))
    print(f"{time.monotonic() - begun:.1f} s, {len(failures)} failures")


main()
