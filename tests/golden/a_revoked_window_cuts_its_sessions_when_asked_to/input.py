from lab import *

wires = Wires()
session = Session(wires).open(1)
opening = Session(wires, client=(OTHER[0], 40001))
opening.client(2, SYN)
closed = Session(wires, client=("198.51.100.9", 40002)).open(3)
closed.client(4, FIN | ACK)
closed.vm(4.1, FIN | ACK)
session.vm(9, PSH | ACK, b"last words")
session.client(10, ACK)
session.vm(10.1, PSH | ACK, b"never heard")
opening.vm(10.2, SYN | ACK)
closed.client(10.3, ACK)
session.client(11, SYN, seq=900000)
session.client(250, ACK)
inputs = {"input.pcapng": wires.pcapng()}
