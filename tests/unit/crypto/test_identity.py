"""Signatures: RFC 8032, golden bytes, and that none can be used for anything but what it was made for."""

import hashlib
import itertools
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from engine.crypto.identity import Identity, node_id_of, signed_bytes, verify
from engine.errors import SignatureError

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "crypto.json").read_text())
NETWORK = bytes(range(32))
OTHER_NETWORK = bytes(range(1, 33))
ALICE = Identity.from_seed(b"\1" * 32)
BOB = Identity.from_seed(b"\2" * 32)
PURPOSES = ("login", "welcome", "descriptor", "snapshot", "away-mark", "link-offer", "link-answer", "receipt")


def test_public_key_of_rfc_8032_test_1() -> None:
    identity = Identity.from_seed(bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
    assert identity.public_key.hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"


def test_golden_signature() -> None:
    golden = VECTORS["signature"]
    identity = Identity.from_seed(bytes.fromhex(golden["seed"]))
    fields = [bytes.fromhex(field) for field in golden["fields"]]
    network = bytes.fromhex(golden["network_id"])
    assert identity.public_key.hex() == golden["public_key"]
    assert identity.node_id.hex() == golden["node_id"]
    assert signed_bytes(golden["purpose"], network, *fields).hex() == golden["signed_bytes"]
    assert identity.sign(golden["purpose"], network, *fields).hex() == golden["signature"]


def test_node_id_is_the_beginning_of_the_keys_hash() -> None:
    assert node_id_of(ALICE.public_key) == hashlib.sha256(ALICE.public_key).digest()[:20] == ALICE.node_id
    assert len(ALICE.node_id) == 20


def test_signed_bytes_are_as_documented() -> None:
    assert signed_bytes("login", NETWORK, b"ab", b"") == (
        b"gentorrent/login/v1" + NETWORK + b"\0\0\0\2ab" + b"\0\0\0\0"
    )


@given(
    st.lists(st.binary(max_size=6), max_size=4),
    st.lists(st.binary(max_size=6), max_size=4),
    st.sampled_from(PURPOSES),
    st.sampled_from(PURPOSES),
)
def test_different_statements_never_have_the_same_bytes(
    one: list[bytes], other: list[bytes], purpose: str, other_purpose: str
) -> None:
    same = (one, purpose) == (other, other_purpose)
    assert (signed_bytes(purpose, NETWORK, *one) == signed_bytes(other_purpose, NETWORK, *other)) == same


def test_a_signature_verifies_for_its_own_purpose_network_fields_and_key_only() -> None:
    signature = ALICE.sign("login", NETWORK, b"one", b"two")
    verify(ALICE.public_key, "login", NETWORK, signature, b"one", b"two")
    for purpose, network in itertools.product(PURPOSES, (NETWORK, OTHER_NETWORK)):
        if (purpose, network) != ("login", NETWORK):
            with pytest.raises(SignatureError):
                verify(ALICE.public_key, purpose, network, signature, b"one", b"two")
    for fields in ((b"onetwo",), (b"one", b"tw", b"o"), (b"two", b"one"), (b"one",), (), (b"one", b"two", b"")):
        with pytest.raises(SignatureError):
            verify(ALICE.public_key, "login", NETWORK, signature, *fields)
    with pytest.raises(SignatureError):
        verify(BOB.public_key, "login", NETWORK, signature, b"one", b"two")


def test_altered_signatures_do_not_verify() -> None:
    signature = ALICE.sign("login", NETWORK, b"field")
    for position in range(len(signature)):
        altered = bytearray(signature)
        altered[position] ^= 0x40
        with pytest.raises(SignatureError):
            verify(ALICE.public_key, "login", NETWORK, bytes(altered), b"field")
    for bad in (b"", signature[:-1], signature + b"\0", bytes(64)):
        with pytest.raises(SignatureError):
            verify(ALICE.public_key, "login", NETWORK, bad, b"field")


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=300))
def test_signatures_are_those_of_rfc_8032_whoever_makes_and_checks_them(seed: bytes, field: bytes) -> None:
    """OpenSSL, which has another implementation, makes the same bytes."""
    identity, other = Identity.from_seed(seed), Ed25519PrivateKey.from_private_bytes(seed)
    signature = identity.sign("login", NETWORK, field)
    assert identity.public_key == other.public_key().public_bytes_raw()
    assert signature == other.sign(signed_bytes("login", NETWORK, field))
    verify(identity.public_key, "login", NETWORK, signature, field)
    shifted = signed_bytes("login", NETWORK, field)[:1]  # no bytes may move from the message to the signature
    for bad in (signature + shifted, signature[1:]):
        with pytest.raises(SignatureError):
            verify(identity.public_key, "login", NETWORK, bad, field)


def test_a_seed_has_32_bytes() -> None:
    for seed in (b"", bytes(31), bytes(33)):
        with pytest.raises(ValueError, match="seed"):
            Identity.from_seed(seed)


def test_keys_under_which_anything_verifies_are_refused() -> None:
    """With the neutral point as key, (R = neutral, S = 0) is a signature of every message for every purpose."""
    neutral = (1).to_bytes(32, "little")
    forged = neutral + bytes(32)
    with pytest.raises(SignatureError, match="not a valid identity key"):
        verify(neutral, "login", NETWORK, forged, b"field")


@pytest.mark.parametrize("key", [b"", bytes(31), bytes(33), b"\xff" * 32, b"\x02" + bytes(31)])
def test_what_is_no_key_is_a_signature_error(key: bytes) -> None:
    with pytest.raises(SignatureError):
        verify(key, "login", NETWORK, bytes(64), b"field")


@pytest.mark.parametrize("purpose", ["", "Login", "a/v1", "a b", "é", "a\n", "x" * 65])
def test_purposes_that_could_be_ambiguous_are_a_mistake(purpose: str) -> None:
    with pytest.raises(ValueError, match="purpose"):
        signed_bytes(purpose, NETWORK)


@pytest.mark.parametrize("network", [b"", bytes(31), bytes(33)])
def test_networks_have_32_bytes(network: bytes) -> None:
    with pytest.raises(ValueError, match="network id"):
        ALICE.sign("login", network)


def test_the_seed_returns_and_is_not_shown() -> None:
    seed = bytes(range(32))
    identity = Identity.from_seed(seed)
    assert identity.seed == seed
    assert Identity.from_seed(identity.seed).public_key == identity.public_key
    assert seed.hex() not in repr(identity)
    assert repr(seed)[2:-1] not in repr(identity)
    assert identity.node_id.hex() in repr(identity)
