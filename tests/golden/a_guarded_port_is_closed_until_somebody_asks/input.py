from lab import *

wires = Wires()
session = Session(wires)
for second in (0, 1, 3):
    session.client(second, SYN, seq=1000)
session.open(7)
Session(wires, client=OTHER).client(8, SYN)
session.client(9, PSH | ACK, b"uptime\n")
inputs = {"input.pcapng": wires.pcapng()}
