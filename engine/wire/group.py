"""Messages among the members of a group, the model nodes that serve one model (numbers 100 to 119, on the control
channel of a link). Every message names the model by its digest, as two nodes may serve several.

What a member says of itself is signed, so that others can pass it on: by its identity, with purpose
``group-statement``, over the model's digest and the encoded :class:`GroupStatement`.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from engine.wire.codec import Decoder, Id20, Key32, Message, Signature, UInt8, UInt32, UInt53

MAX_STATEMENT = 32_768
"""Bytes of an encoded statement."""
MAX_CHANGES = 20_480
"""Bytes of the chunks that one statement adds, and of those that it removes."""
MAX_STATE_PIECE = 40_960
"""Bytes of chunks in one piece of a whole state."""

Author = Annotated[bytes, Meta(min_length=8, max_length=8)]
"""The first bytes of a member's node id, where it only names what is asked for."""
Version = tuple[Author, UInt53, UInt32]
"""A member, its incarnation, and a number of its statements."""


class GroupLoad(Message, frozen=True, tag=100):
    """A member's load (``engine.forwarding.members.Load``); tokens, and tenths of tokens per second."""

    queue_tokens: UInt32
    waiting: UInt32
    running: UInt32
    output_tokens: UInt32
    context_tokens: UInt32
    kv_free: UInt53
    kv_total: UInt53
    slots: Annotated[int, Meta(ge=1, le=4096)]
    prefill_rate: UInt32
    decode_rate: UInt32
    decode_rate_alone: UInt32
    first_token_ms: UInt32


class GroupStatement(Message, frozen=True, tag=101):
    """What one member says of itself. ``incarnation``: milliseconds since 1970 when it began to serve; ``sequence``
    counts its statements from 1, ``based_on`` is the one before that changed the cache (0: none). ``added`` and
    ``removed``: chunks as 2 bytes of depth and 8 of digest; ``state``: SHA-256 over all that it holds afterwards, in
    ascending order, the first 16 bytes."""

    incarnation: UInt53
    sequence: Annotated[int, Meta(ge=1, le=0xFFFF_FFFF)]
    based_on: UInt32
    made: Annotated[float, Meta(ge=0, le=4e9)]  # seconds since 1970
    load: GroupLoad
    accepts: bool  # new requests
    leaving: bool  # for good: forget me
    state: Annotated[bytes, Meta(min_length=16, max_length=16)]
    added: Annotated[bytes, Meta(max_length=MAX_CHANGES)] = b""
    removed: Annotated[bytes, Meta(max_length=MAX_CHANGES)] = b""


class SignedStatement(Message, frozen=True, tag=102):
    """The exact bytes of a statement; the key that signed them is the one in the author's descriptor."""

    author: Id20
    record: Annotated[bytes, Meta(max_length=MAX_STATEMENT)]
    signature: Signature


class GroupNews(Message, frozen=True, tag=103):
    """Statements, of the sender itself or passed on; of one author the older ones first."""

    model: Key32
    statements: Annotated[tuple[SignedStatement, ...], Meta(min_length=1, max_length=64)]


class GroupOffer(Message, frozen=True, tag=104):
    """The newest statements that the sender has of some members."""

    model: Key32
    versions: Annotated[tuple[Version, ...], Meta(min_length=1, max_length=512)]


class GroupWant(Message, frozen=True, tag=105):
    """Please send me what is newer of these members; the numbers say what I know of their caches (0, 0: nothing)."""

    model: Key32
    versions: Annotated[tuple[Version, ...], Meta(min_length=1, max_length=64)]


class GroupState(Message, frozen=True, tag=106):
    """A piece of all chunks that ``author`` holds as of its statement ``sequence``, for who has missed too much; the
    signed ``state`` of that statement covers all pieces together, whoever sends them."""

    model: Key32
    author: Id20
    incarnation: UInt53
    sequence: UInt32
    piece: UInt8
    pieces: Annotated[int, Meta(ge=1, le=32)]
    chunks: Annotated[bytes, Meta(max_length=MAX_STATE_PIECE)]


GroupMessage = GroupNews | GroupOffer | GroupWant | GroupState
statement_decoder: Decoder[GroupStatement] = Decoder(GroupStatement, MAX_STATEMENT)
