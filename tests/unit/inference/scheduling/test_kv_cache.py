"""Reservations of cache tokens add up."""

import pytest

from engine.inference.scheduling.kv_cache import KvBudget, capacity


def test_reservations_add_up_and_come_back():
    budget = KvBudget(100)
    assert budget.reserve(1, 60)
    assert not budget.reserve(2, 41)
    assert budget.free == 40
    assert budget.reserve(2, 40)
    budget.release(1)
    budget.release(1)
    assert (budget.free, budget.total) == (60, 100)


def test_a_sequence_reserves_once():
    budget = KvBudget(100)
    budget.reserve(1, 10)
    with pytest.raises(ValueError, match="already"):
        budget.reserve(1, 10)


def test_an_empty_cache_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        KvBudget(0)


def test_capacity_follows_memory_between_one_context_and_all_slots():
    assert capacity(8, 4096, 100, 1) == 4096
    assert capacity(8, 4096, 100, 10**9) == 8 * 4096
    assert capacity(8, 4096, 100, 1_000_000) == 10_000
