from lab import *

wires = Wires()
wrong = [udp((source, 40000), DNS, b"martian") for source in ("127.0.0.1", "0.1.2.3", "224.0.0.1", "255.255.255.255")]
wrong += [udp((source, 40000), DNS, b"forged") for source in (INSTANCE,)]
wrong += [
    udp(CLIENT, DNS, b"version 5", version=5),
    udp(CLIENT, DNS, b"header of 16 bytes", ip_words=4),
    udp(CLIENT, DNS, b"longer than the frame", ip_length=200),
    udp(CLIENT, DNS, b"shorter than its header", ip_length=19),
    udp(CLIENT, DNS, b"strict source route", ip_options=b"\x89\x07\x04\x0a\x01\x00\x04\x00"),
    udp(CLIENT, DNS, b"loose source route", ip_options=b"\x01\x83\x07\x04\x0a\x01\x00\x04"),
    udp(CLIENT, DNS, b"longer than the packet", length=100),
    udp(CLIENT, DNS, b"shorter than its header", length=7),
    ipv4(CLIENT[0], PUBLIC, packets.UDP, b"\x9c\x40\x14"),
    ipv4(CLIENT[0], PUBLIC, packets.TCP, bytes(19)),
    tcp(CLIENT, SSH, SYN, header_words=4),
    tcp(CLIENT, SSH, SYN, header_words=6),
]
wrong += [tcp(CLIENT, SSH, flags) for flags in (0, SYN | FIN, SYN | RST, FIN, FIN | RST, PSH, SYN | FIN | ACK)]
for second, packet in enumerate(wrong):
    wires.outside(second, packet)
inputs = {"input.pcapng": wires.pcapng()}
