"""Capture files, as far as these tests need them. A packet is (nanoseconds, side, IPv4 bytes)."""

import struct

OUTSIDE, INSIDE = "outside", "inside"
SIDES = (OUTSIDE, INSIDE)
_LINK_HEADER = bytes.fromhex("020000000002 020000000001 0800")


def write_pcapng(path, packets):
    """Both sides in one file, an interface a side."""
    with open(path, "wb") as out:
        out.write(_block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)))
        for side in SIDES:
            options = _option(2, side.encode()) + _option(9, b"\x09") + _option(0, b"")
            out.write(_block(1, struct.pack("<HHI", 1, 0, 0) + options))
        for time, side, packet in packets:
            frame = _LINK_HEADER + packet
            head = struct.pack("<IIIII", SIDES.index(side), time >> 32, time & 0xFFFFFFFF, len(frame), len(frame))
            out.write(_block(6, head + _padded(frame)))


def read_pcapng(path):
    """What `portcullis --write` made: one section, Ethernet, interfaces by the names of the sides."""
    with open(path, "rb") as file:
        data = file.read()
    interfaces, packets, at = [], [], 0
    while at < len(data):
        kind, size = struct.unpack_from("<II", data, at)
        body = data[at + 8:at + size - 4]
        if kind == 1:
            interfaces.append(_name_of(body[8:]))
        elif kind == 6:
            interface, high, low, captured, _ = struct.unpack_from("<IIIII", body)
            packets.append((high << 32 | low, interfaces[interface], _ip_of(body[20:20 + captured])))
        at += size
    return packets


def read_pcap(path, side):
    """What tcpdump wrote here: nanoseconds, Ethernet. Only IPv4."""
    with open(path, "rb") as file:
        data = file.read()
    if struct.unpack_from("<I", data)[0] != 0xA1B23C4D:
        raise ValueError(f"{path}: not a pcap file with nanoseconds")
    packets, at = [], 24
    while at < len(data):
        seconds, nanoseconds, captured, _ = struct.unpack_from("<IIII", data, at)
        frame = data[at + 16:at + 16 + captured]
        if frame[12:14] == b"\x08\x00":
            packets.append((seconds * 10**9 + nanoseconds, side, _ip_of(frame)))
        at += 16 + captured
    return packets


def _ip_of(frame):
    """From the IP header on; padding of short frames is none of its."""
    total = struct.unpack_from("!H", frame, 16)[0]
    return frame[14:14 + total] if total != 0 else frame[14:]


def _name_of(options):
    at = 0
    while at + 4 <= len(options):
        code, size = struct.unpack_from("<HH", options, at)
        if code == 2:
            return options[at + 4:at + 4 + size].decode()
        at += 4 + size + -size % 4
    raise ValueError("an interface without a name")


def _option(code, value):
    return struct.pack("<HH", code, len(value)) + _padded(value)


def _padded(data):
    return data + b"\0" * (-len(data) % 4)


def _block(kind, body):
    size = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + size + body + size
