"""Admission, order, chunks, memory, pacing and limits, one step at a time."""

import itertools
import math

import pytest

from engine.errors import ContextLengthError, InvalidRequestError, OverloadedError
from engine.inference.scheduling.plan import BLOCK_TOKENS, Row
from engine.inference.scheduling.prefix_cache import PrefixCache
from engine.inference.scheduling.scheduler import Scheduler, SchedulerSettings, Submission
from tests.support.scheduling import NaiveMachine, naive_answer

END = 99


def make(slots=2, queue=2, chunk=4, context=1000, blocks=100, end=END, wait=0.25):
    limits = SchedulerSettings(context, frozenset({end}), slots, queue, chunk, wait)
    return Scheduler(limits, PrefixCache(b"model", blocks))


def ask(tokens=3, first=0, **options):
    return Submission(prompt_ids=tuple(range(first, first + tokens)), **options)


def step(scheduler, now=0.0, token=7, seconds=0.01):
    """Plan, complete and draw; the rows as {key: number of tokens}."""
    plan = scheduler.next_step(now)
    if plan is None:
        return None
    scheduler.completed(plan, seconds, now)
    for row in plan.rows:
        if row.draw:
            scheduler.append(row.key, token, now)
    return {row.key: len(row.ids) for row in plan.rows}


def steps(scheduler, number, now=0.0):
    return [step(scheduler, now) for _ in range(number)]


# ------------------------------------------------------------------------------------------------- prompts and answers


def test_a_prompt_is_fed_in_chunks_and_then_decoded():
    scheduler = make()
    assert scheduler.submit(1, ask(10), 0.0)
    rows = []
    for _ in range(3):
        plan = scheduler.next_step(0.0)
        rows += plan.rows
        scheduler.completed(plan, 0.01, 0.0)
    assert rows == [
        Row(1, 0, 0, (0, 1, 2, 3), False),
        Row(1, 0, 4, (4, 5, 6, 7), False),
        Row(1, 0, 8, (8, 9), True),
    ]
    assert scheduler.append(1, 55, 0.0) is None
    assert scheduler.next_step(0.0).rows == (Row(1, 0, 10, (55,), True),)


def test_running_answers_get_a_token_in_every_step_beside_a_chunk():
    scheduler = make()
    scheduler.submit(1, ask(2), 0.0)
    step(scheduler)
    scheduler.submit(2, ask(12), 0.0)
    assert steps(scheduler, 4) == [{1: 1, 2: 4}] * 3 + [{1: 1, 2: 1}]


def test_a_chunk_is_no_longer_than_running_answers_may_wait():
    scheduler = make(chunk=512, wait=0.25)
    scheduler.measured_prefill(1000, 2.0)  # 500 tokens a second
    scheduler.submit(1, ask(800), 0.0)
    assert step(scheduler, seconds=1.024) == {1: 512}  # nobody waits
    assert step(scheduler, seconds=0.576) == {1: 288}
    scheduler.submit(2, ask(300, first=1000), 0.0)
    assert step(scheduler) == {1: 1, 2: 96}


def test_on_a_slow_machine_a_step_ends_in_time_for_newcomers():
    scheduler = make(chunk=512, wait=0.25)
    scheduler.measured_prefill(100, 2.0)  # 50 tokens a second
    scheduler.submit(1, ask(800), 0.0)
    assert step(scheduler) == {1: 128}


def test_a_short_prompt_does_not_wait_for_a_long_one_and_the_long_one_goes_on():
    scheduler = make(chunk=64, slots=3)
    scheduler.submit(1, ask(900), 0.0)
    step(scheduler)
    scheduler.submit(2, ask(40, first=1000), 0.0)
    assert step(scheduler) == {1: 32, 2: 32}
    assert step(scheduler) == {1: 56, 2: 8}


