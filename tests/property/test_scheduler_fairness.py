"""Nobody waits for ever: one request against floods that never end."""

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import OverloadedError
from engine.inference.scheduling.prefix_cache import PrefixCache
from engine.inference.scheduling.scheduler import Scheduler, SchedulerSettings, Submission
from tests.support.counts import examples
from tests.support.scheduling import END, NaiveMachine, naive_answer

MOST_STEPS = 5000
"""With one slot: eight strangers before it, four of the owner's before each of these, a hundred steps each."""
VICTIM = 0


def offer(machine, key, submission):
    try:
        machine.submit(key, submission)
    except OverloadedError:
        return False
    return True


def flood(dice, key, owners, lengths):
    return Submission(
        prompt_ids=(key % 1000, *[dice.randrange(100) for _ in range(dice.choice([20, 40, 60]))]),
        max_tokens=dice.choice(lengths),
        owner=dice.random() < owners,
        cache_salt=dice.choice([b"", b"salt"]),
    )


@pytest.mark.parametrize("owners", [0.0, 0.5, 1.0])
@given(
    seed=st.integers(0, 2**32),
    slots=st.sampled_from([1, 2, 4]),
    blocks=st.sampled_from([11, 16, 40]),
    step_tokens=st.sampled_from([16, 64]),
    salt=st.sampled_from([b"", b"salt"]),
    lengths=st.sampled_from([[1], [1, 5, 40], [90]]),
)
@settings(max_examples=examples(25), deadline=None)
def test_a_long_request_of_a_stranger_ends_however_many_others_come(
    owners, seed, slots, blocks, step_tokens, salt, lengths
):
    dice = random.Random(seed)
    scheduler = Scheduler(
        SchedulerSettings(400, frozenset({END}), slots, 8, step_tokens), PrefixCache(b"model", blocks)
    )
    machine = NaiveMachine(scheduler)
    victim = Submission(tuple(range(250)), max_tokens=60, min_tokens=60, cache_salt=salt)
    keys = itertools.count(1)
    for number in range(MOST_STEPS):
        if number >= 30 and VICTIM not in machine.submissions:
            offer(machine, VICTIM, victim)
        while offer(machine, key := next(keys), flood(dice, key, owners, lengths)):
            pass
        machine.step()
        if VICTIM in machine.answers:
            assert machine.answers[VICTIM] == naive_answer(victim, 60)
            return
    raise AssertionError(f"after {MOST_STEPS} steps it has {scheduler.answer_length(VICTIM)} tokens")
