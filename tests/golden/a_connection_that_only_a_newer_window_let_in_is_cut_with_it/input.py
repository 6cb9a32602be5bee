from lab import *

wires = Wires()
session = Session(wires)
session.client(0, SYN)
session.client(200, SYN, seq=1000)
session.client(301, SYN, seq=1000)
session.client(303, SYN, seq=1000)
session.vm(303.1, SYN | ACK)
session.client(303.2, ACK)
session.client(309, PSH | ACK, b"in the newer window")
session.vm(311, PSH | ACK, b"cut")
session.client(312, ACK)
inputs = {"input.pcapng": wires.pcapng()}
