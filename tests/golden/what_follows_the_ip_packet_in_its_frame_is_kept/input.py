from lab import *

wires = Wires()
session = Session(wires)
wires.outside(0, tcp(CLIENT, SSH, SYN, seq=1000), pad=60)
wires.inside(0.1, tcp(VM_SSH, (INSTANCE, 40000), SYN | ACK, seq=7000, ack=1001), trailer=b"\xfe\xed\xfa\xce")
question = udp(CLIENT, DNS, b"odd")
wires.outside(1, question, trailer=b"\xff" * 5)
unreachable = icmp(VM_DNS[0], INSTANCE, 3, 3, 0, delivered(question, (INSTANCE, 40000), VM_DNS))
wires.inside(1.1, unreachable, trailer=b"\xff" * 9)
inputs = {"input.pcapng": wires.pcapng()}
