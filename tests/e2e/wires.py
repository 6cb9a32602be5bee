"""The far ends of a gateway's two wires: no address and no IP, so what a test sends there is all that there is.

  ends: wire `outside` ──── outside0 gateway inside0 ──── wire `inside` :ends
"""

import select
import socket
import struct

import captures
from namespaces import Namespace, connect

_MACS = {captures.OUTSIDE: ("02:00:00:00:00:01", "02:00:00:00:00:02"), captures.INSIDE: ("02:00:00:00:00:03", "02:00:00:00:00:04")}
_IPV4, _ARP = b"\x08\x00", b"\x08\x06"


class Wires:
    def __init__(self, gateway, mtu_outside=3000):
        self._ends = Namespace()
        connect(gateway, "outside0", _MACS[captures.OUTSIDE][0], self._ends, captures.OUTSIDE, _MACS[captures.OUTSIDE][1], mtu_outside)
        connect(gateway, "inside0", _MACS[captures.INSIDE][0], self._ends, captures.INSIDE, _MACS[captures.INSIDE][1])
        self._taps = {side: self._tap(side) for side in captures.SIDES}
        self._sides = {tap.fileno(): side for side, tap in self._taps.items()}
        self._poll = select.poll()
        for tap in self._taps.values():
            self._poll.register(tap, select.POLLIN)

    def send(self, side, packet):
        self._taps[side].send(header(side) + packet)

    def receive(self, seconds):
        """What has arrived, as (side, frame); nothing after waiting in vain. ARP requests are answered meanwhile."""
        frames = []
        while not frames and (ready := self._poll.poll(seconds * 1000)):
            for descriptor, _ in ready:
                side = self._sides[descriptor]
                while (frame := self._next(side)) is not None:
                    if frame[12:14] == _IPV4:
                        frames.append((side, frame))
                    elif not self._answered(side, frame):
                        raise RuntimeError(f"noise on the wire {side}: {frame.hex()}")
        return frames

    def _next(self, side):
        try:
            return self._taps[side].recv(65536)
        except BlockingIOError:
            return None

    def _answered(self, side, frame):
        """Every address on a wire is at its end, but those that announce themselves."""
        if frame[12:14] != _ARP:
            return False
        operation, sender, asked = struct.unpack("!H", frame[20:22])[0], frame[22:32], frame[38:42]
        if operation == 1 and asked != sender[6:]:
            self._taps[side].send(frame[6:12] + mac(side) + _ARP + frame[14:20] + struct.pack("!H", 2) + mac(side) + asked + sender)
        return True

    def _tap(self, side):
        with self._ends.entered():
            tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003))
        tap.setsockopt(263, 23, 1)  # SOL_PACKET, PACKET_IGNORE_OUTGOING: also, no clone of what is sent
        tap.bind((side, 0x0003))
        tap.setblocking(False)
        return tap


def mac(side, of_gateway=False):
    return bytes.fromhex(_MACS[side][0 if of_gateway else 1].replace(":", ""))


def header(side):
    """Of Ethernet, from the end of the wire to the gateway."""
    return mac(side, of_gateway=True) + mac(side) + _IPV4
