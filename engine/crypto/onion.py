"""Path set-up: one packet of fixed size, peeled by each relay, and its layered answer of fixed size.

The packet has three slots, whatever the length of the path (1 to 3). A slot is an ephemeral X25519 public key and a
sealed header; a relay opens the first slot with its onion key, decrypts the others with a stream of its own, moves
them up and fills the last with random bytes, so that no position shows. Keys are HKDF-SHA256 of the agreement, bound to
suite, node id, onion key and ephemeral key. In the answer each relay prepends its own tag and encrypts the rest, so
that only the client learns which relay answered what. Same idea as Sphinx (Danezis and Goldberg 2009), without its
filler, as the reserved slots are not authenticated. ``docs/protocol.md`` has the layouts.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from engine.errors import CryptoError, SealError
from engine.ids import NODE_ID_LENGTH, CircuitId, NodeId

RandomBytes = Callable[[int], bytes]

SUITE: Final = 1
"""X25519, HKDF-SHA256, ChaCha20-Poly1305 (``engine.wire.SUITE_ONION_X25519``)."""
SLOTS: Final = 3
"""The longest path."""
TAG_LENGTH: Final = 16
KEY_LENGTH: Final = 32

_HEADER = struct.Struct(">B20sQIIII")
"""Suite, next node, next circuit, seconds since 1970, reply time-out in ms, forward delta, backward delta."""
SLOT_LENGTH: Final = KEY_LENGTH + _HEADER.size + TAG_LENGTH
PACKET_LENGTH: Final = SLOTS * SLOT_LENGTH
"""Bytes of a set-up packet on every link of every path."""
BODY_LENGTH: Final = 64
REPLY_LENGTH: Final = SLOTS * TAG_LENGTH + BODY_LENGTH
"""Bytes of an answer on every link of every path: three tag slots, then the encrypted body."""

MAX_AGE: Final = 300.0
"""Seconds that a packet stays acceptable."""
MAX_AHEAD: Final = 120.0
"""Seconds of clock skew tolerated into the future."""
TIME_GRANULARITY: Final = 30
"""Seconds; the time of sealing is rounded down, so that it is no name of the circuit."""
REPLAY_MEMORY: Final = MAX_AGE + MAX_AHEAD + TIME_GRANULARITY
"""Seconds for which a relay must remember replay tags: the longest time that one packet is acceptable."""

_NO_NODE = bytes(NODE_ID_LENGTH)
_REPLY_NONCE = b"reply".ljust(12, b"\0")
_STALE_NONCE = b"stale".ljust(12, b"\0")
_MASK_NONCE = b"mask".ljust(12, b"\0")
_MASKED = (SLOTS - 1) * TAG_LENGTH
_STALE_BODY = b"\xff".ljust(BODY_LENGTH, b"\0")
_KEYS = struct.Struct(">32s32s32s32s32sII16s")


@dataclass(frozen=True, slots=True)
class HopKeys:
    """What the client and one relay share after set-up. Keys have 32 bytes, numbers 32 bits.

    Cell number c has sequence ``base + c`` on the link towards the relay and ``base + delta + c`` on the one behind it.
    """

    forward_key: bytes
    backward_key: bytes
    reply_key: bytes
    forward_base: int
    backward_base: int
    forward_delta: int
    backward_delta: int


@dataclass(frozen=True, slots=True)
class Hop:
    """One relay of a path, in the order of travel."""

    node_id: NodeId
    onion_key: bytes
    """X25519 public key of the relay (32 bytes)."""
    circuit_id: CircuitId
    """Of the circuit on the link *towards* this relay."""
    reply_timeout_ms: int
    """How long this relay waits for the answer from behind it."""


@dataclass(frozen=True, slots=True)
class Peeled:
    """What one relay learns from a packet."""

    keys: HopKeys
    next_node: NodeId | None
    """None at the end of the path."""
    next_circuit: CircuitId | None
    next_packet: bytes | None
    """``PACKET_LENGTH`` bytes for the next relay."""
    reply_timeout: float
    """Seconds."""
    replay_tag: bytes
    """16 bytes, the same for every packet with this first slot; to be remembered for ``REPLAY_MEMORY`` seconds."""
    fresh: bool
    """False: sealed too long ago or in the future; the only right answer is :func:`stale_reply`."""


@dataclass(frozen=True, slots=True)
class _Derived:
    header_key: bytes
    stream_key: bytes
    forward_key: bytes
    backward_key: bytes
    reply_key: bytes
    forward_base: int
    backward_base: int
    replay_tag: bytes


def _derive(shared: bytes, node_id: NodeId, onion_key: bytes, ephemeral: bytes) -> _Derived:
    info = b"".join((bytes((SUITE,)), node_id, onion_key, ephemeral))
    material = HKDF(SHA256(), _KEYS.size, salt=b"gentorrent/onion/v1", info=info).derive(shared)
    return _Derived(*_KEYS.unpack(material))


def _agree(private: X25519PrivateKey, public: bytes) -> bytes:
    try:
        return private.exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError as error:  # wrong length, or a point of low order
        raise CryptoError("this is not an acceptable X25519 public key") from error


def _stream(key: bytes, data: bytes) -> bytes:
    """``data`` XOR ChaCha20(key); every key serves for one packet only, so the nonce may be fixed."""
    return Cipher(ChaCha20(key, bytes(16)), mode=None).encryptor().update(data)


def public_onion_key(private: bytes) -> bytes:
    """The public key (32 bytes) of a private onion key (32 bytes)."""
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def build(hops: Sequence[Hop], now: float, random_bytes: RandomBytes) -> tuple[bytes, list[HopKeys]]:
    """The packet (``PACKET_LENGTH`` bytes) for the first relay and the keys shared with each, in order.

    ``now`` is wall time. Raises ``CryptoError`` for an unusable onion key, ``ValueError`` for 0 or more than 3 hops.
    """
    if not 1 <= len(hops) <= SLOTS:
        raise ValueError(f"a path has 1 to {SLOTS} relays, not {len(hops)}")
    derived: list[_Derived] = []
    ephemerals: list[bytes] = []
    for hop in hops:
        private = X25519PrivateKey.from_private_bytes(random_bytes(KEY_LENGTH))
        ephemeral = private.public_key().public_bytes_raw()
        derived.append(_derive(_agree(private, hop.onion_key), hop.node_id, hop.onion_key, ephemeral))
        ephemerals.append(ephemeral)
    last = len(hops) - 1
    keys: list[HopKeys] = []
    for index, own in enumerate(derived):
        if index < last:
            forward_delta = (derived[index + 1].forward_base - own.forward_base) & 0xFFFF_FFFF
            backward_delta = (derived[index + 1].backward_base - own.backward_base) & 0xFFFF_FFFF
        else:
            forward_delta, backward_delta = struct.unpack(">II", random_bytes(8))
        keys.append(_hop_keys(own, forward_delta, backward_delta))
    stamp = int(now) // TIME_GRANULARITY * TIME_GRANULARITY
    rest = random_bytes((SLOTS - 1) * SLOT_LENGTH)
    packet = b""
    for index in range(last, -1, -1):
        following = hops[index + 1] if index < last else None
        header = _HEADER.pack(
            SUITE,
            following.node_id if following else _NO_NODE,
            following.circuit_id if following else 0,
            stamp,
            hops[index].reply_timeout_ms,
            keys[index].forward_delta,
            keys[index].backward_delta,
        )
        sealed = ChaCha20Poly1305(derived[index].header_key).encrypt(bytes(12), header, None)
        packet = ephemerals[index] + sealed + _stream(derived[index].stream_key, rest)
        rest = packet[: (SLOTS - 1) * SLOT_LENGTH]
    return packet, keys


def _hop_keys(derived: _Derived, forward_delta: int, backward_delta: int) -> HopKeys:
    return HopKeys(
        forward_key=derived.forward_key,
        backward_key=derived.backward_key,
        reply_key=derived.reply_key,
        forward_base=derived.forward_base,
        backward_base=derived.backward_base,
        forward_delta=forward_delta,
        backward_delta=backward_delta,
    )


def peel(
    packet: bytes, node_id: NodeId, private_keys: Sequence[bytes], now: float, random_bytes: RandomBytes
) -> Peeled:
    """Open the first slot with whichever of the relay's onion keys fits (today's or yesterday's).

    ``now`` is wall time. Raises ``CryptoError`` for a packet that is not for this relay or was changed on its way.
    """
    if len(packet) != PACKET_LENGTH:
        raise CryptoError(f"a set-up packet has {PACKET_LENGTH} bytes, not {len(packet)}")
    ephemeral, sealed = packet[:KEY_LENGTH], packet[KEY_LENGTH:SLOT_LENGTH]
    for private_bytes in private_keys:
        private = X25519PrivateKey.from_private_bytes(private_bytes)
        derived = _derive(_agree(private, ephemeral), node_id, private.public_key().public_bytes_raw(), ephemeral)
        try:
            header = ChaCha20Poly1305(derived.header_key).decrypt(bytes(12), sealed, None)
        except InvalidTag:
            continue
        rest = _stream(derived.stream_key, packet[SLOT_LENGTH:])
        return _peeled(derived, header, rest + random_bytes(SLOT_LENGTH), now)
    raise CryptoError("the set-up packet does not open with this relay's onion keys")


def _peeled(derived: _Derived, header: bytes, next_packet: bytes, now: float) -> Peeled:
    suite, next_node, next_circuit, stamp, timeout_ms, forward_delta, backward_delta = _HEADER.unpack(header)
    if suite != SUITE:
        raise CryptoError(f"the set-up packet asks for suite {suite}; this relay knows {SUITE}")
    is_end = next_node == _NO_NODE
    return Peeled(
        keys=_hop_keys(derived, forward_delta, backward_delta),
        next_node=None if is_end else NodeId(next_node),
        next_circuit=None if is_end else CircuitId(next_circuit),
        next_packet=None if is_end else next_packet,
        reply_timeout=timeout_ms / 1000,
        replay_tag=derived.replay_tag,
        fresh=now - MAX_AGE - TIME_GRANULARITY < stamp <= now + MAX_AHEAD,
    )


def seal_reply(keys: HopKeys, body: bytes, random_bytes: RandomBytes) -> bytes:
    """The answer of the relay that ends the set-up. At most one call of this or :func:`wrap_reply` per ``keys``.

    ``body`` has ``BODY_LENGTH`` bytes; returns ``REPLY_LENGTH`` bytes. (Twice would repeat a nonce.)
    """
    if len(body) != BODY_LENGTH:
        raise ValueError(f"the body of an answer has {BODY_LENGTH} bytes, not {len(body)}")
    return _seal(keys, _REPLY_NONCE, body, random_bytes(_MASKED))


def stale_reply(keys: HopKeys, random_bytes: RandomBytes) -> bytes:
    """The answer to a packet that is not fresh; its body never varies, so replaying the packet gains nothing."""
    return _seal(keys, _STALE_NONCE, _STALE_BODY, random_bytes(_MASKED))


def wrap_reply(keys: HopKeys, sealed: bytes) -> bytes:
    """One relay's layer around an answer from behind it (``REPLY_LENGTH`` bytes in and out); see :func:`seal_reply`."""
    if len(sealed) != REPLY_LENGTH:
        raise CryptoError(f"an answer has {REPLY_LENGTH} bytes, not {len(sealed)}")
    masked = _mask(keys.reply_key, sealed[:_MASKED])
    return _seal(keys, _REPLY_NONCE, sealed[SLOTS * TAG_LENGTH :], masked)