def test_a_long_prompt_is_read_through_a_flood_of_short_ones():
    scheduler = make(chunk=64, slots=4, queue=1000, blocks=1000)
    scheduler.submit(0, ask(900, max_tokens=1), 0.0)
    numbers = itertools.count(1)
    for number in range(29):
        while len(scheduler.places()) < 4:
            key = next(numbers)
            scheduler.submit(key, ask(60, first=1000 * key, max_tokens=1, owner=key % 2 == 0), 0.0)
        rows = step(scheduler)
        assert rows[0] >= min(32, 900 - 32 * number)  # half of each step is its share
        if scheduler.ended(0):
            return
        for key in scheduler.running():
            if scheduler.ended(key):
                scheduler.finish(key)
    raise AssertionError("it was not read in as many steps as it has shares")


def test_continued_tokens_are_fed_after_the_prompt_and_count():
    scheduler = make(chunk=10)
    scheduler.submit(1, ask(3, answer_ids=(50, 51), max_tokens=3), 0.0)
    plan = scheduler.next_step(0.0)
    assert plan.rows == (Row(1, 0, 0, (0, 1, 2, 50, 51), True),)
    scheduler.completed(plan, 0.01, 0.0)
    assert scheduler.append(1, 52, 0.0) == "length"
    assert scheduler.answer(1) == [50, 51, 52]
    assert scheduler.answer_length(1) == 3


@pytest.mark.parametrize(
    ("options", "reason"), [({"answer_ids": (5, END)}, "stop"), ({"answer_ids": (5, 6), "max_tokens": 2}, "length")]
)
def test_an_answer_that_came_complete_is_never_computed(options, reason):
    scheduler = make()
    assert scheduler.submit(1, ask(**options), 0.0)
    assert scheduler.ended(1) == reason
    assert scheduler.next_step(0.0) is None
    assert scheduler.next_deadline() is None


def test_the_answer_ends_with_its_limit_or_the_context():
    scheduler = make(context=6, chunk=10)
    scheduler.submit(1, ask(3, max_tokens=2), 0.0)
    scheduler.submit(2, ask(3, max_tokens=50), 0.0)
    step(scheduler)
    assert scheduler.append(1, 7, 0.0) == "length"
    assert scheduler.append(1, 7, 0.0) == "length"  # nothing is added any more
    assert scheduler.answer(1) == [7, 7]
    assert scheduler.append(2, 7, 0.0) is None
    assert scheduler.append(2, 7, 0.0) == "length"


def test_the_end_token_ends_and_is_suppressed_below_min_tokens():
    scheduler = make()
    scheduler.submit(1, ask(3, min_tokens=2), 0.0)
    assert scheduler.suppressed(1) == {END}
    step(scheduler)
    assert scheduler.suppressed(1) == {END}
    step(scheduler)
    assert scheduler.suppressed(1) == frozenset()
    assert scheduler.append(1, END, 0.0) == "stop"


def test_a_limit_below_min_tokens_wins():
    scheduler = make()
    scheduler.submit(1, ask(3, min_tokens=5, max_tokens=1), 0.0)
    step(scheduler)
    assert scheduler.ended(1) == "length"


# --------------------------------------------------------------------------------------------------- the prefix cache


def test_a_second_prompt_loads_what_the_first_stored_and_feeds_at_least_one_token():
    scheduler = make(chunk=512)
    machine = NaiveMachine(scheduler)
    machine.submit(1, ask(64, cache_salt=b"s", max_tokens=2))
    machine.step()
    machine.submit(2, ask(64, cache_salt=b"s", max_tokens=2))
    assert scheduler.cached_tokens(2) == 32
    plan = machine.step()
    assert [(load.slot, len(load.blocks)) for load in plan.loads] == [(1, 1)]
    assert {row.key: row.start for row in plan.rows} == {1: 64, 2: 32}
    assert scheduler.cached_tokens(1) == 0
    machine.submit(3, ask(64, cache_salt=b"other", max_tokens=2))
    machine.step()
    assert scheduler.cached_tokens(3) == 0


