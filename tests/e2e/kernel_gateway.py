"""The kernel as the gateway: nftables does the DNAT and SNAT of CONFIG, packets go in and come out as bytes."""

import os
import random
import struct

import captures
import packets
from namespaces import Namespace
from wires import Wires

PUBLIC, INSTANCE = "203.0.113.10", "10.0.1.5"
WEB, DNS = "10.1.0.4", "10.1.0.5"
SSH, HTTPS = ((PUBLIC, 50022), (WEB, 22)), ((PUBLIC, 443), (WEB, 443))  # listener, target
NAMES, ECHO = ((PUBLIC, 5353), (DNS, 53)), ((PUBLIC, 6000), (DNS, 6000))
CROWDED = ((PUBLIC, 7000), ("10.1.0.6", 7000))  # where clients share a port: others must not meet what they get instead
_NAT = [("TCP", SSH), ("TCP", HTTPS), ("UDP", NAMES), ("UDP", ECHO), ("TCP", CROWDED), ("UDP", CROWDED)]

CONFIG = f"""
[firewall]
name = "lab-fw"
public_ips = ["{PUBLIC}"]
instance_ip = "{INSTANCE}"

[[nat_rule_collection]]
name = "inbound"
priority = 200
""" + "".join(f"""
  [[nat_rule_collection.rule]]
  name = "{protocol}-{listener[1]}"
  protocols = ["{protocol}"]
  source_addresses = ["*"]
  destination_addresses = ["{listener[0]}"]
  destination_ports = ["{listener[1]}"]
  translated_address = "{target[0]}"
  translated_port = "{target[1]}"
""" for protocol, (listener, target) in _NAT)

_MARKER = {captures.OUTSIDE: ("192.0.2.250", "10.1.0.250"), captures.INSIDE: ("10.1.0.250", "192.0.2.250")}

_RULES = f"""
table ip nat {{
    chain prerouting {{
        type nat hook prerouting priority dstnat;
""" + "".join(f"""
        iifname outside0 ip daddr {listener[0]} {protocol.lower()} dport {listener[1]} dnat to {target[0]}:{target[1]}
""" for protocol, (listener, target) in _NAT) + f"""
    }}
    chain postrouting {{
        type nat hook postrouting priority srcnat;
        oifname inside0 ct status dnat snat to {INSTANCE}
    }}
}}
table ip filter {{
    chain prerouting {{
        type filter hook prerouting priority raw;
        ip saddr {{ 192.0.2.250, 10.1.0.250 }} notrack
    }}
    chain input {{ type filter hook input priority 0; policy drop; }}
    chain forward {{
        type filter hook forward priority 0; policy drop;
        ip saddr {{ 192.0.2.250, 10.1.0.250 }} accept
        ct state invalid drop
        ct status dnat accept
    }}
    # What the gateway itself says (RST, port unreachable, time exceeded), unless a case asks to hear it.
    chain output {{
        type filter hook output priority 0; policy drop;
        jump voice
    }}
    chain voice {{ }}
}}
"""

# As Portcullis decides: see docs/conformance.md.
LIKE_PORTCULLIS = {"tcp_be_liberal": 1, "tcp_loose": 0, "tcp_ignore_invalid_rst": 1, "checksum": 0}


class KernelGateway:
    def __init__(self):
        os.sched_setaffinity(0, {random.choice(sorted(os.sched_getaffinity(0)))})  # one CPU has one queue: packets keep their order
        self._gateway = Namespace()
        self._wires = Wires(self._gateway)
        ip = lambda *command: self._gateway.run("ip", *command)
        ip("address", "add", f"{PUBLIC}/24", "dev", "outside0")
        ip("address", "add", f"{INSTANCE}/24", "dev", "inside0")
        ip("neighbour", "add", "203.0.113.254", "lladdr", "02:00:00:00:00:02", "dev", "outside0", "nud", "permanent")
        ip("neighbour", "add", "10.0.1.1", "lladdr", "02:00:00:00:00:04", "dev", "inside0", "nud", "permanent")
        ip("route", "add", "default", "via", "203.0.113.254")
        ip("route", "add", "10.1.0.0/24", "via", "10.0.1.1")
        self._gateway.sysctl({"net.ipv4.ip_forward": 1, "net.ipv4.icmp_ratelimit": 0, "net.ipv4.ipfrag_time": 600} | {
            f"net.ipv4.conf.{where}.rp_filter": 0 for where in ("all", "outside0", "inside0")})
        self._gateway.run("nft", "-f", "-", input=_RULES)
        self._settings, self._sent = {}, 0
        for side in captures.SIDES:
            if self.send(side, b""):
                raise RuntimeError("packets on the wires before any was sent")

    def configure(self, changes, speaks):
        """Conntrack settings that differ from LIKE_PORTCULLIS, and whether packets of the gateway's own may leave."""
        wanted = LIKE_PORTCULLIS | changes
        self._gateway.sysctl({f"net.netfilter.nf_conntrack_{name}": value for name, value in wanted.items()
                              if self._settings.get(name) != value})
        if speaks != self._settings.get("speaks", False):
            self._gateway.run("nft", "add rule ip filter voice accept" if speaks else "flush chain ip filter voice")
        self._settings = wanted | {"speaks": speaks}

    def send(self, side, packet):
        """Puts one packet on a wire; returns the frames that left because of it, as (side, frame) in order.

        A marker follows it on the same way. When that has come out, so has everything before it.
        """
        if packet:
            self._wires.send(side, packet)
        self._sent += 1
        source, destination = _MARKER[side]
        mark = struct.pack("!I", self._sent)
        self._wires.send(side, packets.udp((source, 9), (destination, 9), mark))
        left = []
        while True:
            came = self._wires.receive(120)
            if not came:
                raise TimeoutError(f"the gateway is stuck at {side} {packets.show(packet)}")
            others = [(where, frame) for where, frame in came
                      if frame[26:30] != packets.address(source) or frame[42:46] != mark]
            left += others
            if len(others) < len(came):
                return left
