"""A verifiable random function: ECVRF-EDWARDS25519-SHA512-TAI (RFC 9381).

Who holds an Ed25519 key computes for each input one number that nobody else can foresee, and a proof with which
everybody can check that it is the right one. There is no second proof that leads to another number.

Points and scalars are libsodium's (constant time where the key is involved); what is written here is the RFC's
procedure around them. Stricter than the RFC in one thing: keys and Gamma must lie in the subgroup of prime order, as
those of every honest prover do, so that no proof can be changed into another one that is valid as well.
"""

from __future__ import annotations

import hashlib
import hmac

from nacl.bindings import (
    crypto_core_ed25519_add,
    crypto_core_ed25519_is_valid_point,
    crypto_core_ed25519_scalar_add,
    crypto_core_ed25519_scalar_mul,
    crypto_core_ed25519_scalar_reduce,
    crypto_core_ed25519_sub,
    crypto_scalarmult_ed25519_base_noclamp,
    crypto_scalarmult_ed25519_noclamp,
)
from nacl.exceptions import CryptoError as SodiumError

from engine.errors import SignatureError

PROOF_LENGTH = 80
"""Bytes of a proof: Gamma (32), c (16), s (32)."""
OUTPUT_LENGTH = 64
"""Bytes of an output."""
_SUITE = b"\x03"
_GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493
_FIELD_PRIME = 2**255 - 19
_IDENTITY = b"\x01" + bytes(31)


def prove(seed: bytes, alpha: bytes) -> bytes:
    """The proof of the Ed25519 key with this 32-byte ``seed`` for ``alpha`` (section 5.1)."""
    digest = hashlib.sha512(seed).digest()
    secret = bytearray(digest[:32])
    secret[0] &= 0b1111_1000
    secret[31] = secret[31] & 0b0111_1111 | 0b0100_0000
    key = bytes(secret)
    public_key = crypto_scalarmult_ed25519_base_noclamp(key)
    point = _encode_to_curve(public_key, alpha)
    gamma = crypto_scalarmult_ed25519_noclamp(key, point)
    nonce = crypto_core_ed25519_scalar_reduce(hashlib.sha512(digest[32:] + point).digest())
    challenge = _challenge(
        public_key,
        point,
        gamma,
        crypto_scalarmult_ed25519_base_noclamp(nonce),
        crypto_scalarmult_ed25519_noclamp(nonce, point),
    )
    product = crypto_core_ed25519_scalar_mul(challenge + bytes(16), key)
    return gamma + challenge + crypto_core_ed25519_scalar_add(nonce, product)


def verify(public_key: bytes, alpha: bytes, proof: bytes) -> bytes:
    """The 64 bytes that the holder of ``public_key`` must get for ``alpha`` (section 5.3, keys validated).

    ``SignatureError`` if ``proof`` does not prove them, in particular for keys of small order, and for points and
    numbers that are not in the one form that they have.
    """
    gamma, challenge, response = _parts(proof)
    if len(public_key) != 32 or not crypto_core_ed25519_is_valid_point(public_key):
        raise SignatureError("the key that is said to have made this proof is not a valid identity key")
    point = _encode_to_curve(public_key, alpha)
    scalar = challenge + bytes(16)
    try:
        u = crypto_core_ed25519_sub(
            crypto_scalarmult_ed25519_base_noclamp(response), crypto_scalarmult_ed25519_noclamp(scalar, public_key)
        )
        v = crypto_core_ed25519_sub(
            crypto_scalarmult_ed25519_noclamp(response, point), crypto_scalarmult_ed25519_noclamp(scalar, gamma)
        )
    except SodiumError as error:  # c or s is zero, which no honest prover meets
        raise SignatureError("the proof has a zero in it") from error
    if not hmac.compare_digest(challenge, _challenge(public_key, point, gamma, u, v)):
        raise SignatureError("the proof does not match its key and input")
    return _output(gamma)


def proof_to_hash(proof: bytes) -> bytes:
    """The output that a proof leads to (section 5.2); ``SignatureError`` if it is malformed. Of a proof that was not
    verified it says nothing."""
    return _output(_parts(proof)[0])


def _parts(proof: bytes) -> tuple[bytes, bytes, bytes]:
    if len(proof) != PROOF_LENGTH:
        raise SignatureError(f"a proof has {PROOF_LENGTH} bytes, not {len(proof)}")
    gamma, challenge, response = proof[:32], proof[32:48], proof[48:]
    if not crypto_core_ed25519_is_valid_point(gamma):
        raise SignatureError("the proof's first part is not a point of the group in its one form")
    if int.from_bytes(response, "little") >= _GROUP_ORDER:
        raise SignatureError("the proof's last part is not below the order of the group")
    return gamma, challenge, response


def _output(gamma: bytes) -> bytes:
    return hashlib.sha512(_SUITE + b"\x03" + _times_cofactor(gamma) + b"\x00").digest()


def _times_cofactor(point: bytes) -> bytes:
    """Eight times a point that need not lie in the subgroup of prime order, which libsodium's product demands."""
    for _ in range(3):
        point = crypto_core_ed25519_add(point, point)
    return point


def _encode_to_curve(public_key: bytes, alpha: bytes) -> bytes:
    """Try and increment (section 5.4.1.1), with the public key as salt."""
    for counter in range(256):
        digest = hashlib.sha512(_SUITE + b"\x01" + public_key + alpha + bytes((counter, 0))).digest()
        candidate = digest[:32]
        if not _is_canonical(candidate):
            continue
        try:
            point = _times_cofactor(candidate)
        except SodiumError:  # no point of the curve
            continue
        if point != _IDENTITY:
            return point
    raise SignatureError("no point of the curve was found for this input, which has a probability of 2^-256")


def _is_canonical(candidate: bytes) -> bool:
    """Whether RFC 8032 (section 5.1.3) would try to decode it: y below the field's prime, and no sign where x is 0."""
    y = int.from_bytes(candidate, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    return y < _FIELD_PRIME and not (sign and y in (1, _FIELD_PRIME - 1))


def _challenge(*points: bytes) -> bytes:
    """Section 5.4.3: 16 bytes, the number c."""
    return hashlib.sha512(_SUITE + b"\x02" + b"".join(points) + b"\x00").digest()[:16]