def test_blocks_are_stored_as_soon_as_they_are_full_in_prompts_and_answers():
    scheduler = make(chunk=40)
    scheduler.submit(1, ask(70, cache_salt=b"s"), 0.0)
    stored = []
    for _ in range(2 + 58):
        plan = scheduler.next_step(0.0)
        stored.append([store.position for store in plan.stores])
        scheduler.completed(plan, 0.01, 0.0)
        if plan.rows[0].draw:
            scheduler.append(1, 7, 0.0)
    assert stored[:2] == [[0], [32]]
    assert [(index, one) for index, one in enumerate(stored) if one][2:] == [(27, [64]), (59, [96])]
    assert scheduler.kv_tokens_cached == 4 * BLOCK_TOKENS


def test_equal_prompts_at_the_same_time_are_computed_once():
    scheduler = make(slots=8, chunk=128, end=0, blocks=200)
    machine = NaiveMachine(scheduler)
    for key in range(8):
        machine.submit(key, ask(400, cache_salt=b"s", max_tokens=1))
    while scheduler.running():
        machine.step()
    assert machine.fed == 400 + 7 * 16  # all but the last, unfinished block is shared
    assert machine.loaded == 7 * 384


def test_nobody_waits_for_an_equal_prompt_that_is_gone():
    scheduler = make(slots=2, chunk=64)
    scheduler.submit(1, ask(400, cache_salt=b"s"), 0.0)
    scheduler.submit(2, ask(400, cache_salt=b"s"), 0.0)
    assert step(scheduler) == {1: 64}
    scheduler.finish(1)
    plan = scheduler.next_step(0.0)
    assert [(row.key, row.start) for row in plan.rows] == [(2, 64)]


def test_without_a_salt_equal_prompts_run_side_by_side_and_share_the_public_part_only():
    scheduler = make(slots=2, chunk=512)
    machine = NaiveMachine(scheduler)
    for key in (1, 2):
        machine.submit(key, ask(200, public_tokens=70, max_tokens=1))
    while scheduler.running():
        machine.step()
    assert machine.loaded == 64
    assert scheduler.kv_tokens_cached == 64
    assert [event.inserted for event in scheduler.events()] == [True, True]
    assert scheduler.events_lost == 0


def test_broken_numbers_leave_nothing_behind():
    scheduler = make(chunk=512)
    scheduler.submit(1, ask(100, cache_salt=b"s", public_tokens=64), 0.0)
    plan = scheduler.next_step(0.0)
    scheduler.completed(plan, 0.01, 0.0)
    assert scheduler.kv_tokens_cached == 96
    scheduler.finish(1, broken=True)
    assert scheduler.kv_tokens_cached == 0
    assert [event.inserted for event in scheduler.events()] == [True, True, False, False]


# -------------------------------------------------------------------------------------------------------- who is next


def test_first_come_first_served_but_the_owner_before_all():
    scheduler = make(slots=1, queue=5)
    scheduler.submit(1, ask(), 0.0)
    scheduler.submit(2, ask(), 0.0)
    scheduler.submit(3, ask(), 0.0)
    assert not scheduler.submit(4, ask(owner=True), 0.0)
    assert [(one.key, one.place) for one in scheduler.places()] == [(4, 1), (2, 2), (3, 3)]
    estimates = [one.estimate for one in scheduler.places()]
    assert estimates == sorted(estimates)
    assert estimates[0] > 0
    scheduler.finish(1)
    assert scheduler.running() == [4]


def test_the_owner_takes_the_youngest_strangers_place_but_not_the_last_ones():
    scheduler = make(slots=4, queue=10, chunk=64)
    for key in range(4):
        scheduler.submit(key, ask(first=10 * key), 0.0)
    steps(scheduler, 3)
    for key in range(4, 8):
        assert scheduler.submit(key, ask(first=10 * key, owner=True), 0.0) == (key < 7)
    assert scheduler.running() == [0, 4, 5, 6]
    assert [one.key for one in scheduler.places()] == [7]  # those who had begun are not told that they wait
    assert scheduler.answer(3) == [7, 7, 7]
    scheduler.finish(0)
    assert scheduler.running() == [4, 5, 6, 7]
    scheduler.finish(4)
    assert scheduler.running() == [1, 5, 6, 7]  # after the owner's burst, and before any later stranger


