from lab import *

wires = Wires()
session = OutsideSession(wires)
session.client(at(0, 1), SYN)
session.vm(at(0, 999_999_999), SYN | ACK)
session.client(at(1, 1), ACK)
inputs = {"input.pcap": wires.pcap(order=">")}
