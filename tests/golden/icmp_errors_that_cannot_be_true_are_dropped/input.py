from lab import *

wires = Wires()
question = udp(CLIENT, DNS, b"question", ident=7)
wires.outside(0, question)
arrived = delivered(question, (INSTANCE, 40000), VM_DNS)
vm = VM_DNS[0]
wires.inside(1, icmp(vm, INSTANCE, 3, 3, 0, arrived, checksum=0x1234))
wires.inside(2, icmp(vm, INSTANCE, 3, 3, 0, arrived[:10] + b"\xab\xcd" + arrived[12:]))
wires.inside(3, icmp(vm, INSTANCE, 3, 3, 0, arrived[:27]))
wires.inside(4, icmp(vm, INSTANCE, 3, 3, 0, arrived[:20] + b"\x99" + arrived[21:]))
wires.inside(5, icmp(vm, "10.0.1.4", 3, 3, 0, arrived))
wires.inside(6, icmp(vm, INSTANCE, 3, 3, 0, arrived, ttl=1))
wires.inside(7, icmp(vm, INSTANCE, 3, 3, 0, packets.with_header(arrived, {6: b"\x00\x04"})))
wires.inside(8, icmp(vm, INSTANCE, 3, 3, 0, arrived[:26] + b"\xba\xad" + arrived[28:]))
wires.outside(9, icmp("192.0.2.254", PUBLIC, 3, 3, 0, udp(DNS, ("198.51.100.99", 53), b"never sent")))
inputs = {"input.pcapng": wires.pcapng()}
