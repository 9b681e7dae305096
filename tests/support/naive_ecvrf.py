"""ECVRF-EDWARDS25519-SHA512-TAI (RFC 9381) a second time, in whole numbers, word by word as the RFC has it; for
comparison only, as it is not constant time. Shares nothing with ``engine.crypto.ecvrf``."""

from __future__ import annotations

import hashlib

P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)
Point = tuple[int, int]
ZERO: Point = (0, 1)


def add(a: Point, b: Point) -> Point:
    (x1, y1), (x2, y2) = a, b
    product = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, P) % P
    y = (y1 * y2 + x1 * x2) * pow(1 - product, -1, P) % P
    return x, y


def negative(a: Point) -> Point:
    return -a[0] % P, a[1]


def times(number: int, a: Point) -> Point:
    result = ZERO
    for bit in bin(number)[2:]:
        result = add(result, result)
        if bit == "1":
            result = add(result, a)
    return result


def to_bytes(a: Point) -> bytes:
    return (a[1] | (a[0] & 1) << 255).to_bytes(32, "little")


def to_point(data: bytes) -> Point | None:
    """RFC 8032, section 5.1.3."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * ROOT_OF_MINUS_1 % P
    if x * x % P != square or (x == 0 and sign):
        return None
    return (P - x if x & 1 != sign else x), y


_BASE = to_point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
assert _BASE is not None
BASE: Point = _BASE


def secret_of(seed: bytes) -> int:
    number = int.from_bytes(hashlib.sha512(seed).digest()[:32], "little")
    return number & ((1 << 254) - 8) | 1 << 254


def encode_to_curve(salt: bytes, alpha: bytes) -> Point:
    counter = 0
    while True:
        digest = hashlib.sha512(b"\x03\x01" + salt + alpha + bytes([counter]) + b"\x00").digest()
        point = to_point(digest[:32])
        if point is not None and times(8, point) != ZERO:
            return times(8, point)
        counter += 1


def challenge(*points: Point) -> int:
    text = b"\x03\x02" + b"".join(map(to_bytes, points)) + b"\x00"
    return int.from_bytes(hashlib.sha512(text).digest()[:16], "little")


def prove(seed: bytes, alpha: bytes) -> bytes:
    secret = secret_of(seed)
    key = times(secret, BASE)
    h = encode_to_curve(to_bytes(key), alpha)
    gamma = times(secret, h)
    prefix = hashlib.sha512(seed).digest()[32:]
    k = int.from_bytes(hashlib.sha512(prefix + to_bytes(h)).digest(), "little") % Q
    c = challenge(key, h, gamma, times(k, BASE), times(k, h))
    return to_bytes(gamma) + c.to_bytes(16, "little") + ((k + c * secret) % Q).to_bytes(32, "little")


def verify(public_key: bytes, alpha: bytes, proof: bytes) -> bytes | None:
    """The output, or None; keys validated as section 5.4.5 says."""
    key, gamma = to_point(public_key), to_point(proof[:32])
    if key is None or gamma is None or times(8, key) == ZERO:
        return None
    c, s = int.from_bytes(proof[32:48], "little"), int.from_bytes(proof[48:], "little")
    if s >= Q:
        return None
    h = encode_to_curve(public_key, alpha)
    u = add(times(s, BASE), negative(times(c, key)))
    v = add(times(s, h), negative(times(c, gamma)))
    if challenge(key, h, gamma, u, v) != c:
        return None
    return hashlib.sha512(b"\x03\x03" + to_bytes(times(8, gamma)) + b"\x00").digest()
