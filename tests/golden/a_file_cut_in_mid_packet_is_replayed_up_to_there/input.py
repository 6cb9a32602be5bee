from lab import *

wires = Wires()
session = OutsideSession(wires).open(0)
session.client(1, PSH | ACK, b"cut")
inputs = {"input.pcap": wires.pcap()[:-30]}
