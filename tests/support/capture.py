"""Everything that crosses the loopback interface, as an observer with all rights sees it (Linux, root)."""

from __future__ import annotations

import base64
import socket
import struct
import threading
import time
from collections import defaultdict
from types import TracebackType

_SOL_PACKET, _PACKET_STATISTICS, _ETH_P_IP, _OUTGOING = 263, 6, 0x0800, 4
_SO_RCVBUFFORCE = 33
_BUFFER = 256 * 1024 * 1024
_MAXIMUM = 400 * 1024 * 1024
_UDP, _TCP = 17, 6


class Capture:
    """All UDP payloads, and the TCP byte streams from and to ``port``. A context manager; look at it after its end."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.datagrams: list[bytes] = []
        self.ports: set[int] = set()
        self.dropped = 0
        self._segments: dict[tuple[int, int], dict[int, bytes]] = defaultdict(dict)
        self._bytes = 0
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_IP))
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
        self._socket.bind(("lo", _ETH_P_IP))
        self._socket.settimeout(0.2)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Capture:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._ending.is_set():
            return
        self._ending.set()
        self._thread.join(10)
        statistics = self._socket.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8)
        self.dropped = struct.unpack("II", statistics)[1]
        self._socket.close()

    def streams(self) -> list[bytes]:
        """The TCP streams, one for each direction of each connection, put together by sequence number."""
        return [
            b"".join(data for _, data in sorted(segments.items(), key=lambda item: item[0]))
            for segments in self._segments.values()
        ]

    def _run(self) -> None:
        ends_at: float | None = None
        while ends_at is None or time.monotonic() < ends_at:
            if ends_at is None and self._ending.is_set():
                # What the system has kept for us until now is part of it: read until there is nothing.
                ends_at = time.monotonic() + 3.0
                self._socket.setblocking(False)
            try:
                frame, address = self._socket.recvfrom(262_144)
            except BlockingIOError:
                return
            except TimeoutError:
                continue
            if address[2] != _OUTGOING:  # on lo every packet is seen twice
                self._take(frame[14:])

    def _take(self, packet: bytes) -> None:
        length = (packet[0] & 0x0F) * 4
        protocol, body = packet[9], packet[length : struct.unpack_from("!H", packet, 2)[0] or len(packet)]
        if len(body) < 8 or self._bytes > _MAXIMUM:
            self.dropped += self._bytes > _MAXIMUM
            return
        self._bytes += len(body)
        source, destination = struct.unpack_from("!HH", body)
        if protocol == _UDP:
            self.ports |= {source, destination}
            self.datagrams.append(body[8:])
        elif protocol == _TCP and self._port in (source, destination):
            data = body[(body[12] >> 4) * 4 :]
            if data:
                self._segments[source, destination][struct.unpack_from("!I", body, 4)[0]] = data


def disguises(text: str) -> list[bytes]:
    """``text`` as it would stand in a packet: plain, in hex, in base64 at each of its three alignments, in UTF-16."""
    plain = text.encode()
    out = [plain, plain.hex().encode(), plain.hex().upper().encode(), text.encode("utf-16-le")]
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + plain)
        # The first and the last character depend on the neighbours.
        out.append(encoded[4 if shift else 0 : len(encoded) // 4 * 4 - 4])
    return out


def is_dtls(datagram: bytes) -> bool:
    """Whether a datagram is a DTLS record (RFC 6347, section 4.1; content types RFC 9147)."""
    return len(datagram) >= 13 and 20 <= datagram[0] <= 26 and datagram[1:3] in (b"\xfe\xfd", b"\xfe\xff")
