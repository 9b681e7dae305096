"""What Sentry tells is what its definition says, whatever came into the caches and left them, in whatever order."""

from dataclasses import dataclass
from functools import cache

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from engine.forwarding.digests import chunk_of, next_digest
from engine.forwarding.sentry import Sentry
from tests.support.counts import examples
from tests.support.naive_sentry import told

PROMPTS = st.integers(2, (1 << 9) - 1).map(lambda number: tuple(map(int, f"{number:b}"[1:])))
CACHES = st.sampled_from(["one", "other"])


@cache
def digest_of(prefix):
    return next_digest(digest_of(prefix[:-1]), (prefix[-1],) * 32) if prefix else b""


def path_of(prefix):
    return tuple(digest_of(prefix[:depth]) for depth in range(1, len(prefix) + 1))


@dataclass
class Change:
    inserted: bool
    path: tuple[bytes, ...]


class SentryMachine(RuleBasedStateMachine):
    @initialize(cut=st.integers(1, 4), room=st.sampled_from([3, 1000]), most=st.sampled_from([1, 100]))
    def start(self, cut, room, most):
        self.cut, self.room, self.most = cut, room, most
        self.sentry = Sentry(64, cut)
        self.held: dict[str, set[tuple[int, ...]]] = {"one": set(), "other": set()}
        self.replica: set[int] = set()

    @rule(name=CACHES, prompt=PROMPTS)
    def insert(self, name, prompt):
        new = [prompt[:depth] for depth in range(1, len(prompt) + 1)]
        self.sentry.apply([Change(True, path_of(one)) for one in new], name)
        self.held[name].update(new)

    @precondition(lambda self: any(self.held.values()))
    @rule(data=st.data())
    def evict_a_leaf(self, data):
        leaves = [
            (name, prefix)
            for name, held in self.held.items()
            for prefix in sorted(held)
            if not any(other[:-1] == prefix for other in held)
        ]
        name, prefix = data.draw(st.sampled_from(leaves))
        self.held[name].discard(prefix)
        self.sentry.apply([Change(False, path_of(prefix))], name)

    @rule(name=CACHES, prompt=PROMPTS, inserted=st.booleans())
    def what_cannot_be(self, name, prompt, inserted):
        """A block that follows nothing, or a block that goes although others follow it."""
        if inserted and len(prompt) > 1 and prompt[:-1] not in self.held[name]:
            self.sentry.apply([Change(True, path_of(prompt))], name)
        if not inserted and (prompt not in self.held[name] or any(o[:-1] == prompt for o in self.held[name])):
            self.sentry.apply([Change(False, path_of(prompt))], name)
        self.sentry.apply([Change(inserted, ())], name)

    @rule(name=CACHES)
    def reset(self, name):
        self.held[name] = set()
        self.sentry.reset(name)

    @rule(room=st.sampled_from([0, 3, 1000]))
    def another_share(self, room):
        self.room = room

    @rule()
    def tell(self):
        delta = self.sentry.take(self.room, self.most)
        assert not set(delta.added) & self.replica
        assert set(delta.removed) <= self.replica
        assert max(len(delta.added), len(delta.removed)) <= self.most
        self.replica -= set(delta.removed)
        self.replica |= set(delta.added)
        assert self.replica == set(self.sentry.told)

    def wanted(self):
        return {chunk_of(len(prefix), digest_of(prefix)) for prefix in told(self.held.values(), self.cut)}

    @rule()
    def tell_everything(self):
        while (delta := self.sentry.take(self.room, self.most)) or len(self.sentry.told) > self.room:
            self.replica = self.replica - set(delta.removed) | set(delta.added)
        assert self.replica == set(self.sentry.told) <= self.wanted()
        assert len(self.replica) == min(self.room, len(self.wanted()))

    def teardown(self):
        if hasattr(self, "sentry"):
            self.tell_everything()

    @invariant()
    def nothing_is_told_that_is_not_there_and_will_not_be_taken_back(self):
        if hasattr(self, "sentry"):
            assert self.replica - set(self.sentry._to_remove) <= self.wanted()


SentryMachine.TestCase.settings = settings(max_examples=examples(40), stateful_step_count=25, deadline=None)
TestSentry = SentryMachine.TestCase
