from lab import *

wires = Wires()
session = Session(wires).open(1)
session.client(200, PSH | ACK, b"before")
session.vm(310, PSH | ACK, b"after")
session.client(311, ACK)
Session(wires, client=(CLIENT[0], 40001)).client(312, SYN)
session.client(313, FIN | ACK)
session.vm(313.1, FIN | ACK)
session.client(314, SYN, seq=900000)
inputs = {"input.pcapng": wires.pcapng()}
