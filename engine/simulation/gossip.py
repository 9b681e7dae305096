"""A group that gossips, in simulated time: the real machines, and links that delay, lose and are cut."""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import count

from engine.crypto.identity import Identity, verify
from engine.forwarding.digests import chunks_of
from engine.forwarding.gossip import GroupMachine, Tell
from engine.forwarding.members import Load
from engine.forwarding.neighbours import group_neighbours
from engine.ids import NodeId
from engine.wire.codec import encode
from engine.wire.group import GroupMessage

NETWORK, MODEL = b"n" * 32, b"m" * 32
WALL = 1_800_000_000.0
"""Seconds since 1970 when the simulation begins."""
DELAY_SECONDS = 0.05


@lru_cache(maxsize=4096)
def check_once(key: bytes, purpose: str, network_id: bytes, signature: bytes, *fields: bytes) -> None:
    """``verify``; what has verified once is not computed again for every receiver."""
    verify(key, purpose, network_id, signature, *fields)


@dataclass(frozen=True, slots=True)
class Block:
    """A change of a cache, as Sentry takes it."""

    inserted: bool
    path: Sequence[bytes]


@dataclass(slots=True)
class Member:
    """A member; ``down`` while it is not there. ``clock``: seconds by which its wall clock is wrong."""

    identity: Identity
    machine: GroupMachine
    down: bool = False
    clock: float = 0.0
    life: int = 0
    sent: Counter[str] = field(default_factory=Counter)  # kind of message -> bytes


class GossipNetwork:
    """``size`` members, everybody listed. ``loss``: the share of messages that vanish (links lose none by themselves,
    so this is worse than real)."""

    def __init__(self, size: int, seed: int, loss: float = 0.0) -> None:
        self.random = random.Random(seed)
        self.now = 0.0
        self.loss = loss
        self.cut: Callable[[NodeId, NodeId], bool] = lambda one, other: False
        self.intercept: Callable[[NodeId, NodeId, GroupMessage], Iterable[GroupMessage]] = lambda a, b, told: (told,)
        self._order = count()
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        identities = [Identity.from_seed(self.random.randbytes(32)) for _ in range(size)]
        self.keys = {one.node_id: one.public_key for one in identities}
        self.links = {name: group_neighbours(self.keys, name, MODEL) for name in self.keys}
        self.members: dict[NodeId, Member] = {}
        for identity in identities:
            member = Member(identity, self._machine(identity, int(WALL * 1000)))
            self.members[identity.node_id] = member
            self._start(member)

    @property
    def ids(self) -> list[NodeId]:
        """Of all members."""
        return list(self.members)

    def machine(self, name: NodeId) -> GroupMachine:
        """One member's machine."""
        return self.members[name].machine

    def _machine(self, identity: Identity, incarnation: int) -> GroupMachine:
        source = random.Random(self.random.randrange(1 << 30))
        return GroupMachine(identity, NETWORK, MODEL, source, self.now, incarnation=incarnation, check=check_once)

    def _start(self, member: Member) -> None:
        machine, life = member.machine, member.life
        machine.set_members(self.keys, self.now)
        machine.set_links(self.links[machine.node_id], self.now)
        self._tick_at(self.now + self.random.random(), member, life)

    def kill(self, name: NodeId) -> None:
        """It vanishes without a word."""
        self.members[name].down = True

    def restart(self, name: NodeId) -> None:
        """It is back, with an empty cache and no memory."""
        member = self.members[name]
        member.down = False
        member.life += 1
        incarnation = int((WALL + self.now + member.clock) * 1000) + 1
        member.machine = self._machine(member.identity, incarnation)
        self._start(member)

    def leave(self, name: NodeId) -> None:
        """It goes politely."""
        member = self.members[name]
        self._carry_out(member, member.machine.leave(self.now, self._wall(member)))
        member.down = True

    def run(self, seconds: float) -> None:
        """Let time pass."""
        until = self.now + seconds
        while self._events and self._events[0][0] <= until:
            self.now, _, event = heapq.heappop(self._events)
            event()
        self.now = until

    def sent_bytes(self) -> Counter[str]:
        """By all members, by kind of message."""
        return sum((member.sent for member in self.members.values()), Counter())

    def send(self, sender: NodeId, tell: Tell) -> None:
        """Put a message on a link."""
        member = self.members[sender]
        member.sent[type(tell.message).__name__] += len(encode(tell.message))
        for message in self.intercept(sender, tell.peer, tell.message):
            if self.random.random() >= self.loss and not self.cut(sender, tell.peer):
                self._at(self.now + DELAY_SECONDS, partial(self._deliver, sender, tell.peer, message))

    def _deliver(self, sender: NodeId, receiver: NodeId, message: GroupMessage) -> None:
        member = self.members[receiver]
        if member.down:
            return
        self._carry_out(member, member.machine.receive(sender, message, self.now, self._wall(member)))

    def _carry_out(self, member: Member, effects: Iterable[Tell]) -> None:
        for tell in effects:
            self.send(member.identity.node_id, tell)

    def _wall(self, member: Member) -> float:
        return WALL + self.now + member.clock

    def _tick_at(self, when: float, member: Member, life: int) -> None:
        self._at(when, partial(self._tick, member, life))

    def _tick(self, member: Member, life: int) -> None:
        if member.down or member.life != life:
            return
        self._carry_out(member, member.machine.tick(self.now, self._wall(member)))
        deadline = member.machine.next_deadline()
        self._tick_at(min(max(deadline, self.now + 0.05), self.now + min(1.0, member.machine.interval)), member, life)

    def _at(self, when: float, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (when, next(self._order), event))

    # ------------------------------------------------------------------------------------------------------ caches

    def prompt(self, blocks: int, base: Sequence[bytes] = ()) -> tuple[bytes, ...]:
        """The digests of a prompt of so many blocks, after those of another one."""
        return (*base, *(self.random.randbytes(32) for _ in range(blocks)))

    def insert(self, name: NodeId, digests: Sequence[bytes]) -> None:
        """A prompt is in a member's cache now."""
        changes = [Block(True, digests[:depth]) for depth in range(1, len(digests) + 1)]
        self.machine(name).sentry.apply(changes)

    def evict(self, name: NodeId, digests: Sequence[bytes], down_to: int) -> None:
        """Of a prompt only the first blocks are left there."""
        changes = [Block(False, digests[:depth]) for depth in range(len(digests), down_to, -1)]
        self.machine(name).sentry.apply(changes)

    def busy(self, name: NodeId) -> None:
        """A member whose load changes all the time says so."""
        load = Load(queue_tokens=self.random.randrange(100_000), running=self.random.randrange(16), kv_free=50_000)
        self.machine(name).report(load, True, self.now)

    def holders(self, name: NodeId, digests: Sequence[bytes]) -> dict[NodeId, int]:
        """Who holds how many leading tokens of a prompt, as one member knows it."""
        return self.machine(name).lookup(chunks_of(digests), self.now)

    def is_known_everywhere(self, author: NodeId) -> bool:
        """Whether all that are there know exactly what a member tells of its cache."""
        told = set(self.machine(author).sentry.told)
        there = [one for one in self.members.values() if not one.down]
        return all(set(one.machine.tree.chunks(author)) == told for one in there)
