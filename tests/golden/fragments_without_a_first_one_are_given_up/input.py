from lab import *

wires = Wires()
early = fragments(udp(CLIENT, DNS, bytes(80), ip_flags=0, ident=100), 40, 24)
wires.outside(0, early[1])
wires.outside(29.9, early[2])
wires.outside(30, early[0])
late = fragments(udp(CLIENT, DNS, bytes(80), ip_flags=0, ident=101), 40, 24)
wires.outside(40, late[2])
wires.outside(40.1, late[1])
inputs = {"input.pcapng": wires.pcapng()}
