"""Traffic as it comes: files, pages, streams, names, fragments, narrow wires, silence."""

import contextlib
import errno
import json
import os
import socket
import subprocess

from live_check import check, check_refused
from live_lab import CLIENT, LONG, OTHER_CLIENT, PUBLIC, WEB, serve_ssh, tcp_from, udp_from, veth, wait_for
from live_servers import say, serve_echo, serve_iperf, serve_names, serve_pages, serve_tcp_echo
from namespaces import Namespace

BULK = int(os.environ.get("PORTCULLIS_BULK", "50"))
PAGE = bytes(range(251)) * 20_000


def mtu_inside(scenario):
    return 1400 if scenario is a_narrow_wire else 1500


def files_arrive_intact(lab, driver, running):
    ssh = serve_ssh(lab, running)
    lab.start(driver=driver)
    lab.request("web01")
    file, copy, back = lab.folder / "file", lab.folder / "copy", lab.folder / "back"
    with open(file, "wb") as out:
        for _ in range(BULK):
            out.write(os.urandom(1_000_000))
    wanted = digest(file)
    lab.client.run("scp", *ssh, "-q", "-P", "50022", file, f"root@{PUBLIC}:{copy}")
    check(digest(copy) == wanted, f"{BULK} MB by scp arrive intact")
    file.unlink()
    lab.client.run("sftp", *ssh, "-q", "-P", "50022", f"root@{PUBLIC}:{copy}", back, stdout=subprocess.DEVNULL)
    check(digest(back) == wanted, "and come back intact by sftp")


def digest(path):
    told = subprocess.run(["sha256sum", path], capture_output=True, text=True, check=True)
    return told.stdout.split()[0]


def pages_and_streams(lab, driver, running):
    pages = serve_pages(lab, running)
    serve_iperf(lab, running)
    serve_tcp_echo(lab.server, WEB, 7000, running)
    lab.start(driver=driver)
    (pages / "page").write_bytes(PAGE)
    check(fetch(lab.client) == PAGE, "a page of 5 MB comes from nginx intact")
    put(lab.client)
    check((pages / "put").read_bytes() == PAGE, "and one that is sent arrives intact")
    for direction in ([], ["--reverse"]):
        told = iperf(lab, "--bytes", "20M", *direction)
        check(told["sum_received"]["bytes"] > 15e6, f"iperf3 streams TCP {direction}: {told['sum_received']}")
        # As many as the receiver's socket holds until that is run at last.
        told = iperf(lab, "--udp", "--bytes", "20K", "--bitrate", "5M", "--length", "200", *direction)["sum"]
        check(told["packets"] >= 100 and told["lost_packets"] == 0, f"and UDP {direction}: {told}")
    same = [tcp_from(lab.client, source, 7000, source_port=40000) for source in (CLIENT, OTHER_CLIENT)]
    for number, connection in enumerate(same):
        check(say(connection, b"%d" % number) == b"%d" % number, "two clients with the same source port are kept apart")


def fetch(space):
    return space.run("curl", "-s", "-m", str(LONG), f"http://{PUBLIC}:8080/page", capture_output=True, text=False, check=False).stdout


def put(space):
    space.run("curl", "-sf", "-m", str(LONG), "-T", "-", f"http://{PUBLIC}:8080/put", input=PAGE, text=False, check=False)


def iperf(lab, *options):
    answers = []

    def is_served():
        told = lab.client.run("iperf3", "--client", PUBLIC, "--json", "--connect-timeout", f"{LONG}000", *options, capture_output=True,
                              check=False, timeout=LONG)
        answers.append(json.loads(told.stdout))
        return "server is busy" not in answers[-1].get("error", "")  # with the end of the one before
    wait_for(is_served, "iperf3 stays busy")
    if "error" in answers[-1]:
        raise RuntimeError(f"iperf3 {options}: {answers[-1]['error']}")
    return answers[-1]["end"]


def names_and_datagrams(lab, driver, running):
    text = serve_names(lab, running)
    serve_echo(lab, running)
    lab.start(driver=driver)
    check(dig(lab, "web01.lab.example") == WEB, "a name is resolved over UDP")
    check(dig(lab, "+bufsize=4096", "+ignore", "big.lab.example", "TXT") == text, "an answer in fragments arrives whole")
    check(dig(lab, "+tcp", "big.lab.example", "TXT") == text, "and over TCP")
    talk = udp_from(lab.client, CLIENT)
    talk.connect((PUBLIC, 6000))
    for data in (b"small", b"", b"x" * 4000, b"y" * 30000):
        talk.send(data)
        check(talk.recv(65535) == data, f"{len(data)} bytes of UDP come back")
    wrong = udp_from(lab.client, CLIENT)
    wrong.connect((PUBLIC, 6002))
    wrong.send(b"anybody?")
    check_refused(lambda: wrong.recv(1), ConnectionRefusedError, "the machine's ICMP error finds its way")
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


