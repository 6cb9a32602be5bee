from lab import *

wires = Wires()
session = Session(wires).open(0)
session.client(1, FIN | ACK)
session.vm(1, FIN | ACK, ack=1001)
session.client(1.1, ACK)
session.vm(1.1, ACK)
session.client(240.999, ACK)
session.client(241, ACK)
inputs = {"input.pcapng": wires.pcapng()}
