from lab import *

inputs = {"input.pcap": Wires().pcap()}
