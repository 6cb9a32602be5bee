"""A capture that portcullis wrote, as text to compare and to read: every byte, and whether the checksums hold."""

import datetime
import struct

import packets

_LINKS = {1: ("ethernet", 14), 0: ("null", 4), 12: ("raw-12", 0), 101: ("raw", 0), 108: ("loop", 4), 113: ("sll", 16),
          228: ("ipv4", 0), 276: ("sll2", 20)}
_TAGS = (b"\x81\x00", b"\x88\xa8", b"\x91\x00")
_ICMP_ERRORS = (3, 4, 5, 11, 12)
_FLAGS = ((packets.SYN, "S"), (packets.FIN, "F"), (packets.RST, "R"), (packets.PSH, "P"), (packets.ACK, "."))


def text_of(data):
    reader = _pcapng if data[:4] == b"\x0a\x0d\x0d\x0a" else _pcap
    return "".join(line + "\n" for line in reader(data))


def _pcap(data):
    magic, major, minor, zone, accuracy, snap, link = struct.unpack_from("<IHHiIII", data)
    yield (f"pcap {magic:08x} version {major}.{minor} zone {zone} accuracy {accuracy} snap length {snap} "
           f"link type {_link(link)}")
    at, number = 24, 0
    while at < len(data):
        seconds, rest, captured, length = struct.unpack_from("<IIII", data, at)
        number += 1
        yield ""
        yield from _frame(number, seconds * 10**9 + rest, "", link, data[at + 16:at + 16 + captured], length)
        at += 16 + captured
    assert at == len(data), "the file does not end with a whole record"


def _pcapng(data):
    at, number, interfaces = 0, 0, []
    while at < len(data):
        kind, size = struct.unpack_from("<II", data, at)
        body = data[at + 8:at + size - 4]
        assert data[at + size - 4:at + size] == data[at + 4:at + 8], "a block does not end as it began"
        at += size
        if kind == 0x0A0D0D0A:
            yield f"section {body[:16].hex()} {_options(body[16:])}"
        elif kind == 1:
            link, _, snap = struct.unpack_from("<HHI", body)
            options = _options(body[8:])
            interfaces.append((options[2].decode(), link))
            yield f"interface {len(interfaces) - 1}: {_link(link)} snap length {snap} {options}"
        elif kind == 6:
            index, high, low, captured, length = struct.unpack_from("<IIIII", body)
            frame, options = body[20:20 + captured], _options(body[20 + captured + -captured % 4:])
            number += 1
            yield ""
            if 1 in options:
                yield f"# {options.pop(1).decode()}"
            assert not options, f"unknown options {options}"
            yield from _frame(number, high << 32 | low, interfaces[index][0], interfaces[index][1], frame, length)
        else:
            raise ValueError(f"unknown block {kind}")


def _options(data):
    found, at = {}, 0
    while at < len(data):
        code, size = struct.unpack_from("<HH", data, at)
        if code == 0:
            break
        found[code] = data[at + 4:at + 4 + size]
        at += 4 + size + -size % 4
    return found


def _link(number):
    return _LINKS.get(number, (str(number), 0))[0]


def _frame(number, time, interface, link, frame, length):
    cut = f" of {length}" if length != len(frame) else ""
    yield f"{number} {_clock(time)} {interface + ' ' if interface else ''}{_link(link)} {len(frame)}{cut} bytes"
    link_size = _LINKS.get(link, ("", 0))[1]
    type_at = {1: 12, 113: 14, 276: 0}.get(link, len(frame))
    while frame[type_at:type_at + 2] in _TAGS:
        link_size += 4
        type_at = link_size - 2
    yield from _hex("link", frame[:link_size])
    yield from _ip(frame[link_size:])


def _ip(packet):
    if len(packet) < 20 or packet[0] >> 4 != 4:
        yield from _hex("data", packet)
        return
    size = (packet[0] & 15) * 4
    total, ident, fragment, ttl, protocol = struct.unpack_from("!2xHHHBB", packet)
    header, rest = packet[:size], packet[size:total or None]
    where = f" fragment {(fragment & 0x1FFF) * 8}{'+' if fragment & 0x2000 else ''}" if fragment & 0x3FFF else ""
    yield (f"  {packets.name(packet[12:16])} > {packets.name(packet[16:20])} ttl {ttl} id {ident}{where}, "
           f"sum {_judged(packets.sum_of(header))}")
    yield from _hex("ip", header)
    whole = len(packet) >= total and not fragment & 0x3FFF
    if fragment & 0x1FFF:
        yield from _hex("data", rest)
    else:
        yield from _transport(packet, protocol, rest, whole)
    yield from _hex("trailer", packet[size + len(rest):])


def _transport(packet, protocol, rest, whole):
    more = packets.pseudo(packets.name(packet[12:16]), packets.name(packet[16:20]), protocol, len(rest))
    sum_of_rest = packets.sum_of(rest, 0 if protocol == packets.ICMP else more)
    sums = f"sum {_judged(sum_of_rest)}" if whole else "sum not checked"
    if protocol == packets.TCP and len(rest) >= 20:
        source, destination, sequence, acknowledgment, words, bits = struct.unpack_from("!HHIIBB", rest)
        flags = "".join(letter for bit, letter in _FLAGS if bits & bit)
        yield f"  tcp {source} > {destination} {flags} seq {sequence} ack {acknowledgment}, {sums}"
        yield from _hex("tcp", rest[:(words >> 4) * 4])
        yield from _hex("data", rest[(words >> 4) * 4:])
    elif protocol == packets.UDP and len(rest) >= 8:
        source, destination, _, checksum = struct.unpack_from("!HHHH", rest)
        yield f"  udp {source} > {destination}, {sums if checksum else 'no sum'}"
        yield from _hex("udp", rest[:8])
        yield from _hex("data", rest[8:])
    elif protocol == packets.ICMP and len(rest) >= 8:
        quotes = rest[0] in _ICMP_ERRORS
        yield f"  icmp type {rest[0]} code {rest[1]}, {sums}{'; quotes' if quotes else ''}"
        yield from _hex("icmp", rest[:8])
        yield from _ip(rest[8:]) if quotes else _hex("data", rest[8:])
    else:
        yield from _hex("data", rest)


def _judged(remainder):
    return "good" if remainder == 0 else "BAD"


def _clock(nanoseconds):
    seconds, rest = divmod(nanoseconds, 10**9)
    moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)
    return f"{moment.isoformat()}.{rest:09}"


def _hex(name, data):
    for begin in range(0, len(data), 32):
        yield f"    {name if begin == 0 else '':8}{data[begin:begin + 32].hex(' ', -2)}"
