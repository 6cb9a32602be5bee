from lab import *

wires = Wires()
session = Session(wires)
session.client(0, SYN)
session.vm(0.1, SYN | ACK, ttl=1)
session.vm(0.2, SYN | ACK, seq=7000)
ack = session.client(0.3, ACK)
data = tcp(VM_SSH, session.instance, PSH | ACK, seq=7001, ack=1001, data=b"d" * 60, ip_flags=0, ident=101)
for step, piece in enumerate(fragments(data, 24, 32)):
    wires.inside(0.4 + step / 100, piece)
unreachable = icmp(VM_SSH[0], INSTANCE, 3, 1, 0, delivered(ack, session.instance, VM_SSH))
wires.inside(0.5, unreachable)

other = Session(wires, client=OTHER, instance=(INSTANCE, 40001))  # its port is in use
other.client(0.6, SYN)
other.vm(0.7, SYN | ACK)

session.vm(2, PSH | ACK, b"never heard")  # the window has been cut
for step, piece in enumerate(fragments(data, 24)):
    wires.inside(2.1 + step / 100, piece)
session.client(2.2, ACK)
wires.inside(2.3, unreachable)
inputs = {"input.pcapng": wires.pcapng()}
