"""A chain as a file that anybody can replay without a network.

It begins with a line that names the format. Then come records: a letter (``g`` genesis file, ``e`` evidence as
``SignedRecord``, ``b`` ``CertifiedBlock``), the length in four big-endian bytes, and the bytes. The genesis is first;
the evidence that a block names stands before it, as far as there is any.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum

from engine.errors import VerificationError
from engine.wire.signed import MAX_RECORD

MAGIC = b"gentorrent-chain-2\n"
_FAMILY = b"gentorrent-chain-"
MAX_PART = 3 * MAX_RECORD
_HEAD = 5


class OtherVersionError(VerificationError):
    """A chain that another version of this program has written."""


class Kind(StrEnum):
    """What a part of the file holds."""

    GENESIS = "g"
    EVIDENCE = "e"
    BLOCK = "b"


def part(kind: Kind, data: bytes) -> bytes:
    """One record as it stands in the file."""
    return kind.value.encode() + len(data).to_bytes(4, "big") + data


def parts(read: Callable[[int], bytes]) -> Iterator[tuple[Kind, bytes]]:
    """The records of a file; ``read`` gives so many bytes, fewer only at its end. :class:`VerificationError` where it
    is no such file or is cut off, :class:`OtherVersionError` where another version has written it."""
    begin = read(len(MAGIC))
    if begin != MAGIC and begin.startswith(_FAMILY):
        raise OtherVersionError(
            "Another version of this program has written this chain. Read it with that version, or have it written"
            " again by this one (gentorrent verify-chain --export)."
        )
    if begin != MAGIC:
        raise VerificationError("This is no exported chain: it does not begin as one does.")
    while head := read(_HEAD):
        length = int.from_bytes(head[1:], "big")
        if len(head) < _HEAD or head[:1].decode("latin-1") not in list(Kind) or length > MAX_PART:
            raise VerificationError("The file is damaged: it goes on with something that is no record.")
        data = read(length)
        if len(data) < length:
            raise VerificationError("The file is cut off in the middle of a record.")
        yield Kind(head[:1].decode()), data
