"""Slots lie together, and a copy is made only when it has earned its cost."""

import pytest

from engine.errors import InferenceError
from engine.inference.scheduling.kv_cache import capacity, slot_capacity, slots_for, whole_slots
from engine.inference.scheduling.plan import Move
from engine.inference.scheduling.sequence import Sequence
from engine.inference.scheduling.slots import IDLE_ROW_TOKENS, SlotTable
from engine.inference.scheduling.submission import Submission


def sequences(number, fed=0):
    made = [Sequence(key, Submission((1,)), key, 10, 0.0) for key in range(number)]
    for one in made:
        one.fed = fed
    return made


def filled(number, fed=0):
    table, made = SlotTable(8), sequences(number, fed)
    for one in made:
        table.give(one)
    return table, made


def test_the_lowest_free_slot_is_given_first():
    table, made = filled(4)
    table.take_back(made[2])
    table.take_back(made[0])
    (newcomer,) = sequences(1)
    table.give(newcomer)
    assert newcomer.slot == 0
    assert table.take_freed() == (0, 2)
    assert table.take_freed() == ()


def test_nothing_moves_while_there_is_no_hole():
    table, _ = filled(3, fed=10)
    assert [table.compact() for _ in range(100)] == [[]] * 100


def test_an_empty_slot_changes_hands_for_nothing():
    table, made = filled(3)
    table.take_back(made[0])
    assert table.compact() == []
    assert {one.slot for one in made[1:]} == {0, 1}


def test_a_copy_waits_until_idle_rows_have_cost_as_much():
    table, made = filled(3, fed=5 * IDLE_ROW_TOKENS)
    table.take_back(made[0])
    table.take_freed()
    moves = [table.compact() for _ in range(6)]
    assert moves[:4] == [[]] * 4
    assert moves[4] == [Move(2, 0, 5 * IDLE_ROW_TOKENS)]
    assert made[2].slot == 0
    assert table.take_freed() == (2,)  # what was copied away is freed by the next plan
    assert moves[5] == []


def test_a_long_sequence_below_is_never_moved_for_a_hole_above_it():
    table, made = filled(3, fed=100)
    made[0].fed = 10**6
    table.take_back(made[2])
    assert [table.compact() for _ in range(5)] == [[]] * 5


def test_a_slots_room_grows_in_coarse_steps_up_to_the_context():
    assert slot_capacity(0, 1000) == 0
    assert slot_capacity(1, 1000) == 256
    assert slot_capacity(1, 40) == 40
    rooms = [slot_capacity(blocks, 32 * 1024) for blocks in range(1, 1025)]
    assert all(room >= 32 * blocks for blocks, room in enumerate(rooms, 1))
    assert all(room <= max(256, 1.3 * 32 * blocks) for blocks, room in enumerate(rooms, 1))
    assert len(set(rooms)) < 40
    assert rooms[-1] == 32 * 1024


def test_the_memory_offered_keeps_to_the_budget_and_is_at_most_two_contexts_for_every_slot():
    assert capacity(slots=4, context_length=1000, bytes_per_token=10, budget_bytes=2_570) == 256
    assert capacity(slots=4, context_length=1024, bytes_per_token=10, budget_bytes=30_000) == 2976
    assert capacity(slots=4, context_length=1024, bytes_per_token=10, budget_bytes=10**9) == 8192
    assert capacity(slots=4, context_length=40, bytes_per_token=10, budget_bytes=640) == 64


@pytest.mark.parametrize(("context", "budget"), [(1000, 0), (1000, 2_559), (40, 639)])
def test_memory_for_less_than_one_short_sequence_is_refused(context, budget):
    with pytest.raises(InferenceError, match="cache_memory"):
        capacity(slots=4, context_length=context, bytes_per_token=10, budget_bytes=budget)


def test_whole_slots_leave_a_quarter_to_the_cache():
    assert whole_slots(slots=4, context_length=4096, tokens=8192) == 1536
    assert whole_slots(slots=4, context_length=1000, tokens=8192) == 1000
    assert whole_slots(slots=4, context_length=1000, tokens=10) == 32


def test_fewer_whole_slots_are_offered_before_conversations_become_short():
    assert slots_for(8, 1000, 8192) == 6
    assert slots_for(8, 100_000, 8 * 8192 * 4 // 3 + 64) == 8
    assert slots_for(8, 100_000, 2 * 8192 * 4 // 3 + 64) == 2
    assert slots_for(8, 100_000, 100) == 1
