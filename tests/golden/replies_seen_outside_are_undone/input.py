from lab import *

wires = Wires()
session = OutsideSession(wires).open(0)
session.vm(0.1, PSH | ACK, b"SSH-2.0-server\r\n")
session.client(0.2, PSH | ACK, b"SSH-2.0-client\r\n")
question = udp(OTHER, DNS, b"question")
wires.outside(1, question)
wires.outside(1.1, udp(DNS, OTHER, b"answer", ttl=63))
wires.outside(1.2, icmp(PUBLIC, OTHER[0], 3, 3, 0, question, ttl=63))
for step, piece in enumerate(reversed(fragments(udp(DNS, OTHER, bytes(range(80)), ip_flags=0, ttl=63, ident=9), 40))):
    wires.outside(2 + step / 10, piece)
wires.outside(3, tcp(SSH, ("198.51.100.99", 1), SYN | ACK, 1, 1, ttl=63))
wires.outside(3.1, udp(DNS, OTHER, b"with the highest time to live", ttl=255))
session.client(4, FIN | ACK)
session.vm(4.1, FIN | ACK)
inputs = {"input.pcap": wires.pcap()}
