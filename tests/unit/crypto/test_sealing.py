"""HPKE seals: both suites, their lengths, their keys on disk, and what does not open."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.crypto.sealing import OVERHEAD, PRIVATE_LENGTH, SealingKey, seal
from engine.errors import SealError
from engine.wire import SUITE_HPKE_MLKEM768_X25519, SUITE_HPKE_X25519

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "crypto.json").read_text())
SUITES = [SUITE_HPKE_X25519, SUITE_HPKE_MLKEM768_X25519]


def counting_bytes() -> Callable[[int], bytes]:
    return lambda length: bytes(range(length))


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("length", [0, 1, 100, 20_000])
def test_what_is_sealed_opens(suite: int, length: int) -> None:
    key = SealingKey.generate(suite)
    text = bytes(index % 251 for index in range(length))
    sealed = seal(suite, key.public, text, b"context")
    assert len(sealed) == length + OVERHEAD[suite]
    assert key.open(sealed, b"context") == text
    assert seal(suite, key.public, text, b"context") != sealed


@pytest.mark.parametrize("suite", SUITES)
def test_nothing_else_opens(suite: int) -> None:
    key, other = SealingKey.generate(suite), SealingKey.generate(suite)
    sealed = seal(suite, key.public, b"text", b"context")
    for info in (b"", b"Context", b"context "):
        with pytest.raises(SealError):
            key.open(sealed, info)
    with pytest.raises(SealError):
        other.open(sealed, b"context")
    for position in range(0, len(sealed), 1 if suite == SUITE_HPKE_X25519 else 37):
        altered = bytearray(sealed)
        altered[position] ^= 1
        with pytest.raises(SealError):
            key.open(bytes(altered), b"context")
    for bad in (b"", b"x", sealed[:31], sealed[:-1], sealed + b"\0", bytes(len(sealed))):
        with pytest.raises(SealError):
            key.open(bad, b"context")


def test_a_seal_of_one_suite_does_not_open_with_the_other() -> None:
    classic, hybrid = (SealingKey.generate(suite) for suite in SUITES)
    with pytest.raises(SealError):
        hybrid.open(seal(SUITE_HPKE_X25519, classic.public, b"text" * 500, b""), b"")
    with pytest.raises(SealError):
        seal(SUITE_HPKE_X25519, hybrid.public, b"text", b"")
    with pytest.raises(SealError):
        seal(SUITE_HPKE_MLKEM768_X25519, classic.public, b"text", b"")


@pytest.mark.parametrize("suite", SUITES)
def test_keys_survive_the_disk(suite: int) -> None:
    key = SealingKey.generate(suite)
    again = SealingKey.from_bytes(suite, key.private_bytes())
    assert len(key.private_bytes()) == PRIVATE_LENGTH[suite]
    assert (again.suite, again.public) == (suite, key.public)
    assert again.open(seal(suite, key.public, b"text", b"i"), b"i") == b"text"
    assert key.private_bytes().hex() not in repr(key)
    with pytest.raises(SealError):
        SealingKey.from_bytes(suite, key.private_bytes()[:-1])


@pytest.mark.parametrize("suite", SUITES)
def test_keys_from_given_randomness_are_repeatable(suite: int) -> None:
    one, other = (SealingKey.generate(suite, counting_bytes()) for _ in range(2))
    assert one.public == other.public
    assert one.public != SealingKey.generate(suite).public


def test_golden_keys_and_seals_of_both_suites() -> None:
    for golden in VECTORS["sealing"]:
        key = SealingKey.from_bytes(golden["suite"], bytes.fromhex(golden["private"]))
        assert key.public.hex() == golden["public"]
        assert key.open(bytes.fromhex(golden["sealed"]), bytes.fromhex(golden["info"])).hex() == golden["plaintext"]
    assert [golden["suite"] for golden in VECTORS["sealing"]] == SUITES


def test_hpke_of_rfc_9180_opens() -> None:
    """RFC 9180, A.2.1 (DHKEM(X25519), HKDF-SHA256, ChaCha20-Poly1305, base mode) has associated data in its vectors, so
    only the key pair can be compared here; the seal itself is OpenSSL's and ``cryptography``'s own test."""
    key = SealingKey.from_bytes(
        SUITE_HPKE_X25519, bytes.fromhex("8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb")
    )
    assert key.public.hex() == "4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a"


@pytest.mark.parametrize("suite", [0, 3, 255])
def test_unknown_suites_are_refused_by_name(suite: int) -> None:
    for call in (
        lambda: seal(suite, bytes(32), b"", b""),
        lambda: SealingKey.generate(suite),
        lambda: SealingKey.from_bytes(suite, bytes(32)),
    ):
        with pytest.raises(SealError, match=f"suite {suite} is not known"):
            call()


def test_published_keys_that_are_none_are_refused() -> None:
    hybrid = SealingKey.generate(SUITE_HPKE_MLKEM768_X25519).public
    one = (1).to_bytes(32, "little")
    for suite, public in (
        (SUITE_HPKE_X25519, b""),
        (SUITE_HPKE_X25519, bytes(31)),
        (SUITE_HPKE_X25519, bytes(32)),  # small order: everybody would know the shared secret
        (SUITE_HPKE_X25519, one),
        (SUITE_HPKE_MLKEM768_X25519, hybrid[:-1]),
        (SUITE_HPKE_MLKEM768_X25519, hybrid + b"\0"),
        (SUITE_HPKE_MLKEM768_X25519, b"\xff" * 1184 + hybrid[1184:]),  # coefficients not reduced
        (SUITE_HPKE_MLKEM768_X25519, hybrid[:1184] + bytes(32)),
    ):
        with pytest.raises(SealError, match="not a valid key"):
            seal(suite, public, b"text", b"")
