from lab import *

wires = Wires()
for second, host in enumerate(("198.51.100.6", "198.51.100.7", "198.51.100.8", "198.51.100.9", "192.0.2.1")):
    wires.outside(second, udp((host, 40000), DNS, b"question"))
inputs = {"input.pcapng": wires.pcapng()}
