from lab import *

wires = Wires()
Session(wires, client=("203.0.113.77", 40000)).client(0, SYN)
Session(wires, client=("192.0.2.1", 40000)).client(1, SYN)
Session(wires, client=("192.0.2.200", 40000)).client(2, SYN)
Session(wires, client=CLIENT).client(3, SYN)
inputs = {"input.pcapng": wires.pcapng()}
