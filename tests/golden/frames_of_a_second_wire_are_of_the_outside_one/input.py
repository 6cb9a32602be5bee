from lab import *

wires = Wires()
wires.outside(0, tcp((CLIENT[0], 40000), SSH, SYN, seq=1))
wires.inside(1, tcp((CLIENT[0], 40001), SSH, SYN, seq=1))
wires.inside(2, tcp(VM_SSH, (INSTANCE, 40000), SYN | ACK, seq=1, ack=2))
inputs = {"input.pcapng": wires.pcapng()}
