"""ICMP errors about tracked flows, from the ends and from routers on the way, with all sorts of quotes."""

import packets
from case import Difference, Tcp, Udp, case, delivered, new_client, returned
from kernel_gateway import ECHO, INSTANCE, NAMES, PUBLIC, WEB

_ROUTER_INSIDE, _ROUTER_OUTSIDE = "10.1.0.1", "192.0.2.129"
_ERRORS = [(3, code) for code in range(16)] + [(4, 0), (11, 0), (11, 1), (12, 0), (12, 1)]


def from_vm(talk, quote, kind=3, code=3, sender=None, **changes):
    """An error about a client's packet `quote`, as it was delivered."""
    packet = packets.icmp(sender or talk.target[0], INSTANCE, kind, code, body=quote, **changes)
    talk.case.inside(packet)


def from_client(talk, quote, kind=3, code=3, sender=None, **changes):
    """An error about a VM's packet `quote`, as it was returned."""
    talk.case.outside(packets.icmp(sender or talk.client[0], PUBLIC, kind, code, body=quote, **changes))


@case("every error there is, about UDP, from both ends")
def _(c):
    for kind, code in _ERRORS:
        talk = Udp(c)
        question = delivered(talk, talk.up(b"question"))
        answer = returned(talk, talk.down(b"answer"))
        from_vm(talk, question, kind, code, rest=1400)
        from_client(talk, answer, kind, code, rest=1400)
        talk.up(b"still there")


@case("every error there is, about TCP, from both ends")
def _(c):
    for kind, code in _ERRORS:
        talk = Tcp(c).opened()
        request = delivered(talk, talk.up("PA", b"request"))
        response = returned(talk, talk.down("PA", b"response"))
        from_vm(talk, request, kind, code, rest=1400)
        from_client(talk, response, kind, code, rest=1400)
        talk.up("A")


@case("routers on the way are hidden behind the gateway, on both sides")
def _(c):
    talk, other = Udp(c).opened(), Tcp(c).opened()
    for kind, code in ((11, 0), (3, 1), (3, 4), (3, 13)):
        from_vm(talk, delivered(talk, talk.up(b"question")), kind, code, sender=_ROUTER_INSIDE)
        from_client(talk, returned(talk, talk.down(b"answer")), kind, code, sender=_ROUTER_OUTSIDE)
        from_vm(other, delivered(other, other.up("PA", b"request")), kind, code, sender=_ROUTER_INSIDE)
        from_client(other, returned(other, other.down("PA", b"response")), kind, code, sender=_ROUTER_OUTSIDE)


@case("quotes of UDP, from 8 bytes of transport to all of it")
def _(c):
    talk = Udp(c, ECHO).opened()
    question = delivered(talk, talk.up(b"q" * 100))
    answer = returned(talk, talk.down(b"a" * 101))
    for size in (28, 29, 31, 32, 40, 47, 48, 127, 128):
        from_vm(talk, question[:size])
        from_client(talk, answer[:size])


@case("quotes of UDP without a checksum, and of one that comes out at 0")
def _(c):
    talk = Udp(c).opened()
    from_vm(talk, delivered(talk, talk.up(b"none", checksum=0)))
    from_client(talk, returned(talk, talk.down(b"none", checksum=0)))
    quote = delivered(talk, talk.up(b"any"))
    for checksum in (0xFFFF, 0x0001, 0x1234):
        from_vm(talk, quote[:26] + checksum.to_bytes(2, "big") + quote[28:])
    # The quote's checksum becomes what it was before the gateway: let that be 0xffff.
    whole = _checksum_ffff(talk)
    from_vm(talk, delivered(talk, whole))


@case("quotes of TCP, from 8 bytes of transport to all of it")
def _(c):
    talk = Tcp(c).opened()
    request = delivered(talk, talk.up("PA", b"q" * 100, options=bytes.fromhex("0101080a0000000100000000")))
    response = returned(talk, talk.down("PA", b"a" * 101))
    for size in (28, 29, 32, 36, 37, 40, 41, 52, 100, 152):
        from_vm(talk, request[:size])
        from_client(talk, response[:size])


@case("quotes of TCP that end right behind its checksum", Difference("quoted-checksum", ours=4, kernel=4))
def _(c):
    talk = Tcp(c).opened()
    request, response = delivered(talk, talk.up("PA", b"q")), returned(talk, talk.down("PA", b"a"))
    for size in (38, 39):
        from_vm(talk, request[:size])
        from_client(talk, response[:size])


@case("a quote whose transport checksum is wrong, as endpoints with offload quote it")
def _(c):
    talk = Tcp(c).opened()
    for checksum in (0x0000, 0xFFFE, 0x4711):
        quote = delivered(talk, talk.up("PA", b"q"))
        from_vm(talk, quote[:36] + checksum.to_bytes(2, "big") + quote[38:])


@case("quotes with IPv4 options, with DSCP, fragment bits and another time to live")
def _(c):
    talk = Udp(c)
    from_vm(talk, delivered(talk, talk.up(b"question", ip_options=packets.NOP * 8)))
    from_vm(talk, delivered(talk, talk.up(b"question", tos=0xB9, ip_flags=4, ident=0xFFFF, ttl=3)))
    quote = delivered(talk, talk.up(b"question", ttl=2))
    from_vm(talk, packets.with_header(quote, {6: b"\x20\x00"}))
    from_vm(talk, packets.with_header(quote, {8: b"\0"}))


