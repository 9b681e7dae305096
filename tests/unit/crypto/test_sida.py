"""S-IDA against a naive reference written from the definition, all sets of shares, and altered shares."""

import hashlib
import json
import math
import timeit
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.crypto import sida
from engine.crypto.sida import MAX_ATTEMPTS, join, split
from engine.crypto.symmetric import aead_seal
from engine.errors import SealError

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "crypto.json").read_text())
SIZES = [(1, 1), (2, 1), (2, 2), (3, 2), (4, 3), (5, 3), (8, 5)]
LENGTHS = [0, 1, 2, 3, 15, 16, 17, 100, 1000, 1024, 1903, 1904, 4096, 16_384]


def seeded(seed: bytes) -> Callable[[int], bytes]:
    return lambda length: hashlib.shake_256(seed).digest(length)


def text(length: int) -> bytes:
    return hashlib.shake_128(b"text").digest(length)


def multiply(one: int, other: int) -> int:
    """Shift-and-add product in GF(2^8) with x^8 + x^4 + x^3 + x^2 + 1."""
    product = 0
    for bit in range(8):
        if other >> bit & 1:
            product ^= one << bit
    for bit in range(14, 7, -1):
        if product >> bit & 1:
            product ^= 0x11D << (bit - 8)
    return product


def inverse(value: int) -> int:
    return next(other for other in range(256) if multiply(value, other) == 1)


def power(value: int, exponent: int) -> int:
    result = 1
    for _ in range(exponent):
        result = multiply(result, value)
    return result


def reference_split(message: bytes, n: int, k: int, random: bytes) -> list[bytes]:
    """The layout in the module's docstring, byte by byte."""
    polynomial = [random[32 * j : 32 * (j + 1)] for j in range(k)]
    zeros = next(zeros for zeros in range(k) if (len(message) + zeros + 1 + 16) % k == 0)
    body = message + bytes(zeros) + bytes([zeros])
    sealed = aead_seal(polynomial[0], 0, body, b"gentorrent/s-ida/v1" + bytes([n, k]))
    length = len(sealed) // k
    shares = []
    for i in range(n):
        key_share = bytearray(32)
        for at in range(32):
            for j in range(k):
                key_share[at] ^= multiply(polynomial[j][at], power(i + 1, j))
        fragment = bytearray(length)
        for j in range(k):
            factor = int(i == j) if i < k else cauchy(i, j, k)
            for at in range(length):
                fragment[at] ^= multiply(factor, sealed[j * length + at])
        shares.append(bytes(key_share + fragment))
    return shares


def cauchy(i: int, j: int, k: int) -> int:
    """1 / (i + j), columns scaled so that row k is all ones, then rows so that column 0 is."""

    def scaled(row: int, column: int) -> int:
        return multiply(inverse(row ^ column), k ^ column)

    return multiply(scaled(i, j), inverse(scaled(i, 0)))


@pytest.mark.parametrize(("n", "k"), [*SIZES, (16, 16), (16, 7)])
@pytest.mark.parametrize("length", [0, 1, 2, 40, 100])
def test_shares_are_those_of_the_naive_reference(n: int, k: int, length: int) -> None:
    random = seeded(b"reference")(32 * k)
    assert split(text(length), n, k, lambda count: random[:count]) == reference_split(text(length), n, k, random)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_k_shares_give_the_message(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 16))
    k = data.draw(st.integers(1, n))
    message = data.draw(st.binary(max_size=3000))
    shares = split(message, n, k, seeded(data.draw(st.binary(max_size=4))))
    chosen = data.draw(st.lists(st.integers(0, n - 1), min_size=k, max_size=n, unique=True))
    assert join({index: shares[index] for index in chosen}, n, k) == message


@pytest.mark.parametrize("n", range(1, 9))
def test_any_k_rows_are_independent_for_all_n_up_to_8(n: int) -> None:
    for k in range(1, n + 1):
        shares = split(text(50), n, k, seeded(b"rows"))
        for chosen in combinations(range(n), k):
            assert join({index: shares[index] for index in chosen}, n, k) == text(50)


@pytest.mark.parametrize(("n", "k"), SIZES)
@pytest.mark.parametrize("length", LENGTHS)
def test_lengths_return_and_shares_are_as_short_as_they_say(n: int, k: int, length: int) -> None:
    shares = split(text(length), n, k, seeded(b"length"))
    assert {len(share) for share in shares} == {32 + math.ceil((length + 17) / k)}
    assert join(dict(enumerate(shares)), n, k) == text(length)
    assert join({index: shares[index] for index in range(n - k, n)}, n, k) == text(length)


def test_messages_that_look_like_padding_return() -> None:
    for message in (b"\0", b"\0\0\0", b"\1", b"\0\1", b"\2\2", bytes(100) + b"\2"):
        for k in (1, 2, 3, 5):
            assert join(dict(enumerate(split(message, 5, k, seeded(b"")))), 5, k) == message


def test_every_byte_of_an_exhaustive_field_table() -> None:
    for factor in range(256):
        assert sida._table(factor) == bytes(multiply(factor, value) for value in range(256))


def test_randomness_is_asked_for_once_and_decides_everything() -> None:
    asked = []

    def random(length: int) -> bytes:
        asked.append(length)
        return seeded(b"x")(length)

    assert split(b"message", 4, 3, random) == split(b"message", 4, 3, seeded(b"x"))
    assert asked == [96]
    assert not set(split(b"message", 4, 3, seeded(b"y"))) & set(split(b"message", 4, 3, seeded(b"x")))


