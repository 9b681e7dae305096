"""Ed25519 identities, and the one function that decides which bytes a signature covers.

Which signatures hold is said in :mod:`engine.crypto.ed25519`.
"""

from __future__ import annotations

import hashlib
import re

from nacl.bindings import crypto_sign, crypto_sign_seed_keypair

from engine.crypto import ecvrf, ed25519
from engine.crypto.ed25519 import SIGNATURE_LENGTH
from engine.errors import SignatureError
from engine.ids import NODE_ID_LENGTH, NodeId

SEED_LENGTH = 32
NETWORK_ID_LENGTH = 32
_PURPOSE = re.compile(r"[a-z0-9-]{1,64}")


def signed_bytes(purpose: str, network_id: bytes, *fields: bytes) -> bytes:
    """The bytes that a signature covers: ``gentorrent/<purpose>/v1``, the network id, each field with its length.

    ``purpose`` is lowercase letters, digits and hyphens, so that its end is unambiguous; ``network_id`` has 32 bytes;
    each field is preceded by its length as four big-endian bytes. ``ValueError`` for anything else.
    """
    if _PURPOSE.fullmatch(purpose) is None:
        raise ValueError(f"not a purpose of a signature: {purpose!r}")
    if len(network_id) != NETWORK_ID_LENGTH:
        raise ValueError(f"a network id has {NETWORK_ID_LENGTH} bytes, not {len(network_id)}")
    parts = [b"gentorrent/", purpose.encode("ascii"), b"/v1", network_id]
    for field in fields:
        parts += (len(field).to_bytes(4, "big"), field)
    return b"".join(parts)


def node_id_of(public_key: bytes) -> NodeId:
    """The node id of an identity key: the first 20 bytes of its SHA-256."""
    return NodeId(hashlib.sha256(public_key).digest()[:NODE_ID_LENGTH])


def verify(public_key: bytes, purpose: str, network_id: bytes, signature: bytes, *fields: bytes) -> None:
    """Raise :class:`SignatureError` unless ``public_key`` signed these fields for this purpose and network."""
    message = signed_bytes(purpose, network_id, *fields)
    if ed25519.holds(public_key, message, signature):
        return
    if not ed25519.may_sign(public_key):
        raise SignatureError(f"the key that is said to have signed this {purpose} is not a valid identity key")
    raise SignatureError(f"the signature of this {purpose} does not match its content, key, purpose and network")


class Identity:
    """An Ed25519 private key with the node id that follows from it. Its text form shows the id, never the key."""

    def __init__(self, seed: bytes) -> None:
        self.public_key, self._secret_key = crypto_sign_seed_keypair(seed)
        self.node_id: NodeId = node_id_of(self.public_key)

    @classmethod
    def from_seed(cls, seed: bytes) -> Identity:
        """The identity of a 32-byte seed (for a new one: 32 bytes from the operating system)."""
        return cls(seed)

    @property
    def seed(self) -> bytes:
        """The 32 secret bytes, for the key store."""
        return self._secret_key[:SEED_LENGTH]

    def sign(self, purpose: str, network_id: bytes, *fields: bytes) -> bytes:
        """64 bytes over :func:`signed_bytes`."""
        return crypto_sign(signed_bytes(purpose, network_id, *fields), self._secret_key)[:SIGNATURE_LENGTH]

    def prove(self, alpha: bytes) -> bytes:
        """80 bytes: this key's proof for ``alpha``; :func:`engine.crypto.ecvrf.verify` gives everybody its output."""
        return ecvrf.prove(self.seed, alpha)

    def __repr__(self) -> str:
        return f"Identity({self.node_id.hex()})"
