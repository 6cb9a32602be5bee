"""The IPv4 header: what has to survive, what must not pass, and the time to live."""

import packets
from case import Difference, Tcp, Udp, case, delivered, new_client, returned
from kernel_gateway import INSTANCE, NAMES, PUBLIC, WEB

_ROUTER_ALERT = bytes.fromhex("94040000")
_RECORD_ROUTE = bytes.fromhex("070b04 0000000000000000 00".replace(" ", ""))
_TIMESTAMP = bytes.fromhex("440c0500 0000000000000000".replace(" ", ""))


@case("DSCP and ECN, identification, DF and the reserved bit stay")
def _(c):
    talk, other = Udp(c), Tcp(c).opened()
    for tos in (0x00, 0x01, 0x02, 0x03, 0x28, 0xB8, 0xE0, 0xFF):
        talk.up(b"x", tos=tos)
        other.down("A", tos=tos)
    for ident in (0, 1, 0x7FFF, 0x8000, 0xFFFF):
        for flags in (0, 2, 4, 6):
            talk.up(b"x", ident=ident, ip_flags=flags)
            other.down("A", ident=ident, ip_flags=flags)


@case("time to live: 2 passes, 1 and 0 do not, 255 is nothing special")
def _(c):
    for ttl in (255, 128, 2, 1, 0):
        Udp(c).up(b"first", ttl=ttl)
        Tcp(c).up("S", ttl=ttl)
        talk, other = Udp(c).opened(), Tcp(c).opened()
        talk.up(b"later", ttl=ttl)
        talk.down(b"answer", ttl=ttl)
        other.up("PA", b"later", ttl=ttl)
        other.down("PA", b"answer", ttl=ttl)


@case("time to live: the kernel tells the sender", Difference("time-exceeded", kernel=2), speaks=True)
def _(c):
    Udp(c).up(b"first", ttl=1)
    Udp(c).opened().down(b"answer", ttl=1)


@case("header checksums at the edges of one's complement")
def _(c):
    talk = Udp(c)
    for wanted in (0x0000, 0x0001, 0x00FF, 0x0100, 0xFEFE, 0xFEFF, 0xFF00, 0xFFFE):
        c.outside(_with_header_sum(talk.client, NAMES[0], wanted))
        c.inside(_with_header_sum(NAMES[1], (INSTANCE, talk.client[1]), wanted))


@case("header checksums that come out at the edges")
def _(c):
    talk = Udp(c)
    for say, translated in ((talk.up, delivered), (talk.down, returned)):
        plain = int.from_bytes(translated(talk, say(b"x", ident=0))[10:12], "big")
        for wanted in (0x0000, 0x0001, 0x00FF, 0x0100, 0xFEFF, 0xFF00, 0xFFFE):
            say(b"x", ident=(plain - wanted) % 0xFFFF)


@case("a wrong header checksum drops the packet")
def _(c):
    for checksum in (0x1234, 0xFFFF, 0x0001):
        Udp(c).up(b"x", ip_checksum=checksum)
        Udp(c).opened().down(b"x", ip_checksum=checksum)


@case("a header checksum of 0", Difference("offloaded-header-checksum", ours=2))
def _(c):
    Udp(c).up(b"x", ip_checksum=0)
    Tcp(c).up("S", ip_checksum=0)


@case("a total length of 0", Difference("total-length-0", ours=2))
def _(c):
    Udp(c).up(b"x" * 40, ip_length=0)
    Tcp(c).up("S", ip_length=0)


@case("options that a router leaves alone")
def _(c):
    for options in (packets.NOP * 4, packets.NOP * 3 + b"\0", _ROUTER_ALERT, packets.NOP * 40,
                    bytes.fromhex("8804abcd"), bytes.fromhex("01820b") + bytes(9), bytes.fromhex("5e04abcd")):
        talk, other = Udp(c), Tcp(c).opened()
        talk.up(b"question", ip_options=options)
        talk.down(b"answer", ip_options=options)
        other.up("PA", b"data", options=packets.NOP * 4, ip_options=options)


