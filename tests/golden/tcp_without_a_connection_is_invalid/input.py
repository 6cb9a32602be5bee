from lab import *

wires = Wires()
stray = Session(wires)
for second, flags in enumerate((ACK, SYN | ACK, FIN | ACK, RST, RST | ACK, PSH | ACK)):
    stray.client(second, flags)
stray.vm(6, ACK)
Session(wires, listener=(PUBLIC, 3389)).client(7, ACK)
inputs = {"input.pcapng": wires.pcapng()}
