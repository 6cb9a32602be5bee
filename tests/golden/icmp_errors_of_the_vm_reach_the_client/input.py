from lab import *

wires = Wires()
question = udp(CLIENT, DNS, b"question", ident=7)
wires.outside(0, question)
arrived = delivered(question, (INSTANCE, 40000), VM_DNS)
wires.inside(0.1, icmp(VM_DNS[0], INSTANCE, 3, 3, 0, arrived))
wires.inside(0.2, icmp("10.1.0.1", INSTANCE, 11, 0, 0, arrived[:28]))

session = Session(wires)
syn = delivered(session.client(1, SYN), (INSTANCE, 40000), VM_SSH)
wires.inside(1.1, icmp(VM_SSH[0], INSTANCE, 3, 1, 0, syn[:28]))
wires.inside(1.2, icmp(VM_SSH[0], INSTANCE, 3, 13, 0, syn))
wires.inside(1.3, icmp("10.1.0.1", INSTANCE, 12, 0, 0x14000000, syn[:30]))

plain = udp(OTHER, DNS, b"no checksum", checksum=0)
wires.outside(2, plain)
wires.inside(2.1, icmp(VM_DNS[0], INSTANCE, 3, 3, 0, delivered(plain, (INSTANCE, 40001), VM_DNS)))
inputs = {"input.pcapng": wires.pcapng()}
