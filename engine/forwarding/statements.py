"""What a member says of itself, as it is signed and sent. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from engine.crypto.identity import Identity, verify
from engine.errors import WireError
from engine.forwarding.digests import DIGEST_BITS, Chunk, pack, unpack
from engine.forwarding.members import Load
from engine.ids import NodeId
from engine.wire.codec import encode
from engine.wire.group import GroupLoad, GroupStatement, SignedStatement, statement_decoder

PURPOSE = "group-statement"
_TENTHS = 10.0
_U32 = 0xFFFF_FFFF
_U53 = 0x1F_FFFF_FFFF_FFFF

Verify = Callable[..., None]
"""``engine.crypto.identity.verify``, or the same with a memory."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement with its signature, as it is passed on, and what it says."""

    author: NodeId
    signed: SignedStatement
    said: GroupStatement
    added: tuple[Chunk, ...]
    removed: tuple[Chunk, ...]

    @property
    def changes(self) -> bool:
        """Whether the cache is another one after it."""
        return bool(self.added or self.removed)

    @property
    def content(self) -> int:
        """The number of the statement that the cache is as of, once this one is known."""
        return self.said.sequence if self.changes else self.said.based_on


def make_statement(
    identity: Identity,
    network_id: bytes,
    model: bytes,
    said: GroupStatement,
    added: Iterable[Chunk] = (),
    removed: Iterable[Chunk] = (),
) -> Statement:
    """Sign what a member says; ``said`` holds the packed chunks already."""
    record = encode(said)
    signature = identity.sign(PURPOSE, network_id, model, record)
    signed = SignedStatement(identity.node_id, record, signature)
    return Statement(identity.node_id, signed, said, tuple(added), tuple(removed))


def read_statement(signed: SignedStatement, bits: int = DIGEST_BITS) -> Statement:
    """What it says, if its author is to be believed (:func:`check_statement`); :class:`WireError` for what nobody says
    who follows the protocol."""
    said = statement_decoder.decode(signed.record)
    if said.based_on >= said.sequence:
        raise WireError("a statement is based on a later one")
    added, removed = unpack(said.added, bits), unpack(said.removed, bits)
    if not set(added).isdisjoint(removed):
        raise WireError("a chunk comes and goes in one statement")
    return Statement(NodeId(signed.author), signed, said, added, removed)


def check_statement(
    key: bytes, network_id: bytes, model: bytes, signed: SignedStatement, check: Verify = verify
) -> None:
    """:class:`SignatureError` unless ``key`` signed it for this network and model."""
    check(key, PURPOSE, network_id, signed.signature, model, signed.record)


def packed(chunks: Iterable[Chunk], bits: int = DIGEST_BITS) -> bytes:
    """As a statement holds them."""
    return pack(chunks, bits)


def load_message(load: Load) -> GroupLoad:
    """For the wire."""
    return GroupLoad(
        queue_tokens=min(load.queue_tokens, _U32),
        waiting=min(load.waiting, _U32),
        running=min(load.running, _U32),
        output_tokens=min(load.output_tokens, _U32),
        context_tokens=min(load.context_tokens, _U32),
        kv_free=min(load.kv_free, _U53),
        kv_total=min(load.kv_total, _U53),
        slots=min(max(load.slots, 1), 4096),
        prefill_rate=min(round(load.prefill_rate * _TENTHS), _U32),
        decode_rate=min(round(load.decode_rate * _TENTHS), _U32),
        decode_rate_alone=min(round(load.decode_rate_alone * _TENTHS), _U32),
        first_token_ms=min(round(load.first_token_seconds * 1000), _U32),
    )


def load_of(message: GroupLoad) -> Load:
    """The inverse."""
    return Load(
        queue_tokens=message.queue_tokens,
        waiting=message.waiting,
        running=message.running,
        output_tokens=message.output_tokens,
        context_tokens=message.context_tokens,
        kv_free=message.kv_free,
        kv_total=message.kv_total,
        slots=message.slots,
        prefill_rate=message.prefill_rate / _TENTHS,
        decode_rate=message.decode_rate / _TENTHS,
        decode_rate_alone=message.decode_rate_alone / _TENTHS,
        first_token_seconds=message.first_token_ms / 1000,
    )


def noticeably_different(one: Load, other: Load) -> bool:
    """Whether somebody would choose differently: work came or went, or a number is off by a tenth."""
    counts = (one.waiting, one.running, one.slots) != (other.waiting, other.running, other.slots)
    return counts or any(
        abs(a - b) > 0.1 * max(a, b)
        for a, b in (
            (one.queue_tokens, other.queue_tokens),
            (one.output_tokens, other.output_tokens),
            (one.context_tokens, other.context_tokens),
            (one.kv_free, other.kv_free),
            (one.kv_total, other.kv_total),
            (one.prefill_rate, other.prefill_rate),
            (one.decode_rate, other.decode_rate),
            (one.decode_rate_alone, other.decode_rate_alone),
        )
    )