def test_who_gave_way_goes_on_without_losing_a_token():
    scheduler = make(slots=2, queue=10, chunk=64, end=0)
    machine = NaiveMachine(scheduler)
    strangers = {key: ask(40, first=100 * key, max_tokens=60, cache_salt=b"s") for key in (1, 2)}
    for key, submission in strangers.items():
        machine.submit(key, submission)
    answers = {}
    for number in range(400):
        if number == 5:
            assert machine.submit(3, ask(10, owner=True, max_tokens=5))
            assert scheduler.running() == [1, 3]
        plan = scheduler.next_step(0.0)
        if plan is None:
            break
        machine.run(plan)
        scheduler.completed(plan, 0.01, 0.0)
        for key in machine.draw(plan):
            answers[key] = scheduler.answer(key)
            scheduler.finish(key)
    assert {key: answers[key] for key in strangers} == {
        key: naive_answer(submission, 60) for key, submission in strangers.items()
    }
    assert machine.loaded >= 32  # mostly from the cache


def test_a_stranger_gives_way_to_the_owner_a_bounded_number_of_times():
    scheduler = make(slots=2, queue=50, chunk=64)
    scheduler.submit(0, ask(), 0.0)
    scheduler.submit(1, ask(), 0.0)
    taken = 0
    for key in range(2, 30):
        taken += scheduler.submit(key, ask(owner=True), 0.0)
        scheduler.finish(key)
    assert taken == 2 * 3
    assert scheduler.running() == [0, 1]


def test_a_full_queue_refuses_with_an_estimate_and_keeps_the_others():
    scheduler = make(slots=1, queue=2)
    for key in (1, 2, 3):
        scheduler.submit(key, ask(), 0.0)
    with pytest.raises(OverloadedError, match=r"about \d+ s"):
        scheduler.submit(4, ask(), 0.0)
    assert [one.key for one in scheduler.places()] == [2, 3]
    assert not scheduler.submit(5, ask(owner=True), 0.0)  # a queue full of strangers does not shut the owner out
    assert not scheduler.submit(6, ask(owner=True), 0.0)
    with pytest.raises(OverloadedError):
        scheduler.submit(7, ask(owner=True), 0.0)


def test_a_request_waits_for_memory_and_is_not_overtaken():
    scheduler = make(slots=3, blocks=8)
    scheduler.submit(1, ask(100), 0.0)
    assert not scheduler.submit(2, ask(120), 0.0)
    assert not scheduler.submit(3, ask(2, max_tokens=2), 0.0)
    scheduler.finish(1)
    assert scheduler.running() == [2, 3]


# ------------------------------------------------------------------------------------------------------------- memory


def test_when_memory_runs_out_the_youngest_stranger_waits_and_the_owner_last():
    scheduler = make(slots=4, queue=10, chunk=512, blocks=8)
    scheduler.submit(1, ask(33, owner=True), 0.0)
    scheduler.submit(2, ask(33, first=100), 0.0)
    assert scheduler.running() == [1, 2]
    steps(scheduler, 64)  # each has grown to three blocks
    assert scheduler.running() == [1, 2]
    steps(scheduler, 64)
    assert scheduler.running() == [1]
    assert scheduler.places() == []
    assert len(scheduler.answer(2)) > 60
    scheduler.finish(1)
    assert scheduler.running() == [2]


def test_a_prompt_that_is_read_gives_way_in_the_middle_of_a_step():
    for blocks, first in itertools.product(range(20, 28), (5, 10, 20, 30)):
        scheduler = make(slots=3, chunk=2, blocks=blocks, end=0)
        machine = NaiveMachine(scheduler)
        for key, tokens in ((1, first), (2, 320), (3, 320)):
            machine.submit(key, ask(tokens, first=1000 * key, min_tokens=290, max_tokens=300))
        for _ in range(4000):
            if machine.step() is None:
                break
            assert machine.used() <= blocks
        assert scheduler.running() == []
        assert scheduler.kv_tokens_free == scheduler.kv_tokens_total


