from lab import *

wires = Wires()
question = fragments(udp(CLIENT, DNS, bytes(range(80)), ip_flags=0, ident=100), 40, 24)
other = fragments(udp(OTHER, DNS, bytes(range(64)), ip_flags=0, ident=100), 40)
for step, piece in enumerate((question[0], other[0], question[1], other[1], question[2])):
    wires.outside(step / 10, piece)
for step, piece in enumerate(fragments(udp(VM_DNS, (INSTANCE, 40000), bytes(range(80)), ip_flags=0, ident=9), 48)):
    wires.inside(1 + step / 10, piece)
session = Session(wires).open(2)
data = tcp(CLIENT, SSH, PSH | ACK, seq=1001, ack=7001, data=b"d" * 60, ip_flags=0, ident=101)
for step, piece in enumerate(fragments(data, 24, 32)):
    wires.outside(3 + step / 10, piece)
inputs = {"input.pcapng": wires.pcapng()}
