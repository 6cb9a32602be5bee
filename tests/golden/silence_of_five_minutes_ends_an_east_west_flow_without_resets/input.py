from lab import *

wires = Wires()
session = Session(wires, client=("10.9.0.7", 40000), listener=PRIVATE_SSH).open(0)
session.client(1, PSH | ACK, b"hello")
session.vm(300.9, ACK)
session.client(600.8, ACK)
session.client(900.8, ACK)
inputs = {"input.pcapng": wires.pcapng()}
