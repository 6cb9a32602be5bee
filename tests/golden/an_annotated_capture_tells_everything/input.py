from lab import *

wires = Wires()
session = Session(wires)
session.client(0, SYN, seq=1000)
session.open(2)
wires.outside(3, bytes(28), ethertype=0x0806)
first, second = fragments(udp(CLIENT, (PUBLIC, 9999), bytes(40), ip_flags=0, ident=7), 24)
wires.outside(4, second)
wires.outside(4.1, first)
wires.inside(5, icmp("10.1.0.4", "10.1.0.5", 8, 0, 1, b"ping"))
wires.outside(300, udp(CLIENT, (PUBLIC, 9999), b"what was silent is over"))
inputs = {"input.pcapng": wires.pcapng()}
