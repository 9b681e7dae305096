"""How many tokens' keys and values fit into memory, and who has how much of it. Pure.

It counts; the tensors themselves belong to the runner.
"""

from __future__ import annotations

from engine.errors import InferenceError
from engine.inference.scheduling.plan import BLOCK_TOKENS
from engine.inference.scheduling.prefix_cache import PrefixCache

SMALLEST_SEQUENCE = 256
"""Tokens of one short conversation with its answer (or of a whole context, where that is less): a model that has no
memory for so many is not worth loading."""
COMFORTABLE = 8192
"""Tokens of a conversation that is worth more than one further answer at the same time."""
_CAPACITY_STEPS = 4  # a slot's room grows by a quarter of a power of two


class KvMemory:
    """Blocks of memory: ``held`` by the slots of running sequences, the rest the prefix cache may fill.

    The cache gives way to sequences, so that ``held`` and the cache's blocks are never more than ``total`` together.
    ``reserved`` blocks are the slots' even while they hold less (on devices that take a slot's memory as a whole).
    """

    def __init__(self, cache: PrefixCache, reserved: int = 0) -> None:
        self.cache = cache
        self.total = cache.budget
        self.held = 0
        self._reserved = reserved
        self.missing()

    @property
    def free(self) -> int:
        """Blocks that no running sequence holds."""
        return max(0, self.total - self.held)

    def hold(self, blocks: int) -> int:
        """So many more are held by slots. Returns how many are missing although the cache has given way."""
        self.held += blocks
        return self.missing()

    def give_back(self, blocks: int) -> None:
        """So many are no longer held by slots."""
        self.held -= blocks
        self.cache.budget = self._for_cache()

    def missing(self) -> int:
        """Blocks in use beyond the total, after the cache has given way."""
        return self.cache.set_budget(self._for_cache()) + max(0, self.held - self.total)

    def _for_cache(self) -> int:
        return max(0, self.total - max(self.held, self._reserved))


def capacity(slots: int, context_length: int, bytes_per_token: int, budget_bytes: int) -> int:
    """Cache tokens to offer, in whole blocks: what the memory allows, at most two contexts for every slot (one to run
    in, one to be kept).

    :class:`InferenceError` when the memory does not hold one short sequence.
    """
    affordable = budget_bytes // max(1, bytes_per_token) // BLOCK_TOKENS * BLOCK_TOKENS
    needed = -(-min(SMALLEST_SEQUENCE, context_length) // BLOCK_TOKENS) * BLOCK_TOKENS
    if affordable < needed:
        raise InferenceError(
            f"Its caches may take {budget_bytes} bytes of memory, which is room for {affordable} tokens; a single "
            f"short conversation needs {needed}, that is {needed * bytes_per_token} bytes. Allow more memory (the "
            "setting cache_memory), close other programs, or choose a smaller model."
        )
    context = -(-context_length // BLOCK_TOKENS) * BLOCK_TOKENS
    return min(2 * slots * context, affordable)


def whole_slots(slots: int, context_length: int, tokens: int) -> int:
    """The context to offer where every slot takes its memory as a whole and ``tokens`` fit in all: what leaves a
    quarter to the prefix cache, in whole blocks, or one block."""
    affordable = tokens * 3 // 4 // slots // BLOCK_TOKENS * BLOCK_TOKENS
    return min(context_length, max(BLOCK_TOKENS, affordable))


def slots_for(slots: int, context_length: int, tokens: int) -> int:
    """How many of ``slots`` to offer where every slot takes its memory as a whole: fewer, if otherwise none could hold
    a conversation of ``COMFORTABLE`` tokens, but at least one."""
    wanted = min(context_length, COMFORTABLE)
    while slots > 1 and whole_slots(slots, context_length, tokens) < wanted:
        slots -= 1
    return slots


def slot_capacity(blocks: int, context_length: int) -> int:
    """Tokens that every slot should have room for when the longest holds ``blocks``: in coarse steps, so that it
    changes rarely, and no more than the context."""
    if not blocks:
        return 0
    unit = max(_CAPACITY_STEPS, 1 << max(0, (blocks - 1).bit_length() - 1)) // _CAPACITY_STEPS
    rounded = -(-max(blocks, 2 * _CAPACITY_STEPS) // unit) * unit
    return min(rounded * BLOCK_TOKENS, context_length)
