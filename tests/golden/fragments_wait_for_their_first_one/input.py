from lab import *

wires = Wires()
question = fragments(udp(CLIENT, DNS, bytes(range(80)), ip_flags=0, ident=100), 40, 24)
for step, piece in enumerate((question[2], question[1], question[0])):
    wires.outside(step / 10, piece)
answer = fragments(udp(VM_DNS, (INSTANCE, 40000), bytes(range(80)), ip_flags=0, ident=9), 48, 8)
for step, piece in enumerate((answer[1], answer[0], answer[2])):
    wires.inside(1 + step / 10, piece)
inputs = {"input.pcapng": wires.pcapng()}
