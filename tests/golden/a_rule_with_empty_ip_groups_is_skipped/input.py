from lab import *

wires = Wires()
wires.outside(0, udp(CLIENT, DNS, b"question"))
wires.outside(1, udp(OTHER, DNS, b"question"))
wires.outside(2, udp(("10.9.0.9", 40000), DNS, b"question"))
wires.outside(3, udp(("10.9.0.10", 40000), DNS, b"question"))
inputs = {"input.pcapng": wires.pcapng()}
