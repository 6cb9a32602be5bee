"""Fragments: in order, out of order, repeated, overlapping, incomplete. The kernel puts datagrams together first."""

import itertools

import packets
from case import Difference, Tcp, Udp, case
from kernel_gateway import ECHO

_BIG = bytes(range(256)) * 5
_idents = itertools.count(1000)


def question(talk, data=_BIG, **changes):
    """A client's datagram, to be cut."""
    packet = talk.up(data, **{"ip_flags": 0, "ident": next(_idents)} | changes)
    talk.case.arrivals.pop()
    return packet


def answer(talk, data=_BIG, **changes):
    packet = talk.down(data, **{"ip_flags": 0, "ident": next(_idents)} | changes)
    talk.case.arrivals.pop()
    return packet


def segment(talk, data=_BIG, **changes):
    packet = talk.up("PA", data, **{"ip_flags": 0, "ident": next(_idents)} | changes)
    talk.case.arrivals.pop()
    return packet


def cut_with_flags(whole, flags):
    first, last = packets.fragments(whole, 640)
    return (packets.with_header(first, {6: bytes((first[6] | flags << 5,))}),
            packets.with_header(last, {6: bytes((last[6] | flags << 5,))}))


@case("two, three and many, in order: UDP and TCP, both directions")
def _(c):
    for sizes in ((640,), (640, 320), (160,) * 8):
        talk = Udp(c, ECHO)
        c.outside(*packets.fragments(question(talk), *sizes))
        c.inside(*packets.fragments(answer(talk, checksum=0), *sizes))
        other = Tcp(c).opened()
        c.outside(*packets.fragments(segment(other), *sizes))


@case("the first of a flow is a fragment")
def _(c):
    c.outside(*packets.fragments(question(Udp(c)), 800))


@case("the last fragment first, and all of them backwards", Difference("fragment-order", reordered=True))
def _(c):
    talk = Udp(c, ECHO).opened()
    c.outside(*reversed(packets.fragments(question(talk, ident=1), 640)))
    c.inside(*reversed(packets.fragments(answer(talk, ident=2), 320, 320, 320)))


@case("the second of three last, after the first", Difference("fragment-order", reordered=True))
def _(c):
    first, second, third = packets.fragments(question(Udp(c)), 480, 480)
    c.outside(first, third, second)


@case("two datagrams in pieces, interleaved", Difference("fragment-order", reordered=True))
def _(c):
    talk, other = Udp(c), Udp(c)
    one = packets.fragments(question(talk, ident=100), 480, 480)
    two = packets.fragments(question(other, ident=101), 480, 480)
    c.outside(*[fragment for pair in zip(one, two) for fragment in pair])


@case("the same identification in both directions, and of another client")
def _(c):
    talk, other = Udp(c), Udp(c, client=("198.51.100.8", 29999))
    c.outside(*packets.fragments(question(talk, ident=7), 640), *packets.fragments(question(other, ident=7), 640))
    c.inside(*packets.fragments(answer(talk, ident=7), 640))


@case("a fragment repeated before its datagram is complete")
def _(c):
    first, second, third = packets.fragments(question(Udp(c)), 480, 480)
    c.outside(first, first, second, second, third)


@case("overlapping fragments: nothing passes the kernel, the first had passed here", Difference("fragment-overlap", ours=1))
def _(c):
    whole = question(Udp(c))
    c.outside(packets.fragments(whole, 640)[0], packets.fragments(whole, 320)[1])


@case("a first fragment that overlaps what waits for it")
def _(c):
    whole = question(Udp(c))
    c.outside(packets.fragments(whole, 320)[1], packets.fragments(whole, 640)[0])


@case("a datagram whose last fragment never comes", Difference("fragment-incomplete", ours=2))
def _(c):
    c.outside(*packets.fragments(question(Udp(c)), 480, 480)[:2])


@case("fragments whose first never comes, and those of refused flows")
def _(c):
    c.outside(*packets.fragments(question(Udp(c)), 480, 480)[1:])
    refused = question(Udp(c, (("203.0.113.10", 9), ("10.1.0.4", 9))))
    c.outside(*packets.fragments(refused, 640))


@case("headers cut in two", Difference("tiny-fragment", kernel=7))
def _(c):
    c.outside(*packets.fragments(segment(Tcp(c).opened()), 16))
    talk = Tcp(c)
    syn = talk.up("S", ip_flags=0, ident=next(_idents))
    talk.case.arrivals.pop()
    c.outside(*packets.fragments(syn, 8, 8))
    c.outside(*packets.fragments(segment(Tcp(c).opened(), options=packets.NOP * 12), 24))


@case("all options of TCP, or the UDP header, and nothing else in the first fragment")
def _(c):
    c.outside(*packets.fragments(segment(Tcp(c).opened(), options=packets.NOP * 12), 32))
    c.outside(*packets.fragments(question(Udp(c)), 8))


@case("a length that is no multiple of 8 in the middle")
def _(c):
    talk = Udp(c)
    whole = question(talk)
    c.outside(packets.ipv4(talk.client[0], talk.listener[0], packets.UDP, whole[20:20 + 637], ip_flags=1,
                           ident=int.from_bytes(whole[4:6], "big")), packets.fragments(whole, 640)[1])


@case("more than a datagram may hold", Difference("fragment-incomplete", ours=1))
def _(c):
    talk = Udp(c)
    whole = question(talk)
    c.outside(packets.fragments(whole, 640)[0],
              packets.ipv4(talk.client[0], talk.listener[0], packets.UDP, b"x" * 800, ip_flags=0, offset=65528,
                           ident=int.from_bytes(whole[4:6], "big")))


@case("DF on fragments", Difference("fragment-headers", ours=2, kernel=2))
def _(c):
    c.outside(*cut_with_flags(question(Udp(c)), 2))


@case("the reserved bit on fragments", Difference("fragment-headers", ours=2, kernel=2))
def _(c):
    c.outside(*cut_with_flags(question(Udp(c)), 4))


@case("another time to live and DSCP in the second fragment", Difference("fragment-headers", ours=1, kernel=1))
def _(c):
    whole = question(Udp(c))
    c.outside(packets.fragments(whole, 640)[0], packets.fragments(whole, 640, ttl=33, tos=0xB8)[1])


@case("time to live 1 in all fragments, in the second only", Difference("fragment-headers", kernel=1))
def _(c):
    c.outside(*packets.fragments(question(Udp(c), ttl=1), 640))
    whole = question(Udp(c))
    c.outside(packets.fragments(whole, 640)[0], packets.fragments(whole, 640, ttl=1)[1])


@case("congestion met by one fragment only (RFC 3168)", Difference("fragment-headers", ours=1, kernel=1))
def _(c):
    whole = question(Udp(c), tos=2)
    c.outside(packets.fragments(whole, 640)[0], packets.fragments(whole, 640, tos=3)[1])


@case("options in the first fragment, copied and not")
def _(c):
    copied, not_copied = bytes.fromhex("94040000"), packets.NOP * 4
    for options in (copied, not_copied):
        c.outside(*packets.fragments(question(Udp(c), ip_options=options), 640))


@case("wrong checksums in pieces, where sums are not checked")
def _(c):
    c.outside(*packets.fragments(question(Udp(c), checksum=0x1234), 640))
    c.outside(*packets.fragments(segment(Tcp(c).opened(), checksum=0x1234), 640))


@case("as large as a datagram can be")
def _(c):
    c.outside(*packets.fragments(question(Udp(c, ECHO), b"y" * 65507), *(1480,) * 44))
