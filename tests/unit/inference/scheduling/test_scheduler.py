"""Admission, order, chunks, pacing and limits, one step at a time."""

import itertools

import pytest

from engine.errors import ContextLengthError, OverloadedError
from engine.inference.scheduling.kv_cache import KvBudget
from engine.inference.scheduling.scheduler import Decode, Prefill, Scheduler, SchedulerSettings, Submission

END = 99


def make(slots=2, queue=2, chunk=4, context=100, budget=1000):
    return Scheduler(SchedulerSettings(context, frozenset({END}), slots, queue, chunk), KvBudget(budget))


def ask(tokens=3, **options):
    return Submission(prompt_ids=tuple(range(tokens)), **options)


def prefill_all(scheduler, key):
    """Run prefill chunks until ``key`` has its first token (id 7)."""
    while True:
        step = scheduler.next_step(0.0)
        if isinstance(step, Decode):
            continue
        scheduler.prefilled(step.key, len(step.ids), 0.001)
        if step.last:
            scheduler.append(step.key, 7, 0.0)
            if step.key == key:
                return


def test_a_prompt_is_fed_in_chunks_and_then_decoded():
    scheduler = make()
    assert scheduler.submit(1, ask(10), 0.0)
    fed = []
    for _ in range(3):
        step = scheduler.next_step(0.0)
        fed.append(step)
        scheduler.prefilled(1, len(step.ids), 0.01)
    assert [(one.ids, one.last) for one in fed] == [((0, 1, 2, 3), False), ((4, 5, 6, 7), False), ((8, 9), True)]
    assert scheduler.append(1, 55, 0.0) is None
    assert scheduler.next_step(0.0) == Decode(((1, 55),))


def test_prefill_and_decode_alternate_so_that_nobody_stalls():
    scheduler = make()
    scheduler.submit(1, ask(2), 0.0)
    prefill_all(scheduler, 1)
    scheduler.submit(2, ask(12), 0.0)
    kinds = []
    for _ in range(6):
        step = scheduler.next_step(0.0)
        kinds.append(type(step))
        if isinstance(step, Prefill):
            scheduler.prefilled(step.key, len(step.ids), 0.01)
            if step.last:
                scheduler.append(step.key, 7, 0.0)
        else:
            for key, _token in step.pairs:
                scheduler.append(key, 7, 0.0)
    assert kinds == [Decode, Prefill, Decode, Prefill, Decode, Prefill]


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


def test_a_full_queue_refuses_with_an_estimate_and_keeps_the_others():
    scheduler = make(slots=1, queue=2)
    for key in (1, 2, 3):
        scheduler.submit(key, ask(), 0.0)
    with pytest.raises(OverloadedError, match=r"about \d+ s"):
        scheduler.submit(4, ask(), 0.0)
    assert [one.key for one in scheduler.places()] == [2, 3]


def test_a_prompt_beyond_the_context_is_refused_before_prefill():
    scheduler = make(context=10)
    with pytest.raises(ContextLengthError, match="10 tokens"):
        scheduler.submit(1, ask(10), 0.0)
    with pytest.raises(ContextLengthError):
        scheduler.submit(1, ask(6, min_tokens=5), 0.0)
    assert scheduler.next_step(0.0) is None
    assert scheduler.submit(1, ask(9), 0.0)


def test_the_answer_ends_with_its_limit_or_the_context():
    scheduler = make(context=6)
    scheduler.submit(1, ask(3, max_tokens=2), 0.0)
    scheduler.submit(2, ask(3, max_tokens=50), 0.0)
    prefill_all(scheduler, 2)
    assert scheduler.append(1, 7, 0.0) == "length"
    assert scheduler.append(2, 7, 0.0) is None
    assert scheduler.append(2, 7, 0.0) == "length"


