from lab import *

wires = Wires()
session = Session(wires).open(1)
session.client(11, PSH | ACK, b"still here")
session.vm(12, ACK)
Session(wires, client=OTHER).client(13, SYN)
inputs = {"input.pcapng": wires.pcapng()}
