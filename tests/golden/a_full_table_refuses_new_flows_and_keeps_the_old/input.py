from lab import *

wires = Wires()
wires.outside(0, udp(("198.51.100.7", 1111), DNS, b"first"))
wires.outside(1, udp(("198.51.100.8", 2222), DNS, b"second"))
wires.outside(2, udp(("198.51.100.9", 3333), DNS, b"no room"))
wires.inside(3, udp(VM_DNS, (INSTANCE, 1111), b"answer"))
wires.outside(4, udp(("198.51.100.8", 2222), DNS, b"second again"))
wires.outside(242.999, udp(("198.51.100.9", 3333), DNS, b"still none"))
wires.outside(243, udp(("198.51.100.9", 3333), DNS, b"the first is gone"))
inputs = {"input.pcapng": wires.pcapng()}
