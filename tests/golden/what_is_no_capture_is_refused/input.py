inputs = {"input.pcap": b"\x1f\x8b\x08\x00 this is compressed"}
