"""Long random days of a scheduler that is short of memory, on the naive machine (`tests.support.scheduling`).

The stateful test beside this one finds short stories; here everything happens at once and for long: preemptions in the
middle of plans, failures among equal prompts, budgets that shrink while blocks are read.
"""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import RequestError
from engine.inference.scheduling.prefix_cache import PrefixCache
from engine.inference.scheduling.scheduler import Scheduler, SchedulerSettings, Submission
from tests.support.counts import examples
from tests.support.scheduling import END, NaiveMachine, naive_answer


class Storm:
    def __init__(self, seed, pressure):
        self.dice = random.Random(seed)
        self.pressure = pressure
        dice = self.dice
        self.total = dice.choice([8, 12, 16, 24]) if pressure else 200
        limits = SchedulerSettings(
            context_length=dice.choice([150, 220, 2000]),
            end_ids=frozenset({END}),
            slots=dice.choice([1, 2, 4, 8]),
            queue_limit=20,
            step_tokens=dice.choice([1, 7, 40, 64, 130, 300]),
        )
        self.scheduler = Scheduler(limits, PrefixCache(b"model", self.total))
        self.machine = NaiveMachine(self.scheduler)
        self.live: dict[int, Submission] = {}
        self.now = 0.0
        self.done = 0
        self.calm = False

    def happens(self, chance):
        return not self.calm and self.dice.random() < chance

    def submission(self):
        dice = self.dice
        prompt = [dice.choice([5, 6])] * dice.choice([1, 20, 32, 60, 64, 96, 128])
        prompt += [dice.randrange(2, 4) for _ in range(dice.choice([0, 0, 1, 6, 40]))]
        return Submission(
            prompt_ids=tuple(prompt),
            max_tokens=dice.choice([None, 1, 5, 33, 80]),
            min_tokens=dice.choice([0, 0, 3, 30]),
            owner=dice.random() < 0.3,
            max_tokens_per_second=dice.choice([None, None, None, 8.0, 60.0]),
            public_tokens=dice.choice([0, 0, 32, 64, 100]),
            cache_salt=dice.choice([b"", b"one", b"two"]),
        )

    def arrive(self, key):
        submission = self.submission()
        try:
            self.machine.submit(key, submission, self.now)
        except RequestError:
            return
        self.live[key] = submission

    def step(self):
        plan = self.scheduler.next_step(self.now)
        if plan is None:
            deadline = self.scheduler.next_deadline()
            assert deadline is None or deadline > self.now
            self.now = self.now if deadline is None else deadline
            return
        if self.happens(0.03) and plan.rows:
            self.fail(plan)
            return
        self.machine.run(plan)
        assert self.machine.used() <= self.scheduler.kv_tokens_total // 32
        if self.happens(0.03):
            self.change_budget()
        if self.happens(0.03):
            self.cancel()
        self.scheduler.completed(plan, 0.01, self.now)
        self.now += 0.01
        for key, reason in self.machine.draw(plan, self.now).items():
            self.judge(key, reason)

    def fail(self, plan):
        """Nobody knows how far it came: the slots that it touched hold nothing of worth, the blocks neither."""
        self.machine.prepare(plan)
        for slot in [row.slot for row in plan.rows] + [move.target for move in plan.moves]:
            self.machine.slots.pop(slot, None)
        self.scheduler.failed(plan)

    def change_budget(self):
        total = self.dice.choice([self.total // 2, self.total])
        for key, _error in self.scheduler.set_budget(total * 32, self.now):
            del self.live[key]

    def cancel(self):
        if self.live:
            key = self.dice.choice(sorted(self.live))
            del self.live[key]
            self.scheduler.finish(key)

    def judge(self, key, reason):
        submission, answer = self.live.pop(key), self.scheduler.answer(key)
        assert answer == naive_answer(submission, len(answer))
        room = min(self.scheduler.settings.context_length, self.scheduler.kv_tokens_total) - len(submission.prompt_ids)
        if reason == "length":
            assert len(answer) == min(room, submission.max_tokens or room)
        self.scheduler.finish(key, broken=self.dice.random() < 0.05)
        self.done += 1

    def run(self, steps):
        for index in range(steps):
            if self.dice.random() < 0.25:
                self.arrive(index)
            self.step()
            self.scheduler.cache.check_integrity()
        self.calm = True
        for _ in range(20_000):
            if not self.live:
                break
            self.step()
        assert not self.live  # nobody was forgotten
        assert self.scheduler.kv_tokens_free == self.scheduler.kv_tokens_total
        assert self.scheduler.running() == []
        assert self.scheduler.places() == []


@pytest.mark.parametrize("pressure", [True, False])
@given(seed=st.integers(0, 2**32))
@settings(max_examples=examples(40), deadline=None)
def test_everybody_gets_the_answer_of_a_loop_with_nothing_beside_it(pressure, seed):
    storm = Storm(seed, pressure)
    storm.run(250)
    assert storm.done > 3
