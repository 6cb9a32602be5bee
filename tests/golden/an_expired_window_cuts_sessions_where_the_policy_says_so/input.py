from lab import *

wires = Wires()
unguarded = Session(wires, listener=(PUBLIC, 50023), vm=("10.1.0.5", 22)).open(0)
session = Session(wires).open(2)
wires.outside(200, udp(CLIENT, DNS, b"question"))
data = session.client(200.1, PSH | ACK, b"data")
unguarded.client(200.2, PSH | ACK, b"data")
session.client(at(301, -1), ACK)
session.client(at(301), ACK)
session.vm(301.1, PSH | ACK, b"too late")
wires.outside(301.2, udp(CLIENT, DNS, b"question"))
wires.inside(301.3, udp(VM_DNS, (INSTANCE, 40000), b"answer"))
wires.inside(301.4, icmp(VM_SSH[0], INSTANCE, 3, 1, 0, delivered(data, (INSTANCE, 40000), VM_SSH)))
session.client(302, SYN, seq=900000)
unguarded.vm(303, ACK)
inputs = {"input.pcapng": wires.pcapng()}
