from lab import *

wires = Wires()
question = udp(CLIENT, DNS, b"question")
wires.outside(0, question)
error = icmp(VM_DNS[0], INSTANCE, 3, 1, 0, delivered(question, (INSTANCE, 40000), VM_DNS))
wires.inside(1, error)
wires.outside(2, question)
wires.inside(241, error)
wires.inside(242, error)
inputs = {"input.pcapng": wires.pcapng()}
