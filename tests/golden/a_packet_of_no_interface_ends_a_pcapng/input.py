from lab import *

wires = Wires()
Session(wires).open(0)
file = capture_files.Pcapng().section().packet(0, at(1), capture_files.ethernet(udp(CLIENT, DNS, b"question")))
inputs = {"input.pcapng": wires.pcapng() + file.data()}
