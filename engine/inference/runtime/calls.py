"""How the rows of a step are put together into calls of the graph. Pure arithmetic, no session.

One call feeds the slots ``first`` .. ``first + span - 1`` with ``width`` tokens each: the cache memory is bound as it
lies, so a call covers neighbours, idle slots between them included, and shorter rows are padded. A call costs as much
as some tokens by itself (``overhead``), whence the question which rows share one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

Batching = Literal["ragged", "two calls", "single"]


@dataclass(frozen=True, slots=True)
class Feed:
    """One row: ``count`` tokens for ``slot``, which holds ``start``."""

    slot: int
    start: int
    count: int


@dataclass(frozen=True, slots=True)
class Call:
    """One run of the graph over neighbouring slots. ``rows`` are indices into the step's rows, by rising slot."""

    first: int
    span: int
    width: int
    rows: tuple[int, ...]

    @property
    def tokens(self) -> int:
        """Tokens computed, padding and idle slots included."""
        return self.span * self.width


@dataclass(frozen=True, slots=True)
class CallRules:
    """What the graph can do. ``neighbours``: a call covers neighbouring slots, because the cache is bound as it lies;
    otherwise its rows are wherever they are, and only single tokens go together. ``limit`` [tokens] bounds a row's past
    plus the width of its call; ``lengths`` gives what a slot that takes no part holds; ``overhead`` is the cost of a
    call in tokens."""

    batching: Batching
    neighbours: bool
    limit: int
    lengths: Callable[[int], int]
    overhead: float


def split_calls(feeds: Sequence[Feed], rules: CallRules) -> list[Call]:
    """The cheapest calls that feed every row once: single tokens first, so that answers wait for no prompt.

    Single tokens and longer pieces are divided apart or, where the graph takes both in one call and it is cheaper,
    together; each into runs of neighbours by rising slot, the cheapest of all divisions. O(rows squared).
    """
    order = sorted(range(len(feeds)), key=lambda index: feeds[index].slot)
    if rules.batching == "single":
        calls = [_call(feeds, (index,)) for index in order]
        return sorted(calls, key=lambda call: call.width > 1)
    singles = [index for index in order if feeds[index].count == 1]
    if not rules.neighbours:
        together = [_call(feeds, tuple(singles))] if singles else []
        return together + [_call(feeds, (index,)) for index in order if feeds[index].count > 1]
    pieces = [index for index in order if feeds[index].count > 1]
    apart = _cheapest(feeds, singles, rules) + _cheapest(feeds, pieces, rules)
    if rules.batching == "two calls" or not singles or not pieces:
        return apart
    together = _cheapest(feeds, order, rules)
    return min((apart, together), key=lambda calls: cost(calls, rules))


def cost(calls: Sequence[Call], rules: CallRules) -> float:
    """Cost of ``calls`` in tokens."""
    return sum(call.tokens + rules.overhead for call in calls)


def _cheapest(feeds: Sequence[Feed], order: Sequence[int], rules: CallRules) -> list[Call]:
    if order and not _wasted(feeds, whole := _call(feeds, tuple(order))) and allowed(feeds, whole, rules):
        return [whole]  # nothing computed in vain and one overhead: no division is cheaper
    best: list[tuple[float, list[Call]]] = [(0.0, [])]
    for end in range(1, len(order) + 1):
        options = []
        for begin in range(end - 1, -1, -1):
            call = _call(feeds, tuple(order[begin:end]))
            if begin < end - 1 and not allowed(feeds, call, rules):
                continue  # a single row is always allowed
            before, calls = best[begin]
            options.append((before + call.tokens + rules.overhead, [*calls, call]))
        best.append(min(options, key=lambda option: option[0]))
    return best[-1][1]


def _wasted(feeds: Sequence[Feed], call: Call) -> int:
    """Tokens of idle slots and of padding."""
    return call.tokens - sum(feeds[index].count for index in call.rows)


def _call(feeds: Sequence[Feed], rows: tuple[int, ...]) -> Call:
    first, last = feeds[rows[0]].slot, feeds[rows[-1]].slot
    return Call(first, last - first + 1, max(feeds[index].count for index in rows), rows)


def allowed(feeds: Sequence[Feed], call: Call, rules: CallRules) -> bool:
    """Whether the graph computes these rows together, and whether what it writes for padding and for idle slots lies
    beyond what these slots hold and within their room."""
    starts = {feeds[index].slot: feeds[index].start for index in call.rows}
    slots = range(call.first, call.first + call.span)
    held = [starts[slot] if slot in starts else rules.lengths(slot) for slot in slots]
    if max(held) + call.width > rules.limit:
        return False
    if rules.batching == "ragged" or call.width == 1:
        return True
    # Without query lengths the operator takes longer pieces together only where every cache is empty.
    return not any(held)
