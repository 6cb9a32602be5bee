from lab import *

wires = Wires()
session = Session(wires)
session.client(0, SYN)
session.vm(0.01, SYN)
session.client(0.02, SYN | ACK, seq=1000)
session.vm(0.02, SYN | ACK, seq=7000)
session.client(0.03, PSH | ACK, b"hello")
session.vm(0.04, ACK)
inputs = {"input.pcapng": wires.pcapng()}
