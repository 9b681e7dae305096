"""HKDF-SHA256 (RFC 5869), ChaCha20-Poly1305 (RFC 8439) with numbered nonces, constant-time comparison."""

from __future__ import annotations

import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from engine.errors import SealError

KEY_LENGTH = 32
NONCE_LENGTH = 12
TAG_LENGTH = 16
_UNOPENED = "sealed bytes do not open: altered, or sealed under another key, number or context"


def hkdf(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """``length`` bytes (at most 8160) derived from ``secret``; ``info`` names what they are for (RFC 5869)."""
    return HKDF(SHA256(), length, salt, info).derive(secret)


class Aead:
    """ChaCha20-Poly1305 under one key, for many messages: making the cipher takes as long as sealing a short one. See
    :func:`aead_seal` for what nonces must be."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        self._cipher = ChaCha20Poly1305(key)

    def seal(self, nonce: int, data: bytes, associated: bytes = b"") -> bytes:
        """As :func:`aead_seal`."""
        return self._cipher.encrypt(nonce.to_bytes(NONCE_LENGTH, "big"), data, associated)

    def open(self, nonce: int, sealed: bytes, associated: bytes = b"") -> bytes:
        """As :func:`aead_open`."""
        try:
            return self._cipher.decrypt(nonce.to_bytes(NONCE_LENGTH, "big"), sealed, associated)
        except InvalidTag as error:
            raise SealError(_UNOPENED) from error


def aead_seal(key: bytes, nonce: int, data: bytes, associated: bytes = b"") -> bytes:
    """``data`` encrypted, with its 16-byte tag behind it. A (key, nonce) pair must never seal two different texts.

    ``key`` has 32 bytes; ``nonce`` is a number below 2^96, written as 12 big-endian bytes.
    """
    return Aead(key).seal(nonce, data, associated)


def aead_open(key: bytes, nonce: int, sealed: bytes, associated: bytes = b"") -> bytes:
    """The inverse of :func:`aead_seal`; :class:`SealError` when anything differs from what was sealed."""
    return Aead(key).open(nonce, sealed, associated)


def constant_time_equal(one: bytes, other: bytes) -> bool:
    """Whether two secrets are equal, in a time that does not depend on where they differ."""
    return hmac.compare_digest(one, other)
