from lab import *
from capture_files import *

NOON_SECONDS = NOON // 10**9


def question(number):
    return ethernet(udp((CLIENT[0], 40000 + number), DNS, b"question %d" % number))


file = Pcapng().section()
file.interface("outside", snap_length=46).interface("outside", resolution=3, offset=NOON_SECONDS)
file.block(4, bytes(8)).block(0xBAD, b"custom block")
file.packet(0, at(0, 7), question(0), comment="a comment of somebody else")
file.packet(1, 1250, question(1))
file.simple_packet(question(2)[:46], length=len(question(2)))
file.obsolete_packet(1, 2250, question(3))
file.section(">").interface("inside", resolution=0x8A).interface("outside", resolution=None)
file.packet(0, NOON_SECONDS * 1024 + 3 * 1024 + 512, ethernet(udp(VM_DNS, (INSTANCE, 40001), b"answer 1")))
file.packet(1, NOON // 1000 + 4_000_001, question(4))
file.packet(0, (NOON_SECONDS + 5) * 1024, ethernet(udp(VM_DNS, (INSTANCE, 40004), b"answer 4")))
inputs = {"input.pcapng": file.data()}