def test_a_smaller_budget_takes_from_the_cache_first():
    scheduler = make(slots=2, chunk=512, blocks=20)
    scheduler.submit(1, ask(96, cache_salt=b"s"), 0.0)
    step(scheduler)
    assert (scheduler.kv_tokens_free, scheduler.kv_tokens_cached) == (17 * 32, 96)
    assert scheduler.set_budget(5 * 32, 0.0) == []
    assert (scheduler.kv_tokens_total, scheduler.kv_tokens_free, scheduler.kv_tokens_cached) == (160, 64, 64)
    assert scheduler.running() == [1]
    plan = scheduler.next_step(0.0)
    assert len(plan.freed_blocks) >= 1


def test_a_budget_below_one_sequence_says_what_the_memory_allows():
    scheduler = make(context=1000, blocks=3)
    with pytest.raises(ContextLengthError, match=r"memory .* holds 96 together \(the model itself could hold 1000\)"):
        scheduler.submit(1, ask(96), 0.0)
    assert scheduler.submit(2, ask(90), 0.0)
    refused = scheduler.set_budget(64, 0.0)
    assert [key for key, _ in refused] == [2]
    assert "cut to 64 tokens" in str(refused[0][1])
    assert scheduler.running() == []
    scheduler.set_budget(0, 0.0)
    with pytest.raises(OverloadedError, match="no memory"):
        scheduler.submit(3, ask(1), 0.0)
    scheduler.set_budget(96, 0.0)
    assert scheduler.submit(3, ask(1), 0.0)


def test_an_answers_limit_follows_the_memory():
    scheduler = make(context=1000, blocks=100, chunk=512)
    scheduler.submit(1, ask(60), 0.0)
    scheduler.set_budget(64, 0.0)
    assert steps(scheduler, 4) == [{1: 60}, {1: 1}, {1: 1}, {1: 1}]
    assert scheduler.ended(1) == "length"
    scheduler.finish(1)
    scheduler.submit(2, ask(60), 0.0)
    scheduler.set_budget(640, 0.0)
    steps(scheduler, 20)
    assert scheduler.ended(2) is None


def test_memory_goes_back_when_nothing_runs():
    scheduler = make(chunk=512)
    scheduler.submit(1, ask(64, cache_salt=b"s"), 0.0)
    step(scheduler)
    scheduler.finish(1)
    assert scheduler.next_deadline() == 0.0
    plan = scheduler.next_step(0.0)
    assert (plan.freed_slots, plan.rows, plan.capacity) == ((0,), (), 0)
    scheduler.completed(plan, 0.0, 0.0)
    assert scheduler.next_deadline() is None
    scheduler.set_budget(0, 0.0)
    plan = scheduler.next_step(0.0)
    assert sorted(plan.freed_blocks) == [0, 1]
    scheduler.completed(plan, 0.0, 0.0)
    assert scheduler.next_step(0.0) is None


def test_where_slots_take_their_memory_as_a_whole_the_cache_has_the_rest():
    limits = SchedulerSettings(context_length=128, end_ids=frozenset({0}), slots=2, whole_slots=True)
    scheduler = Scheduler(limits, PrefixCache(b"model", 11))
    machine = NaiveMachine(scheduler)
    for key in range(6):
        machine.submit(key, ask(100, first=1000 * key, cache_salt=b"s", max_tokens=1))
        machine.step()
        assert scheduler.kv_tokens_cached <= 3 * BLOCK_TOKENS
    assert scheduler.kv_tokens_cached == 3 * BLOCK_TOKENS
    assert scheduler.kv_tokens_free == scheduler.kv_tokens_total


