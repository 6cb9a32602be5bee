from lab import *

wires = Wires()
session = Session(wires)
session.client(0, SYN, seq=1000, ttl=1)
session.client(1, SYN, seq=1000, ttl=2)
session.client_next = 1001
session.vm(2, SYN | ACK, ttl=1, seq=7000)
session.vm(3, SYN | ACK, ttl=2)
session.client(4, ACK, ttl=1)
session.client(5, ACK, ttl=255)
inputs = {"input.pcapng": wires.pcapng()}
