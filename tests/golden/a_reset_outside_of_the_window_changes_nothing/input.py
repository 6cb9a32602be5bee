from lab import *

wires = Wires()
session = Session(wires).open(0)
session.client(1, RST, seq=900000)
session.client(1.1, RST, seq=1)
session.vm(1.2, PSH | ACK, b"alive")
session.client(1.3, ACK)
session.client(241.3, ACK)
inputs = {"input.pcapng": wires.pcapng()}
