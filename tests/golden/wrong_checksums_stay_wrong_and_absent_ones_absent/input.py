import struct

from lab import *


def question_whose_sum_vanishes():
    """Its sum becomes 0 by the translation, so that ffff must be written: found by trying."""
    for filler in range(65536):
        packet = udp(("198.51.100.9", 40009), DNS, struct.pack("!H", filler))
        if delivered(packet, (INSTANCE, 40009), VM_DNS)[26:28] == b"\xff\xff":
            return packet
    raise ValueError("no such packet")


wires = Wires()
right = tcp(CLIENT, SSH, SYN, seq=1000)
sum_of_right = int.from_bytes(right[36:38], "big")
wires.outside(0, right)
wires.outside(1, tcp(CLIENT, SSH, SYN, seq=1000, checksum=sum_of_right + 1))
question = udp(CLIENT, DNS, b"question")
sum_of_question = int.from_bytes(question[26:28], "big")
wires.outside(2, question)
wires.outside(3, udp(CLIENT, DNS, b"question", checksum=sum_of_question + 0x100))
wires.outside(4, udp(CLIENT, DNS, b"question", checksum=0))
wires.outside(5, question_whose_sum_vanishes())
wires.outside(6, tcp(CLIENT, SSH, SYN, seq=1000, ip_checksum=0))
wires.outside(7, tcp(CLIENT, SSH, SYN, seq=1000, ip_checksum=0x1234))
inputs = {"input.pcapng": wires.pcapng()}
