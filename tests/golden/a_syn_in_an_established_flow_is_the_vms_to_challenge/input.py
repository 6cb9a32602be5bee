from lab import *

wires = Wires()
session = Session(wires).open(0)
session.client(1, SYN, seq=800000)
session.vm(1.1, ACK)
session.client(1.2, RST, seq=1001)
session.client(2, SYN, seq=800000)
session.vm(2.1, SYN | ACK, seq=600000, ack=800001)
session.client(2.2, ACK, seq=800001, ack=600001)
inputs = {"input.pcapng": wires.pcapng()}