@case("the error's own header: options, DSCP, DF, time to live")
def _(c):
    talk = Udp(c)
    quote = delivered(talk, talk.up(b"question"))
    for changes in ({"tos": 0xC0}, {"ip_flags": 2}, {"ip_options": packets.NOP * 12}, {"ttl": 2}, {"ttl": 1}, {"ident": 0}):
        from_vm(talk, quote, **changes)


@case("extensions behind the quote (RFC 4884)")
def _(c):
    talk = Udp(c, ECHO)
    quote = delivered(talk, talk.up(b"q" * 200))[:128]
    extension = bytes.fromhex("2000ffff 0008 0101 00010140".replace(" ", ""))
    extension = extension[:2] + packets.sum_of(extension[:2] + b"\0\0" + extension[4:]).to_bytes(2, "big") + extension[4:]
    talk.case.inside(packets.icmp(WEB, INSTANCE, 11, 0, 0x00200000, quote + extension))


@case("errors about a SYN nobody answered, and about closed and reset connections")
def _(c):
    talk = Tcp(c)
    quote = delivered(talk, talk.up("S"))
    from_vm(talk, quote, 3, 1, sender=_ROUTER_INSIDE)
    talk.opened()
    talk.up("FA")
    talk.down("FA")
    from_vm(talk, delivered(talk, talk.up("A")), 3, 3)
    talk = Tcp(c).opened()
    from_vm(talk, delivered(talk, talk.up("R")), 3, 3)


@case("errors about nothing: no such flow, another port, the wrong direction, an untranslated quote")
def _(c):
    talk = Udp(c).opened()
    question, answer = talk.up(b"question"), talk.down(b"answer")
    stranger = Udp(c)
    from_vm(stranger, packets.udp((INSTANCE, stranger.client[1]), NAMES[1], b"never sent"))
    from_client(stranger, packets.udp(NAMES[0], stranger.client, b"never sent"))
    from_vm(talk, question)
    from_client(talk, answer)
    from_vm(talk, answer)
    from_client(talk, question)
    from_vm(talk, returned(talk, answer))
    from_client(talk, delivered(talk, question))


@case("errors that are not addressed to the sender of what they quote")
def _(c):
    talk = Udp(c)
    quote = delivered(talk, talk.up(b"question"))
    c.inside(packets.icmp(WEB, PUBLIC, 3, 3, body=quote), packets.icmp(WEB, talk.client[0], 3, 3, body=quote),
             packets.icmp(WEB, "10.0.1.77", 3, 3, body=quote))


@case("redirects, echo replies, and timestamps with a quote")
def _(c):
    talk = Udp(c)
    quote = delivered(talk, talk.up(b"question"))
    for kind, code in ((5, 1), (0, 0), (13, 0), (9, 0)):
        from_vm(talk, quote, kind, code)


@case("quotes that cannot be used: cut short, other protocols, later fragments, header lengths")
def _(c):
    talk = Udp(c)
    quote = delivered(talk, talk.up(b"question"))
    for size in (0, 7, 19, 20, 27):
        from_vm(talk, quote[:size])
    from_vm(talk, packets.with_header(quote, {9: b"\x2f"}))
    from_vm(talk, packets.with_header(quote, {6: b"\x00\x08"}))
    from_vm(talk, packets.with_header(quote, {0: b"\x44"}))
    from_vm(talk, packets.with_header(quote, {0: b"\x4f"}))


@case("an error with a wrong checksum")
def _(c):
    talk = Udp(c)
    from_vm(talk, delivered(talk, talk.up(b"question")), checksum=0x1234)
    from_client(talk, returned(talk, talk.down(b"answer")), checksum=0)


@case("errors where the kernel checks sums", conntrack={"checksum": 1})
def _(c):
    talk = Udp(c)
    from_vm(talk, delivered(talk, talk.up(b"question")), checksum=0x1234)
    from_vm(talk, delivered(talk, talk.up(b"question")))


@case("a quote that says it is IPv6", Difference("quoted-version", kernel=1))
def _(c):
    talk = Udp(c)
    from_vm(talk, packets.with_header(delivered(talk, talk.up(b"question")), {0: b"\x65"}))


@case("a quote whose IPv4 checksum is wrong", Difference("quoted-header-checksum", kernel=1))
def _(c):
    talk = Udp(c)
    quote = delivered(talk, talk.up(b"question"))
    from_vm(talk, quote[:10] + b"\x12\x34" + quote[12:])


@case("an error in fragments", Difference("icmp-fragments", kernel=2))
def _(c):
    talk = Udp(c, ECHO)
    quote = delivered(talk, talk.up(b"q" * 400))
    error = packets.icmp(ECHO[1][0], INSTANCE, 3, 3, body=quote)
    c.inside(*packets.fragments(error, 80))


@case("errors about TCP by routers near the client, by a stranger, by the firewall's own address")
def _(c):
    talk = Tcp(c).opened()
    response = returned(talk, talk.down("PA", b"response"))
    from_client(talk, response, 3, 1, sender=_ROUTER_OUTSIDE)
    from_client(talk, response, 3, 3, sender=new_client("192.0.2.200")[0])
    from_client(talk, response, 3, 3, sender=PUBLIC)


def _checksum_ffff(talk):
    """A client's datagram whose checksum is 0xffff by rights."""
    block = packets.udp(talk.client, talk.listener, b"\0\0", checksum=0)[20:]
    data = packets.sum_of(block, packets.pseudo(talk.client[0], talk.listener[0], packets.UDP, len(block)))
    return talk.up(data.to_bytes(2, "big"))
