from lab import *

wires = Wires()
arrives = tcp(CLIENT, SSH, SYN, seq=1000)
answer = tcp(VM_SSH, (INSTANCE, CLIENT[1]), SYN | ACK, seq=5000, ack=1001)
wires.outside(0, arrives)
wires.inside(0.001, delivered(arrives, (INSTANCE, CLIENT[1]), VM_SSH))
wires.inside(0.002, answer)
wires.outside(0.003, delivered(answer, SSH, CLIENT))
wires.outside(0.004, tcp(CLIENT, SSH, ACK, seq=1001, ack=5001))
wires.outside(1, udp((PUBLIC, 40000), DNS, b"from a public IP"))
wires.outside(2, udp(("10.0.1.4", 40000), DNS, b"from the private IP"))
inputs = {"input.pcapng": wires.pcapng()}
