"""Signatures that were found to hold are known again; nothing else is, and of what was signed nothing is kept."""

import gc
import sys
from unittest.mock import patch

import pytest

from engine.crypto import identity as crypto
from engine.errors import SignatureError
from engine.verification import signing
from engine.verification.signing import verify_once
from tests.support.records import identity

NETWORK = b"n" * 32


def test_a_signature_is_looked_at_once() -> None:
    key = identity(901)
    signature = key.sign("score", NETWORK, b"a record that comes three times")
    with patch.object(signing, "verify", side_effect=crypto.verify) as looked:
        for _ in range(3):
            verify_once(key.public_key, "score", NETWORK, signature, b"a record that comes three times")
    assert looked.call_count == 1


@pytest.mark.parametrize("changed", range(5))
def test_what_differs_in_anything_is_another_claim(changed: int) -> None:
    key, other = identity(902), identity(903)
    good = (key.public_key, "score", NETWORK, key.sign("score", NETWORK, b"record"), b"record")
    bad = (other.public_key, "duties", b"m" * 32, key.sign("score", NETWORK, b"other"), b"other")
    verify_once(*good)
    claim = list(good)
    claim[changed] = bad[changed]
    for _ in range(2):  # and what fails is not remembered as anything
        with pytest.raises(SignatureError):
            verify_once(*claim)
    verify_once(*good)


def test_bytes_cannot_move_from_one_field_to_the_next() -> None:
    key = identity(904)
    signature = key.sign("score", NETWORK, b"record")
    verify_once(key.public_key, "score", NETWORK, signature, b"record")
    with pytest.raises(SignatureError):
        verify_once(key.public_key, "score", NETWORK, signature + b"r", b"ecord")


def test_what_was_signed_is_not_kept() -> None:
    key = identity(905)
    record = bytes(1_000_000)
    signature = key.sign("score", NETWORK, record)
    held = sys.getrefcount(record)
    verify_once(key.public_key, "score", NETWORK, signature, record)
    gc.collect()
    assert sys.getrefcount(record) == held
