"""Putting one step together: rows, what they are filled from, what is kept of them. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.inference.scheduling.kv_cache import KvMemory, slot_capacity
from engine.inference.scheduling.plan import BLOCK_TOKENS, LoadBlocks, Row, StepPlan, StoreBlock
from engine.inference.scheduling.prefix_cache import CacheNode, PrefixCache, scope_at
from engine.inference.scheduling.sequence import Sequence, blocks_for
from engine.inference.scheduling.slots import SlotTable

_MOST_STORES = 32
"""Blocks that a row stores in one step beyond those that it fills (they had been evicted from under it)."""


@dataclass(slots=True)
class Flight:
    """A plan that is being carried out, and what follows from its end."""

    plan: StepPlan
    ends: list[tuple[Sequence, int, int]]  # (sequence, its epoch, tokens in its slot afterwards)
    acquired: list[CacheNode]  # loaded from
    pending: list[CacheNode]  # being stored
    prompt_tokens: int
    answer_tokens: int


@dataclass(slots=True)
class _Part:
    sequence: Sequence
    start: int
    count: int
    source: CacheNode | None = None  # what its slot is filled from first


def find(cache: PrefixCache, sequence: Sequence) -> CacheNode:
    """The deepest cached block that ``sequence`` could begin with; what logits are needed after is left to feed."""
    limit = sequence.wanted_from // BLOCK_TOKENS
    node = cache.match(
        sequence.tokens, sequence.public_blocks, sequence.submission.cache_salt, limit, since=sequence.tail
    )
    sequence.tail = node
    return node


def next_block(sequence: Sequence) -> tuple[CacheNode, bytes, tuple[int, ...]] | None:
    """Which block ``sequence`` will compute and store next while it is read; None if there is none."""
    node = sequence.tail
    if node is None or not node.alive:
        return None
    scope = scope_at(node.depth, sequence.public_blocks, sequence.submission.cache_salt)
    begin = node.depth * BLOCK_TOKENS
    ids = tuple(sequence.tokens[begin : begin + BLOCK_TOKENS])
    return None if scope is None or len(ids) < BLOCK_TOKENS else (node, scope, ids)


@dataclass(slots=True)
class PlanBuilder:
    """The step that is being put together. ``scored_places``: after so many tokens of one sequence logits are made."""

    cache: PrefixCache
    memory: KvMemory
    scored_places: int = 64
    parts: dict[Sequence, _Part] = field(default_factory=dict)
    acquired: list[CacheNode] = field(default_factory=list)
    pending: list[CacheNode] = field(default_factory=list)
    stores: list[StoreBlock] = field(default_factory=list)

    def add(self, sequence: Sequence, count: int) -> None:
        """``sequence`` feeds its next ``count`` tokens; its memory is held already."""
        self.parts[sequence] = _Part(sequence, sequence.fed, count)
        if sequence.cached_tokens is None:
            sequence.cached_tokens = 0

    def bounded(self, sequence: Sequence, start: int, count: int) -> int:
        """How many of ``count`` tokens of ``sequence``, which holds ``start``, one step may feed: logits are large."""
        return min(count, max(start, sequence.wanted_from) + self.scored_places - start)

    def fits(self, sequence: Sequence, count: int) -> int:
        """How many of ``count`` further tokens of ``sequence`` can be fed without anybody giving way but the cache."""
        part = self.parts.get(sequence)
        end = sequence.fed if part is None else part.start + part.count
        extra = blocks_for(end + count) - sequence.blocks
        if extra > 0:
            missing = self.memory.hold(extra)
            if missing:
                self.memory.give_back(min(missing, extra))
                extra = max(0, extra - missing)
                count = min(count, (sequence.blocks + extra) * BLOCK_TOKENS - end)
            sequence.blocks += extra
        return count

    def load(self, sequence: Sequence, budget: int, now: float) -> int:
        """Fill the slot of ``sequence``, which holds nothing, from the cache. Returns how many of ``budget`` tokens it
        can feed then; as little is loaded as memory demands (a block that is read takes room in both places)."""
        node = find(self.cache, sequence)
        while True:
            self.cache.acquire(node)
            fed = node.depth * BLOCK_TOKENS
            count = self.bounded(sequence, fed, min(budget, sequence.available(now) - fed))
            need = blocks_for(fed + count)
            if count > 0 and not self.memory.hold(need):
                break
            if count > 0:
                self.memory.give_back(need)
            self.cache.release(node)
            if node.parent is None:
                return 0
            node = node.parent
        sequence.blocks = need
        sequence.tail = node
        if sequence.cached_tokens is None:
            sequence.cached_tokens = fed
        self.acquired.append(node)
        self.parts[sequence] = _Part(sequence, fed, count, node)
        return count

    def build(self, slots: SlotTable, context_length: int) -> Flight | None:
        """The plan, once every row is in it; None when there is nothing at all to do."""
        freed_slots = slots.take_freed()
        moves = tuple(slots.compact()) if self.parts else ()  # their sources are freed by the next plan
        rows, loads, ends = [], [], []
        prompt_tokens = answer_tokens = 0
        parts = [part for part in self.parts.values() if part.sequence.slot >= 0]  # the others had to give way
        for part in sorted(parts, key=_by_kind_and_slot):
            sequence, end = part.sequence, part.start + part.count
            tokens = sequence.tokens
            if part.source is not None and part.source.depth:
                loads.append(LoadBlocks(sequence.slot, self.cache.blocks(part.source)))
            draw = sequence.wanted(part.start, end)
            rows.append(Row(sequence.key, sequence.slot, part.start, tuple(tokens[part.start : end]), draw))
            ends.append((sequence, sequence.epoch, end))
            if part.count == 1 and draw:
                answer_tokens += 1
            else:
                prompt_tokens += part.count
            if end // BLOCK_TOKENS > part.start // BLOCK_TOKENS:
                self._store(sequence, end // BLOCK_TOKENS, part.count)
        freed_blocks = self.cache.take_freed()
        if not rows and not freed_slots and not freed_blocks:
            return None
        capacity = slot_capacity(slots.longest(), context_length)
        plan = StepPlan(freed_slots, freed_blocks, capacity, moves, tuple(loads), tuple(rows), tuple(self.stores))
        return Flight(plan, ends, self.acquired, self.pending, prompt_tokens, answer_tokens)

    def _store(self, sequence: Sequence, complete: int, count: int) -> None:
        """Keep the first ``complete`` blocks of ``sequence`` that are not kept yet, as far as they may and can be."""
        cache, tokens, salt = self.cache, sequence.tokens, sequence.submission.cache_salt
        node = sequence.tail
        if node is None or not node.alive:
            node = cache.match(tokens, sequence.public_blocks, salt, complete)
        last = min(complete, node.depth + count // BLOCK_TOKENS + _MOST_STORES)
        while node.depth < last:
            scope = scope_at(node.depth, sequence.public_blocks, salt)
            if scope is None:
                break
            begin = node.depth * BLOCK_TOKENS
            found = cache.insert(node, scope, tuple(tokens[begin : begin + BLOCK_TOKENS]))
            if found is None:
                break
            node, new = found
            if new:
                self.pending.append(node)
                self.stores.append(StoreBlock(sequence.slot, begin, node.block))
        sequence.tail = node


def _by_kind_and_slot(part: _Part) -> tuple[bool, int]:
    return part.count > 1, part.sequence.slot
