from lab import *

wires = Wires()
whole = udp(CLIENT, DNS, bytes(range(80)), ip_flags=0, ident=100)
a, b, c = fragments(whole, 40, 24)
wires.outside(0, a)
wires.outside(0.1, a)  # two first fragments: one of them lies
wires.outside(0.2, b)
wires.outside(0.3, b)  # a repetition
wires.outside(0.4, c)

whole = udp(CLIENT, DNS, bytes(range(80)), ip_flags=0, ident=101)
a, b, c = fragments(whole, 40, 24)
wires.outside(1, a)
wires.outside(1.1, ipv4(CLIENT[0], PUBLIC, 17, bytes(24), ident=101, ip_flags=1, offset=32))  # overlaps a
wires.outside(1.2, b)
wires.outside(1.3, c)

wires.outside(2, fragments(tcp(CLIENT, SSH, SYN, ip_flags=0, ident=102), 16)[0])
wires.outside(2.1, ipv4(CLIENT[0], PUBLIC, 6, bytes(8), ident=102, ip_flags=0, offset=8))
wires.outside(2.2, ipv4(CLIENT[0], PUBLIC, 17, bytes(7), ident=103, ip_flags=1, offset=0))
wires.outside(2.3, ipv4(CLIENT[0], PUBLIC, 17, bytes(12), ident=104, ip_flags=1, offset=40))
wires.outside(2.4, ipv4(CLIENT[0], PUBLIC, 17, bytes(64), ident=105, ip_flags=0, offset=65528))
wires.outside(2.5, ipv4(CLIENT[0], PUBLIC, 17, b"", ident=106, ip_flags=0, offset=40))
inputs = {"input.pcapng": wires.pcapng()}
