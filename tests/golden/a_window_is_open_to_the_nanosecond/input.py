from lab import *

wires = Wires()
wires.outside(0, tcp(("198.51.100.7", 1025), SSH, SYN, seq=1))
for second, client in ((2, "198.51.100.7"), (302, "198.51.100.7"), (302, "198.51.100.8"), (602, "198.51.100.8")):
    for nanosecond in (0, 1, 2):
        wires.outside(at(second, nanosecond), tcp((client, 2000 + second + nanosecond), SSH, SYN, seq=1))
wires.frames.sort(key=lambda frame: frame[0])
inputs = {"input.pcapng": wires.pcapng()}
