from lab import *

wires = Wires()
session = Session(wires)
session.client(0, SYN)
session.vm(0.1, SYN | ACK, seq=300, ack=400000)
session.vm(0.2, ACK, seq=300, ack=400000)
session.client(0.3, RST, seq=400000)
session.client(1, SYN, seq=1000)
session.vm(1.1, SYN | ACK)
session.client(1.2, ACK)
session.vm(1.3, PSH | ACK, b"hello")
session.client(300, ACK)
inputs = {"input.pcapng": wires.pcapng()}
