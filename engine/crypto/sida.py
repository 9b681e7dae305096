"""S-IDA: a message in n shares of which any k suffice and k - 1 tell nothing but its length.

Krawczyk, "Secret Sharing Made Short" (CRYPTO '93), as GenTorrent uses it (arXiv 2504.20101): a fresh key K, the message
under ChaCha20-Poly1305, the ciphertext dispersed by a Reed-Solomon code over GF(2^8) (Rabin's IDA), K shared after
Shamir over the same field. The layout is in docs/protocol.md:

    body     = message, z zero bytes, one byte z            z in 0 .. k-1, so that k divides the sealed length
    sealed   = ChaCha20-Poly1305(K, nonce 0, body, associated = "gentorrent/s-ida/v1" n k)
    share i  = Shamir share of K at x = i + 1 (32 bytes), then fragment i of ``sealed`` (its length / k)

The code is systematic: fragments 0 .. k-1 are ``sealed`` itself, cut in k. The rows of the others form a Cauchy matrix,
scaled so that the first is all ones (plain XOR); any k rows are linearly independent. A share carries neither its index
nor n and k: whoever carries it does. Tables are indexed by secret bytes; every K is used once, on the client's or the
model node's own machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, reduce
from itertools import combinations, islice
from operator import xor

import numpy as np

from engine.crypto.symmetric import KEY_LENGTH, TAG_LENGTH, aead_open, aead_seal
from engine.errors import SealError

MAX_SHARES = 16
MAX_ATTEMPTS = 70
"""Sets of k shares that :func:`join` tries: all of them for n <= 8."""
_POLYNOMIAL = 0x11D  # x^8 + x^4 + x^3 + x^2 + 1, in which 2 generates every non-zero element
_LABEL = b"gentorrent/s-ida/v1"
_INTEGER_LIMIT = 640  # below this many bytes XOR of Python integers beats numpy

Row = tuple[int, ...]


def split(message: bytes, n: int, k: int, random_bytes: Callable[[int], bytes]) -> list[bytes]:
    """``n`` shares of ``message``, share i at index i; ``random_bytes`` is asked once, for 32 k bytes.

    1 <= k <= n <= 16, else ``ValueError``. A share is 32 + ceil((length + 17) / k) bytes long.
    """
    _check(n, k)
    secrets = random_bytes(KEY_LENGTH * k)
    polynomial = _cut(secrets, k)  # K, then the coefficients of x, x^2, ...
    zeros = -(len(message) + 1 + TAG_LENGTH) % k
    sealed = aead_seal(polynomial[0], 0, message + bytes(zeros) + bytes((zeros,)), _LABEL + bytes((n, k)))
    fragments = _cut(sealed, k)
    fragments += [_combine(row, fragments) for row in _parity_rows(n, k)]
    return [_combine(_powers(index + 1, k), polynomial) + fragment for index, fragment in enumerate(fragments)]


def join(shares: Mapping[int, bytes], n: int, k: int) -> bytes:
    """The message, from any ``k`` shares by index. With more than k, altered ones are worked around (at most
    :data:`MAX_ATTEMPTS` sets are tried). :class:`SealError` when no set of k shares fits together."""
    _check(n, k)
    if any(not 0 <= index < n for index in shares):
        raise SealError(f"a share's index is not below {n}")
    if len(shares) < k:
        raise SealError(f"{len(shares)} shares are too few: {k} are needed")
    for indexes in islice(_sets(sorted(shares), k), MAX_ATTEMPTS):
        message = _join_exactly(indexes, [shares[index] for index in indexes], n, k)
        if message is not None:
            return message
    raise SealError("the shares do not fit together: too many are altered or belong to other messages")


def _join_exactly(indexes: Row, shares: Sequence[bytes], n: int, k: int) -> bytes | None:
    """The message of exactly ``k`` shares, None when they do not fit together."""
    length = len(shares[0]) - KEY_LENGTH
    if length * k <= TAG_LENGTH or any(len(share) != length + KEY_LENGTH for share in shares):
        return None
    key = _combine(_key_row(indexes), [share[:KEY_LENGTH] for share in shares])
    present = [share[KEY_LENGTH:] for share in shares]
    rows = _decoding_rows(indexes, n, k)
    sealed = b"".join([_combine(row, present) for row in rows])
    try:
        body = aead_open(key, 0, sealed, _LABEL + bytes((n, k)))
    except SealError:
        return None
    return body[: len(body) - 1 - body[-1]] if body and body[-1] < k else None


def _sets(indexes: Sequence[int], k: int) -> Iterator[Row]:
    """Every set of ``k`` indexes, first those that leave out neighbours: they avoid any one bad share soonest."""
    count = len(indexes)
    seen = set()
    if count > k:
        for start in range(count):
            chosen = tuple(sorted(indexes[(start + step) % count] for step in range(k)))
            seen.add(chosen)
            yield chosen
    for chosen in combinations(indexes, k):
        if chosen not in seen:
            yield chosen


def _check(n: int, k: int) -> None:
    if not 1 <= k <= n <= MAX_SHARES:
        raise ValueError(f"S-IDA needs 1 <= k <= n <= {MAX_SHARES}, not n = {n}, k = {k}")


def _cut(data: bytes, count: int) -> list[bytes]:
    """``count`` equal pieces of ``data``, whose length ``count`` divides."""
    length = len(data) // count
    return [data[start : start + length] for start in range(0, count * length, length)]


def _combine(row: Row, pieces: Sequence[bytes]) -> bytes:
    """The sum over GF(2^8) of ``row[j] * pieces[j]``, byte by byte; all pieces are equally long."""
    terms = [
        piece if factor == 1 else piece.translate(_table(factor))
        for factor, piece in zip(row, pieces, strict=True)
        if factor
    ]
    if len(terms) == 1:
        return terms[0]
    length = len(terms[0])
    if length < _INTEGER_LIMIT:
        return reduce(xor, [int.from_bytes(term, "little") for term in terms]).to_bytes(length, "little")
    total = np.bitwise_xor(np.frombuffer(terms[0], np.uint8), np.frombuffer(terms[1], np.uint8))
    for term in terms[2:]:
        np.bitwise_xor(total, np.frombuffer(term, np.uint8), out=total)
    return total.tobytes()


def _logarithms() -> tuple[list[int], list[int]]:
    """Powers of 2 (twice around, so that sums of two logarithms need no reduction) and logarithms to base 2."""
    powers, logarithms = [0] * 510, [0] * 256
    value = 1
    for exponent in range(255):
        powers[exponent] = powers[exponent + 255] = value
        logarithms[value] = exponent
        value = value << 1 ^ (_POLYNOMIAL if value & 0x80 else 0)
    return powers, logarithms


_POWERS, _LOGARITHMS = _logarithms()


def _multiply(one: int, other: int) -> int:
    return _POWERS[_LOGARITHMS[one] + _LOGARITHMS[other]] if one and other else 0


def _divide(one: int, other: int) -> int:
    return _POWERS[_LOGARITHMS[one] + 255 - _LOGARITHMS[other]] if one else 0


@lru_cache(maxsize=256)
def _table(factor: int) -> bytes:
    """256 bytes: ``factor`` times each field element, for ``bytes.translate``."""
    return bytes(_multiply(factor, value) for value in range(256))


@lru_cache(maxsize=256)
def _powers(x: int, k: int) -> Row:
    """1, x, x^2, ... x^(k-1): evaluates a polynomial of degree k - 1 at ``x``."""
    row = [1]
    for _ in range(k - 1):
        row.append(_multiply(row[-1], x))
    return tuple(row)


@lru_cache(maxsize=256)
def _parity_rows(n: int, k: int) -> tuple[Row, ...]:
    """Rows of fragments k .. n-1: the Cauchy matrix 1 / (i + j), each row and column scaled to begin with 1."""
    rows = [[_divide(1, i ^ j) for j in range(k)] for i in range(k, n)]
    scaled = [[_divide(value, top) for value, top in zip(row, rows[0], strict=True)] for row in rows]
    return tuple(tuple(_divide(value, row[0]) for value in row) for row in scaled)


@lru_cache(maxsize=1024)
def _key_row(indexes: Row) -> Row:
    """Lagrange's coefficients at 0 for the points x = index + 1 (Shamir)."""
    row = []
    for index in indexes:
        value = 1
        for other in indexes:
            if other != index:
                value = _multiply(value, _divide(other + 1, (other + 1) ^ (index + 1)))
        row.append(value)
    return tuple(row)


@lru_cache(maxsize=1024)
def _decoding_rows(indexes: Row, n: int, k: int) -> tuple[Row, ...]:
    """Rows that make fragments 0 .. k-1 out of those at ``indexes``: the inverse of their rows in the code."""
    identity = tuple(tuple(int(i == j) for j in range(k)) for i in range(k))
    code = identity + _parity_rows(n, k)
    return _inverse([list(code[index]) for index in indexes])


def _inverse(matrix: list[list[int]]) -> tuple[Row, ...]:
    """Gauss and Jordan over GF(2^8); the matrix is invertible by construction of the code."""
    size = len(matrix)
    work = [row + [int(i == j) for j in range(size)] for i, row in enumerate(matrix)]
    for column in range(size):
        pivot = next(row for row in range(column, size) if work[row][column])
        work[column], work[pivot] = work[pivot], work[column]
        scale = work[column][column]
        work[column] = [_divide(value, scale) for value in work[column]]
        for row in range(size):
            factor = work[row][column]
            if row != column and factor:
                work[row] = [
                    value ^ _multiply(factor, other) for value, other in zip(work[row], work[column], strict=True)
                ]
    return tuple(tuple(row[size:]) for row in work)
