"""Proof of work: what an identity costs while many newcomers come at once. Pure.

It makes floods of identities dearer, not impossible: whoever has better hardware pays less. While few come it is off.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import deque

from engine.ids import NetworkId
from engine.wire.receipts import WorkChallenge, WorkSolution

WINDOW_SECONDS = 600.0
"""In which newcomers are counted."""
FREE = 32
"""So many newcomers in the window pay nothing."""
FREE_NEAR = 8
"""So many of one neighbourhood (a /24 or /48); beyond, they pay as if so much more came from everywhere."""
FIRST_BITS, BITS_PER_DOUBLING, MOST_BITS = 18, 2, 26
"""Zero bits: at the first that pays, more for each doubling of the rate, and at most: half a minute of one core."""
VALID_SECONDS = 600.0
_COUNTED = FREE << (1 + (MOST_BITS - FIRST_BITS) // BITS_PER_DOUBLING)


def work_bytes(network_id: NetworkId, node_key: bytes, salt: bytes) -> bytes:
    """What stands before the solution (8 big-endian bytes) in what is hashed."""
    return b"gentorrent/proof-of-work/v1" + network_id + node_key + salt


def is_solved(bits: int, start: bytes, solution: int) -> bool:
    """Whether SHA-256 over ``start`` and the solution begins with so many zero bits."""
    digest = hashlib.sha256(start + solution.to_bytes(8, "big")).digest()
    return int.from_bytes(digest, "big") >> (256 - bits) == 0 if bits else True


def search(bits: int, start: bytes, first: int, count: int) -> int | None:
    """The first solution among ``count`` numbers from ``first`` on; None if none of them is one."""
    hashed, limit = hashlib.sha256(start), 1 << (64 - min(bits, 64))
    for number in range(first, first + count):
        one = hashed.copy()
        one.update(number.to_bytes(8, "big"))
        if int.from_bytes(one.digest()[:8], "big") < limit and is_solved(bits, start, number):
            return number
    return None


class Newcomers:
    """Counts those who come, and sets and checks what they have to do. ``secret`` (32 random bytes) makes challenges
    the server's own, so that it need not remember them."""

    def __init__(self, network_id: NetworkId, secret: bytes) -> None:
        self._network_id = network_id
        self._secret = secret
        self._came: deque[tuple[float, str]] = deque(maxlen=_COUNTED)

    def came(self, now: float, place: str = "") -> None:
        """Somebody was listed for the first time; ``now`` is monotonic, ``place`` the neighbourhood."""
        self._came.append((now, place))

    def bits(self, now: float, place: str = "") -> int:
        """What the next newcomer from there pays: by the rate of all, or by that of its neighbourhood if it is dearer,
        so that a flood from one place makes it dear there first."""
        while self._came and self._came[0][0] < now - WINDOW_SECONDS:
            self._came.popleft()
        near = sum(one == place for _, one in self._came) if place else 0
        return max(_price(len(self._came), FREE), _price(near, FREE_NEAR))

    def challenge(self, node_key: bytes, bits: int, wall: float) -> WorkChallenge:
        """For this node; ``wall`` in seconds since 1970."""
        expires = int(wall + VALID_SECONDS)
        return WorkChallenge(salt=self._salt(node_key, bits, expires), bits=bits, expires=expires)

    def accepts(self, node_key: bytes, shown: WorkSolution, wall: float, price: int = 0) -> bool:
        """Whether this node has solved a challenge of this server that still holds. ``price``: in bits, what one costs
        now. It may have doubled once since this one was set; who has fetched many while they were cheap solves them
        for nothing."""
        challenge = shown.challenge
        if challenge.expires < wall or challenge.bits < price - BITS_PER_DOUBLING:
            return False
        if not hmac.compare_digest(challenge.salt, self._salt(node_key, challenge.bits, challenge.expires)):
            return False
        return is_solved(challenge.bits, work_bytes(self._network_id, node_key, challenge.salt), shown.solution)

    def _salt(self, node_key: bytes, bits: int, expires: int) -> bytes:
        content = node_key + bytes((bits,)) + expires.to_bytes(8, "big")
        return hmac.digest(self._secret, content, "sha256")[:16]


def _price(came: int, free: int) -> int:
    if came < free:
        return 0
    doublings = (came // free).bit_length() - 1
    return min(MOST_BITS, FIRST_BITS + BITS_PER_DOUBLING * doublings)
