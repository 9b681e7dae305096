"""Proof of work: off while few come, dearer the more come, and of use to nobody else."""

from __future__ import annotations

import hashlib

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from engine.directory.work import (
    FIRST_BITS,
    FREE,
    MOST_BITS,
    VALID_SECONDS,
    WINDOW_SECONDS,
    Newcomers,
    is_solved,
    search,
    work_bytes,
)
from engine.wire.receipts import WorkSolution
from tests.support.records import NOW, genesis

NETWORK = genesis().network_id
KEY, OTHER = b"k" * 32, b"o" * 32


def flood(count: int, begun: float = 0.0) -> Newcomers:
    newcomers = Newcomers(NETWORK, b"s" * 32)
    for number in range(count):
        newcomers.came(begun + number / count)
    return newcomers


def test_the_price_follows_the_rate_of_newcomers() -> None:
    assert flood(FREE - 1).bits(1.0) == 0
    assert flood(FREE).bits(1.0) == FIRST_BITS
    prices = [flood(count).bits(1.0) for count in (FREE, 2 * FREE, 4 * FREE, 8 * FREE, 16 * FREE, 100 * FREE)]
    assert prices == [18, 20, 22, 24, 26, MOST_BITS]
    crowd = flood(20 * FREE)
    assert crowd.bits(WINDOW_SECONDS - 1) == MOST_BITS
    assert crowd.bits(WINDOW_SECONDS + 2) == 0


def test_a_flood_from_one_place_is_dear_there_first() -> None:
    newcomers = Newcomers(NETWORK, b"s" * 32)
    prices = []
    for number in range(31):
        prices.append(newcomers.bits(number, "203.0.113.0/24"))
        newcomers.came(number, "203.0.113.0/24")
    assert prices == [0] * 8 + [18] * 8 + [20] * 15
    assert newcomers.bits(31.0, "198.51.100.0/24") == newcomers.bits(31.0) == 0
    assert newcomers.bits(WINDOW_SECONDS + 31.0, "203.0.113.0/24") == 0


@given(st.integers(0, 12), st.binary(min_size=1, max_size=20))
def test_a_search_finds_what_has_so_many_zero_bits(bits: int, start: bytes) -> None:
    found = search(bits, start, 0, 1 << 17)
    assert found is not None
    digest = hashlib.sha256(start + found.to_bytes(8, "big")).digest()
    assert format(int.from_bytes(digest, "big"), "0256b").startswith("0" * bits)
    assert is_solved(bits, start, found)
    assert search(bits, start, 0, found) is None


def test_a_solution_is_of_use_to_its_node_alone_and_for_a_while() -> None:
    newcomers = flood(0)
    challenge = newcomers.challenge(KEY, 8, NOW)
    solution = search(8, work_bytes(NETWORK, KEY, challenge.salt), 0, 1 << 16)
    assert solution is not None
    shown = WorkSolution(challenge=challenge, solution=solution)
    assert newcomers.accepts(KEY, shown, NOW)
    assert newcomers.accepts(KEY, shown, NOW + VALID_SECONDS - 1)
    change = msgspec.structs.replace
    assert not newcomers.accepts(KEY, shown, NOW + VALID_SECONDS + 2)
    assert not newcomers.accepts(OTHER, shown, NOW)
    assert not Newcomers(NETWORK, b"t" * 32).accepts(KEY, shown, NOW)
    unsolved = next(n for n in range(1000) if not is_solved(8, work_bytes(NETWORK, KEY, challenge.salt), n))
    assert not newcomers.accepts(KEY, change(shown, solution=unsolved), NOW)
    for easier in ({"bits": 0}, {"expires": challenge.expires + 1}, {"salt": bytes(16)}):
        assert not newcomers.accepts(KEY, change(shown, challenge=change(challenge, **easier)), NOW)


def test_a_solution_counts_while_the_price_has_doubled_once_at_most() -> None:
    newcomers = flood(0)
    challenge = newcomers.challenge(KEY, 8, NOW)
    solution = search(8, work_bytes(NETWORK, KEY, challenge.salt), 0, 1 << 16)
    assert solution is not None
    shown = WorkSolution(challenge=challenge, solution=solution)
    assert [newcomers.accepts(KEY, shown, NOW, price) for price in (0, 8, 10, 11, 26)] == [
        True,
        True,
        True,
        False,
        False,
    ]
