from lab import *

wires = Wires()
Session(wires, listener=(PUBLIC, 3389)).client(0, SYN)
Session(wires, listener=(PUBLIC, 5353)).client(1, SYN)
wires.outside(2, udp(CLIENT, SSH, b"UDP to a TCP listener"))
Session(wires, listener=("203.0.113.11", 50022)).client(3, SYN)
inputs = {"input.pcapng": wires.pcapng()}
