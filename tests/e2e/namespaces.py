"""Network namespaces that nothing has to clean up: they live by file descriptors and end with this process."""

import contextlib
import ctypes
import fcntl
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

SKIPPED = 77  # SKIP_RETURN_CODE in CMakeLists.txt

_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET = 0x40000000
_CLONE_NEWUSER = 0x10000000
_PR_SET_PDEATHSIG = 1


def require(*tools):
    """Ends the test as skipped unless it may make namespaces and has these programs."""
    if os.geteuid() != 0:
        skip("needs root, to make network namespaces")
    os.environ["PATH"] += ":/usr/local/sbin:/usr/sbin:/sbin"
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        skip("missing: " + ", ".join(missing))
    try:
        probe = Namespace()
    except OSError as error:
        skip(f"cannot make a network namespace: {error.strerror}")
    if "nft" in tools:
        rules = "table ip probe {\nchain c {\ntype nat hook prerouting priority dstnat;\nct state new accept\n}\n}\n"
        tried = probe.run("nft", "-f", "-", input=rules, check=False, capture_output=True)
        if tried.returncode != 0:
            skip(f"this kernel has no nftables NAT: {tried.stderr.strip()}")


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def use_own_network():
    """This process and those that it starts have a loopback of their own from now on, if they may: no port there is anybody else's."""
    for flags in (_CLONE_NEWNET, _CLONE_NEWNET | _CLONE_NEWUSER):
        ids = f"{os.geteuid()} {os.geteuid()} 1"
        if _libc.unshare(flags) != 0:
            continue
        if flags & _CLONE_NEWUSER:
            pathlib.Path("/proc/self/uid_map").write_text(ids, encoding="ascii")
        with socket.socket() as any_socket:  # SIOCSIFFLAGS, IFF_UP
            fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", 1))
        return


class Namespace:
    def __init__(self):
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        _check(_libc.unshare(_CLONE_NEWNET))
        self.descriptor = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        _enter(before)
        os.close(before)
        self.path = f"/proc/{os.getpid()}/fd/{self.descriptor}"
        # Hosts that talk on their own accord are noise in a capture.
        self.sysctl({"net.ipv6.conf.all.disable_ipv6": 1, "net.ipv6.conf.default.disable_ipv6": 1})
        self.run("ip", "link", "set", "lo", "up")

    @contextlib.contextmanager
    def entered(self):
        """This process is in the namespace meanwhile; sockets that it opens stay there."""
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        _enter(self.descriptor)
        try:
            yield
        finally:
            _enter(before)
            os.close(before)

    def sysctl(self, values):
        with self.entered():
            for name, value in values.items():
                with open("/proc/sys/" + name.replace(".", "/"), "w", encoding="ascii") as setting:
                    setting.write(str(value))

    def run(self, *command, **options):
        options = {"check": True, "text": True} | options
        return subprocess.run(command, preexec_fn=self._move_in, **options)  # pylint: disable=W1509,W1510

    def ip(self, *lines):
        """ip(8)'s commands, all at once."""
        self.run("ip", "-batch", "-", input="\n".join(lines))

    def mac(self, interface):
        shown = self.run("ip", "-json", "link", "show", interface, stdout=subprocess.PIPE).stdout
        return json.loads(shown)[0]["address"]

    def start(self, *command, **options):
        """A process that ends with this one at the latest."""
        return subprocess.Popen(command, preexec_fn=self._move_in, **options)  # pylint: disable=W1509

    def _move_in(self):
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        _enter(self.descriptor)


def connect(namespace, name, mac, peer, peer_name, peer_mac, mtu=1500):
    """A wire between two namespaces, as real wires are: every checksum is computed, every segment cut."""
    namespace.run("ip", "link", "add", name, "mtu", str(mtu), "address", mac, "type", "veth",
                  "peer", "name", peer_name, "mtu", str(mtu), "address", peer_mac, "netns", peer.path)
    for where, interface in ((namespace, name), (peer, peer_name)):
        where.run("ethtool", "-K", interface, "tx", "off", "rx", "off", "tso", "off", "gso", "off", "gro", "off",
                  stdout=subprocess.DEVNULL)
        where.run("ip", "link", "set", interface, "up")
    wait_until_active((namespace, name), (peer, peer_name))


def wait_until_active(*interfaces):
    """What is just up still loses what is sent, without a word, until the kernel has noticed its carrier."""
    for space, interface in interfaces:
        end = time.monotonic() + 120
        while "state UP" not in space.run("ip", "link", "show", interface, stdout=subprocess.PIPE).stdout:
            if time.monotonic() > end:
                raise TimeoutError(f"{interface} does not become active")
            time.sleep(0.02)


def _enter(descriptor):
    _check(_libc.setns(descriptor, _CLONE_NEWNET))


def _check(result):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