def test_the_end_token_ends_and_is_suppressed_below_min_tokens():
    scheduler = make()
    scheduler.submit(1, ask(3, min_tokens=2), 0.0)
    assert scheduler.suppressed(1) == {END}
    prefill_all(scheduler, 1)
    assert scheduler.suppressed(1) == {END}
    scheduler.append(1, 7, 0.0)
    assert scheduler.suppressed(1) == frozenset()
    assert scheduler.append(1, END, 0.0) == "stop"


def test_a_limit_below_min_tokens_wins():
    scheduler = make()
    scheduler.submit(1, ask(3, min_tokens=5, max_tokens=1), 0.0)
    step = scheduler.next_step(0.0)
    scheduler.prefilled(1, len(step.ids), 0.01)
    assert scheduler.append(1, 7, 0.0) == "length"


def test_continued_tokens_are_fed_after_the_prompt_and_count():
    scheduler = make(chunk=10)
    scheduler.submit(1, ask(3, answer_ids=(50, 51), max_tokens=3), 0.0)
    step = scheduler.next_step(0.0)
    assert step == Prefill(1, (0, 1, 2, 50, 51), True)
    scheduler.prefilled(1, 5, 0.01)
    assert scheduler.append(1, 52, 0.0) == "length"
    assert scheduler.answer(1) == [50, 51, 52]


def test_paced_tokens_are_spread_evenly_without_bursts():
    scheduler = make()
    scheduler.submit(1, ask(3, max_tokens_per_second=20, max_tokens=60), 0.0)
    prefill_all(scheduler, 1)
    now, times = 0.0, [0.0]
    while len(times) < 40:
        now = scheduler.next_deadline()
        assert scheduler.next_step(now - 0.001) is None
        if len(times) == 20:
            now += 0.5  # somebody else's long step
        assert scheduler.next_step(now) == Decode(((1, 7),))
        now += 0.004
        times.append(now)
        scheduler.append(1, 7, now)
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert max(gaps[:18]) <= 0.055
    assert sum(1 for gap in gaps if gap < 0.04) <= 1  # the late one is followed at once, the next ones are not
    assert (times[19] - times[0]) / 19 == pytest.approx(0.05, abs=0.002)


def test_a_paced_answer_does_not_hold_others_up():
    scheduler = make()
    scheduler.submit(1, ask(max_tokens_per_second=1), 0.0)
    scheduler.submit(2, ask(), 0.0)
    prefill_all(scheduler, 2)
    assert scheduler.next_step(0.1) == Decode(((2, 7),))
    assert scheduler.next_step(1.1) == Decode(((1, 7), (2, 7)))


def test_cancelling_frees_slot_and_cache_wherever_it_stands():
    scheduler = make(slots=1)
    scheduler.submit(1, ask(10), 0.0)
    scheduler.submit(2, ask(), 0.0)
    scheduler.submit(3, ask(), 0.0)
    scheduler.finish(2)
    scheduler.prefilled(1, 4, 0.01)
    scheduler.finish(1)
    assert scheduler.running() == [3]
    scheduler.finish(3)
    scheduler.finish(3)
    assert scheduler.budget.free == scheduler.budget.total
    assert scheduler.next_deadline() is None


def test_a_request_waits_for_cache_and_is_not_overtaken():
    scheduler = make(slots=3, budget=100)
    scheduler.submit(1, ask(10, max_tokens=50), 0.0)
    assert not scheduler.submit(2, ask(10, max_tokens=60), 0.0)
    assert not scheduler.submit(3, ask(2, max_tokens=2), 0.0)
    scheduler.finish(1)
    assert scheduler.running() == [2, 3]


def test_rates_are_measured():
    scheduler = make()
    scheduler.prefilled(-1, 100, 0.5)
    scheduler.decoded(4, 0.1)
    assert (scheduler.prefill_rate, scheduler.decode_rate) == (200, 40)
    scheduler.decoded(0, 0.1)
    assert scheduler.decode_rate == 40