@case("record route and timestamp", Difference("options-filled-in", ours=2, kernel=2))
def _(c):
    Udp(c).up(b"x", ip_options=_RECORD_ROUTE)
    Udp(c).up(b"x", ip_options=_TIMESTAMP)


@case("options that no packet may have: source routes, loose and strict")
def _(c):
    for kind in (131, 137):
        options = bytes((kind, 7, 4)) + packets.address("10.1.0.4") + b"\0"
        Udp(c).up(b"x", ip_options=options)
        Udp(c).opened().up(b"x", ip_options=options)


@case("options that are broken", Difference("broken-options", ours=2))
def _(c):
    Udp(c).up(b"x", ip_options=bytes.fromhex("07000000"))
    Udp(c).up(b"x", ip_options=bytes.fromhex("01010107"))


@case("a header that cannot be: version, header length, total length")
def _(c):
    for changed in ({"version": 6}, {"version": 0}, {"ip_words": 4}, {"ip_words": 15},
                    {"ip_length": 19}, {"ip_length": 27}, {"ip_length": 2000}):
        Udp(c).up(b"x", **changed)


@case("bytes behind the datagram are the wire's padding")
def _(c):
    talk = Udp(c)
    c.outside(talk.up(b"x") + b"\xee" * 17)
    c.inside(talk.down(b"x") + b"\xee" * 17)


@case("sources that cannot be: this network, loopback, multicast, broadcast, the gateway itself")
def _(c):
    for source in ("0.0.0.0", "127.0.0.1", "224.0.0.1", "239.1.2.3", "255.255.255.255", PUBLIC):
        Udp(c, client=new_client(source)).up(b"x")


@case("sources in 0/8 and 240/4", Difference("reserved-source", kernel=2))
def _(c):
    Udp(c, client=new_client("0.1.2.3")).up(b"x")
    Udp(c, client=new_client("240.0.0.1")).up(b"x")


@case("sources that may be odd but are none of the gateway's business")
def _(c):
    for source in ("192.168.1.1", "100.64.0.1", "169.254.1.1", "1.1.1.1", "223.255.255.255"):
        Udp(c, client=new_client(source)).opened()


@case("inside addresses as sources outside: the kernel routes the answers", Difference("reply-route", ours=2, kernel=2))
def _(c):
    for source in ("10.1.0.4", "10.1.0.77"):
        Udp(c, client=new_client(source)).opened()


@case("other protocols: echo, ESP, GRE, IPv6 in IPv4, SCTP, from either side")
def _(c):
    client = new_client()
    c.outside(packets.icmp(client[0], PUBLIC, 8, 0, 0x10001, b"ping"), packets.icmp(client[0], WEB, 8, 0, 0x10001))
    c.inside(packets.icmp(WEB, client[0], 0, 0, 0x10001, b"ping"))
    for protocol in (2, 41, 47, 50, 132, 255):
        c.outside(packets.ipv4(client[0], PUBLIC, protocol, b"\0" * 40))
        c.inside(packets.ipv4(WEB, INSTANCE, protocol, b"\0" * 40))


@case("larger than the next wire takes, with DF", Difference("mtu", ours=1, kernel=1), speaks=True)
def _(c):
    Udp(c).up(b"x" * 2000)


@case("larger than the next wire takes, without DF", Difference("mtu", ours=1, kernel=2))
def _(c):
    Udp(c).up(b"x" * 2000, ip_flags=0)


def _with_header_sum(source, destination, wanted):
    """A datagram whose identification makes the header checksum `wanted`."""
    without = int.from_bytes(packets.udp(source, destination, b"x", ident=0)[10:12], "big")
    return packets.udp(source, destination, b"x", ident=(without - wanted) % 0xFFFF)
