from lab import *

wires = Wires()
syn = b"\x02\x04\x05\xb4\x04\x02\x08\x0a\0\0\0\x01\0\0\0\0\x01\x03\x03\x07"
wires.outside(0, tcp(CLIENT, SSH, SYN | packets.ECE | packets.CWR, seq=1000, options=syn, tos=0x10))
wires.inside(0.1, tcp(VM_SSH, (INSTANCE, 40000), SYN | ACK | packets.ECE, seq=7000, ack=1001, options=syn, tos=0x12))
wires.outside(0.2, tcp(CLIENT, SSH, ACK, seq=1001, ack=7001, ip_options=b"\x94\x04\0\0", reserved=1))
wires.outside(0.3, tcp(CLIENT, SSH, ACK | packets.URG, seq=1001, ack=7001, data=b"!", urgent=1, tos=0x03))
wires.outside(1, udp(CLIENT, DNS, b"PORT 198,51,100,7,156,64 in odd length", ip_options=b"\x07\x07\x04\0\0\0\0\0"))
inputs = {"input.pcapng": wires.pcapng()}
