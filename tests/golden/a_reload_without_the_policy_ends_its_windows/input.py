from lab import *

MAPPED = (PUBLIC, 50000)  # leads to VM_SSH while a window is open

wires = Wires()
Session(wires, client=(CLIENT[0], 39999), listener=MAPPED).client(0, SYN)
session = Session(wires, listener=MAPPED).open(2)
session.client(3, PSH | ACK, b"within the window")
session.client(5, PSH | ACK, b"after the reload")
Session(wires, client=(CLIENT[0], 40002), listener=MAPPED).client(6, SYN)
inputs = {"input.pcapng": wires.pcapng()}
