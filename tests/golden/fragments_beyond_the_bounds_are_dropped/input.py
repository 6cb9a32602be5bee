from lab import *

wires = Wires()
later = [fragments(udp(CLIENT, DNS, bytes(80), ip_flags=0, ident=ident), 40, 24)[1:] for ident in range(1, 6)]
for step in range(4):
    wires.outside(step, later[step][0])
wires.outside(5, later[0][1])
for step, piece in enumerate(fragments(udp(OTHER, DNS, bytes(range(64)), ip_flags=0, ident=100), 40)):
    wires.outside(6 + step, piece)
wires.outside(30, later[4][0])
inputs = {"input.pcapng": wires.pcapng()}