def _seal(keys: HopKeys, nonce: bytes, body: bytes, other_slots: bytes) -> bytes:
    sealed = ChaCha20Poly1305(keys.reply_key).encrypt(nonce, body, None)
    return sealed[BODY_LENGTH:] + other_slots + sealed[:BODY_LENGTH]


def _mask(key: bytes, slots: bytes) -> bytes:
    """The tag slots behind the first XOR a stream, so that no tag is seen on two links."""
    stream = ChaCha20Poly1305(key).encrypt(_MASK_NONCE, bytes(_MASKED), None)[:_MASKED]
    return (int.from_bytes(slots, "big") ^ int.from_bytes(stream, "big")).to_bytes(_MASKED, "big")


@dataclass(frozen=True, slots=True)
class OpenedReply:
    """What the client learns from an answer."""

    hop_index: int
    """The last relay whose layer is genuine: the one that answered, if the body makes sense."""
    body: bytes
    """``BODY_LENGTH`` bytes; empty for a stale packet."""
    stale: bool


def open_reply(keys: Sequence[HopKeys], sealed: bytes) -> OpenedReply:
    """Find by trial which relay answered. Raises ``SealError`` if not even the first relay's layer is genuine.

    Of an answer garbled on its way some relay stands as the one that answered, with a body that makes no sense.
    """
    if len(sealed) != REPLY_LENGTH:
        raise SealError(f"an answer has {REPLY_LENGTH} bytes, not {len(sealed)}")
    slots, body = sealed[: SLOTS * TAG_LENGTH], sealed[SLOTS * TAG_LENGTH :]
    opened: OpenedReply | None = None
    for index, own in enumerate(keys):
        aead = ChaCha20Poly1305(own.reply_key)
        joined = body + slots[:TAG_LENGTH]
        try:
            body = aead.decrypt(_REPLY_NONCE, joined, None)
        except InvalidTag:
            try:
                aead.decrypt(_STALE_NONCE, joined, None)
            except InvalidTag:
                break
            return OpenedReply(index, b"", stale=True)
        opened = OpenedReply(index, body, stale=False)
        # The slot that fell off on the way held no tag on a path of at most three.
        slots = _mask(own.reply_key, slots[TAG_LENGTH:]) + bytes(TAG_LENGTH)
    if opened is None:
        raise SealError("the answer to the set-up is not genuine")
    return opened
