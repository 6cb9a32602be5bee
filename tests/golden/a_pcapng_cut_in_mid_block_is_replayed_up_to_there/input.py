from lab import *

wires = Wires()
Session(wires).open(0)
inputs = {"input.pcapng": wires.pcapng()[:-30]}
