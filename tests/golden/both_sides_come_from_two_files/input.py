from lab import *

wires = Wires()
session = Session(wires)
session.vm(0, ACK)  # comes first in its file, but the SYN of the same time goes first
session.client(0, SYN)
session.vm(0.5, SYN | ACK)
session.client(0.7, ACK)
session.vm(0.7, PSH | ACK, b"hello")
session.client(0.8, ACK)
inputs = {"outside.pcap": wires.pcap(side=0), "inside.pcap": wires.pcap(side=1)}
