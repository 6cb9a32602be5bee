from lab import *

wires = Wires()
session = Session(wires)
session.client(0, SYN, seq=1000)
session.client(1, SYN, seq=1000)
session.client(3, SYN, seq=55000)
session.client_next = 55001
session.vm(3.1, SYN | ACK)
session.client(3.2, ACK)
session.client(3.3, PSH | ACK, b"hello")
inputs = {"input.pcapng": wires.pcapng()}
