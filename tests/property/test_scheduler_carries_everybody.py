"""Whatever comes, goes, fails or shrinks: every answer is what a loop with nothing beside it makes.

Plans are carried out on a naive machine that asserts at every step that slots and blocks hold what the plan says, that
nothing in use is overwritten and that no block is read under another salt (`tests.support.scheduling`).
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from engine.errors import RequestError
from engine.inference.scheduling.prefix_cache import PrefixCache
from engine.inference.scheduling.scheduler import Scheduler, SchedulerSettings, Submission
from tests.support.counts import examples
from tests.support.scheduling import END, NaiveMachine, naive_answer

# Few beginnings, so that prompts share many blocks.
PROMPTS = st.tuples(
    st.sampled_from([5, 6]), st.sampled_from([1, 31, 32, 33, 64, 97, 160]), st.lists(st.integers(2, 4), max_size=40)
).map(lambda parts: (parts[0],) * parts[1] + tuple(parts[2]))
SUBMISSIONS = st.builds(
    Submission,
    prompt_ids=PROMPTS,
    max_tokens=st.sampled_from([None, 1, 2, 40, 90]),
    min_tokens=st.sampled_from([0, 0, 3, 40]),
    answer_ids=st.lists(st.integers(2, 9), max_size=3).map(tuple),
    owner=st.booleans(),
    max_tokens_per_second=st.sampled_from([None, None, 3.0, 50.0]),
    public_tokens=st.sampled_from([0, 31, 32, 64, 1000]),
    cache_salt=st.sampled_from([b"", b"one", b"two"]),
)
BUDGETS = st.sampled_from([4, 6, 9, 14, 30, 100])
CUTS = st.integers(0, 4)


class SchedulerMachine(RuleBasedStateMachine):
    @initialize(
        total=BUDGETS,
        slots=st.sampled_from([1, 2, 3, 8]),
        context=st.sampled_from([70, 200, 1000]),
        step_tokens=st.sampled_from([1, 5, 33, 64, 200]),
        queue=st.sampled_from([1, 20]),
    )
    def start(self, total, slots, context, step_tokens, queue):
        limits = SchedulerSettings(context, frozenset({END}), slots, queue, step_tokens)
        self.scheduler = Scheduler(limits, PrefixCache(b"model", total))
        self.machine = NaiveMachine(self.scheduler)
        self.now = 0.0
        self.keys = 0
        self.live: dict[int, Submission] = {}

    @rule(submission=SUBMISSIONS)
    def submit(self, submission):
        self.keys += 1
        try:
            self.machine.submit(self.keys, submission, self.now)
        except RequestError:
            assert self.scheduler.answer(self.keys) == []
            return
        self.live[self.keys] = submission
        self.end_what_is_complete()

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def cancel(self, data):
        self.forget(data.draw(st.sampled_from(sorted(self.live))))

    @rule(seconds=st.sampled_from([0.0, 0.01, 0.4]))
    def wait(self, seconds):
        self.now += seconds

    @rule(times=st.integers(1, 30))
    def steps(self, times):
        for _ in range(times):
            self.step()

    @rule(data=st.data(), broken=st.booleans())
    def cancel_while_a_plan_is_carried_out(self, data, broken):
        plan = self.scheduler.next_step(self.now)
        if plan is None:
            return
        victims = [key for key in sorted(self.live) if data.draw(st.booleans())]
        self.machine.run(plan)
        if broken:
            self.complete(plan)
        for key in victims:
            if key in self.live:
                self.forget(key, broken)
        if not broken:
            self.complete(plan)

    @rule(total=BUDGETS)
    def change_the_budget(self, total):
        self.set_budget(total)

    @rule(total=BUDGETS)
    def change_the_budget_while_a_plan_is_carried_out(self, total):
        plan = self.scheduler.next_step(self.now)
        if plan is None:
            return
        self.machine.run(plan)
        self.set_budget(total)
        self.complete(plan)

    @rule(cut=CUTS)
    def fail(self, cut):
        plan = self.scheduler.next_step(self.now)
        if plan is None:
            return
        machine = self.machine
        for stage in (machine.prepare, machine.load, machine.compute, machine.store)[:cut]:
            stage(plan)
        self.spoil(plan, cut)
        self.scheduler.failed(plan)

    def step(self):
        plan = self.scheduler.next_step(self.now)
        if plan is None:
            deadline = self.scheduler.next_deadline()
            assert deadline is None or deadline > self.now  # else a worker would turn round for ever
            self.now = self.now if deadline is None else deadline
            return
        self.machine.run(plan)
        assert self.machine.used() <= self.scheduler.kv_tokens_total // 32
        self.complete(plan)

    def complete(self, plan):
        self.scheduler.completed(plan, 0.01, self.now)
        self.now += 0.01
        for key, reason in self.machine.draw(plan, self.now).items():
            self.judge(key, reason)
        assert self.scheduler.append(-1, 7, self.now) is None

    def judge(self, key, reason):
        submission = self.live[key]
        answer = self.scheduler.answer(key)
        assert answer == naive_answer(submission, len(answer))
        context = min(self.scheduler.settings.context_length, self.scheduler.kv_tokens_total)
        room = context - len(submission.prompt_ids)
        if reason == "length":
            assert len(answer) == (room if submission.max_tokens is None else min(room, submission.max_tokens))
        else:
            assert answer[-1] == END
            assert len(answer) > submission.min_tokens
        self.forget(key)

    def forget(self, key, broken=False):
        del self.live[key]
        self.scheduler.finish(key, broken)
        self.scheduler.finish(key)

    def end_what_is_complete(self):
        for key in [key for key in self.scheduler.running() if self.scheduler.ended(key)]:
            assert len(self.scheduler.answer(key)) == len(self.live[key].answer_ids)
            self.forget(key)

    def set_budget(self, total):
        for key, error in self.scheduler.set_budget(total * 32 + 5, self.now):
            assert "tokens" in str(error)
            del self.live[key]
        assert self.scheduler.kv_tokens_total == total * 32

    def spoil(self, plan, cut):
        """After a failure nobody knows what lies in the slots of its rows, in what it moved and in what it stored."""
        if cut:
            for move in plan.moves:
                self.machine.slots[move.target] = [-1] * move.length
        else:  # not even begun
            for slot in plan.freed_slots:
                self.machine.slots.pop(slot, None)
            for block in plan.freed_blocks:
                self.machine.blocks.pop(block, None)
            for move in plan.moves:
                del self.machine.slots[move.source]
        for row in plan.rows:
            self.machine.slots.pop(row.slot, None)
        for move in plan.moves:
            self.machine.slots.pop(move.target, None)
        for store in plan.stores:
            self.machine.blocks.pop(store.block, None)

    @invariant()
    def books_add_up(self):
        if not hasattr(self, "scheduler"):
            return
        scheduler = self.scheduler
        scheduler.cache.check_integrity()
        running = scheduler.running()
        assert len(running) <= scheduler.settings.slots
        assert set(running) <= set(self.live)
        assert scheduler.kv_tokens_free + scheduler.kv_tokens_cached >= 0
        assert scheduler.kv_tokens_cached <= scheduler.kv_tokens_free
        assert [place.place for place in scheduler.places()] == sorted({place.place for place in scheduler.places()})
        if self.live:
            assert running or not scheduler.places()

    def teardown(self):
        if not hasattr(self, "scheduler"):
            return
        # Everybody who is left comes to an end, within as many steps as they have tokens and some for giving way.
        for _ in range(30_000):
            if not self.live:
                break
            self.end_what_is_complete()
            self.step()
        assert not self.live
        while self.scheduler.next_deadline() is not None:
            self.step()
        self.scheduler.set_budget(0, self.now)
        self.step()
        assert self.machine.used() == 0
        assert self.scheduler.next_step(self.now) is None
        self.scheduler.cache.check_integrity()


SchedulerMachine.TestCase.settings = settings(max_examples=examples(60), stateful_step_count=40, deadline=None)
TestScheduler = SchedulerMachine.TestCase
