from lab import *

wires = Wires()
session = Session(wires).open(0)
session.client(1, PSH | ACK, b"d" * 3000, ip_length=0)
session.vm(1.1, ACK)
session.vm(2, PSH | ACK, b"d" * 2000, ip_length=0)
session.client(300, ACK)  # the RSTs show that all these bytes were counted
inputs = {"input.pcapng": wires.pcapng()}
