from lab import *

wires = Wires()
session = Session(wires).open(0)
session.client(1, FIN | ACK)
session.vm(1.1, PSH | ACK, b"still sending")
session.client(1.2, ACK)
session.vm(2, FIN | ACK)
session.client(2.1, ACK)
session.vm(100, FIN | ACK, seq=7014)  # a retransmission: it does not prolong anything
session.client(241.999, ACK)
session.client(242, ACK)
session.vm(242.1, ACK)
inputs = {"input.pcapng": wires.pcapng()}
