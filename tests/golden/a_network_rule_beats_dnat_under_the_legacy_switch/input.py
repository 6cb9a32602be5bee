from lab import *

wires = Wires()
Session(wires).client(0, SYN)
Session(wires, client=OTHER).client(1, SYN)
wires.outside(2, udp(CLIENT, DNS, b"question"))
inputs = {"input.pcapng": wires.pcapng()}
