"""IPv4 packets by hand, so that any field can be wrong. Checksums are right unless told: an int is a value to write."""

import socket
import struct

FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = (1 << bit for bit in range(8))
NOP = b"\x01"
ICMP, TCP, UDP = 1, 6, 17


def ipv4(source, destination, protocol, payload, *, ttl=64, tos=0, ident=1, ip_flags=2, offset=0, version=4, ip_options=b"",
         ip_checksum=None, ip_length=None, ip_words=None):
    """`ip_flags`: 4 reserved, 2 DF, 1 MF; `offset` in bytes."""
    words = 5 + len(ip_options) // 4
    header = bytearray(struct.pack(
        "!BBHHHBBH4s4s", version << 4 | (words if ip_words is None else ip_words), tos,
        words * 4 + len(payload) if ip_length is None else ip_length, ident, ip_flags << 13 | offset // 8,
        ttl, protocol, 0, address(source), address(destination)) + ip_options)
    struct.pack_into("!H", header, 10, sum_of(header) if ip_checksum is None else ip_checksum)
    return bytes(header) + payload


def tcp(source, destination, flags=ACK, seq=0, ack=0, data=b"", *, window=8192, options=b"", checksum=None, urgent=0,
        reserved=0, header_words=None, **ip):
    """`source` and `destination` are (address, port)."""
    words = 5 + len(options) // 4 if header_words is None else header_words
    segment = struct.pack("!HHIIBBHHH", source[1], destination[1], seq % 2**32, ack % 2**32, words << 4 | reserved,
                          flags, window, 0, urgent) + options + data
    return ipv4(source[0], destination[0], TCP,
                summed(segment, 16, pseudo(source[0], destination[0], TCP, len(segment)), checksum), **ip)


def udp(source, destination, data=b"", *, checksum=None, length=None, **ip):
    datagram = struct.pack("!HHHH", source[1], destination[1], 8 + len(data) if length is None else length, 0) + data
    datagram = summed(datagram, 6, pseudo(source[0], destination[0], UDP, len(datagram)), checksum)
    if checksum is None and datagram[6:8] == b"\0\0":
        datagram = datagram[:6] + b"\xff\xff" + datagram[8:]
    return ipv4(source[0], destination[0], UDP, datagram, **ip)


def icmp(source, destination, kind, code, rest=0, body=b"", *, checksum=None, **ip):
    """`rest` is the second word of the header: a next-hop MTU, a pointer, an identifier."""
    return ipv4(source, destination, ICMP, summed(struct.pack("!BBHI", kind, code, 0, rest) + body, 2, 0, checksum),
                **{"ip_flags": 0} | ip)


def fragments(packet, *sizes, **changed):
    """Cuts a datagram after so many bytes of payload each; the rest is the last fragment. `changed`: IPv4 fields."""
    words = packet[0] & 15
    header, payload = packet[:words * 4], packet[words * 4:]
    (ident,) = struct.unpack_from("!H", header, 4)
    pieces, begin = [], 0
    for size in [*sizes, len(payload) - sum(sizes)]:
        more = begin + size < len(payload)
        pieces.append(ipv4(name(header[12:16]), name(header[16:20]), header[9], payload[begin:begin + size],
                           **{"ttl": header[8], "tos": header[1], "ident": ident, "ip_flags": int(more), "offset": begin,
                              "ip_options": header[20:]} | changed))
        begin += size
    return pieces


def with_header(packet, changes):
    """Other bytes at these places of the IPv4 header, and its checksum to match."""
    size = (packet[0] & 15) * 4
    header = bytearray(packet[:size])
    for at, value in changes.items():
        header[at:at + len(value)] = value
    header[10:12] = b"\0\0"
    header[10:12] = sum_of(header).to_bytes(2, "big")
    return bytes(header) + packet[size:]


def summed(block, at, more, checksum):
    value = sum_of(block, more) if checksum is None else checksum
    return block[:at] + struct.pack("!H", value) + block[at + 2:]


def sum_of(block, more=0):
    """RFC 1071, over a block whose checksum field is 0."""
    block = bytes(block) + b"\0" * (len(block) % 2)
    total = more + sum(struct.unpack(f"!{len(block) // 2}H", block))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def pseudo(source, destination, protocol, length):
    return sum(struct.unpack("!4H", address(source) + address(destination))) + protocol + length


def address(text):
    return socket.inet_aton(text)


def name(packed):
    return socket.inet_ntoa(packed)


def show(packet):
    """One line for a person."""
    if len(packet) < 20:
        return packet.hex()
    words, total = packet[0] & 15, struct.unpack_from("!H", packet, 2)[0]
    ident, where, ttl, protocol, check = struct.unpack_from("!HHBBH", packet, 4)
    text = (f"{name(packet[12:16])} > {name(packet[16:20])} proto {protocol} ttl {ttl} tos {packet[1]:02x} id {ident} "
            f"flags {where >> 13} offset {(where & 0x1FFF) * 8} length {total} sum {check:04x}")
    return f"{text} | {packet[words * 4:words * 4 + 44].hex(' ', 4)}"
