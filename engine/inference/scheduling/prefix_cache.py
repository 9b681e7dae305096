"""Which blocks of keys and values are kept for later prompts, and for whom. Pure; it counts, the runner holds tensors.

A radix tree over blocks of ``BLOCK_TOKENS`` token ids: a node stands for one block after everything above it, because
keys and values depend on all tokens before. An edge is labelled with a *scope* and the ids. The scope ``PUBLIC`` is
everybody's; any other scope is a client's cache salt, and a node under it is found under the same salt only, so that
nobody learns from a fast answer what somebody else asked.

A block is *pending* from the moment its number is handed out until the runner has filled it. Blocks that a step reads
or fills are referenced meanwhile and stay; of the others the leaf that was used longest ago goes first, always leaves,
so that what is kept can always be reached.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from engine.forwarding.digests import next_digest, root_digest
from engine.inference.scheduling.plan import BLOCK_TOKENS, CacheEvent

PUBLIC = b""
"""The scope of blocks that belong to everybody."""
EVENT_LIMIT = 4096
"""Events kept for :meth:`PrefixCache.events`; beyond it all are given up and the reader takes a snapshot."""


@dataclass(slots=True, eq=False, repr=False)
class CacheNode:
    """One block after those of its ancestors. ``depth``: blocks from the beginning to here. Read it, never write."""

    parent: CacheNode | None
    scope: bytes
    ids: tuple[int, ...]
    depth: int
    block: int
    digest: bytes  # chained over public blocks; empty for private ones
    references: int = 0
    used: int = 0  # tick of the last use of this node or of one below that is gone
    ready: bool = False
    alive: bool = True
    listed: bool = False  # in the heap of candidates for eviction
    children: dict[tuple[bytes, tuple[int, ...]], CacheNode] = field(default_factory=dict)


class PrefixCache:
    """The tree of one model's blocks. ``budget``: how many it may hold, referenced ones excepted. The digests name
    public blocks to other machines, too (``engine.forwarding.digests``)."""

    def __init__(
        self, model_digest: bytes, budget: int, event_limit: int = EVENT_LIMIT, tokenizer_digest: bytes = b""
    ) -> None:
        digest = root_digest(model_digest, tokenizer_digest)
        self.root = CacheNode(None, PUBLIC, (), 0, -1, digest, ready=True)
        self.budget = budget
        self.events_lost = 0  # how often the queue overflowed
        self._held = 0
        self._tick = 0
        self._next_block = 0
        self._spare: list[int] = []  # heap of block numbers to use again, lowest first
        self._freed: list[int] = []  # not yet told to the runner
        self._leaves: list[tuple[int, int, CacheNode]] = []  # heap of (tick, depth, node), checked when taken out
        self._event_limit = event_limit
        self._events: deque[tuple[bool, CacheNode]] = deque()

    @property
    def held(self) -> int:
        """Blocks whose numbers are handed out, pending ones included."""
        return self._held

    @property
    def freed(self) -> bool:
        """Whether :meth:`take_freed` has something to tell."""
        return bool(self._freed)

    # ------------------------------------------------------------------------------------------------- looking up

    def match(
        self, ids: Sequence[int], public_blocks: int, salt: bytes, limit: int, since: CacheNode | None = None
    ) -> CacheNode:
        """The deepest filled node on the path of ``ids``, at most ``limit`` blocks deep, and count it as used.

        The first ``public_blocks`` blocks are looked for among everybody's, the others under ``salt`` (nowhere, if it
        is empty). ``since``: a node found for the same path before; the search goes on from there if it still lives.
        """
        node = since if since is not None and since.alive else self.root
        while node.depth < limit:
            scope = scope_at(node.depth, public_blocks, salt)
            if scope is None:
                break
            begin = node.depth * BLOCK_TOKENS
            child = node.children.get((scope, tuple(ids[begin : begin + BLOCK_TOKENS])))
            if child is None or not child.ready:
                break
            node = child
        self._touch(node)
        return node

    def blocks(self, node: CacheNode) -> tuple[int, ...]:
        """Block numbers from the beginning to ``node``."""
        numbers = [0] * node.depth
        for ancestor in _ancestors(node):
            numbers[ancestor.depth - 1] = ancestor.block
        return tuple(numbers)

    # ------------------------------------------------------------------------------------- holding, storing, dropping

    def acquire(self, node: CacheNode) -> None:
        """Keep ``node`` (and so everything above it) until it is released."""
        node.references += 1

    def release(self, node: CacheNode) -> None:
        """Give back what :meth:`acquire` took."""
        if node.references < 1:
            raise ValueError("this block is not held by anybody")
        node.references -= 1
        self._list(node)

    def insert(self, parent: CacheNode, scope: bytes, ids: tuple[int, ...]) -> tuple[CacheNode, bool] | None:
        """The node of block ``ids`` after ``parent``, and whether it is new; None when there is no room.

        A new one is pending and referenced: fill its block, then :meth:`commit`, or :meth:`abandon` it.
        """
        child = parent.children.get((scope, ids))
        if child is not None:
            self._touch(child)
            return child, False
        if len(ids) != BLOCK_TOKENS:
            raise ValueError(f"a block has {BLOCK_TOKENS} tokens")
        if scope == PUBLIC and not parent.digest:
            raise ValueError("a public block cannot follow a private one")
        if not parent.alive:
            raise ValueError("the block before this one is gone")
        if not self._make_room(parent):
            return None
        digest = next_digest(parent.digest, ids) if scope == PUBLIC else b""
        child = CacheNode(parent, scope, ids, parent.depth + 1, self._take_number(), digest, references=1)
        parent.children[(scope, ids)] = child
        self._held += 1
        self._touch(child)
        return child, True

    def commit(self, node: CacheNode) -> None:
        """The block of a pending node is filled: from now on it is found."""
        node.ready = True
        self.release(node)
        self._note(True, node)

    def abandon(self, node: CacheNode) -> None:
        """A pending node will not be filled. Of a chain, the last one comes first."""
        if node.ready or node.children:
            raise ValueError("only a pending block with nothing after it can be abandoned")
        node.references = 0
        self._remove(node)

    def drop(self, node: CacheNode) -> None:
        """Forget ``node`` and what is above it as far as nothing else hangs on it or reads it (its content is bad)."""
        while node.parent is not None and node.alive and not node.children and not node.references:
            parent = node.parent
            self._remove(node)
            node = parent

    def set_budget(self, budget: int) -> int:
        """From now on hold at most ``budget`` blocks: evict at once. Returns how many are held beyond it, because
        they are referenced."""
        self.budget = budget
        while self._held > budget and self._evict():
            pass
        return max(0, self._held - max(0, budget))

    def take_freed(self) -> tuple[int, ...]:
        """Numbers of blocks that were freed since the last call. Some may be in use again already."""
        freed = tuple(self._freed)
        self._freed.clear()
        return freed

    # ----------------------------------------------------------------------------------------------------- news of it

    def events(self) -> list[CacheEvent]:
        """What changed of the public blocks since the last call, oldest first."""
        events: list[CacheEvent] = []
        last: CacheNode | None = None
        path: tuple[bytes, ...] = ()
        for inserted, node in self._events:
            path = (*path, node.digest) if node.parent is last else _path(node)
            last = node
            events.append(CacheEvent(inserted, path, node.ids if inserted else ()))
        self._events.clear()
        return events

    def changes(self) -> list[tuple[bool, bytes]]:
        """Instead of :meth:`events`, for who knows what a digest stands for: (whether it came, digest of the block)."""
        changes = [(inserted, node.digest) for inserted, node in self._events]
        self._events.clear()
        return changes

    def public_blocks(self) -> Iterator[CacheEvent]:
        """An insert event for every public block that is there, parents first: what a reader needs who lost events."""
        waiting: list[tuple[CacheNode, tuple[bytes, ...]]] = [(self.root, ())]
        while waiting:
            node, path = waiting.pop()
            for child in node.children.values():
                if child.digest and child.ready:
                    child_path = (*path, child.digest)
                    yield CacheEvent(True, child_path, child.ids)
                    waiting.append((child, child_path))

    def check_integrity(self) -> None:
        """Raise AssertionError where the books do not add up. For tests: it walks over everything."""
        waiting, numbers = [self.root], []
        while waiting:
            node = waiting.pop()
            assert node.alive
            assert node.references >= 0
            if node is not self.root:
                numbers.append(node.block)
                assert node.ready or node.references > 0
                assert node.parent is not None
                assert node.depth == node.parent.depth + 1
                assert node.scope in (PUBLIC, node.parent.scope) or node.parent.scope == PUBLIC
                assert bool(node.digest) == (node.scope == PUBLIC)
                assert not _evictable(node) or node.listed
            for key, child in node.children.items():
                assert child.parent is node
                assert key == (child.scope, child.ids)
                waiting.append(child)
        assert len(numbers) == len(set(numbers)) == self._held
        assert not set(numbers) & set(self._spare)
        assert sorted([*numbers, *self._spare]) == list(range(self._next_block))
        assert len(self._leaves) <= 2 * self._held + 64
        assert len(self._events) <= self._event_limit

    # ------------------------------------------------------------------------------------------------------- eviction

    def _touch(self, node: CacheNode) -> None:
        self._tick += 1
        node.used = self._tick
        self._list(node)

    def _list(self, node: CacheNode) -> None:
        """Make ``node`` a candidate for eviction if it is one; each stands in the heap once at most."""
        if not node.listed and _evictable(node):
            node.listed = True
            heapq.heappush(self._leaves, (node.used, node.depth, node))

    def _evict(self) -> bool:
        """Remove the leaf that was used longest ago; False when there is none to remove."""
        while self._leaves:
            used, _, node = heapq.heappop(self._leaves)
            node.listed = False
            if not _evictable(node):
                continue
            if node.used != used:  # used again since it was listed
                self._list(node)
                continue
            self._remove(node)
            return True
        return False

    def _remove(self, node: CacheNode) -> None:
        parent = node.parent
        assert parent is not None
        del parent.children[(node.scope, node.ids)]
        node.alive = False
        self._held -= 1
        heapq.heappush(self._spare, node.block)
        self._freed.append(node.block)
        if node.ready:
            self._note(False, node)
        parent.used = max(parent.used, node.used)
        self._list(parent)
        if len(self._leaves) > 2 * self._held + 64:
            self._leaves = [(one.used, one.depth, one) for _, _, one in self._leaves if one.alive]
            heapq.heapify(self._leaves)

    def _make_room(self, parent: CacheNode) -> bool:
        parent.references += 1  # the block to be must not push out the one before it
        while self._held >= self.budget and self._evict():
            pass
        parent.references -= 1
        self._list(parent)
        return self._held < self.budget

    def _take_number(self) -> int:
        if self._spare:
            return heapq.heappop(self._spare)
        self._next_block += 1
        return self._next_block - 1

    def _note(self, inserted: bool, node: CacheNode) -> None:
        if not node.digest:
            return
        if len(self._events) >= self._event_limit:
            self._events.clear()
            self.events_lost += 1
        self._events.append((inserted, node))


def scope_at(depth: int, public_blocks: int, salt: bytes) -> bytes | None:
    """The scope of the block at ``depth`` of a prompt; None where it may not be kept."""
    if depth < public_blocks:
        return PUBLIC
    return salt or None


def _evictable(node: CacheNode) -> bool:
    return node.alive and not node.children and not node.references and node.parent is not None


def _ancestors(node: CacheNode) -> Iterator[CacheNode]:
    """``node`` and those above it, without the root."""
    while node.parent is not None:
        yield node
        node = node.parent


def _path(node: CacheNode) -> tuple[bytes, ...]:
    return tuple(reversed([one.digest for one in _ancestors(node)]))
