from lab import *

wires = Wires()
session = Session(wires).open(0)
session.vm(1, FIN | ACK)
session.client(1.1, PSH | ACK, b"still sending")
session.vm(1.2, ACK)
session.client(2, FIN | ACK)
session.vm(2.1, ACK)
session.vm(241.999, ACK)
session.vm(242, ACK)
inputs = {"input.pcapng": wires.pcapng()}
