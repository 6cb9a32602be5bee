from lab import *

wires = Wires()
session = Session(wires)
session.client(0, SYN)
session.vm(0.1, RST | ACK, seq=0)
session.vm(240.099, RST | ACK, seq=0)
session.client(240.1, ACK)
session.client(240.2, SYN, seq=2000)
inputs = {"input.pcapng": wires.pcapng()}
