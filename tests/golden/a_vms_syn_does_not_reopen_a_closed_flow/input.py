from lab import *

wires = Wires()
session = Session(wires).open(0)
session.client(1, FIN | ACK)
session.vm(1.1, FIN | ACK)
session.client(1.2, ACK)
session.vm(2, SYN, seq=90000)
session.vm(3, ACK)
session.client(241.1, ACK)
inputs = {"input.pcapng": wires.pcapng()}
