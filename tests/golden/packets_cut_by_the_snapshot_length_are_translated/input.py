from lab import *

wires = Wires()
session = Session(wires).open(0)
data = tcp(CLIENT, SSH, PSH | ACK, 1001, 7001, b"d" * 100, ident=5)
for step, snap in enumerate((None, 60, 54, 53)):
    wires.outside(1 + step / 10, data, snap=snap)
question = udp(CLIENT, DNS, b"q" * 100, ident=6)
for step, snap in enumerate((None, 60, 42, 41)):
    wires.outside(2 + step / 10, question, snap=snap)
error = icmp(VM_DNS[0], INSTANCE, 3, 3, 0, delivered(question, (INSTANCE, 40000), VM_DNS))
for step, snap in enumerate((None, 90, 70, 69)):
    wires.inside(3 + step / 10, error, snap=snap)
for step, snap in enumerate((33, 20, 14, 13, 0)):
    wires.outside(4 + step / 10, data, snap=snap)
first, second = fragments(udp(CLIENT, DNS, bytes(100), ip_flags=0, ident=7), 48)
wires.outside(5, first, snap=60)
wires.outside(5.1, second, snap=40)
inputs = {"input.pcapng": wires.pcapng()}
