"""Capture files in every shape that the readers know, and in shapes that they must refuse."""

import struct

ETHERNET, NULL, RAW, LOOP, SLL, SLL2 = 1, 0, 101, 108, 113, 276

_CLIENT_MAC, _FIREWALL_MAC = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")


def ethernet(packet, *tags, ethertype=0x0800, pad=0, trailer=b""):
    """`tags` are (TPID, VLAN); `pad` is the least length of the frame."""
    between = b"".join(struct.pack("!HH", tpid, vlan) for tpid, vlan in tags)
    frame = _FIREWALL_MAC + _CLIENT_MAC + between + struct.pack("!H", ethertype) + packet
    return frame + trailer + b"\0" * (pad - len(frame) - len(trailer))


def sll(packet, ethertype=0x0800):
    """Linux cooked, version 1: received from an Ethernet."""
    return struct.pack("!HHH6s2xH", 0, 1, 6, _CLIENT_MAC, ethertype) + packet


def sll2(packet, ethertype=0x0800):
    return struct.pack("!HHIHBB6s2x", ethertype, 0, 2, 1, 0, 6, _CLIENT_MAC) + packet


def null(packet, family=2, order="<"):
    return struct.pack(f"{order}I", family) + packet


def loop(packet, family=2):
    return null(packet, family, ">")


def pcap(frames, link_type=ETHERNET, order="<", nanoseconds=True, snap_length=262144):
    """`frames` are (nanoseconds since 1970, bytes, length on the wire or None)."""
    magic = 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
    out = [struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, snap_length, link_type)]
    for time, frame, length in frames:
        seconds, rest = divmod(time, 10**9)
        kept = frame[:snap_length]
        out.append(struct.pack(f"{order}IIII", seconds, rest if nanoseconds else rest // 1000, len(kept),
                               length or len(frame)) + kept)
    return b"".join(out)


class Pcapng:
    """Blocks one after the other; a section has its own byte order and its own interfaces."""

    def __init__(self):
        self._out = []
        self._order = "<"

    def section(self, order="<"):
        self._order = order
        return self.block(0x0A0D0D0A, self._pack("IHHq", 0x1A2B3C4D, 1, 0, -1))

    def interface(self, name=None, link_type=ETHERNET, resolution=9, snap_length=0, *, offset=None):
        """`resolution` as if_tsresol has it."""
        options = self.option(2, name.encode()) if name else b""
        if resolution is not None:
            options += self.option(9, bytes([resolution]))
        if offset is not None:
            options += self.option(14, self._pack("q", offset))
        return self.block(1, self._pack("HHI", link_type, 0, snap_length) + options + self.option(0, b""))

    def packet(self, interface, units, frame, length=None, comment=None):
        """An Enhanced Packet Block; `units` is the timestamp as it stands there."""
        head = self._pack("IIIII", interface, units >> 32, units & 0xFFFFFFFF, len(frame), length or len(frame))
        options = self.option(1, comment.encode()) + self.option(0, b"") if comment else b""
        return self.block(6, head + _padded(frame) + options)

    def simple_packet(self, frame, length=None):
        return self.block(3, self._pack("I", length or len(frame)) + _padded(frame))

    def obsolete_packet(self, interface, units, frame):
        head = self._pack("HHIIII", interface, 0, units >> 32, units & 0xFFFFFFFF, len(frame), len(frame))
        return self.block(2, head + _padded(frame))

    def block(self, kind, body, length=None, ending=None):
        """`length` and `ending`: what the block claims, if that is not the truth."""
        size = len(body) + 12
        self._out.append(self._pack("II", kind, length or size) + body + self._pack("I", ending or length or size))
        return self

    def option(self, code, value):
        return self._pack("HH", code, len(value)) + _padded(value)

    def data(self):
        return b"".join(self._out)

    def _pack(self, layout, *values):
        return struct.pack(self._order + layout, *values)


def _padded(data):
    return data + b"\0" * (-len(data) % 4)
