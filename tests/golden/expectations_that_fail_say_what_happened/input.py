from lab import *

wires = Wires()
Session(wires).open(0)
Session(wires, listener=(PUBLIC, 3389)).client(1, SYN)
wires.outside(2, udp(OTHER, DNS, b"question"))
inputs = {"input.pcapng": wires.pcapng()}
