from lab import *

wires = Wires()
session = Session(wires).open(0)
session.client(1, RST)
session.client(2, RST)
session.vm(240.999, RST, seq=7001)
session.vm(241, ACK)
inputs = {"input.pcapng": wires.pcapng()}
