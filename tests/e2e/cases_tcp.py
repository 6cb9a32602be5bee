"""TCP: how connections open, talk and close, and what comes out of turn."""

import packets
from case import Difference, Tcp, case, new_client
from kernel_gateway import CROWDED, HTTPS, INSTANCE, PUBLIC, SSH, WEB

_MSS_SACK_SCALE = bytes.fromhex("020405b4 0402 080a00000001 00000000 01 030307".replace(" ", ""))
_STAMPS = bytes.fromhex("0101080a0000000200000001")


@case("a connection: handshake, data both ways, half close, late data, close")
def _(c):
    talk = Tcp(c).opened(_MSS_SACK_SCALE)
    talk.up("PA", b"SSH-2.0-client\r\n", options=_STAMPS)
    talk.down("A", options=_STAMPS)
    talk.down("PA", b"x" * 700)
    talk.up("FA")
    talk.down("A")
    talk.down("PA", b"late")
    talk.up("A")
    talk.down("FA")
    talk.up("A")


@case("only addresses change where both ports are the same")
def _(c):
    talk = Tcp(c, HTTPS).opened()
    talk.up("PA", b"GET / HTTP/1.0\r\n\r\n")
    talk.down("FPA", b"HTTP/1.0 204 No Content\r\n\r\n")
    talk.up("FA")
    talk.down("A")


@case("the VM closes first; both close at once")
def _(c):
    talk = Tcp(c).opened()
    talk.down("FA")
    talk.up("A")
    talk.up("PA", b"still")
    talk.down("A")
    talk.up("FA")
    talk.down("A")
    talk = Tcp(c).opened()
    talk.up("FA", ack=talk.next["inside"])
    talk.down("FA", ack=talk.next["outside"] - 1)
    talk.up("A")
    talk.down("A")


@case("retransmissions of SYN, SYN-ACK, data and FIN")
def _(c):
    talk = Tcp(c)
    c.outside(talk.up("S"), talk.packet("outside", "S", seq=talk.next["outside"] - 1, ident=2))
    c.inside(*[talk.down("SA")] * 2)
    talk.up("A")
    c.outside(*[talk.up("PA", b"again")] * 2)
    c.inside(*[talk.down("PA", b"and again")] * 2)
    c.outside(*[talk.up("FA")] * 2)
    c.inside(*[talk.down("FA")] * 2)
    c.outside(*[talk.up("A")] * 2)


@case("a SYN with another sequence number before any answer")
def _(c):
    talk = Tcp(c)
    talk.up("S")
    talk.next["outside"] = 0x20000000
    talk.up("S")
    talk.down("SA")
    talk.up("A")
    talk.up("PA", b"hello")


@case("the VM refuses with RST; the client tries again")
def _(c):
    talk = Tcp(c)
    for _ in range(3):
        talk.up("S")
        talk.down("RA", seq=0)


@case("RST of the client, RST of the VM, and data after them")
def _(c):
    talk = Tcp(c).opened()
    talk.up("PA", b"bye")
    talk.up("R")
    talk.down("PA", b"crossed the RST")
    talk = Tcp(c).opened()
    talk.down("RA")
    talk.up("A")


@case("both open at once")
def _(c):
    talk = Tcp(c)
    talk.up("S")
    talk.down("S")
    talk.up("SA", seq=talk.next["outside"] - 1)
    talk.down("SA", seq=talk.next["inside"] - 1)
    talk.up("A")
    talk.down("PA", b"hello")
    talk.up("A")


@case("data with the SYN (RFC 7413), URG, ECE and CWR, accurate ECN's bit, window 0 and its probes, keep-alives")
def _(c):
    talk = Tcp(c)
    talk.up("SEC", b"fast", options=bytes.fromhex("2206aabbccdd0101"))
    talk.down("SAE")
    talk.up("A", tos=2)
    talk.up("PAU", b"urgent", urgent=3, tos=1)
    talk.down("AE", tos=3)
    talk.up("PAC", b"reduced", reserved=1)
    talk.down("A", window=0)
    talk.up("A", b"", seq=talk.next["outside"] - 1)
    talk.down("A", window=0)
    talk.up("A", b"p", seq=talk.next["outside"])
    talk.down("A", window=65535)


@case("a full-sized segment, one byte, an odd number of bytes, selective acknowledgments")
def _(c):
    talk = Tcp(c).opened(_MSS_SACK_SCALE)
    talk.up("A", bytes(range(256)) * 5 + b"z" * 180)
    talk.up("PA", b"\xff")
    talk.down("PA", b"abc")
    sack = b"\1\1\5\n" + (talk.next["outside"] - 1).to_bytes(4, "big") + talk.next["outside"].to_bytes(4, "big")
    talk.down("A", options=sack)


@case("a new connection on the tuple of one that both sides closed")
def _(c):
    talk = Tcp(c).opened()
    talk.up("FA")
    talk.down("FA")
    talk.up("A")
    talk.next = {"outside": 0x30000000, "inside": 0x31000000}
    talk.opened().up("PA", b"second")


@case("a new connection on the tuple of one that the client, then the VM reset")
def _(c):
    talk = Tcp(c).opened()
    talk.up("R")
    talk.next = {"outside": 0x30000000, "inside": 0x31000000}
    talk.opened().down("R")
    talk.next = {"outside": 0x50000000, "inside": 0x51000000}
    talk.opened().down("PA", b"third")


@case("a SYN on an open connection, and the acknowledgment that challenges it (RFC 5961)")
def _(c):
    talk = Tcp(c).opened()
    talk.up("S", seq=0x70000000)
    talk.down("A")
    talk.up("R", seq=talk.next["outside"])


