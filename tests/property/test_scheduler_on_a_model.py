"""The same tokens whatever runs beside them, however they are cut into chunks, and whatever the cache holds.

Scheduler and runner together on a tiny fp32 model, against a loop that feeds one token after the other to a slot of its
own. A difference is allowed only where the two best scores lie within 1e-4, and where that happens is counted.
"""

import itertools
import random
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.inference.models.folder import read_model_folder
from engine.inference.runtime.runner import Runner, RuntimeSettings
from engine.inference.sampling.gumbel import TokenHistory, choose
from engine.inference.scheduling.plan import Row
from engine.inference.scheduling.prefix_cache import PrefixCache
from engine.inference.scheduling.scheduler import Scheduler, SchedulerSettings, Submission
from engine.wire.answer import Sampling
from tests.support.tiny_model import make_tiny_model

SLOTS = 4
CLOSE = 1e-4


@pytest.fixture(scope="module", params=["gqa", "concat"])
def runners(request, tmp_path_factory):
    """One that the scheduler drives, and the loop with one of its own."""
    path = make_tiny_model(tmp_path_factory.mktemp("model") / request.param, style=request.param)
    folder = read_model_folder("tiny", path)
    runner, loop = Runner(folder, RuntimeSettings(1, SLOTS)), Loop(Runner(folder, RuntimeSettings(1, 1)))
    yield runner, loop
    runner.close()
    loop.runner.close()
    assert loop.close <= max(1, loop.compared / 1000)


@dataclass
class Loop:
    """The naive loop, and how often it came to a place where the best two were too close to call."""

    runner: Runner
    close: int = 0
    compared: int = 0

    def run(self, submission, sampling):
        answer: list[int] = []
        close: list[bool] = []
        history = TokenHistory(submission.prompt_ids, ())
        for place, token in enumerate(submission.prompt_ids):
            drawn = self.runner.step([Row(0, 0, place, (token,), True)]).logits
        while len(answer) < submission.max_tokens:
            logits = drawn[0].copy()
            token = choose(logits, sampling, len(answer), history)
            close.append(too_close(logits, sampling, len(answer), history, token))
            answer.append(token)
            history.append(token)
            drawn = self.runner.step([Row(0, 0, len(submission.prompt_ids) + len(answer) - 1, (token,), True)]).logits
        return answer, close

    def compare(self, submission, sampling, answer):
        expected, close = self.run(submission, sampling)
        assert len(answer) == len(expected)
        for token, right, excused in zip(answer, expected, close, strict=True):
            self.compared += 1
            if token != right:
                assert excused, f"{answer} instead of {expected}"
                self.close += 1
                return


def too_close(logits, sampling, position, history, best):
    """Whether another token wins when the best one loses ``CLOSE``."""
    lowered = logits.copy()
    lowered[best] -= CLOSE
    return choose(lowered, sampling, position, history) != best


def carry_out(runner, plan):
    runner.release_slots(plan.freed_slots)
    runner.free_blocks(plan.freed_blocks)
    if plan.capacity:
        runner.reserve(plan.capacity)
    for move in plan.moves:
        runner.move(move.source, move.target, move.length)
    for load in plan.loads:
        runner.load_blocks(load.slot, load.blocks)
    logits = runner.step(plan.rows).logits if plan.rows else np.empty((0, 0))
    for store in plan.stores:
        runner.store_block(store.slot, store.position, store.block)
    return logits


def serve(runner, scheduler, submissions, samplings, dice):
    """Everybody's answers. Arrivals are spread, and now and then an answer is cancelled and asked for anew."""
    waiting = list(range(len(submissions)))
    live: dict[int, int] = {}  # key -> whose answer it is
    answers: dict[int, list[int]] = {}
    keys = itertools.count()
    while waiting or live:
        if waiting and (not live or dice.random() < 0.3):
            key, number = next(keys), waiting.pop(0)
            scheduler.submit(key, submissions[number], 0.0)
            live[key] = number
        plan = scheduler.next_step(0.0)
        assert plan is not None
        logits = carry_out(runner, plan)
        scheduler.completed(plan, 0.01, 0.0)
        for row, values in zip([row for row in plan.rows if row.draw], logits, strict=True):
            number, answer = live[row.key], scheduler.answer(row.key)
            history = TokenHistory(submissions[number].prompt_ids, answer)
            token = choose(values.copy(), samplings[number], len(answer), history)
            ended = scheduler.append(row.key, token, 0.0) is not None
            if ended:
                answers[number] = scheduler.answer(row.key)
            elif dice.random() < 0.01:
                waiting.append(number)
            else:
                continue
            scheduler.finish(row.key)
            del live[row.key]
    return answers


def give_everything_back(runner, scheduler):
    scheduler.set_budget(0, 0.0)
    while (plan := scheduler.next_step(0.0)) is not None:
        carry_out(runner, plan)
        scheduler.completed(plan, 0.0, 0.0)


@given(
    seed=st.integers(0, 2**32),
    step_tokens=st.sampled_from([3, 40, 64, 512]),
    blocks=st.sampled_from([9, 14, 60]),
    temperature=st.sampled_from([0.0, 1.0]),
)
@settings(max_examples=8, deadline=None)
def test_the_same_tokens_as_a_loop_with_nothing_beside_it(runners, seed, step_tokens, blocks, temperature):
    runner, loop = runners
    dice = random.Random(seed)
    begin = [dice.randrange(3, 280) for _ in range(100)]
    submissions, samplings = [], []
    for number in range(7):
        rest = [dice.randrange(3, 280) for _ in range(dice.choice([1, 7, 40]))]
        prompt = tuple(begin[: dice.choice([5, 32, 64, 100])] + rest)
        salt = dice.choice([b"", b"one", b"two"])
        submissions.append(
            Submission(prompt, dice.choice([1, 9, 40]), owner=dice.random() < 0.3, public_tokens=40, cache_salt=salt)
        )
        samplings.append(Sampling(seed=number, temperature=temperature))
    scheduler = Scheduler(SchedulerSettings(200, frozenset({-1}), SLOTS, 32, step_tokens), PrefixCache(b"m", blocks))
    answers = serve(runner, scheduler, submissions, samplings, dice)
    assert len(answers) == len(submissions)
    for number, answer in answers.items():
        loop.compare(submissions[number], samplings[number], answer)
    give_everything_back(runner, scheduler)
