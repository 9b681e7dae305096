"""HKDF and AEAD against the vectors of RFC 5869 and RFC 8439, and what makes them fail."""

import hmac

import pytest

from engine.crypto.symmetric import Aead, aead_open, aead_seal, constant_time_equal, hkdf
from engine.errors import SealError


def test_hkdf_rfc_5869_case_1() -> None:
    derived = hkdf(b"\x0b" * 22, bytes(range(13)), bytes(range(0xF0, 0xFA)), 42)
    assert derived.hex() == ("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865")


def test_hkdf_rfc_5869_case_3_without_salt_and_info() -> None:
    derived = hkdf(b"\x0b" * 22, b"", b"", 42)
    assert derived.hex() == ("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8")


def test_aead_rfc_8439_section_2_8_2() -> None:
    key = bytes(range(0x80, 0xA0))
    nonce = int("070000004041424344454647", 16)
    text = (
        b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
        b"sunscreen would be it."
    )
    sealed = aead_seal(key, nonce, text, bytes.fromhex("50515253c0c1c2c3c4c5c6c7"))
    assert sealed[:16].hex() == "d31a8d34648e60db7b86afbc53ef7ec2"
    assert sealed[-16:].hex() == "1ae10b594f09e26a7e902ecbd0600691"
    assert aead_open(key, nonce, sealed, bytes.fromhex("50515253c0c1c2c3c4c5c6c7")) == text


def test_aead_opens_only_what_was_sealed() -> None:
    key = bytes(32)
    sealed = aead_seal(key, 7, b"text", b"context")
    assert aead_open(key, 7, sealed, b"context") == b"text"
    flipped = [sealed[:at] + bytes((sealed[at] ^ 1,)) + sealed[at + 1 :] for at in range(len(sealed))]
    for bad in [*flipped, sealed[:-1], sealed + b"\0", b"", b"short"]:
        with pytest.raises(SealError):
            aead_open(key, 7, bad, b"context")
    for other in ((b"\1" + bytes(31), 7, b"context"), (key, 8, b"context"), (key, 7, b"Context"), (key, 7, b"")):
        with pytest.raises(SealError):
            aead_open(other[0], other[1], sealed, other[2])


def test_a_cipher_that_is_kept_does_what_the_functions_do() -> None:
    key = bytes(range(32))
    cipher = Aead(key)
    for nonce in (0, 7, 7, 2**96 - 1):
        for associated in (b"", b"context"):
            sealed = cipher.seal(nonce, b"text", associated)
            assert sealed == aead_seal(key, nonce, b"text", associated)
            assert cipher.open(nonce, sealed, associated) == aead_open(key, nonce, sealed, associated) == b"text"
            with pytest.raises(SealError):
                cipher.open(nonce ^ 1, sealed, associated)
    assert cipher.open(0, cipher.seal(0, b"whole")) == b"whole", "a failure leaves nothing behind"


def test_nonces_are_numbers_below_2_to_the_96() -> None:
    assert aead_open(bytes(32), 2**96 - 1, aead_seal(bytes(32), 2**96 - 1, b"")) == b""
    for nonce in (-1, 2**96):
        with pytest.raises(OverflowError):
            aead_seal(bytes(32), nonce, b"")


def test_comparison_is_the_constant_time_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert constant_time_equal(b"secret", b"secret")
    assert not constant_time_equal(b"secret", b"secreT")
    assert not constant_time_equal(b"secret", b"secre")
    compared = []
    genuine = hmac.compare_digest

    def spy(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return genuine(one, other)

    monkeypatch.setattr(hmac, "compare_digest", spy)
    assert not constant_time_equal(b"a", b"b")
    assert compared == [(b"a", b"b")]
