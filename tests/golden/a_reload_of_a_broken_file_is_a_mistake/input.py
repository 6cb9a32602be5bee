from lab import *

inputs = {"input.pcapng": Wires().pcapng()}
