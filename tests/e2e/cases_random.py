"""Thousands of packets that nobody thought of: every field that a gateway may not touch, and checksums of all kinds."""

import random

import packets
from case import Difference, Tcp, Udp, case, delivered, returned
from cases_fragments import answer, question
from cases_icmp import from_client, from_vm
from kernel_gateway import ECHO, HTTPS, NAMES, SSH

_random = random.Random(20260101)
_CLIENTS = ("198.51.100.7", "1.255.0.255", "223.255.255.254", "100.64.0.1", "8.8.8.8")


def header():
    """Fields of an IPv4 header that have to come out as they went in."""
    return {"tos": _random.randrange(256), "ident": _random.choice((0, 0xFFFF, _random.randrange(65536))),
            "ip_flags": _random.choice((0, 2, 4, 6)), "ttl": _random.choice((2, 64, 255, _random.randrange(2, 256)))}


def checksum():
    return _random.choice((None, None, None, 0, 0xFFFF, 1, _random.randrange(65536)))


def data():
    return _random.randbytes(_random.choice((0, 1, 2, 3, _random.randrange(1400))))


@case("random UDP")
def _(c):
    talks = [Udp(c, _random.choice((NAMES, ECHO)), (_random.choice(_CLIENTS), 31000 + number))
             for number in range(40)]
    for talk in talks:
        talk.opened()
    for _ in range(3000):
        talk = _random.choice(talks)
        _random.choice((talk.up, talk.down))(data(), checksum=checksum(), **header())


@case("random TCP")
def _(c):
    talks = [Tcp(c, _random.choice((SSH, HTTPS)), (_random.choice(_CLIENTS), 32000 + number))
             for number in range(40)]
    for talk in talks:
        talk.opened()
    for _ in range(3000):
        talk = _random.choice(talks)
        options = packets.NOP * 4 * _random.randrange(11)
        _random.choice((talk.up, talk.down))(
            _random.choice(("A", "PA", "AU", "PAEC")), data(), checksum=checksum(), options=options,
            window=_random.randrange(65536), urgent=_random.randrange(65536), reserved=_random.randrange(2), **header())


@case("random ICMP errors")
def _(c):
    for number in range(400):
        client = (_random.choice(_CLIENTS), 33000 + number)
        if number % 2:
            talk = Udp(c, _random.choice((NAMES, ECHO)), client)
            question_sent, answer_sent = talk.up(data(), **header()), talk.down(data(), **header())
        else:
            talk = Tcp(c, _random.choice((SSH, HTTPS)), client).opened()
            question_sent, answer_sent = talk.up("PA", data(), **header()), talk.down("PA", data(), **header())
        for tell, quote in ((from_vm, delivered(talk, question_sent)), (from_client, returned(talk, answer_sent))):
            size = _random.choice((28, 36, 40, 60, 548, 1400))  # see `quoted-checksum` for 38 and 39
            tell(talk, quote[:size], _random.choice((3, 11, 12)), _random.randrange(2), rest=_random.randrange(2**32),
                 **header())


@case("random fragments, in order")
def _(c):
    for number in range(200):
        talk = Udp(c, _random.choice((NAMES, ECHO)), (_random.choice(_CLIENTS), 34000 + number)).opened()
        cut, put = _random.choice(((question, c.outside), (answer, c.inside)))
        whole = cut(talk, _random.randbytes(_random.randrange(40, 4000)), checksum=checksum(), **header() | {"ip_flags": 0})
        pieces, left = [], len(whole) - 20
        size = 8 * _random.randrange(2, 180)
        while left > size and len(pieces) < 15:
            pieces.append(size)
            left -= size
        if left <= 1480:
            put(*packets.fragments(whole, *pieces))


@case("random conversations: whatever the kernel lets pass, passes here", Difference("liberal-opening", ours=None))
def _(c):
    for number in range(2000):
        talk = Tcp(c, client=(_random.choice(_CLIENTS), 40000 + number))
        if _random.randrange(2):
            talk.opened()
        for ident in range(2, _random.randrange(4, 12)):
            say, me, other = _random.choice(((talk.up, "outside", "inside"), (talk.down, "inside", "outside")))
            # A VM's SYN is refused on a closed flow; what closes one differs with forged segments.
            flags = _random.choice(("S", "S") * (me == "outside") + ("SA", "A", "A", "PA", "FA", "R", "RA"))
            wrong = {}
            if _random.randrange(2):
                wrong["seq"] = talk.next[me] + _random.choice((-1, 1, 1000, -1000, 10**8))
            if "A" in flags and _random.randrange(2):
                wrong["ack"] = talk.next[other] + _random.choice((-1, 1, 5000, 10**8))
            say(flags, b"data" if "P" in flags else b"", ident=ident, **wrong)
