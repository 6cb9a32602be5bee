from lab import *

wires = Wires()
session = Session(wires).open(0)
session.client(1, FIN | ACK)
session.vm(1.1, FIN | ACK)
session.client(1.2, ACK)
again = Session(wires, client_sequence=500000, vm_sequence=900000)
again.client(2, SYN)
session.vm(2.1, ACK)
again.vm(2.2, SYN | ACK)
again.client(2.3, ACK)
again.vm(2.4, PSH | ACK, b"hello again")
inputs = {"input.pcapng": wires.pcapng()}
