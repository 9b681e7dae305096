"""What holds here and what OpenSSL takes are the same, but for keys and R of small order; for ordinary signatures and
for damaged ones."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.crypto import ed25519
from engine.crypto.identity import Identity
from tests.support import naive_ecvrf as naive
from tests.support.openssl_signatures import openssl_takes

SEEDS = st.binary(min_size=32, max_size=32)
NETWORK = bytes(32)


@given(SEEDS, st.binary(max_size=300))
def test_ordinary_signatures_hold(seed: bytes, message: bytes) -> None:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    key = private.public_key().public_bytes_raw()
    assert ed25519.holds(key, message, private.sign(message))
    identity = Identity.from_seed(seed)
    assert openssl_takes(identity.public_key, b"gentorrent/login/v1" + NETWORK, identity.sign("login", NETWORK))


@settings(max_examples=500, deadline=None)
@given(SEEDS, st.binary(max_size=40), st.data())
def test_damaged_ones_hold_nowhere(seed: bytes, message: bytes, data: st.DataObject) -> None:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    key, signature = private.public_key().public_bytes_raw(), private.sign(message)
    whole = bytearray(key + signature + message)
    for position in data.draw(st.lists(st.integers(0, 8 * len(whole) - 1), min_size=1, max_size=3, unique=True)):
        whole[position // 8] ^= 1 << position % 8
    changed = bytes(whole)
    parts = changed[:32], changed[96:], changed[32:96]
    assert not openssl_takes(*parts)
    assert not ed25519.holds(*parts)


@settings(max_examples=500, deadline=None)
@given(SEEDS, st.binary(max_size=40), st.data())
def test_exchanged_parts_are_judged_alike(seed: bytes, message: bytes, data: st.DataObject) -> None:
    """Key, R and S, each as they are or another number: arbitrary, near the prime, near multiples of the order."""
    private = Ed25519PrivateKey.from_private_bytes(seed)
    key, signature = private.public_key().public_bytes_raw(), private.sign(message)
    near = st.integers(-20, 20)
    numbers = st.one_of(
        st.integers(0, 2**256 - 1),
        near.map(lambda step: (naive.P + step) % 2**256),
        st.tuples(st.integers(0, 15), near).map(lambda one: (one[0] * naive.Q + one[1]) % 2**256),
    ).map(lambda number: number.to_bytes(32, "little"))
    parts = [data.draw(st.one_of(st.just(part), numbers)) for part in (key, signature[:32], signature[32:])]
    key, r = parts[:2]
    taken = openssl_takes(key, message, r + parts[2])
    ordinary = ed25519.may_sign(key) and ed25519.may_sign(r)  # neither is of small order
    assert ed25519.holds(key, message, r + parts[2]) == (taken and ordinary)