def test_a_hole_is_filled_by_who_waits_before_anything_is_moved():
    scheduler = make(slots=3, queue=5, chunk=64)
    for key in range(4):
        scheduler.submit(key, ask(first=10 * key), 0.0)
    steps(scheduler, 2)
    scheduler.finish(0)
    plan = scheduler.next_step(0.0)
    assert plan.moves == ()
    assert {row.key: row.slot for row in plan.rows} == {1: 1, 2: 2, 3: 0}


def test_with_nobody_waiting_slots_become_compact_again():
    scheduler = make(slots=4, chunk=512, end=0)
    machine = NaiveMachine(scheduler)
    for key in range(3):
        machine.submit(key, ask(40, first=100 * key, min_tokens=90))
    machine.step()
    scheduler.finish(0)
    for _ in range(5):
        plan = machine.step()
    assert sorted(row.slot for row in plan.rows) == [0, 1]
    assert machine.moved > 0


# ------------------------------------------------------------------------------------------------------------- pacing


def test_paced_tokens_are_spread_evenly_without_bursts():
    scheduler = make()
    scheduler.submit(1, ask(3, max_tokens_per_second=20, max_tokens=60), 0.0)
    step(scheduler)
    now, times = 0.0, [0.0]
    while len(times) < 40:
        now = scheduler.next_deadline()
        assert scheduler.next_step(now - 0.001) is None
        if len(times) == 20:
            now += 0.5  # somebody else's long step
        plan = scheduler.next_step(now)
        assert [row.ids for row in plan.rows] == [(7,)]
        now += 0.004
        times.append(now)
        scheduler.completed(plan, 0.004, now)
        scheduler.append(1, 7, now)
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert max(gaps[:18]) <= 0.055
    assert sum(1 for gap in gaps if gap < 0.04) <= 1  # the late one is followed at once, the next ones are not
    assert (times[19] - times[0]) / 19 == pytest.approx(0.05, abs=0.002)


def test_a_paced_answer_that_gave_way_begins_anew_when_its_time_comes():
    scheduler = make(slots=2, queue=5, chunk=64)
    scheduler.submit(1, ask(), 0.0)
    scheduler.submit(2, ask(5, first=50, max_tokens_per_second=0.5), 0.0)
    assert step(scheduler) == {1: 3, 2: 5}
    scheduler.submit(3, ask(owner=True), 0.1)
    scheduler.finish(3)
    scheduler.finish(1)
    assert scheduler.running() == [2]
    step(scheduler, 0.2)  # frees the slots
    assert scheduler.next_step(1.9) is None
    assert scheduler.next_deadline() == 2.0
    assert step(scheduler, 2.0) == {2: 6}


def test_a_paced_answer_does_not_hold_others_up():
    scheduler = make(chunk=10)
    scheduler.submit(1, ask(max_tokens_per_second=1), 0.0)
    scheduler.submit(2, ask(), 0.0)
    assert step(scheduler) == {1: 3, 2: 3}
    assert step(scheduler, 0.1) == {2: 1}
    assert step(scheduler, 1.1) == {1: 1, 2: 1}


# --------------------------------------------------------------------------------------------- cancelling and failing


def test_cancelling_frees_slot_and_memory_wherever_it_stands():
    scheduler = make(slots=1)
    for key in (1, 2, 3):
        scheduler.submit(key, ask(10), 0.0)
    scheduler.finish(2)
    step(scheduler)
    scheduler.finish(1)
    assert scheduler.running() == [3]
    scheduler.finish(3)
    scheduler.finish(3)
    assert scheduler.kv_tokens_free == scheduler.kv_tokens_total


def test_what_is_said_of_unknown_keys_is_harmless():
    scheduler = make()
    scheduler.submit(1, ask(), 0.0)
    plan = scheduler.next_step(0.0)
    scheduler.finish(1)
    scheduler.completed(plan, 0.01, 0.0)
    assert scheduler.append(1, 7, 0.0) is None
    assert scheduler.ended(1) is None
    assert scheduler.suppressed(1) == frozenset()
    assert (scheduler.answer(1), scheduler.answer_length(1), scheduler.cached_tokens(1)) == ([], 0, 0)


