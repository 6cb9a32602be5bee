from lab import *

wires = Wires()
session = Session(wires).open(0)
session.client(1, RST)
session.vm(1.5, PSH | ACK, b"the VM never got it")
session.client(2, ACK)
session.client(242, ACK)
inputs = {"input.pcapng": wires.pcapng()}
