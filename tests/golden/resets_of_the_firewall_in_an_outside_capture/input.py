from lab import *

wires = Wires()
session = OutsideSession(wires).open(0)
session.vm(1, PSH | ACK, b"hello")
session.client(1.1, ACK)
session.client(300, ACK)
inputs = {"input.pcap": wires.pcap()}
