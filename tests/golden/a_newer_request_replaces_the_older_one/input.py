from lab import *

wires = Wires()
session = Session(wires).open(1)
wires.outside(11, tcp(("198.51.100.7", 40001), SSH, SYN, seq=1))
wires.outside(12, tcp(("198.51.100.8", 40002), SSH, SYN, seq=1))
wires.outside(13, tcp(("198.51.100.9", 40003), SSH, SYN, seq=1))
session.client(14, PSH | ACK, b"still here")
session.client(21, PSH | ACK, b"cut")
wires.outside(22, tcp(("198.51.100.8", 40004), SSH, SYN, seq=1))
wires.outside(23, tcp(("198.51.100.9", 40005), SSH, SYN, seq=1))
inputs = {"input.pcapng": wires.pcapng()}
