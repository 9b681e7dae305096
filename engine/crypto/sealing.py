"""HPKE (RFC 9180, base mode, single shot) to keys that nodes publish in their descriptors.

Suites are numbered in ``engine.wire``: 1 is DHKEM(X25519), 2 is MLKEM768-X25519 (a draft); both with HKDF-SHA256 and
ChaCha20-Poly1305. A sealed message is the encapsulated key (32 or 1,120 bytes), then the ciphertext with its tag. The
context goes into ``info``, which both sides must know.
"""

from __future__ import annotations

from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from engine.errors import SealError
from engine.wire import SUITE_HPKE_MLKEM768_X25519, SUITE_HPKE_X25519

X25519_LENGTH = 32
"""Bytes of an X25519 key, private or public."""
MLKEM768_SEED_LENGTH = 64
MLKEM768_PUBLIC_LENGTH = 1184
OVERHEAD: dict[int, int] = {SUITE_HPKE_X25519: 48, SUITE_HPKE_MLKEM768_X25519: 1136}
"""Bytes by which each suite's sealed messages are longer than their plaintext."""
PRIVATE_LENGTH: dict[int, int] = {
    SUITE_HPKE_X25519: X25519_LENGTH,
    SUITE_HPKE_MLKEM768_X25519: MLKEM768_SEED_LENGTH + X25519_LENGTH,
}
"""Bytes of a stored private key: the X25519 scalar, for suite 2 behind the 64-byte ML-KEM seed."""
_KDF = hpke.KDF.HKDF_SHA256
_AEAD = hpke.AEAD.CHACHA20_POLY1305
_SUITES: dict[int, hpke.Suite] = {
    SUITE_HPKE_X25519: hpke.Suite(hpke.KEM.X25519, _KDF, _AEAD),
    SUITE_HPKE_MLKEM768_X25519: hpke.Suite(hpke.KEM.MLKEM768_X25519, _KDF, _AEAD),
}


def seal(suite: int, public: bytes, plaintext: bytes, info: bytes) -> bytes:
    """``plaintext`` sealed to a published key; :class:`SealError` for an unknown suite or an invalid key."""
    try:
        return _suite(suite).encrypt(plaintext, _public_key(suite, public), info)
    except ValueError as error:  # wrong length, not reduced, or a point of small order
        raise SealError(f"the published sealing key is not a valid key of suite {suite}") from error


class SealingKey:
    """A private key to open what was sealed to its ``public`` bytes."""

    def __init__(
        self, suite: int, private: bytes, key: X25519PrivateKey | hpke.MLKEM768X25519PrivateKey, public: bytes
    ) -> None:
        self.suite = suite
        self.public = public
        self._private = private
        self._key = key

    @classmethod
    def generate(cls, suite: int, random_bytes: Callable[[int], bytes] | None = None) -> SealingKey:
        """A new key, from ``random_bytes`` or else from the operating system through OpenSSL."""
        if suite not in PRIVATE_LENGTH:
            raise _unknown(suite)
        if random_bytes is not None:
            return cls.from_bytes(suite, random_bytes(PRIVATE_LENGTH[suite]))
        private = X25519PrivateKey.generate().private_bytes_raw()
        if suite == SUITE_HPKE_MLKEM768_X25519:
            private = MLKEM768PrivateKey.generate().private_bytes_raw() + private
        return cls.from_bytes(suite, private)

    @classmethod
    def from_bytes(cls, suite: int, private: bytes) -> SealingKey:
        """The key whose :meth:`private_bytes` were stored; :class:`SealError` when they are not a key."""
        if suite not in PRIVATE_LENGTH:
            raise _unknown(suite)
        if len(private) != PRIVATE_LENGTH[suite]:
            raise SealError(f"a private key of suite {suite} has {PRIVATE_LENGTH[suite]} bytes, not {len(private)}")
        x25519 = X25519PrivateKey.from_private_bytes(private[-X25519_LENGTH:])
        public = x25519.public_key().public_bytes_raw()
        if suite == SUITE_HPKE_X25519:
            return cls(suite, private, x25519, public)
        mlkem = MLKEM768PrivateKey.from_seed_bytes(private[:MLKEM768_SEED_LENGTH])
        public = mlkem.public_key().public_bytes_raw() + public
        return cls(suite, private, hpke.MLKEM768X25519PrivateKey(mlkem, x25519), public)

    def private_bytes(self) -> bytes:
        """The secret bytes, for the key store."""
        return self._private

    def open(self, sealed: bytes, info: bytes) -> bytes:
        """The plaintext; :class:`SealError` when it was sealed to another key or context, or altered."""
        try:
            return _suite(self.suite).decrypt(sealed, self._key, info)
        except (InvalidTag, ValueError) as error:
            raise SealError("sealed bytes do not open: altered, or sealed to another key or context") from error

    def __repr__(self) -> str:
        return f"SealingKey(suite={self.suite})"


def _public_key(suite: int, public: bytes) -> X25519PublicKey | hpke.MLKEM768X25519PublicKey:
    if suite == SUITE_HPKE_X25519:
        return X25519PublicKey.from_public_bytes(public)
    mlkem = MLKEM768PublicKey.from_public_bytes(public[:MLKEM768_PUBLIC_LENGTH])
    return hpke.MLKEM768X25519PublicKey(mlkem, X25519PublicKey.from_public_bytes(public[MLKEM768_PUBLIC_LENGTH:]))


def _suite(number: int) -> hpke.Suite:
    try:
        return _SUITES[number]
    except KeyError:
        raise _unknown(number) from None


def _unknown(suite: int) -> SealError:
    return SealError(f"sealing suite {suite} is not known to this version; an update may be needed")
