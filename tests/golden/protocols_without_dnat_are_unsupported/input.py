from lab import *

wires = Wires()
wires.outside(0, ipv4(CLIENT[0], PUBLIC, 47, b"GRE"))
wires.outside(1, ipv4(CLIENT[0], PUBLIC, 50, b"ESP"))
wires.outside(2, icmp(CLIENT[0], PUBLIC, 8, 0, 0x00010001, b"ping"))
wires.inside(3, icmp(VM_SSH[0], INSTANCE, 0, 0, 0x00010001, b"ping"))
wires.outside(4, bytes.fromhex("60000000 0008 11 40") + b"\x20\x01" * 16 + bytes(8), ethertype=0x86DD)
wires.outside(5, ipv4(CLIENT[0], "224.0.0.22", 2, b"\x16\0\0\0\xe0\0\0\x05", ttl=1))
wires.outside(6, bytes.fromhex("0001 0800 06 04 0001") + bytes(20), ethertype=0x0806)
wires.inside(7, b"\x02\x07\x04", ethertype=0x88CC)
inputs = {"input.pcapng": wires.pcapng()}
