"""How many tokens' keys and values fit into memory, and who holds how many. Pure.

It counts; the tensors themselves belong to the runner.
"""

from __future__ import annotations


class KvBudget:
    """A number of cache tokens, reserved for each sequence before it starts, so that none runs out in mid-answer."""

    def __init__(self, total: int) -> None:
        if total < 1:
            raise ValueError("the cache must hold at least one token")
        self._total = total
        self._held: dict[int, int] = {}

    @property
    def total(self) -> int:
        """Tokens that fit in all."""
        return self._total

    @property
    def free(self) -> int:
        """Tokens that nobody holds."""
        return self._total - sum(self._held.values())

    def reserve(self, key: int, tokens: int) -> bool:
        """Reserve ``tokens`` for sequence ``key``; False, and no change, when they do not fit."""
        if key in self._held:
            raise ValueError("this sequence has a reservation already")
        if tokens > self.free:
            return False
        self._held[key] = tokens
        return True

    def release(self, key: int) -> None:
        """Give back what ``key`` holds; nothing happens if it holds nothing."""
        self._held.pop(key, None)


def capacity(slots: int, context_length: int, bytes_per_token: int, budget_bytes: int) -> int:
    """Cache tokens to offer: what the memory allows, at least one full context, at most one for every slot."""
    affordable = budget_bytes // max(1, bytes_per_token)
    return max(context_length, min(slots * context_length, affordable))
