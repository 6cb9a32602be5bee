from lab import *

wires = Wires()
session = Session(wires).open(0)
session.client(11, PSH | ACK, b"still here")
wires.outside(12, tcp((OTHER[0], 40001), SSH, SYN, seq=1))
wires.outside(21, tcp((OTHER[0], 40002), SSH, SYN, seq=1))
wires.outside(31, tcp((OTHER[0], 40003), SSH, SYN, seq=1))
session.vm(32, ACK)
inputs = {"input.pcapng": wires.pcapng()}
