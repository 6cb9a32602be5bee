from lab import *

wires = Wires()
keeps, flushes = (PUBLIC, 5354), (PUBLIC, 5355)
wires.outside(0, udp(CLIENT, keeps, b"stays"))
wires.outside(1, udp(CLIENT, flushes, b"goes"))
wires.inside(11, udp(("10.1.0.4", 53), (INSTANCE, 40000), b"stays"))
wires.inside(12, udp(("10.1.0.5", 53), (INSTANCE, 40000), b"gone"))
wires.outside(13, udp(CLIENT, keeps, b"stays"))
wires.outside(14, udp(CLIENT, flushes, b"gone"))
wires.outside(15, udp(OTHER, keeps, b"new"))
inputs = {"input.pcapng": wires.pcapng()}
