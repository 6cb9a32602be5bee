from lab import *

wires = Wires()
Session(wires).open(0)
file = capture_files.Pcapng().block(6, bytes(100), length=0xFFFFFFF0)
inputs = {"input.pcapng": wires.pcapng() + file.data()}
