"""UDP: questions and answers, and checksums that are absent, wrong or at the edge of one's complement."""

import packets
from case import Difference, Tcp, Udp, case, new_client
from kernel_gateway import CROWDED, DNS, ECHO, INSTANCE, NAMES, PUBLIC


@case("question and answer, with checksum and without")
def _(c):
    for checksum in (None, 0):
        talk = Udp(c)
        talk.up(b"question", checksum=checksum)
        talk.down(b"answer", checksum=checksum)
        talk.up(b"more", checksum=0)
        talk.down(b"and more")


@case("empty, one byte, an odd number of bytes, as much as fits the wire")
def _(c):
    talk = Udp(c, ECHO)
    for size in (0, 1, 333, 1472):
        talk.up(b"\xff" * size)
        talk.down(b"\x00" * size)


@case("checksums that come out at 0, which UDP sends as 0xffff")
def _(c):
    talk = Udp(c)
    for wanted in (0x0000, 0x0001, 0xFFFE):
        talk.up(_data_for(wanted, (INSTANCE, talk.client[1]), NAMES[1]))
        talk.down(_data_for(wanted, NAMES[0], talk.client))


@case("a checksum of 0xffff, right or wrong, and other wrong ones, where sums are not checked")
def _(c):
    talk = Udp(c)
    talk.up(_data_for(0, talk.client, NAMES[0]), checksum=0xFFFF)
    for checksum in (0xFFFF, 0x0001, 0x1234, 0xFFFE):
        talk.up(b"wrong", checksum=checksum)
        talk.down(b"wrong, too", checksum=checksum)
    talk = Tcp(c).opened()
    for checksum in (0, 0xFFFF, 0x0001, 0x1234, 0xFFFE):
        talk.up("PA", b"wrong", checksum=checksum)
        talk.down("PA", b"wrong, too", checksum=checksum)


@case("wrong checksums where the kernel checks them", Difference("wrong-checksum", ours=6), conntrack={"checksum": 1})
def _(c):
    Udp(c).up(b"first", checksum=0x1234)
    talk = Udp(c).opened()
    talk.up(b"later", checksum=0x1234)
    talk.down(b"answer", checksum=0x1234)
    Tcp(c).up("S", checksum=0x1234)
    talk = Tcp(c).opened()
    talk.up("PA", b"data", checksum=0x1234)
    talk.down("PA", b"data", checksum=0x1234)


@case("right checksums where the kernel checks them", conntrack={"checksum": 1})
def _(c):
    Udp(c).opened()
    Udp(c).up(b"none", checksum=0)
    talk = Tcp(c).opened()
    talk.up("PA", b"data")
    talk.down("PA", b"data")


@case("lengths: shorter than the datagram, longer, below 8")
def _(c):
    talk = Udp(c)
    talk.up(b"trailing bytes", length=8 + 8, checksum=0)
    talk.up(b"trailing bytes", length=8 + 8)
    for length in (0, 7, 8 + 15, 0xFFFF):
        talk.up(b"trailing bytes", length=length)
        Udp(c).up(b"trailing bytes", length=length)


@case("several clients and listeners at once")
def _(c):
    talks = [Udp(c, rule, (f"198.51.100.{host}", 30000 + host)) for host in (7, 8, 9) for rule in (NAMES, ECHO)]
    for talk in talks:
        talk.up(b"question")
    for talk in reversed(talks):
        talk.down(b"answer")


@case("two clients with the same port: the second gets another", Difference("next-free-port", ours=1, kernel=1))
def _(c):
    first = Udp(c, CROWDED).opened()
    Udp(c, CROWDED, ("198.51.100.8", first.client[1])).up(b"question")


@case("privileged and extreme source ports are kept")
def _(c):
    for port in (1, 53, 123, 1023, 1024, 65535):
        Udp(c, client=("198.51.100.9", port)).opened()


@case("source port 0", Difference("port-0", ours=1, kernel=1))
def _(c):
    Udp(c, CROWDED, ("198.51.100.9", 0)).up(b"question")


@case("unsolicited: no such port, replies without a flow, a VM that begins")
def _(c):
    client = new_client()
    c.outside(packets.udp(client, (PUBLIC, 9)), packets.udp(client, (PUBLIC, 53)), packets.udp(client, (INSTANCE, 53)),
              packets.udp(client, (DNS, 53)))
    c.inside(packets.udp(NAMES[1], (INSTANCE, 1999)), packets.udp((DNS, 40000), client),
             packets.udp((DNS, 40000), NAMES[0]), packets.udp(NAMES[1], client))
    talk = Udp(c).opened()
    c.inside(packets.udp(ECHO[1], (INSTANCE, talk.client[1])), packets.udp(NAMES[1], (INSTANCE, talk.client[1] + 1)))


def _data_for(wanted, source, destination):
    """Two bytes that make the checksum between these endpoints `wanted`."""
    block = packets.udp(source, destination, b"\0\0", checksum=0)[20:]
    without = packets.sum_of(block, packets.pseudo(source[0], destination[0], packets.UDP, len(block)))
    needed = (without - wanted) % 0xFFFF
    return needed.to_bytes(2, "big")
