from lab import *

wires = Wires()
OutsideSession(wires).open(0.000123)
inputs = {"input.pcap": wires.pcap(order=">", nanoseconds=False)}
