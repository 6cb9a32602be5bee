from lab import *

wires = Wires()
Session(wires).client(0, SYN)
Session(wires, listener=(PUBLIC, 50023), vm=("10.1.0.5", 22)).open(1)
inputs = {"input.pcapng": wires.pcapng()}