def test_a_failed_plan_leaves_nothing_in_the_cache_and_everybody_begins_anew():
    scheduler = make(chunk=512)
    scheduler.submit(1, ask(100, cache_salt=b"s", answer_ids=(8, 9)), 0.0)
    plan = scheduler.next_step(0.0)
    assert len(plan.stores) == 3
    scheduler.failed(plan)
    assert scheduler.kv_tokens_cached == 0
    plan = scheduler.next_step(0.0)
    assert (plan.rows[0].start, len(plan.rows[0].ids)) == (0, 102)
    scheduler.completed(plan, 0.01, 0.0)
    assert scheduler.answer(1) == [8, 9]


def test_the_one_whose_fault_it_is_fails_alone():
    scheduler = make(slots=4, chunk=512)
    for key in range(4):
        scheduler.submit(key, ask(40, first=100 * key), 0.0)
    step(scheduler)
    failures = []
    for _ in range(20):
        plan = scheduler.next_step(0.0)
        if any(row.key == 2 for row in plan.rows):
            scheduler.failed(plan)
            failures.append(len(plan.rows))
            if len(plan.rows) == 1:
                scheduler.finish(2)
        else:
            scheduler.completed(plan, 0.01, 0.0)
            for row in plan.rows:
                scheduler.append(row.key, 7, 0.0)
    assert failures == [4, 1]
    assert [len(plan_row.ids) for plan_row in plan.rows] == [1, 1, 1]
    assert all(scheduler.answer_length(key) > 10 for key in (0, 1, 3))


def test_who_was_moved_by_a_failed_plan_begins_anew_too():
    scheduler = make(slots=4, chunk=512, end=0)
    machine = NaiveMachine(scheduler)
    machine.submit(1, ask(10, min_tokens=90))
    machine.submit(2, ask(10, first=50, min_tokens=90))
    machine.submit(3, ask(10, first=90, min_tokens=90, max_tokens_per_second=1.0))
    machine.step(0.0)
    scheduler.finish(1)
    plan = scheduler.next_step(0.1)
    assert [row.key for row in plan.rows] == [2]
    assert [(move.source, move.target) for move in plan.moves] == [(2, 0)]
    machine.prepare(plan)
    machine.slots.clear()
    scheduler.failed(plan)
    for number in range(10):
        machine.step(2.0 * number)
    assert scheduler.answer_length(3) > 5


def test_plans_are_carried_out_one_at_a_time():
    scheduler = make()
    scheduler.submit(1, ask(), 0.0)
    plan = scheduler.next_step(0.0)
    with pytest.raises(ValueError, match="neither completed nor failed"):
        scheduler.next_step(0.0)
    scheduler.completed(plan, 0.01, 0.0)
    with pytest.raises(ValueError, match="not being carried out"):
        scheduler.completed(plan, 0.01, 0.0)


# ------------------------------------------------------------------------------------------------------------- limits


def test_a_prompt_beyond_the_context_is_refused_before_prefill():
    scheduler = make(context=10)
    with pytest.raises(ContextLengthError, match="10 tokens"):
        scheduler.submit(1, ask(10), 0.0)
    with pytest.raises(ContextLengthError):
        scheduler.submit(1, ask(6, min_tokens=5), 0.0)
    assert scheduler.next_step(0.0) is None
    assert scheduler.submit(1, ask(9), 0.0)
    with pytest.raises(ValueError, match="in use"):
        scheduler.submit(1, ask(9), 0.0)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"tokens": 0}, "no tokens"),
        ({"max_tokens": 0}, "max_tokens is 0"),
        ({"max_tokens": -3}, "max_tokens is -3"),
        ({"min_tokens": -1}, "min_tokens is -1"),
        ({"public_tokens": -1}, "public part"),
        ({"max_tokens_per_second": 0.0}, "tokens per second"),
        ({"max_tokens_per_second": math.nan}, "tokens per second"),
        ({"max_tokens_per_second": math.inf}, "tokens per second"),
    ],
)
def test_limits_that_make_no_sense_are_refused(options, text):
    with pytest.raises(InvalidRequestError, match=text):
        make().submit(1, ask(**options), 0.0)


