"""The verifiable random function: the RFC's vectors, and that no second proof or output can be had."""

import json
from pathlib import Path

import pytest

from engine.crypto import ecvrf
from engine.crypto.identity import Identity
from engine.errors import SignatureError
from tests.support import naive_ecvrf as naive

EXAMPLES = json.loads((Path(__file__).parents[2] / "vectors" / "ecvrf.json").read_text())["examples"]
ALICE = Identity.from_seed(b"\1" * 32)
ALPHA = b"gentorrent"
PROOF = ALICE.prove(ALPHA)
# Points of order 8, 4, 2 and 1.
_ORDER_8 = naive.to_point(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"))
assert _ORDER_8 is not None
TORSION = [naive.times(number, _ORDER_8) for number in range(1, 9)]


def _refused(public_key: bytes, alpha: bytes, proof: bytes) -> None:
    with pytest.raises(SignatureError):
        ecvrf.verify(public_key, alpha, proof)


@pytest.mark.parametrize("example", EXAMPLES)
def test_vectors_of_rfc_9381(example: dict[str, str]) -> None:
    seed, public_key, alpha, proof, output = (
        bytes.fromhex(example[name]) for name in ("seed", "public_key", "alpha", "proof", "output")
    )
    identity = Identity.from_seed(seed)
    assert identity.public_key == public_key
    assert identity.prove(alpha) == proof
    assert ecvrf.verify(public_key, alpha, proof) == output
    assert ecvrf.proof_to_hash(proof) == output
    assert naive.prove(seed, alpha) == proof
    assert naive.verify(public_key, alpha, proof) == output


def test_a_proof_is_for_one_key_and_one_input() -> None:
    _refused(Identity.from_seed(b"\2" * 32).public_key, ALPHA, PROOF)
    _refused(ALICE.public_key, ALPHA + b"\0", PROOF)
    _refused(ALICE.public_key, b"", PROOF)


@pytest.mark.parametrize("length", [0, 32, 79, 81, 160])
def test_other_lengths_are_refused(length: int) -> None:
    proof = (PROOF * 2)[:length]
    _refused(ALICE.public_key, ALPHA, proof)
    with pytest.raises(SignatureError):
        ecvrf.proof_to_hash(proof)
    _refused((ALICE.public_key * 5)[:length] if length != 32 else b"\1" * 31, ALPHA, PROOF)


def test_the_response_has_one_form() -> None:
    response = int.from_bytes(PROOF[48:], "little")
    for multiple in range(1, 16):
        other = response + multiple * naive.Q
        if other < 2**256:
            _refused(ALICE.public_key, ALPHA, PROOF[:48] + other.to_bytes(32, "little"))


@pytest.mark.parametrize("point", TORSION)
def test_keys_of_small_order_are_refused(point: naive.Point) -> None:
    """Under such a key everybody could prove: c is a multiple of its order for one in eight tries."""
    key = naive.to_bytes(point)
    for number in range(64):
        alpha = number.to_bytes(2, "big")
        h = naive.encode_to_curve(key, alpha)
        challenge = naive.challenge(point, h, naive.ZERO, naive.BASE, h)
        proof = naive.to_bytes(naive.ZERO) + challenge.to_bytes(16, "little") + (1).to_bytes(32, "little")
        _refused(key, alpha, proof)


@pytest.mark.parametrize("point", TORSION[:-1])
def test_a_key_or_a_gamma_beside_the_subgroup_is_refused(point: naive.Point) -> None:
    """Gamma with a part of small order has the same output and could be valid: a second proof for one input."""
    key, gamma = naive.to_point(ALICE.public_key), naive.to_point(PROOF[:32])
    assert key is not None
    assert gamma is not None
    _refused(naive.to_bytes(naive.add(key, point)), ALPHA, PROOF)
    shifted = naive.add(gamma, point)
    _refused(ALICE.public_key, ALPHA, naive.to_bytes(shifted) + PROOF[32:])
    with pytest.raises(SignatureError):
        ecvrf.proof_to_hash(naive.to_bytes(shifted) + PROOF[32:])


def test_the_second_proof_that_the_rfc_would_allow_is_refused() -> None:
    """Whoever has the key can make a proof with another Gamma of the same output, where c is a multiple of 8."""
    seed = b"\1" * 32
    secret, key = naive.secret_of(seed), ALICE.public_key
    point = naive.to_point(key)
    assert point is not None
    h = naive.encode_to_curve(key, ALPHA)
    gamma = naive.add(naive.times(secret, h), TORSION[0])
    for k in range(1, 200):
        c = naive.challenge(point, h, gamma, naive.times(k, naive.BASE), naive.times(k, h))
        if c % 8 == 0:
            break
    response = (k + c * secret) % naive.Q
    proof = naive.to_bytes(gamma) + c.to_bytes(16, "little") + response.to_bytes(32, "little")
    assert naive.verify(key, ALPHA, proof) == ecvrf.proof_to_hash(PROOF)
    _refused(key, ALPHA, proof)


@pytest.mark.parametrize(
    "number", [*range(naive.P, 2**255, 3), 1 | 1 << 255, naive.P - 1 | 1 << 255, naive.P + 1 | 1 << 255]
)
def test_points_in_another_form_are_refused(number: int) -> None:
    point = number.to_bytes(32, "little")
    _refused(ALICE.public_key, ALPHA, point + PROOF[32:])
    _refused(point, ALPHA, PROOF)


def test_zeros_are_refused() -> None:
    _refused(ALICE.public_key, ALPHA, PROOF[:32] + bytes(16) + PROOF[48:])
    _refused(ALICE.public_key, ALPHA, PROOF[:48] + bytes(32))
