"""The HR-tree (hash-radix tree): which member's cache holds which prefix of public prompts. Pure.

A node of the tree is a chunk, a prefix named by its end (:mod:`engine.forwarding.digests`), with the members that hold
it. A chained digest names the whole way from the root, so a node is found by its name alone, in a dictionary, and needs
no pointer to its parent: members that cut the same prefix in different places meet in the nodes that they share. Every
member cuts at each multiple of ``CUT_BLOCKS``, and where prompts diverge; a look-up goes down from cut to cut and looks
between two of them only for members whose way ends there.

Everybody's share is bounded, so a liar fills its own share and takes nobody's place. ``tests/support/naive_hr_tree.py``
is the slow reference.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from engine.forwarding.digests import DIGEST_BITS, Chunk, depth_of

CUT_BLOCKS = 8
"""A way without branches is cut at every multiple of so many blocks, so that prompts which share a part of it are told
so; the same for all members."""
MEMBER_CHUNKS = 8192
"""Chunks of one member that are kept, at most: a cache of two million tokens cut every ``CUT_BLOCKS`` blocks."""
TOTAL_CHUNKS = 1 << 20
"""Of all members together; when there are more than ``TOTAL_CHUNKS`` / ``MEMBER_CHUNKS`` of them, each gets less."""

M = TypeVar("M", bound=Hashable)


@dataclass(frozen=True, slots=True)
class TreeLimits:
    """Chunks that are kept of one member, and of all together."""

    member: int = MEMBER_CHUNKS
    total: int = TOTAL_CHUNKS


class _Branch:
    """What the tree knows of one member. ``listed``: its chunks, with some that are not its any more or stand there
    twice (the tree's masks tell)."""

    __slots__ = ("bit", "complete", "count", "listed", "place")

    def __init__(self, place: int) -> None:
        self.place = place
        self.bit = 1 << place
        self.count = 0
        self.complete = True
        self.listed: list[Chunk] = []


class HrTree(Generic[M]):
    """A replica. Members are whatever names them; they are added before they hold anything."""

    def __init__(self, limits: TreeLimits | None = None, bits: int = DIGEST_BITS, cut: int = CUT_BLOCKS) -> None:
        self.limits = limits or TreeLimits()
        self.bits = bits
        self.cut = cut
        self._holders: dict[Chunk, int] = {}  # chunk -> bits of the members that hold it
        self._branches: dict[M, _Branch] = {}
        self._places: list[M | None] = []
        self._doubted: int = 0

    def __len__(self) -> int:
        """Different chunks."""
        return len(self._holders)

    @property
    def members(self) -> Collection[M]:
        """Everybody who was added."""
        return self._branches.keys()

    @property
    def share(self) -> int:
        """Chunks that each member may hold now."""
        return min(self.limits.member, self.limits.total // max(1, len(self._branches)))

    def count(self, member: M) -> int:
        """Chunks of one member."""
        branch = self._branches.get(member)
        return 0 if branch is None else branch.count

    def complete(self, member: M) -> bool:
        """Whether everything that the member told is kept: its share was large enough."""
        branch = self._branches.get(member)
        return branch is not None and branch.complete

    def chunks(self, member: M) -> list[Chunk]:
        """What a member holds, in the order in which it was told."""
        branch = self._branches.get(member)
        return [] if branch is None else self._listed(branch)

    # ------------------------------------------------------------------------------------------------------ changes

    def add_member(self, member: M) -> None:
        """Make room for a member; who is there already stays as it is."""
        if member in self._branches:
            return
        if None in self._places:
            place = self._places.index(None)
            self._places[place] = member
        else:
            place = len(self._places)
            self._places.append(member)
        self._branches[member] = _Branch(place)
        if self.share < self.limits.member:
            for branch in self._branches.values():
                self._trim(branch, self.share)

    def drop_member(self, member: M) -> None:
        """Forget a member with all that it holds."""
        branch = self._branches.pop(member, None)
        if branch is not None:
            self._trim(branch, 0)
            self._places[branch.place] = None
            self._doubted &= ~branch.bit

    def apply(self, member: M, added: Iterable[Chunk] = (), removed: Iterable[Chunk] = ()) -> int:
        """A member's cache has changed. Gives how many of ``added`` were refused, as its share is full; KeyError for
        who was not added."""
        branch = self._branches[member]
        holders, bit = self._holders, branch.bit
        for chunk in removed:
            mask = holders.get(chunk, 0)
            if mask & bit:
                branch.count -= 1
                if mask == bit:
                    del holders[chunk]
                else:
                    holders[chunk] = mask ^ bit
        refused, room = 0, self.share
        for chunk in added:
            mask = holders.get(chunk, 0)
            if mask & bit:
                continue
            if branch.count >= room:
                refused += 1
                continue
            # Most chunks have one holder: these share one number for all of them.
            holders[chunk] = mask | bit if mask else bit
            branch.count += 1
            branch.listed.append(chunk)
        if refused:
            branch.complete = False
        if len(branch.listed) > 2 * branch.count + 64:
            branch.listed = self._listed(branch)
        return refused

    def replace(self, member: M, chunks: Iterable[Chunk]) -> int:
        """Forget what the member held: it holds exactly this. See :meth:`apply`."""
        branch = self._branches[member]
        self._trim(branch, 0)
        branch.complete = True
        return self.apply(member, chunks)

    def doubt(self, member: M, doubted: bool = True) -> None:
        """Leave a member out of look-ups, or take it back: it did not hold what it said."""
        branch = self._branches.get(member)
        if branch is not None:
            self._doubted = self._doubted | branch.bit if doubted else self._doubted & ~branch.bit

    def _listed(self, branch: _Branch) -> list[Chunk]:
        # What came back after it had gone stands there twice, and its last place counts.
        latest = dict.fromkeys(reversed(branch.listed))
        return [chunk for chunk in reversed(latest) if self._holders.get(chunk, 0) & branch.bit]

    def _trim(self, branch: _Branch, most: int) -> None:
        """Keep the oldest ``most`` chunks of a member."""
        if branch.count <= most:
            return
        kept = self._listed(branch)
        for chunk in kept[most:]:
            mask = self._holders[chunk] ^ branch.bit
            if mask:
                self._holders[chunk] = mask
            else:
                del self._holders[chunk]
        branch.listed = kept[:most]
        branch.count = most
        branch.complete = False

    # ------------------------------------------------------------------------------------------------------ look-ups

    def lookup(self, prefixes: Sequence[Chunk]) -> dict[M, int]:
        """For whoever holds some of a prompt: how many leading blocks. ``prefixes``: the prompt's own names, place i
        with i + 1 blocks (:func:`engine.forwarding.digests.chunks_of`)."""
        found: dict[M, int] = {}
        places = self._places
        for depth, mask in self.levels(prefixes):
            for place in _places_of(mask):
                member = places[place]
                if member is not None:
                    found[member] = depth
        return found

    def levels(self, prefixes: Sequence[Chunk]) -> list[tuple[int, int]]:
        """As :meth:`lookup`, by depth: blocks, and the bits of the members for whom it is the longest."""
        get, cut, length = self._holders.get, self.cut, len(prefixes)
        found: list[tuple[int, int]] = []
        here = (1 << len(self._places)) - 1 & ~self._doubted  # who holds everything down to ``base``
        base = 0
        while here:
            end = base + cut
            further = here & get(prefixes[end - 1], 0) if end <= length else 0
            ending = here ^ further
            if ending:  # the longest prefixes first, for those whose way ends in between
                for depth in range(min(end - 1, length), base, -1):
                    mask = get(prefixes[depth - 1], 0) & ending
                    if mask:
                        found.append((depth, mask))
                        ending ^= mask
                        if not ending:
                            break
                else:
                    if base:
                        found.append((base, ending))
            here, base = further, end
        return found

    def check_integrity(self) -> None:
        """Raise AssertionError where the books do not add up. For tests: it walks over everything."""
        assert all(mask > 0 for mask in self._holders.values())
        total = 0
        for member, branch in self._branches.items():
            held = [chunk for chunk, mask in self._holders.items() if mask & branch.bit]
            assert branch.count == len(held) <= self.share
            assert set(held) == set(self._listed(branch))
            assert len(branch.listed) <= 2 * branch.count + 64
            assert self._places[branch.place] == member
            total += len(held)
        assert total == sum(mask.bit_count() for mask in self._holders.values())
        assert total <= self.limits.total
        assert all(depth_of(chunk, self.bits) > 0 for chunk in self._holders)


_BITS: Mapping[int, tuple[int, ...]] = {
    byte: tuple(bit for bit in range(8) if byte >> bit & 1) for byte in range(1, 256)
}


def _places_of(mask: int) -> Iterable[int]:
    """The numbers of the bits that are set."""
    if mask & (mask - 1) == 0:
        return (mask.bit_length() - 1,) if mask else ()
    places: list[int] = []
    for index, byte in enumerate(mask.to_bytes((mask.bit_length() + 7) // 8, "little")):
        if byte:
            base = index * 8
            places += [base + bit for bit in _BITS[byte]]
    return places
