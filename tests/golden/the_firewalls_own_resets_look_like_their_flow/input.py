from lab import *
from capture_files import SLL, sll

wires = Wires()
wires.outside(0, tcp(CLIENT, SSH, SYN, seq=1000), link=sll)
wires.outside(1, tcp(SSH, CLIENT, SYN | ACK, seq=7000, ack=1001, ttl=63), link=sll)
wires.outside(2, tcp(CLIENT, SSH, ACK, seq=1001, ack=7001), link=sll)
wires.outside(250, tcp(CLIENT, SSH, ACK, seq=1001, ack=7001), link=sll)
inputs = {"input.pcap": wires.pcap(link_type=SLL)}
