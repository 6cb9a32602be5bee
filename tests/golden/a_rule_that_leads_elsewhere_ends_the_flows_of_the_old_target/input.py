from lab import *

wires = Wires()
wires.outside(0, udp(CLIENT, DNS, b"to the old"))
wires.outside(11, udp(CLIENT, DNS, b"to the new"))
wires.inside(12, udp(("10.1.0.99", 53), (INSTANCE, 40000), b"of the new"))
wires.inside(13, udp(VM_DNS, (INSTANCE, 40000), b"of the old"))
inputs = {"input.pcapng": wires.pcapng()}
