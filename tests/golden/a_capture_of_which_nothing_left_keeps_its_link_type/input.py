from lab import *
from capture_files import pcap

inputs = {"input.pcap": pcap([(at(0), udp((CLIENT[0], 40000), DNS, b"question"), None)], 147)}
