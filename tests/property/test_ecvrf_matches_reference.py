"""The verifiable random function on libsodium against the RFC's text in whole numbers, and against changed proofs."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.crypto import ecvrf
from engine.crypto.identity import Identity
from engine.errors import SignatureError
from tests.support import naive_ecvrf as naive

SEEDS = st.binary(min_size=32, max_size=32)


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.binary(max_size=200))
def test_same_proofs_and_outputs(seed: bytes, alpha: bytes) -> None:
    identity = Identity.from_seed(seed)
    proof = identity.prove(alpha)
    assert proof == naive.prove(seed, alpha) == identity.prove(alpha)
    assert ecvrf.verify(identity.public_key, alpha, proof) == naive.verify(identity.public_key, alpha, proof)


@settings(max_examples=200, deadline=None)
@given(SEEDS, st.binary(max_size=40), st.integers(0, 8 * 80 - 1))
def test_no_changed_bit_is_accepted(seed: bytes, alpha: bytes, bit: int) -> None:
    identity = Identity.from_seed(seed)
    changed = bytearray(identity.prove(alpha))
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(SignatureError):
        ecvrf.verify(identity.public_key, alpha, bytes(changed))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=64), st.binary(max_size=20), st.binary(max_size=100))
def test_arbitrary_bytes_are_refused_and_raise_nothing_else(public_key: bytes, alpha: bytes, proof: bytes) -> None:
    with pytest.raises(SignatureError):
        ecvrf.verify(public_key, alpha, proof)
