from lab import *

wires = Wires()
session = Session(wires).open(0)
session.vm(0.5, PSH | ACK, b"hello")
Session(wires, listener=(PUBLIC, 3389)).client(1, SYN)
inputs = {"input.pcapng": wires.pcapng()}
