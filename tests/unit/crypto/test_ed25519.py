"""Which signatures hold, with those that libraries differ in: vectors of ed25519-speccheck and others made by hand.

They are valid by the bare equation, so what refuses them is the rule that each is about; where OpenSSL takes them that
is asserted, too.
"""

import hashlib
from itertools import count, product

import pytest
from nacl.exceptions import BadSignatureError

from engine.crypto import ed25519
from engine.errors import CryptoError
from tests.support import naive_ecvrf as naive
from tests.support.openssl_signatures import openssl_takes

# "Taming the many EdDSAs" (https://eprint.iacr.org/2020/1244), table 6c, as ed25519-speccheck has them (cases.txt):
# message, key, signature.
SPECCHECK = [
    (
        "8c93255d71dcab10e8f379c26200f3c7bd5f09d9bc3068d3ef4edeb4853022b6",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        (
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"
            "0000000000000000000000000000000000000000000000000000000000000000"
        ),
    ),
    (
        "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        (
            "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43"
            "a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04"
        ),
    ),
    (
        "aebf3f2601a0c8c5d39cc7d8911642f740b78168218da8471772b35f9d35b9ab",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        (
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"
            "8c4bd45aecaca5b24fb97bc10ac27ac8751a7dfe1baff8b953ec9f5833ca260e"
        ),
    ),
    (
        "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
        "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        (
            "9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f"
            "87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009"
        ),
    ),
    (
        "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
        "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        (
            "160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed512"
            "5ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09"
        ),
    ),
    (
        "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
        "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        (
            "21122a84e0b5fca4052f5b1235c80a537878b38f3142356b2c2384ebad4668b7"
            "e40bc836dac0f71076f9abe3a53f9c03c1ceeeddb658d0030494ace586687405"
        ),
    ),
    (
        "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
        "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
        (
            "e96f66be976d82e60150baecff9906684aebb1ef181f67a7189ac78ea23b6c0e"
            "547f7690a0e2ddcd04d87dbc3490dc19b3b3052f7ff0538cb68afb369ba3a514"
        ),
    ),
    (
        "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
        "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
        (
            "8ce5b96c8f26d0ab6c47958c9e68b937104cd36e13c33566acd2fe8d38aa1942"
            "7e71f98a473474f2f13f06f97c20d58cc3f54b8bd0d272f42b695dd7e89a8c22"
        ),
    ),
    (
        "9bedc267423725d473888631ebf45988bad3db83851ee85c85e241a07d148b41",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        (
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
            "03be9678ac102edcd92b0210bb34d7428d12ffc5df5f37e359941266a4e35f0f"
        ),
    ),
    (
        "9bedc267423725d473888631ebf45988bad3db83851ee85c85e241a07d148b41",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        (
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
            "ca8c5b64cd208982aa38d4936621a4775aa233aa0505711d8fdcfdaa943d4908"
        ),
    ),
    (
        "e96b7021eb39c1a163b6da4e3093dcd3f21387da4cc4572be588fafae23c155b",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        (
            "a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dc"
            "a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04"
        ),
    ),
    (
        "39a591f5321bbe07fd5a23dc2f39d025d74526615746727ceefd6e82ae65c06f",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        (
            "a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dc"
            "a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04"
        ),
    ),
]
# The points of order 1, 2, 4, 4 and 8 (four of them), in their one form, and in the others that they can be written in.
SMALL_ORDER = [
    bytes.fromhex(text)
    for text in (
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    )
]
SMALL_ORDER_IN_OTHER_FORMS = [
    bytes.fromhex(text)
    for text in (
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    )
]
_ORDER_8 = naive.to_point(SMALL_ORDER[4])
assert _ORDER_8 is not None
TORSION = [naive.times(number, _ORDER_8) for number in range(8)]
"""Multiples of a point of order 8: the place is the number."""
SECRET, NONCE = 2**250 + 12345, 2**249 + 67891
KEY_POINT, NONCE_POINT = naive.times(SECRET, naive.BASE), naive.times(NONCE, naive.BASE)
KEY = naive.to_bytes(KEY_POINT)


