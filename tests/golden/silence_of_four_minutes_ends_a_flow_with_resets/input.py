from lab import *

wires = Wires()
session = Session(wires).open(0)
session.client(0.1, PSH | ACK, b"hello")
session.vm(at(240.1, -1), ACK)
session.client(at(480.1, -1), ACK)
session.client(481, PSH | ACK, b"too late")
session.vm(482, ACK)
inputs = {"input.pcapng": wires.pcapng()}
