from lab import *

wires = Wires()
wires.outside(0, udp(CLIENT, DNS, b"too early"))
wires.outside(2, udp(CLIENT, DNS, b"question"))
wires.inside(3, udp(VM_DNS, (INSTANCE, 40000), b"answer"))
wires.outside(200, udp(CLIENT, DNS, b"another"))
wires.outside(302, udp(CLIENT, DNS, b"after the end"))
wires.outside(303, udp(OTHER, DNS, b"too late"))
wires.outside(542, udp(CLIENT, DNS, b"silent for 240 s"))
inputs = {"input.pcapng": wires.pcapng()}