@pytest.mark.parametrize(("n", "k"), [(4, 3), (5, 3), (8, 5)])
def test_one_altered_share_is_worked_around_wherever_it_is_altered(n: int, k: int) -> None:
    shares = dict(enumerate(split(text(200), n, k, seeded(b"alter"))))
    for index in range(n):
        for position in (0, 31, 32, len(shares[index]) - 1):
            altered = bytearray(shares[index])
            altered[position] ^= 0x80
            assert join({**shares, index: bytes(altered)}, n, k) == text(200)
        for bad in (b"", bytes(32), shares[index][:-1], shares[index] + b"\0", bytes(len(shares[index]))):
            assert join({**shares, index: bad}, n, k) == text(200)


@pytest.mark.parametrize(("n", "k"), [(4, 2), (5, 3), (8, 5), (8, 4)])
def test_all_sets_of_n_minus_k_altered_shares_are_worked_around_up_to_n_8(n: int, k: int) -> None:
    shares = dict(enumerate(split(text(60), n, k, seeded(b"many"))))
    for bad in combinations(range(n), n - k):
        altered = {index: bytes(len(share)) if index in bad else share for index, share in shares.items()}
        assert join(altered, n, k) == text(60)


def test_too_few_good_shares_are_a_seal_error() -> None:
    shares = dict(enumerate(split(text(60), 4, 3, seeded(b"few"))))
    with pytest.raises(SealError, match="2 shares are too few"):
        join({0: shares[0], 3: shares[3]}, 4, 3)
    with pytest.raises(SealError, match="do not fit"):
        join({**shares, 0: bytes(len(shares[0])), 1: bytes(len(shares[1]))}, 4, 3)
    with pytest.raises(SealError, match="index"):
        join({**shares, 4: shares[0]}, 4, 3)
    with pytest.raises(SealError, match="index"):
        join({**shares, -1: shares[0]}, 4, 3)


def test_shares_do_not_fit_under_other_indexes_sizes_or_messages() -> None:
    one = split(text(60), 4, 3, seeded(b"one"))
    other = split(text(60), 4, 3, seeded(b"other"))
    for wrong, n, k in (
        ({0: one[1], 1: one[0], 2: one[2]}, 4, 3),
        ({0: one[0], 1: one[1], 2: other[2]}, 4, 3),
        (dict(enumerate(one[:3])), 5, 3),
        (dict(enumerate(one)), 4, 2),
    ):
        with pytest.raises(SealError):
            join(wrong, n, k)


@given(st.dictionaries(st.integers(-2, 6), st.binary(max_size=80), max_size=6))
def test_arbitrary_shares_are_a_seal_error(shares: dict[int, bytes]) -> None:
    with pytest.raises(SealError):
        join(shares, 4, 3)


def test_the_number_of_attempts_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    attempts = []
    genuine = sida._join_exactly

    def spy(indexes: sida.Row, shares: list[bytes], n: int, k: int) -> bytes | None:
        attempts.append(indexes)
        return genuine(indexes, shares, n, k)

    monkeypatch.setattr(sida, "_join_exactly", spy)
    with pytest.raises(SealError):
        join({index: bytes(40) for index in range(16)}, 16, 8)
    assert len(attempts) == len(set(attempts)) == MAX_ATTEMPTS
    attempts.clear()
    with pytest.raises(SealError):
        join({index: bytes(40) for index in range(8)}, 8, 4)
    assert set(attempts) == set(combinations(range(8), 4))


@pytest.mark.parametrize(("n", "k"), [(0, 0), (1, 0), (1, 2), (17, 3), (4, -1)])
def test_impossible_sizes_are_a_mistake(n: int, k: int) -> None:
    with pytest.raises(ValueError, match="S-IDA"):
        split(b"", n, k, seeded(b""))
    with pytest.raises(ValueError, match="S-IDA"):
        join({}, n, k)


def test_k_minus_one_shares_of_the_key_say_nothing_about_it() -> None:
    """For two given shares every value of the key is equally possible: three determine a byte's polynomial."""
    for x, other in combinations(range(1, 5), 2):
        determinant = multiply(x, power(other, 2)) ^ multiply(other, power(x, 2))
        assert determinant != 0  # the two coefficients can be chosen to give any pair of shares for any key


def test_caches_are_bounded() -> None:
    for cached in (sida._table, sida._powers, sida._parity_rows, sida._key_row, sida._decoding_rows):
        assert cached.cache_info().maxsize is not None


def test_golden_shares() -> None:
    for golden in VECTORS["s-ida"]:
        random = bytes.fromhex(golden["random"])
        message = bytes.fromhex(golden["message"])
        shares = split(message, golden["n"], golden["k"], lambda count, random=random: random[:count])  # type: ignore[misc]
        assert [share.hex() for share in shares] == golden["shares"]
        last = {index: shares[index] for index in range(golden["n"] - golden["k"], golden["n"])}
        assert join(last, golden["n"], golden["k"]) == message


@pytest.mark.parametrize(
    ("length", "published_split", "published_join"), [(1024, 0.142, 0.08), (4096, 0.325, 0.29), (16_384, 0.612, 0.66)]
)
def test_faster_than_the_published_implementation(length: int, published_split: float, published_join: float) -> None:
    """Milliseconds of the paper's C++ code; here the best of several rounds, since the machine may be busy."""
    random = seeded(b"speed")(96)
    shares = dict(enumerate(split(text(length), 4, 3, lambda count: random[:count])))
    del shares[0]  # the slower case: one fragment has to be computed
    message = text(length)
    splitting = min(timeit.repeat(lambda: split(message, 4, 3, lambda count: random[:count]), number=20, repeat=20))
    joining = min(timeit.repeat(lambda: join(shares, 4, 3), number=20, repeat=20))
    assert splitting / 20 * 1000 < published_split
    assert joining / 20 * 1000 < published_join
