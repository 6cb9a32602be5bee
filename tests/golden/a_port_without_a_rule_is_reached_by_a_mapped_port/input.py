from lab import *

MAPPED = (PUBLIC, 50000)  # leads to VM_SSH while a window is open

wires = Wires()
Session(wires, client=(CLIENT[0], 39999), listener=MAPPED).client(0, SYN)
session = Session(wires, listener=MAPPED).open(2)
Session(wires, client=(OTHER[0], 40001), listener=MAPPED).client(3, SYN)
session.client(200, PSH | ACK, b"within the window")
session.client(310, PSH | ACK, b"after the window")
session.vm(311, PSH | ACK, b"still there")
Session(wires, client=(CLIENT[0], 40002), listener=MAPPED).client(312, SYN)
inputs = {"input.pcapng": wires.pcapng()}