def challenge(key: bytes, r: bytes, message: bytes) -> int:
    return int.from_bytes(hashlib.sha512(r + key + message).digest(), "little") % naive.Q


def sign(secret: int, key: bytes, nonce: int, r: bytes, message: bytes) -> bytes:
    """With S = nonce + h secret, whatever the encodings of key and R say besides."""
    response = (nonce + challenge(key, r, message) * secret) % naive.Q
    return r + response.to_bytes(32, "little")


@pytest.mark.parametrize("number", range(12))
def test_vectors_of_ed25519_speccheck(number: int) -> None:
    """Of the first four, which most libraries take, three have a key or R of small order; the fourth is valid."""
    message, key, signature = map(bytes.fromhex, SPECCHECK[number])
    assert ed25519.holds(key, message, signature) == (number == 3)
    assert openssl_takes(key, message, signature) == (number in {0, 1, 2, 3, 11})


def test_the_encodings_of_small_order_are_all_there_are() -> None:
    assert {naive.to_bytes(point) for point in TORSION} == set(SMALL_ORDER)
    found = set()
    for number in range(2**5):  # y from p on fits into 255 bits up to p + 18; x = 0 can be written with a sign
        for y, sign_bit in product({number, naive.P + number, naive.P - 1 - number}, (0, 1)):
            if y < 2**255 and naive.to_bytes((0, y % naive.P)) in SMALL_ORDER[:4]:
                found.add((y | sign_bit << 255).to_bytes(32, "little"))
    assert found == {*SMALL_ORDER[:4], *SMALL_ORDER_IN_OTHER_FORMS}


@pytest.mark.parametrize("key", [*SMALL_ORDER, *SMALL_ORDER_IN_OTHER_FORMS])
def test_keys_of_small_order_sign_nothing(key: bytes) -> None:
    """Under such a key R = S B is a signature of one message in eight, or of more; under the neutral point of all."""
    assert not ed25519.may_sign(key)
    r, taken = naive.to_bytes(NONCE_POINT), 0
    for number in range(64):
        message = b"message %d" % number
        signature = sign(0, key, NONCE, r, message)
        assert not ed25519.holds(key, message, signature)
        assert not ed25519.holds(key, message, naive.to_bytes(naive.ZERO) + bytes(32))
        taken += openssl_takes(key, message, signature)
    if key in SMALL_ORDER:
        assert taken > 0


@pytest.mark.parametrize("number", range(8))
def test_an_r_of_small_order_is_refused(number: int) -> None:
    """Also where the equation holds as it stands, because the key has a part of small order that takes it away."""
    r = naive.to_bytes(TORSION[number])
    key_torsion = 1 if number else 0
    key = naive.to_bytes(naive.add(KEY_POINT, TORSION[key_torsion]))
    for attempt in count():
        message = b"message %d" % attempt
        if (number + challenge(key, r, message) * key_torsion) % 8 == 0:
            break
    signature = sign(SECRET, key, 0, r, message)
    assert openssl_takes(key, message, signature)
    assert not ed25519.holds(key, message, signature)


@pytest.mark.parametrize("r", [*SMALL_ORDER, *SMALL_ORDER_IN_OTHER_FORMS])
def test_an_r_of_small_order_is_refused_in_every_form(r: bytes) -> None:
    """Under an ordinary key; multiplied by the cofactor all of these are valid."""
    for number in range(16):
        message = b"message %d" % number
        assert not ed25519.holds(KEY, message, sign(SECRET, KEY, 0, r, message))


@pytest.mark.parametrize(("key_torsion", "r_torsion"), [*product(range(8), repeat=2)])
def test_what_is_left_of_small_order_has_to_cancel_out(key_torsion: int, r_torsion: int) -> None:
    """Keys and R of ordinary size with a part of small order: the equation holds as it stands or not at all. A library
    that multiplies it by 8 would take every one of these signatures."""
    key = naive.to_bytes(naive.add(KEY_POINT, TORSION[key_torsion]))
    r = naive.to_bytes(naive.add(NONCE_POINT, TORSION[r_torsion]))
    outcomes = set()
    for number in range(32):
        message = b"message %d" % number
        signature = sign(SECRET, key, NONCE, r, message)
        cancels = (r_torsion + challenge(key, r, message) * key_torsion) % 8 == 0
        assert ed25519.holds(key, message, signature) == cancels == openssl_takes(key, message, signature)
        outcomes.add(cancels)
    assert outcomes <= {r_torsion == 0} if key_torsion == 0 else False in outcomes


