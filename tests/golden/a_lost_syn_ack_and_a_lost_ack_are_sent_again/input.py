from lab import *

wires = Wires()
session = Session(wires)
session.client(0, SYN)
session.vm(0.1, SYN | ACK)
session.vm(1.1, SYN | ACK, seq=7000)
session.client(1.2, ACK)
session.vm(1.3, SYN | ACK, seq=7000)
session.client(1.4, ACK)
session.vm(1.5, PSH | ACK, b"hello")
inputs = {"input.pcapng": wires.pcapng()}
