from lab import *

wires = Wires()
session = Session(wires).open(0)
session.client(0.1, PSH | ACK, b"SSH-2.0-client\r\n")
session.vm(0.2, PSH | ACK, b"SSH-2.0-server\r\n")
session.client(0.3, ACK)
inputs = {"input.pcapng": wires.pcapng()}
