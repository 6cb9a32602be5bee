from lab import *

wires = Wires()
session = Session(wires).open(0)
wires.outside(1, udp(CLIENT, DNS, b"stays"))
wires.outside(2, udp(OTHER, DNS, b"goes"))
session.client(9, ACK)
session.client(11, PSH | ACK, b"gone")
session.vm(12, PSH | ACK, b"gone")
wires.inside(13, udp(VM_DNS, (INSTANCE, 40000), b"stays"))
wires.inside(14, udp(VM_DNS, (INSTANCE, 40001), b"gone"))
wires.outside(15, udp(OTHER, DNS, b"gone"))
Session(wires, client=(CLIENT[0], 40009)).client(16, SYN)
inputs = {"input.pcapng": wires.pcapng()}
