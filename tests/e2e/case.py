"""What a case of the comparison with the kernel is, and how its packets are said."""

import dataclasses
import itertools

import captures
import packets
from kernel_gateway import INSTANCE, NAMES, SSH

CASES = []
_FLAGS = {"F": packets.FIN, "S": packets.SYN, "R": packets.RST, "P": packets.PSH, "A": packets.ACK, "U": packets.URG,
          "E": packets.ECE, "C": packets.CWR}
_ports = itertools.count(20000)


@dataclasses.dataclass(frozen=True)
class Difference:
    """A known one: a row `name` of docs/conformance.md, and how many packets only one of both sends (None: some)."""

    name: str
    ours: int | None = 0
    kernel: int = 0
    reordered: bool = False  # the same packets in another order


@dataclasses.dataclass
class Case:
    title: str
    play: callable
    differs: Difference | None
    conntrack: dict  # settings other than LIKE_PORTCULLIS
    speaks: bool  # what the kernel itself sends counts
    arrivals: list = dataclasses.field(default_factory=list)

    def outside(self, *them):
        self.arrivals += [(captures.OUTSIDE, packet) for packet in them]

    def inside(self, *them):
        self.arrivals += [(captures.INSIDE, packet) for packet in them]


def case(title, differs=None, conntrack=None, speaks=False):
    """Registers a function that fills a Case."""

    def register(play):
        CASES.append(Case(title, play, differs, conntrack or {}, speaks))
        return play

    return register


def new_client(host="198.51.100.7"):
    return (host, next(_ports))


class Tcp:
    """A connection through the gateway. Sequence numbers follow from what was said, unless given."""

    def __init__(self, to, rule=SSH, client=None):
        self.case, (self.listener, self.target) = to, rule
        self.client = client or new_client()
        self.next = {captures.OUTSIDE: 0x10000000, captures.INSIDE: 0xFFFFFF00}  # the VM's wrap around soon

    def packet(self, side, flags, data=b"", **changes):
        other = captures.INSIDE if side == captures.OUTSIDE else captures.OUTSIDE
        bits = sum(_FLAGS[letter] for letter in flags)
        numbers = {"seq": self.next[side], "ack": self.next[other] if bits & packets.ACK else 0} | changes
        if "seq" not in changes:
            self.next[side] += len(data) + bool(bits & packets.SYN) + bool(bits & packets.FIN)
        source, destination = ((self.client, self.listener) if side == captures.OUTSIDE
                               else (self.target, (INSTANCE, self.client[1])))
        return packets.tcp(source, destination, bits, data=data, **numbers)

    def up(self, flags, data=b"", **changes):
        """From the client to the VM."""
        packet = self.packet(captures.OUTSIDE, flags, data, **changes)
        self.case.outside(packet)
        return packet

    def down(self, flags, data=b"", **changes):
        """From the VM to the client."""
        packet = self.packet(captures.INSIDE, flags, data, **changes)
        self.case.inside(packet)
        return packet

    def opened(self, options=b""):
        self.up("S", options=options)
        self.down("SA", options=options)
        self.up("A")
        return self


class Udp:
    def __init__(self, to, rule=NAMES, client=None):
        self.case, (self.listener, self.target) = to, rule
        self.client = client or new_client()

    def up(self, data=b"", **changes):
        packet = packets.udp(self.client, self.listener, data, **changes)
        self.case.outside(packet)
        return packet

    def down(self, data=b"", **changes):
        packet = packets.udp(self.target, (INSTANCE, self.client[1]), data, **changes)
        self.case.inside(packet)
        return packet

    def opened(self):
        self.up(b"question")
        self.down(b"answer")
        return self


def delivered(talk, packet):
    """A client's packet as the VM got it, for it to quote: both addresses, both ports, TTL and sums changed."""
    return _translated(packet, (INSTANCE, talk.client[1]), talk.target)


def returned(talk, packet):
    """A VM's packet as the client got it."""
    return _translated(packet, talk.listener, talk.client)


def _translated(packet, source, destination):
    """Done by computing anew; where the sum was wrong on purpose, the quote has a right one, which is as good."""
    words = packet[0] & 15
    header, body = bytearray(packet[:words * 4]), bytearray(packet[words * 4:])
    header[12:20] = packets.address(source[0]) + packets.address(destination[0])
    header[8] -= 1
    header[10:12] = b"\0\0"
    header[10:12] = packets.sum_of(header).to_bytes(2, "big")
    body[0:4] = source[1].to_bytes(2, "big") + destination[1].to_bytes(2, "big")
    at = 16 if header[9] == packets.TCP else 6
    if header[9] == packets.TCP or body[6:8] != b"\0\0":
        body[at:at + 2] = b"\0\0"
        more = packets.pseudo(source[0], destination[0], header[9], len(body))
        body[at:at + 2] = (packets.sum_of(body, more) or (0 if at == 16 else 0xFFFF)).to_bytes(2, "big")
    return bytes(header + body)
