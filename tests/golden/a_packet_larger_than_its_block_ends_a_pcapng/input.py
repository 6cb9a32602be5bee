import struct

from lab import *

wires = Wires()
Session(wires).open(0)
file = capture_files.Pcapng().block(6, struct.pack("<IIIII", 0, 0, 0, 1000, 1000) + bytes(60))
inputs = {"input.pcapng": wires.pcapng() + file.data()}
