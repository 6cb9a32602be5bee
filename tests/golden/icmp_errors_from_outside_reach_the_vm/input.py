from lab import *

wires = Wires()
wires.outside(0, udp(CLIENT, DNS, b"question"))
answer = udp(VM_DNS, (INSTANCE, 40000), b"answer", ident=8)
wires.inside(0.1, answer)
wires.outside(0.2, icmp(CLIENT[0], PUBLIC, 3, 3, 0, delivered(answer, DNS, CLIENT)))

session = Session(wires).open(1)
data = delivered(session.vm(2, PSH | ACK, b"d" * 100), SSH, CLIENT)
wires.outside(2.1, icmp("192.0.2.254", PUBLIC, 3, 4, 1400, data[:28]))
wires.outside(2.2, icmp("192.0.2.254", PUBLIC, 11, 0, 0, data))
inputs = {"input.pcapng": wires.pcapng()}
