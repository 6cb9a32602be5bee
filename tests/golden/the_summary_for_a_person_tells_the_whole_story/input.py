from lab import *

wires = Wires()
wires.outside(0, tcp(CLIENT, SSH, SYN, seq=1))
session = Session(wires).open(3)
Session(wires, listener=(PUBLIC, 3389)).client(4, SYN)
wires.outside(5, bytes(28), ethertype=0x0806)
wires.inside(6, tcp(VM_SSH, (INSTANCE, 1), ACK))
wires.outside(7, icmp(CLIENT[0], PUBLIC, 8, 0, 1, b"ping"))
wires.outside(400, tcp(CLIENT, SSH, ACK, 1, 1))
inputs = {"input.pcapng": wires.pcapng()}