@case("out of the window: data, acknowledgments and RSTs pass where tracking is liberal, and reset nothing")
def _(c):
    talk = Tcp(c).opened()
    talk.up("PA", b"far ahead", seq=talk.next["outside"] + 0x01000000)
    talk.up("A", ack=talk.next["inside"] + 0x01000000)
    talk.down("PA", b"far behind", seq=talk.next["inside"] - 0x01000000)
    talk.up("R", seq=talk.next["outside"] - 0x02000000)
    talk.down("PA", b"alive")
    talk.up("PA", b"alive, too")


@case("out of the window where tracking is strict", Difference("out-of-window", ours=2),
      conntrack={"tcp_be_liberal": 0, "tcp_ignore_invalid_rst": 0})
def _(c):
    talk = Tcp(c).opened()
    talk.up("PA", b"far ahead", seq=talk.next["outside"] + 0x01000000)
    talk.up("R", seq=talk.next["outside"] - 0x02000000)
    talk.down("PA", b"alive")


@case("segments of no connection: ACK, data, FIN, RST and SYN-ACK in mid-stream, from either side")
def _(c):
    for flags in ("A", "PA", "FA", "R", "RA", "SA"):
        talk = Tcp(c)
        talk.up(flags, b"" if "S" in flags else b"?", seq=77, ack=99)
        talk.down(flags, seq=88, ack=66)


@case("segments of no connection where tracking is loose", Difference("mid-stream", kernel=3), conntrack={"tcp_loose": 1})
def _(c):
    talk = Tcp(c)
    talk.up("PA", b"half way", seq=77, ack=99)
    talk.down("A", seq=99, ack=85)
    talk.up("PA", b"on", seq=85, ack=99)


@case("unsolicited: no such port, a VM that opens, the firewall's address from inside, the instance address")
def _(c):
    client = new_client()
    c.outside(packets.tcp(client, (PUBLIC, 3389), packets.SYN), packets.tcp(client, (PUBLIC, 53), packets.SYN),
              packets.tcp(client, (INSTANCE, 22), packets.SYN), packets.tcp(client, (WEB, 22), packets.SYN))
    c.inside(packets.tcp((WEB, 40000), client, packets.SYN), packets.tcp((WEB, 40000), SSH[0], packets.SYN),
             packets.tcp((WEB, 22), (INSTANCE, 1999), packets.SYN),
             packets.tcp((WEB, 22), (INSTANCE, 1999), packets.SYN | packets.ACK))


@case("flags that no TCP sends together")
def _(c):
    for flags in ("", "F", "SF", "SR", "SFPU", "FPU", "RF", "SFRPAU", "P", "U", "SRA", "SFA", "RFA"):
        Tcp(c).up(flags)
        Tcp(c).opened().up(flags)


@case("flags that a TCP may send together, if seldom")
def _(c):
    Tcp(c).up("SU")
    Tcp(c).up("SP")
    for flags in ("AU", "FAU", "FPAU", "RP", "RPA"):
        Tcp(c).opened().up(flags)


@case("header lengths that do not fit")
def _(c):
    Tcp(c).up("S", header_words=4)
    Tcp(c).up("S", header_words=6)
    talk = Tcp(c).opened()
    talk.up("A", header_words=3)
    talk.up("A", b"1234", header_words=7)
    talk.up("A", b"12345678", header_words=7)


@case("a SYN-ACK that answers another SYN, then the right one")
def _(c):
    talk = Tcp(c)
    talk.up("S")
    talk.down("SA", seq=4711, ack=0x12345678)
    talk.up("R", seq=0x12345678)
    talk.down("SA")
    talk.up("A")
    talk.up("PA", b"works")


@case("a split handshake: the VM acknowledges and opens in two segments")
def _(c):
    talk = Tcp(c)
    talk.up("S")
    talk.down("A", seq=talk.next["inside"])
    talk.down("S")
    talk.up("SA", seq=talk.next["outside"] - 1)
    talk.down("A")
    talk.up("PA", b"works")


@case("a closed connection: data, RST and SYN of the VM afterwards")
def _(c):
    talk = Tcp(c).opened()
    talk.up("FA")
    talk.down("FA")
    talk.up("A")
    talk.down("PA", b"too late")
    talk.up("R")
    talk.down("S", seq=0x7000)


@case("two clients with the same port: the second gets another", Difference("next-free-port", ours=1, kernel=1))
def _(c):
    first = Tcp(c, CROWDED).opened()
    Tcp(c, CROWDED, ("198.51.100.8", first.client[1])).up("S")


@case("the client goes on before the VM has answered", Difference("liberal-opening", ours=4))
def _(c):
    for flags in ("A", "PA", "FA", "SA"):
        talk = Tcp(c)
        talk.up("S")
        talk.up(flags)


@case("the VM closes before it has opened", Difference("liberal-opening", ours=1))
def _(c):
    talk = Tcp(c)
    talk.up("S")
    talk.down("FA")


@case("SYNs the wrong way on an open connection: of the VM, and the client's SYN-ACK", Difference("wrong-way-syn", ours=2))
def _(c):
    talk = Tcp(c).opened()
    talk.down("S", seq=0x7000)
    talk.up("SA", seq=0x8000)
    talk.up("PA", b"alive")


@case("segments after a connection was refused", Difference("refused-connection", ours=3))
def _(c):
    talk = Tcp(c)
    talk.up("S")
    talk.down("RA", seq=0)
    talk.down("PA", b"?")
    talk.up("A")
    talk.up("R")