def test_rates_are_measured():
    scheduler = make()
    scheduler.measured_prefill(100, 0.5)
    scheduler.measured_decode(4, 0.1)
    assert (scheduler.prefill_rate, scheduler.decode_rate) == (200, 40)


# --------------------------------------------------------------------------------------------------------------- scores


def test_the_scored_tokens_of_a_prompt_are_fed_in_bounded_pieces():
    limits = SchedulerSettings(1000, frozenset({END}), 2, 2, 64, 0.25, scored_places=3)
    scheduler = Scheduler(limits, PrefixCache(b"model", 100))
    scheduler.submit(1, ask(20, scored=8), 0.0)
    rows = []
    while (plan := scheduler.next_step(0.0)) is not None:
        rows += [(row.start, len(row.ids), row.draw) for row in plan.rows]
        scheduler.completed(plan, 0.01, 0.0)
    assert rows == [(0, 15, 3), (15, 3, 3), (18, 2, 2)]
    assert scheduler.next_deadline() is None
    scheduler.finish(1)
    assert scheduler.kv_tokens_free == scheduler.kv_tokens_total


def test_what_is_scored_is_not_taken_from_the_cache():
    scheduler = make(chunk=1000)
    length = 4 * BLOCK_TOKENS
    scheduler.submit(1, ask(length, public_tokens=length), 0.0)
    steps(scheduler, 2)
    scheduler.finish(1)
    scheduler.submit(2, ask(length, public_tokens=length, scored=BLOCK_TOKENS + 1), 0.0)
    plan = scheduler.next_step(0.0)
    (row,) = [row for row in plan.rows if row.draw or row.ids]
    assert row.start == 2 * BLOCK_TOKENS
    assert row.draw == BLOCK_TOKENS + 1
    scheduler.completed(plan, 0.01, 0.0)


def test_a_score_of_more_places_than_there_are_tokens_is_refused():
    with pytest.raises(InvalidRequestError, match="scored"):
        make().submit(1, ask(3, scored=4), 0.0)


# ------------------------------------------------------------------------------------------------ the owner's alone


def test_strangers_rest_while_the_owner_goes_on_and_lose_nothing():
    scheduler = make(slots=3, chunk=64)
    scheduler.submit(1, ask(4), 0.0)
    scheduler.submit(2, ask(4, owner=True), 0.0)
    assert step(scheduler) == {1: 4, 2: 4}
    for _ in range(3):
        plan = scheduler.next_step(0.0, owner_only=True)
        assert [row.key for row in plan.rows] == [2]
        scheduler.completed(plan, 0.01, 0.0)
        scheduler.append(2, 7, 0.0)
    assert (len(scheduler.answer(1)), len(scheduler.answer(2))) == (1, 4)
    scheduler.finish(2)
    freed = scheduler.next_step(0.0, owner_only=True)
    assert freed.rows == ()
    scheduler.completed(freed, 0.0, 0.0)
    assert scheduler.next_step(0.0, owner_only=True) is None
    assert scheduler.next_deadline(owner_only=True) is None
    assert scheduler.next_deadline() is not None
    assert step(scheduler) == {1: 1}


def test_it_is_known_when_the_owner_waits_for_a_strangers_place():
    scheduler = make(slots=1)
    scheduler.submit(1, ask(4), 0.0)
    scheduler.submit(2, ask(4), 0.0)
    assert not scheduler.owner_waits
    scheduler.submit(3, ask(4, owner=True), 0.0)
    assert scheduler.owner_waits
    scheduler.finish(1)
    assert not scheduler.owner_waits
