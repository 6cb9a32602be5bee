"""What the inputs of the cases are made of: the addresses of lab.toml and jit.toml, both wires, and who talks on them.

A case's input.py says in these words what happens, and ends with `inputs = {"<file name>": <bytes>}`.
"""

import calendar
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))

import capture_files
import packets
from packets import ACK, FIN, PSH, RST, SYN, fragments, icmp, ipv4, tcp, udp  # noqa: F401  for the cases

CLIENT = ("198.51.100.7", 40000)
OTHER = ("198.51.100.8", 40000)
PUBLIC = "203.0.113.10"
SSH = (PUBLIC, 50022)  # leads to VM_SSH
DNS = (PUBLIC, 5353)  # UDP, leads to VM_DNS
PRIVATE_SSH = ("10.0.1.4", 50022)  # the firewall's private IP: east-west
INSTANCE = "10.0.1.5"
VM_SSH = ("10.1.0.4", 22)
VM_DNS = ("10.1.0.4", 53)
NOON = calendar.timegm((2026, 3, 1, 12, 0, 0)) * 10**9


def at(seconds, nanoseconds=0):
    """So long after noon, the time of every case's first packet, as nanoseconds since 1970."""
    return NOON + round(seconds * 10**9) + nanoseconds


class Wires:
    """The outside and the inside wire. A frame is (time, side, bytes, length on the wire)."""

    def __init__(self):
        self.frames = []

    def outside(self, time, packet, **frame):
        self._add(time, 0, packet, **frame)

    def inside(self, time, packet, **frame):
        self._add(time, 1, packet, **frame)

    def _add(self, time, side, packet, snap=None, link=capture_files.ethernet, **header):
        """`snap`: how much of the frame is captured; `link` puts the link-layer header in front."""
        frame = link(packet, **header)
        self.frames.append((time if time > 10**15 else at(time), side, frame[:snap], len(frame)))

    def pcapng(self):
        """Both wires, an interface each, in nanoseconds."""
        file = capture_files.Pcapng().section().interface("outside").interface("inside")
        for time, side, frame, length in self.frames:
            file.packet(side, time, frame, length)
        return file.data()

    def pcap(self, side=None, **format):
        """One wire, or both as if they were one."""
        kept = [(time, frame, length) for time, where, frame, length in self.frames if side is None or where == side]
        return capture_files.pcap(kept, **format)


class Session:
    """A TCP connection as both wires carry it before the firewall touches it. Sequence numbers follow what is sent;
    any field can be given instead."""

    def __init__(self, wires, client=CLIENT, listener=SSH, vm=VM_SSH, instance=None, client_sequence=1000,
                 vm_sequence=7000):
        self.wires = wires
        self.client_end, self.listener, self.vm_end = client, listener, vm
        self.instance = instance or (INSTANCE, client[1])
        self.client_next, self.vm_next = client_sequence, vm_sequence

    def client(self, time, flags, data=b"", **fields):
        packet, self.client_next = _segment(self.client_end, self.listener, flags, self.client_next, self.vm_next, data,
                                            fields)
        self.wires.outside(time, packet)
        return packet

    def vm(self, time, flags, data=b"", **fields):
        packet, self.vm_next = _segment(self.vm_end, self.instance, flags, self.vm_next, self.client_next, data, fields)
        self.wires.inside(time, packet)
        return packet

    def open(self, time=0):
        """Three segments, a millisecond apart."""
        self.client(time, SYN)
        self.vm(time + 0.001, SYN | ACK)
        self.client(time + 0.002, ACK)
        return self


class OutsideSession(Session):
    """The same, seen on the outside wire only: what comes from the VM has been translated already."""

    def vm(self, time, flags, data=b"", **fields):
        packet, self.vm_next = _segment(self.listener, self.client_end, flags, self.vm_next, self.client_next, data,
                                        {"ttl": 63} | fields)
        self.wires.outside(time, packet)
        return packet


def _segment(source, destination, flags, mine, others, data, fields):
    numbers = {"seq": mine, "ack": others if flags & ACK else 0} | fields
    packet = tcp(source, destination, flags, data=data, **numbers)
    moved = len(data) + bool(flags & SYN) + bool(flags & FIN)
    return packet, mine if "seq" in fields else (mine + moved) % 2**32


def delivered(packet, source, destination, ttl=63):
    """A packet as it is after its translation, computed anew: for ICMP errors to quote."""
    words = packet[0] & 15
    header, body = bytearray(packet[:words * 4]), bytearray(packet[words * 4:])
    header[8] = ttl
    header[12:20] = packets.address(source[0]) + packets.address(destination[0])
    header[10:12] = b"\0\0"
    header[10:12] = packets.sum_of(header).to_bytes(2, "big")
    body[0:4] = source[1].to_bytes(2, "big") + destination[1].to_bytes(2, "big")
    field = 16 if header[9] == packets.TCP else 6
    if header[9] == packets.TCP or body[6:8] != b"\0\0":
        body[field:field + 2] = b"\0\0"
        value = packets.sum_of(body, packets.pseudo(source[0], destination[0], header[9], len(body)))
        body[field:field + 2] = (value or 0xFFFF).to_bytes(2, "big")
    return bytes(header + body)
