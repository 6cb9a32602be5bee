from lab import *

wires = Wires()
first = Session(wires).open(0)
second = Session(wires, client=OTHER, instance=(INSTANCE, 40001)).open(1)
third = Session(wires, client=("198.51.100.9", 40001), instance=(INSTANCE, 40002)).open(2)
wires.outside(3, udp(OTHER, DNS, b"question"))
wires.inside(3.1, udp(VM_DNS, (INSTANCE, 40000), b"answer"))
second.vm(4, PSH | ACK, b"for the second")
third.vm(4.1, PSH | ACK, b"for the third")
first.client(5, RST)
fourth = Session(wires, client=("198.51.100.10", 40000)).open(245)
inputs = {"input.pcapng": wires.pcapng()}
