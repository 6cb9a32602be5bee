from lab import *

wires = Wires()
OutsideSession(wires).open(0)
inputs = {"input.pcap": wires.pcap()}
