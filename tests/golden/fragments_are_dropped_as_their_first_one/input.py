from lab import *

wires = Wires()
closed = fragments(udp(CLIENT, (PUBLIC, 9999), bytes(80), ip_flags=0, ident=100), 40, 24)
for step, piece in enumerate(closed):
    wires.outside(step / 10, piece)
again = fragments(udp(CLIENT, (PUBLIC, 9999), bytes(80), ip_flags=0, ident=101), 40, 24)
for step, piece in enumerate(reversed(again)):
    wires.outside(1 + step / 10, piece)
for step, piece in enumerate(fragments(tcp(CLIENT, SSH, ACK, 1, 1, bytes(40), ip_flags=0, ident=102), 24)):
    wires.outside(2 + step / 10, piece)
elsewhere = fragments(udp(CLIENT, ("203.0.113.11", 53), bytes(80), ip_flags=0, ident=103), 40)
for step, piece in enumerate(reversed(elsewhere)):
    wires.outside(3 + step / 10, piece)
for step, piece in enumerate(reversed(fragments(udp(VM_DNS, (INSTANCE, 40000), bytes(80), ip_flags=0, ident=104), 40))):
    wires.inside(4 + step / 10, piece)
inputs = {"input.pcapng": wires.pcapng()}
