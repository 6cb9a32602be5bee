from lab import *

wires = Wires()
for second in range(0, 15):
    wires.outside(second, tcp((CLIENT[0], 40000 + second), SSH, SYN, seq=1))
wires.outside(15, udp(CLIENT, DNS, b"question"))
inputs = {"input.pcapng": wires.pcapng()}
