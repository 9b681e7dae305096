"""How one step's prompt tokens are shared among those that are still being read. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.inference.scheduling.plan import BLOCK_TOKENS
from engine.inference.scheduling.sequence import Sequence

OLDEST_SHARE = 4
"""One part in so many of every step's prompt tokens is for whoever came first, however long its prompt."""


def turns(sequences: Iterable[Sequence], now: float) -> Iterator[tuple[Sequence, bool]]:
    """In which order they are offered tokens; True: no more than the share of the oldest.

    A share for the oldest, so that a long prompt always goes on; then the owner's, then whoever has least to go, so
    that a short prompt does not wait for a long one.
    """
    able = [one for one in sequences if one.available(now) > 0]
    if not able:
        return
    if len(able) > 1:
        yield min(able, key=lambda one: one.order), True
    able.sort(key=lambda one: (not one.owner, one.remaining, one.order))
    for one in able:
        yield one, False


def oldest_share(budget: int) -> int:
    """The share of the oldest in a step of ``budget`` prompt tokens; whole blocks where that is possible."""
    share = -(-budget // OLDEST_SHARE)
    return max(BLOCK_TOKENS, share // BLOCK_TOKENS * BLOCK_TOKENS) if budget > BLOCK_TOKENS else share


def step_budget(most: int, affordable: int | None) -> int:
    """Prompt tokens of the next step: ``most``, or what is ``affordable`` in the time that it may take (None: nobody
    knows), but no less than two blocks (one of them is the share of the oldest)."""
    if affordable is None:
        return most
    return min(most, max(2 * BLOCK_TOKENS, affordable // BLOCK_TOKENS * BLOCK_TOKENS))
