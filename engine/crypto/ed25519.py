"""Which Ed25519 signatures hold. The rule is the network's and not its library's: members of a committee that differed
on one signature would differ on a block.

A signature (R, S) of a message under a key A holds if, and only if,

- A has 32 bytes and the signature 64;
- A and R are points of the curve in their one form, and neither is of small order;
- S is below the order of the group;
- S B = R + h A, with h = SHA-512(R || A || message): as it stands, not multiplied by the cofactor.

RFC 8032 leaves the second line open, and allows the last one multiplied by 8 as well; libraries differ in both ("Taming
the many EdDSAs", https://eprint.iacr.org/2020/1244). libsodium 1.0.20 keeps exactly this rule, in 0.6 of the time that
OpenSSL takes; later versions multiply by 8. So :func:`check_library` tries it before anybody relies on it.
"""

from __future__ import annotations

from nacl.bindings import crypto_core_ed25519_is_valid_point, crypto_sign_open
from nacl.exceptions import BadSignatureError

from engine.errors import CryptoError

PUBLIC_KEY_LENGTH = 32
SIGNATURE_LENGTH = 64
_FIELD_PRIME = 2**255 - 19
# The y coordinates of the eight points of small order. Under such a "key" one signature verifies for every message, so
# it would break the rule that no signature can be used for another purpose.
_SMALL_ORDER_Y = frozenset(
    {
        0,
        1,
        _FIELD_PRIME - 1,
        int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"),
        int.from_bytes(bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little"),
    }
)
# Of ed25519-speccheck, the numbers 3 and 4: key and R have parts of small order, which cancel each other out in the
# first one and stay in the second.
_TRIED_KEY = bytes.fromhex("cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d")
_HOLDS = (
    bytes.fromhex("9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79"),
    bytes.fromhex(
        "9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f"
        "87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009"
    ),
)
_HOLDS_TIMES_8_ONLY = (
    bytes.fromhex("e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c"),
    bytes.fromhex(
        "160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed512"
        "5ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09"
    ),
)
# The base point and the point of order 2, together of twice the order that points of proofs may have: libsodium takes
# it for such a point in versions before 2026.
_BESIDE_THE_SUBGROUP = b"\x95" + b"\x99" * 31


def may_sign(public_key: bytes) -> bool:
    """Whether a key has the length of one and is not of small order. Of the others many are no point of the curve."""
    y = int.from_bytes(public_key, "little") & (2**255 - 1)
    return len(public_key) == PUBLIC_KEY_LENGTH and y % _FIELD_PRIME not in _SMALL_ORDER_Y


def holds(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether this is a signature of ``message`` under ``public_key``."""
    if not may_sign(public_key) or len(signature) != SIGNATURE_LENGTH:  # libsodium is given them and the message in one
        return False
    try:
        crypto_sign_open(signature + message, public_key)
    except BadSignatureError:
        return False
    return True


def check_library() -> None:
    """:class:`CryptoError` where libsodium checks signatures, or points of proofs, by another rule than the network."""
    signatures = holds(_TRIED_KEY, *_HOLDS) and not holds(_TRIED_KEY, *_HOLDS_TIMES_8_ONLY)
    if not signatures or crypto_core_ed25519_is_valid_point(_BESIDE_THE_SUBGROUP):
        raise CryptoError(
            "The libsodium that is installed here takes other signatures or proofs for valid than this network does. "
            "So this machine could disagree with all others. Install the PyNaCl that requirements/engine.lock names."
        )


check_library()
