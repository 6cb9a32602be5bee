from lab import *

wires = Wires()
wires.outside(0, udp(CLIENT, DNS, b"first"))
wires.outside(100, udp(CLIENT, DNS, b"refreshes at 100"))
wires.outside(50, udp(OTHER, DNS, b"came at 50, that is 100"))
wires.inside(-1000, udp(VM_DNS, (INSTANCE, 40000), b"also at 100"))
wires.outside(339.999, udp(CLIENT, DNS, b"alive"))
wires.inside(340, udp(VM_DNS, (INSTANCE, 40001), b"gone at 340"))
inputs = {"input.pcapng": wires.pcapng()}
