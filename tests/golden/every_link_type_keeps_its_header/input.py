from lab import *
from capture_files import *

frames = []
for number, (link_type, link) in enumerate([
    (ETHERNET, ethernet),
    (ETHERNET, lambda packet: ethernet(packet, (0x8100, 10))),
    (ETHERNET, lambda packet: ethernet(packet, (0x88A8, 100), (0x8100, 10))),
    (ETHERNET, lambda packet: ethernet(packet, (0x9100, 1), (0x8100, 2), (0x8100, 3), (0x8100, 4))),
    (ETHERNET, lambda packet: ethernet(packet, *[(0x8100, 1)] * 5)),
    (SLL, sll),
    (SLL2, sll2),
    (SLL2, lambda packet: sll2(bytes.fromhex("00050800") + packet, 0x8100)),
    (RAW, bytes),
    (12, bytes),
    (228, bytes),
    (NULL, null),
    (NULL, lambda packet: null(packet, order=">")),
    (LOOP, loop),
    (147, bytes),
]):
    frames.append((link_type, link(udp((CLIENT[0], 40000 + number), DNS, b"question"))))

file = Pcapng().section()
for link_type in dict.fromkeys(link_type for link_type, _ in frames):
    file.interface("outside", link_type)
index = {link_type: number for number, link_type in enumerate(dict.fromkeys(link_type for link_type, _ in frames))}
for second, (link_type, frame) in enumerate(frames):
    file.packet(index[link_type], at(second), frame)
inputs = {"input.pcapng": file.data()}
