"""What one member of a group knows of another: its last statement, and how far its cache has been followed. Pure."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Collection, Sequence

from engine.forwarding.digests import Chunk
from engine.forwarding.hr_tree import HrTree
from engine.forwarding.members import Load
from engine.forwarding.statements import Statement, load_of
from engine.ids import NodeId
from engine.paths.setup import TokenBucket

REMEMBERED = 32
"""Statements of one member that are kept, to be passed on or put in order: in a small group, where a member speaks up
to eight times a second, what it says while others ask twice for what was lost,"""
REMEMBERED_CHUNKS = 4_096
"""as far as they add and remove no more chunks than this together."""
STATEMENT_RATE, STATEMENT_BURST = 10.0, 24.0
"""Statements of one member that are looked at, per second and at once."""
CHUNK_RATE, CHUNK_BURST = 1_024.0, 20_000.0
"""Chunks that one member may add or remove, per second and at once."""
DELAY_DRIFT = 0.02
"""Seconds per second by which the shortest delay that was seen grows: clocks drift, and ways become longer."""


class Known:
    """One member. ``sequence``: of its newest statement; ``content``: of the statement that its part of the tree is as
    of; ``head``: of the one that it should be as of."""

    def __init__(self, node_id: NodeId, now: float) -> None:
        self.node_id = node_id
        self.incarnation = 0
        self.sequence = 0
        self.content = 0
        self.head = 0
        self.newest: Statement | None = None
        self.load = Load()
        self.heard = -math.inf  # when it was made, by our clock
        self.arrived = -math.inf  # when it arrived
        self.asked_at = -math.inf  # when it was last asked for
        self.asked: NodeId | None = None  # and whom
        self.states: dict[int, bytes] = {}  # content -> what the signed digest of all chunks is then
        self.steps: deque[Statement] = deque()  # the last changes that were applied, in order
        self._early: dict[int, Statement] = {}  # based_on -> changes that came before their turn
        self._made = -math.inf  # by its own clock
        self._delay = math.inf  # the least difference of the two clocks on arrival
        self._delay_at = now
        self._statements = TokenBucket(STATEMENT_RATE, STATEMENT_BURST, now)
        self._chunks = TokenBucket(CHUNK_RATE, CHUNK_BURST, now)

    @property
    def in_step(self) -> bool:
        """Whether its part of the tree is what it last said."""
        return self.content == self.head

    def is_useful(self, statement: Statement) -> bool:
        """Whether it says anything that is not known yet."""
        said = statement.said
        if said.incarnation != self.incarnation:
            return said.incarnation > self.incarnation
        if said.sequence > self.sequence:
            return True
        missing = self.content < said.sequence <= self.head
        return missing and statement.changes and said.based_on not in self._early

    def may_say_more(self, now: float) -> bool:
        """Whether any further statement can be allowed now: what cannot need not be read, nor its signature checked."""
        return self._statements.has(now)

    def may_say(self, statement: Statement, now: float) -> bool:
        """Whether the member keeps within its rates; statements are counted, whatever the answer."""
        changes = len(statement.added) + len(statement.removed)
        return self._statements.take(now) and self._chunks.take(now, changes)

    def take(self, statement: Statement, tree: HrTree[NodeId], now: float) -> None:
        """A statement that is useful, allowed and signed by the member."""
        said = statement.said
        if said.incarnation > self.incarnation:
            self._begin(said.incarnation, tree)
        if said.sequence > self.sequence:
            self.sequence, self.newest = said.sequence, statement
            self.load = load_of(said.load)
            self.heard, self.arrived = self._made_at(said.made, now), now
        self.head = max(self.head, statement.content)
        self.states[statement.content] = said.state
        while len(self.states) > REMEMBERED:
            del self.states[min(self.states)]
        if statement.changes and said.based_on >= self.content:
            self._early[said.based_on] = statement
            while _too_many(self._early.values()):
                del self._early[max(self._early)]
        self._catch_up(tree)
        if self.newest is not None and self.newest.said.leaving:
            self.forget_content(tree)

    def take_state(self, sequence: int, chunks: Sequence[Chunk], tree: HrTree[NodeId]) -> None:
        """All its chunks as of statement ``sequence``, checked against :attr:`states`."""
        tree.replace(self.node_id, chunks)
        self.content = sequence
        self.steps.clear()
        self._catch_up(tree)

    def forget_content(self, tree: HrTree[NodeId]) -> None:
        """It has left, or been silent for long: what it holds is not known any more."""
        tree.drop_member(self.node_id)
        self.content = self.head = 0
        self.steps.clear()
        self._early.clear()

    def forget_versions(self) -> None:
        """It may come back with a clock that was put back meanwhile."""
        self.incarnation = self.sequence = 0
        self.newest = None
        self.states.clear()

    def since(self, incarnation: int, content: int) -> list[Statement] | None:
        """What leads from there to the newest statement; None if too much has been forgotten."""
        if self.newest is None:
            return None
        if incarnation != self.incarnation:
            content = 0
        last = [self.newest] if not self.newest.changes else []
        if content == self.content:
            return last or [self.newest]
        for place, step in enumerate(self.steps):
            if step.said.based_on == content:
                return [*list(self.steps)[place:], *last]
        return None

    def _begin(self, incarnation: int, tree: HrTree[NodeId]) -> None:
        """It has started anew: its cache is empty, its statements are counted from 1."""
        self.incarnation = incarnation
        self.sequence = self.content = self.head = 0
        self.states.clear()
        self.steps.clear()
        self._early.clear()
        self._made, self._delay = -math.inf, math.inf
        self.asked_at = -math.inf
        if self.node_id in tree.members:
            tree.replace(self.node_id, ())

    def _catch_up(self, tree: HrTree[NodeId]) -> None:
        tree.add_member(self.node_id)
        while (step := self._early.pop(self.content, None)) is not None:
            tree.apply(self.node_id, step.added, step.removed)
            self.content = step.said.sequence
            self.steps.append(step)
        while _too_many(self.steps):
            self.steps.popleft()
        self._early = {based_on: step for based_on, step in self._early.items() if based_on > self.content}

    def _made_at(self, made: float, now: float) -> float:
        """By our own clock. The clocks of two machines differ, so what counts is how much later than the quickest of
        its statements this one is. Ours never jumps; where its own was put back all its statements would seem to come
        late from then on, but then a later one seems to be made earlier, too."""
        delay = now - made
        if made < self._made:
            self._delay = delay
        self._made = made
        self._delay = min(delay, self._delay + (now - self._delay_at) * DELAY_DRIFT)
        self._delay_at = now
        return now - (delay - self._delay)


def _too_many(statements: Collection[Statement]) -> bool:
    if len(statements) <= 1:
        return False
    chunks = sum(len(one.added) + len(one.removed) for one in statements)
    return len(statements) > REMEMBERED or chunks > REMEMBERED_CHUNKS
