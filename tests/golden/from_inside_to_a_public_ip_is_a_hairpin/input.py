from lab import *

wires = Wires()
vm = ("10.1.0.5", 40000)
wires.inside(0, tcp(vm, SSH, SYN, seq=1))
wires.inside(1, udp(vm, DNS, b"question"))
for second, piece in enumerate(fragments(udp(vm, DNS, b"q" * 40, ip_flags=0, ident=7), 24), 2):
    wires.inside(second, piece)
for second, piece in enumerate(reversed(fragments(udp(vm, DNS, b"q" * 40, ip_flags=0, ident=8), 24)), 4):
    wires.inside(second, piece)
wires.inside(6, ipv4(vm[0], PUBLIC, 47, b"GRE has no ports"))
wires.inside(7, udp(vm, ("192.0.2.1", 53), b"outbound"))
wires.inside(8, udp(vm, (INSTANCE, 40000), b"to the instance"))
inputs = {"input.pcapng": wires.pcapng()}
