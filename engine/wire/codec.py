"""MessagePack with types: bounded, no recursion, nothing unknown accepted, nothing executed.

Every message is a frozen ``msgspec`` structure written as an array whose first element is its number. The types bound
every length; unknown numbers, missing fields (those with a default aside), additional fields and trailing bytes are
:class:`WireError`.
"""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar

import msgspec

from engine.errors import WireError

MAX_LINK_MESSAGE = 65_536
"""Bytes; the largest message that a link carries (data channels allow more, neighbours do not)."""

Key32 = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
Id20 = Annotated[bytes, msgspec.Meta(min_length=20, max_length=20)]
Id16 = Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
Signature = Annotated[bytes, msgspec.Meta(min_length=64, max_length=64)]
UInt8 = Annotated[int, msgspec.Meta(ge=0, le=0xFF)]
UInt16 = Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)]
UInt32 = Annotated[int, msgspec.Meta(ge=0, le=0xFFFF_FFFF)]
UInt53 = Annotated[int, msgspec.Meta(ge=0, le=0x1F_FFFF_FFFF_FFFF)]
Reason = Annotated[str, msgspec.Meta(max_length=300)]
ShortText = Annotated[str, msgspec.Meta(max_length=100)]

T = TypeVar("T")


class Message(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """Base of every wire message and record; subclasses set ``tag`` to their number.

    Messages cannot refer to each other in circles, so the garbage collector need not look at the many of a directory.
    """


_encoder = msgspec.msgpack.Encoder()


def encode(message: Message) -> bytes:
    """The bytes of one message."""
    return _encoder.encode(message)


class Decoder(Generic[T]):
    """Decodes one family of messages: ``Decoder(A | B | C, limit)``."""

    def __init__(self, kind: Any, limit: int = MAX_LINK_MESSAGE) -> None:
        self._decoder: msgspec.msgpack.Decoder[T] = msgspec.msgpack.Decoder(kind, strict=True)
        self._limit = limit

    def decode(self, data: bytes) -> T:
        """One message, or :class:`WireError` for anything else."""
        if len(data) > self._limit:
            raise WireError(f"message of {len(data)} bytes is longer than the {self._limit} allowed")
        try:
            return self._decoder.decode(data)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise WireError(f"not a message of this protocol: {error}") from error
