from lab import *

wires = Wires()
wires.outside(0, tcp(("198.51.100.7", 40000), SSH, SYN, seq=1))
wires.outside(301, tcp(("198.51.100.7", 40001), SSH, SYN, seq=1))
wires.outside(at(540, -1), tcp(("198.51.100.7", 40002), SSH, SYN, seq=1))
wires.outside(540, tcp(("198.51.100.7", 40003), SSH, SYN, seq=1))
inputs = {"input.pcapng": wires.pcapng()}