def dig(lab, *question):
    told = lab.client.run("dig", f"@{PUBLIC}", "+short", "+tries=1", f"+time={LONG}", *question, capture_output=True, check=False)
    return told.stdout.strip()


def a_narrow_wire(lab, driver, running):
    """1400 bytes inside, 1500 outside; the client is told nothing of it but by ICMP."""
    pages = serve_pages(lab, running)
    serve_echo(lab, running)
    lab.start(driver=driver)
    put(lab.client)
    check((pages / "put").read_bytes() == PAGE, "path MTU discovery finds the narrow wire")
    talk = udp_from(lab.client, CLIENT)
    talk.setsockopt(socket.IPPROTO_IP, 10, 0)  # IP_MTU_DISCOVER: IP_PMTUDISC_DONT
    talk.connect((PUBLIC, 6000))
    talk.send(b"z" * 1450)
    check(talk.recv(65535) == b"z" * 1450, "what may be fragmented is")


def a_narrow_road(lab, driver, running):
    """1300 bytes between a client and its router, which says so to the public IP; the machine inside has to hear of it."""
    (serve_pages(lab, running) / "page").write_bytes(PAGE)
    home = Namespace()
    lab.client.ip(veth("home0", home, "wire0"), "address add 192.0.2.1/24 dev home0", "link set home0 up",
                  "route replace 192.0.2.0/24 dev home0 mtu lock 1300")
    lab.client.sysctl({"net.ipv4.ip_forward": 1})
    home.ip("address add 192.0.2.7/24 dev wire0", "link set wire0 up", "route add default via 192.0.2.1")
    if driver == "pcap":  # does not see how a super-frame is to be cut, and guesses by the wire's MTU (docs/live.md)
        lab.server.run("ethtool", "-K", "wire0", "tso", "off", "gso", "off", stdout=subprocess.DEVNULL)
    lab.start(driver=driver)
    check(fetch(home) == PAGE, "a router's ICMP to the public IP reaches the machine, which sends less")
    told = lab.client.run("nstat", "-az", "IpFragFails", capture_output=True).stdout
    check(int(told.split("IpFragFails")[1].split()[0]) > 0, f"the road was too narrow: {told}")


def a_machine_that_is_gone(lab, driver, running):
    """Nobody answers ARP for it, so the client is told: the first after the third question, and others after it."""
    del running
    lab.server2.ip("link set wire0 down")
    lab.start(driver=driver)
    lab.request("db01")
    for _ in range(2):
        try:
            tcp_from(lab.client, CLIENT, 50023).close()
            check(False, "a machine that is gone answered")
        except OSError as error:
            check(error.errno == errno.EHOSTUNREACH, f"a client is told that the machine is unreachable: {error!r}")


def silence_is_reset(lab, driver, running):
    serve_tcp_echo(lab.server, WEB, 7000, running)
    with lab.server.entered():
        listener = socket.create_server((WEB, 22))
    lab.start(driver=driver, more='[timeouts]\ntcp_idle = "4s"\n')
    lab.request("web01")
    talking, silent = tcp_from(lab.client, CLIENT, 7000), tcp_from(lab.client, CLIENT, 50022)
    machine = listener.accept()[0]
    machine.settimeout(LONG)
    silent.sendall(b"the last word")
    check(machine.recv(100) == b"the last word", "a session begins")
    silent.settimeout(0.5)
    with contextlib.suppress(ConnectionResetError):
        while True:
            check(say(talking, b"more") == b"more", "a session that talks goes on")
            with contextlib.suppress(TimeoutError):
                silent.recv(1)
                check(False, "after silence the client is reset, and told nothing else")
                break
    check_refused(lambda: machine.recv(1), ConnectionResetError, "and so is the machine")
    check(say(talking, b"more") == b"more", "a session that talks goes on")


SCENARIOS = [files_arrive_intact, pages_and_streams, names_and_datagrams, a_narrow_wire, a_narrow_road, a_machine_that_is_gone,
             silence_is_reset]