def test_s_has_one_form() -> None:
    """S plus a multiple of the order satisfies the equation too: whoever sees a signature could make others of it."""
    message = b"message"
    signature = sign(SECRET, KEY, NONCE, naive.to_bytes(NONCE_POINT), message)
    assert ed25519.holds(KEY, message, signature)
    response, tried = int.from_bytes(signature[32:], "little"), 0
    for multiple in range(1, 16):
        if (other := response + multiple * naive.Q) < 2**256:
            assert not ed25519.holds(KEY, message, signature[:32] + other.to_bytes(32, "little"))
            tried += 1
    assert tried >= 14
    for response in (0, naive.Q - 1, naive.Q, naive.Q + 1, 2**252, 2**253 - 1, 2**256 - 1):
        assert not ed25519.holds(KEY, message, signature[:32] + response.to_bytes(32, "little"))


@pytest.mark.parametrize("y", range(naive.P, 2**255))
def test_points_in_another_form_are_refused(y: int) -> None:
    """Of the ordinary ones among them nobody knows a private key; so this shows only that they are not taken for the
    points that they stand for."""
    for sign_bit in (0, 1):
        other = (y | sign_bit << 255).to_bytes(32, "little")
        for signature in (sign(SECRET, other, NONCE, naive.to_bytes(NONCE_POINT), b""), bytes(64)):
            assert not ed25519.holds(other, b"", signature)
        assert not ed25519.holds(KEY, b"", sign(SECRET, KEY, NONCE, other, b""))


def test_zeros_and_other_lengths_are_refused() -> None:
    message = b"message"
    signature = sign(SECRET, KEY, NONCE, naive.to_bytes(NONCE_POINT), message)
    assert not ed25519.holds(KEY, message, bytes(64))
    assert not ed25519.holds(KEY, b"", bytes(64))
    assert not ed25519.holds(bytes(32), message, bytes(64))
    for length in (0, 1, 31, 32, 63, 65, 96, 128):
        assert not ed25519.holds(KEY, message, (signature * 2)[:length])
    assert not ed25519.holds(KEY, message[1:], signature + message[:1])  # nothing moves between the two
    for length in (0, 1, 31, 33, 64):
        key = (KEY * 2)[:length]
        assert not ed25519.may_sign(key)
        assert not ed25519.holds(key, message, signature)


def test_no_point_is_no_key() -> None:
    y = next(y for y in count(2) if naive.to_point(y.to_bytes(32, "little")) is None)
    key = y.to_bytes(32, "little")
    assert not ed25519.holds(key, b"", sign(SECRET, key, NONCE, naive.to_bytes(NONCE_POINT), b""))


def test_what_the_library_is_tried_with() -> None:
    """The point is beside the subgroup; the base point, which is in it, passes."""
    beside = naive.to_bytes(naive.add(naive.BASE, TORSION[4]))
    assert vars(ed25519)["_BESIDE_THE_SUBGROUP"] == beside
    is_valid = vars(ed25519)["crypto_core_ed25519_is_valid_point"]
    assert is_valid(naive.to_bytes(naive.BASE))
    assert not any(is_valid(naive.to_bytes(naive.add(naive.BASE, point))) for point in TORSION[1:])
    ed25519.check_library()


def test_a_library_with_another_rule_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(_signed: bytes, _key: bytes) -> bytes:
        raise BadSignatureError

    for name, other in (
        ("crypto_sign_open", lambda signed, key: signed),
        ("crypto_sign_open", refuses),
        ("crypto_core_ed25519_is_valid_point", lambda point: True),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(ed25519, name, other)
            with pytest.raises(CryptoError, match="PyNaCl"):
                ed25519.check_library()
