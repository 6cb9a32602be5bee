import struct

from lab import *

wires = Wires()
OutsideSession(wires).open(0)
inputs = {"input.pcap": wires.pcap() + struct.pack("<IIII", NOON // 10**9, 0, 0xFFFFFFF0, 0xFFFFFFF0) + bytes(200)}
