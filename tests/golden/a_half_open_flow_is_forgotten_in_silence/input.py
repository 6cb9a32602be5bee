from lab import *

wires = Wires()
unanswered = Session(wires)
unanswered.client(0, SYN)
answered = Session(wires, client=OTHER, instance=(INSTANCE, 40001))
answered.client(1, SYN)
answered.vm(1.1, SYN | ACK)
unanswered.client(240, SYN, seq=1000)
answered.vm(241.1, SYN | ACK, seq=7000)
inputs = {"input.pcapng": wires.pcapng()}
