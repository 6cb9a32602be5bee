from lab import *
from capture_files import *

file = Pcapng().section().interface("outside").interface("inside", RAW)
file.packet(0, at(0), ethernet(udp(CLIENT, DNS, b"question")))
file.packet(1, at(1), udp(VM_DNS, (INSTANCE, 40000), b"answer"))
file.packet(0, at(2), ethernet(udp(OTHER, DNS, b"question")))
inputs = {"input.pcapng": file.data()}
