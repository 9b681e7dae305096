"""Sentry: which prefixes of a member's cache are worth telling others. Pure.

It follows the cache's own events, insertions and evictions of public blocks; what was merely asked for is not in it.
The blocks form a tree. A prefix is told where it can matter that somebody has it: at the end of a way, where ways part
(so the boundaries follow what prompts really have in common: a system prompt ends where the questions after it begin),
and at every multiple of the cut, so that a part of a long way counts, too. When a way parts later, or a branch goes,
the chunks follow. What is told is always the same for the same cache, however it came to be.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.forwarding.digests import DIGEST_BITS, MAX_DEPTH, Chunk, chunk_of
from engine.forwarding.hr_tree import CUT_BLOCKS

MAX_BLOCKS = 1 << 17
"""Blocks that are followed at most (four million tokens); what is beyond is not told."""


class Change(Protocol):
    """A block came into a cache or left it (``engine.inference.types.CacheChange``)."""

    @property
    def inserted(self) -> bool: ...

    @property
    def path(self) -> Sequence[bytes]:
        """The digests from the first block to this one."""
        ...


@dataclass(frozen=True, slots=True)
class Delta:
    """What has changed of what is told. ``added``: parents before their children."""

    added: tuple[Chunk, ...] = ()
    removed: tuple[Chunk, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed)


class _Block:
    __slots__ = ("chunk", "cut", "parent", "ways")

    def __init__(self, parent: _Block | None, chunk: Chunk, cut: bool) -> None:
        self.parent = parent
        self.chunk = chunk
        self.cut = cut  # its depth is a multiple of the cut
        self.ways = 0  # blocks that follow it


class Sentry:
    """The chunks of one member. It may have several caches (one for each of its GPUs), each with a name."""

    def __init__(self, bits: int = DIGEST_BITS, cut: int = CUT_BLOCKS, most_blocks: int = MAX_BLOCKS) -> None:
        self._bits = bits
        self._cut = cut
        self._most = most_blocks
        self._caches: dict[str, dict[bytes, _Block]] = {}
        self._blocks = 0
        self._wanted: dict[Chunk, int] = {}  # in how many caches
        self._told: dict[Chunk, None] = {}
        self._to_add: dict[Chunk, None] = {}
        self._to_remove: dict[Chunk, None] = {}

    @property
    def told(self) -> Collection[Chunk]:
        """What others know once every delta has reached them."""
        return self._told.keys()

    @property
    def waiting(self) -> bool:
        """Whether :meth:`take` has something to give, if there is room."""
        return bool(self._to_add or self._to_remove)

    def apply(self, changes: Iterable[Change], cache: str = "") -> None:
        """The cache with this name has changed; oldest change first. What cannot be (a block whose predecessor is not
        there, one that others follow leaving) is passed over."""
        blocks = self._caches.setdefault(cache, {})
        for change in changes:
            if change.inserted:
                self._insert(blocks, change.path)
            else:
                self._remove(blocks, change.path)

    def reset(self, cache: str = "") -> None:
        """The cache with this name is empty again."""
        for block in self._caches.pop(cache, {}).values():
            self._blocks -= 1
            if self._is_told(block):
                self._unwant(block.chunk)

    def begin_anew(self) -> None:
        """Nobody knows anything yet: everything is to be told once more."""
        self._told.clear()
        self._to_remove.clear()
        self._to_add = dict.fromkeys(self._wanted)

    def held(self, digests: Sequence[bytes]) -> int:
        """How many leading blocks of a prompt with these digests one of the caches holds now, told or not."""
        longest = 0
        for blocks in self._caches.values():
            depth = next((place for place, one in enumerate(digests) if one not in blocks), len(digests))
            longest = max(longest, depth)
        return longest

    def take(self, room: int, most: int) -> Delta:
        """The changes since the last call, ``most`` of each kind at a time; afterwards at most ``room`` chunks are told
        (the ones that came first)."""
        removed = list(self._to_remove)[:most]
        for chunk in removed:
            del self._to_remove[chunk], self._told[chunk]
        excess = min(len(self._told) - room, most - len(removed))
        if excess > 0:  # the share has become smaller: the last ones wait for better times
            held_back = [chunk for chunk in reversed(self._told) if chunk not in self._to_remove][:excess]
            for chunk in held_back:
                del self._told[chunk]
                self._to_add[chunk] = None
            return Delta((), (*removed, *held_back))
        added = list(self._to_add)[: max(0, min(most, room - len(self._told)))]
        for chunk in added:
            del self._to_add[chunk]
            self._told[chunk] = None
        return Delta(tuple(added), tuple(removed))

    # --------------------------------------------------------------------------------------------------- the blocks

    def _insert(self, blocks: dict[bytes, _Block], path: Sequence[bytes]) -> None:
        depth = len(path)
        if not path or path[-1] in blocks or depth > MAX_DEPTH or self._blocks >= self._most:
            return
        parent = blocks.get(path[-2]) if depth > 1 else None
        if depth > 1 and parent is None:
            return
        block = _Block(parent, chunk_of(depth, path[-1], self._bits), depth % self._cut == 0)
        blocks[path[-1]] = block
        self._blocks += 1
        self._want(block.chunk)  # nothing follows it yet
        if parent is not None:
            self._follow(parent, 1)

    def _remove(self, blocks: dict[bytes, _Block], path: Sequence[bytes]) -> None:
        block = blocks.get(path[-1]) if path else None
        if block is None or block.ways:
            return
        del blocks[path[-1]]
        self._blocks -= 1
        self._unwant(block.chunk)
        if block.parent is not None:
            self._follow(block.parent, -1)

    def _follow(self, block: _Block, ways: int) -> None:
        before = self._is_told(block)
        block.ways += ways
        after = self._is_told(block)
        if after and not before:
            self._want(block.chunk)
        elif before and not after:
            self._unwant(block.chunk)

    def _is_told(self, block: _Block) -> bool:
        return block.cut or block.ways != 1

    def _want(self, chunk: Chunk) -> None:
        caches = self._wanted.get(chunk, 0)
        self._wanted[chunk] = caches + 1
        if not caches:
            if chunk in self._to_remove:
                del self._to_remove[chunk]
            else:
                self._to_add[chunk] = None

    def _unwant(self, chunk: Chunk) -> None:
        self._wanted[chunk] -= 1
        if not self._wanted[chunk]:
            del self._wanted[chunk]
            if chunk in self._to_add:
                del self._to_add[chunk]
            else:
                self._to_remove[chunk] = None
