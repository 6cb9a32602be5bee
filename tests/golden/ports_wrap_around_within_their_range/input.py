from lab import *

wires = Wires()
for second, (host, port) in enumerate((host, port) for port in (65535, 1023) for host in (7, 8, 9)):
    wires.outside(second, udp((f"198.51.100.{host}", port), DNS, b"question"))
for second, port in enumerate((65535, 1024, 1025, 1023, 1, 2), 10):
    wires.inside(second, udp(VM_DNS, (INSTANCE, port), b"answer"))
inputs = {"input.pcapng": wires.pcapng()}
