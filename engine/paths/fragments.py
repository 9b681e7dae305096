"""Circuit messages cut into payloads of fixed length and put together again; cells may overtake each other.

    kind 1 (0 padding, 1 data) | message number 4 | index 1 | count 1 | length 2 | data, zeros

A message is sent as a power of two of cells, so that its length shows only roughly; what is beyond its own cells is
padding. ``count`` counts cells with data.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final

from engine.errors import WireError
from engine.paths.cells import PAYLOAD_LENGTH
from engine.paths.windows import WINDOW

MAX_CELLS_PER_MESSAGE: Final = 64
PARTIAL_TIMEOUT: Final = 30.0
"""Seconds after its last cell that an unfinished message is forgotten."""
MAX_PARTIAL_MESSAGES: Final = WINDOW
MAX_BUFFERED_CELLS: Final = MAX_CELLS_PER_MESSAGE + WINDOW
"""Per circuit: one message of full size and what may overtake its last cell; an honest sender stays below."""

_HEADER = struct.Struct(">BIBBH")
_PADDING, _DATA = 0, 1
DATA_LENGTH: Final = PAYLOAD_LENGTH - _HEADER.size
MAX_MESSAGE_LENGTH: Final = MAX_CELLS_PER_MESSAGE * DATA_LENGTH
_PADDING_PAYLOAD = bytes(PAYLOAD_LENGTH)


def cells_for(length: int) -> int:
    """Cells, padding included, that a message of ``length`` bytes is sent in."""
    count = max(1, -(-length // DATA_LENGTH))
    return 1 << (count - 1).bit_length()


def fragment(number: int, message: bytes) -> list[bytes]:
    """The payloads (1,100 bytes each, a power of two of them) of message ``number`` (taken modulo 2^32).

    Raises ``WireError`` for a message above ``MAX_MESSAGE_LENGTH``.
    """
    if len(message) > MAX_MESSAGE_LENGTH:
        raise WireError(f"a message of {len(message)} bytes does not fit a circuit ({MAX_MESSAGE_LENGTH} allowed)")
    count = max(1, -(-len(message) // DATA_LENGTH))
    payloads = []
    for index in range(count):
        data = message[index * DATA_LENGTH : (index + 1) * DATA_LENGTH]
        header = _HEADER.pack(_DATA, number & 0xFFFF_FFFF, index, count, len(data))
        payloads.append((header + data).ljust(PAYLOAD_LENGTH, b"\0"))
    payloads.extend([_PADDING_PAYLOAD] * (cells_for(len(message)) - count))
    return payloads


@dataclass(slots=True)
class _Partial:
    count: int
    last: float
    parts: dict[int, bytes] = field(default_factory=dict)


class Reassembler:
    """Puts the messages of one direction of one circuit together; bounded in messages, cells and time."""

    __slots__ = ("_buffered", "_partial")

    def __init__(self) -> None:
        self._partial: dict[int, _Partial] = {}
        self._buffered = 0

    def __len__(self) -> int:
        """Payloads held."""
        return self._buffered

    def receive(self, payload: bytes, now: float) -> bytes | None:
        """Take one payload; returns the message that it completes. Raises ``WireError`` for a broken sender."""
        kind, number, index, count, length = _HEADER.unpack_from(payload)
        if kind == _PADDING:
            return None
        if kind != _DATA or not index < count <= MAX_CELLS_PER_MESSAGE or length > DATA_LENGTH:
            raise WireError("a cell's payload is malformed")
        data = payload[_HEADER.size : _HEADER.size + length]
        if count == 1:
            return data
        partial = self._partial.get(number)
        if partial is None:
            self.expire(now)
            if len(self._partial) >= MAX_PARTIAL_MESSAGES:
                raise WireError("too many unfinished messages on one circuit")
            partial = self._partial[number] = _Partial(count, now)
        if partial.count != count or index in partial.parts:
            raise WireError("the cells of a message contradict each other")
        if self._buffered >= MAX_BUFFERED_CELLS:
            raise WireError("too many unfinished cells on one circuit")
        partial.parts[index] = data
        partial.last = now
        self._buffered += 1
        if len(partial.parts) < count:
            return None
        del self._partial[number]
        self._buffered -= count
        return b"".join(partial.parts[part] for part in range(count))

    def expire(self, now: float) -> None:
        """Forget messages whose last cell came more than ``PARTIAL_TIMEOUT`` ago."""
        for number in [n for n, partial in self._partial.items() if partial.last + PARTIAL_TIMEOUT < now]:
            self._buffered -= len(self._partial.pop(number).parts)
