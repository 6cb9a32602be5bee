from lab import *

wires = Wires()
session = Session(wires).open(0)
session.client(1, FIN | ACK)
session.vm(240, PSH | ACK, b"long answer")
session.client(479, ACK)
session.vm(719, ACK)
inputs = {"input.pcapng": wires.pcapng()}
