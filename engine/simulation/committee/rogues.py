"""Members that do not follow the protocol."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable
from functools import partial
from random import Random
from typing import Protocol

from engine.errors import WireError
from engine.simulation.committee.blocks import HEIGHT, NETWORK_ID, Content, identity_of, make_block
from engine.simulation.committee.weather import Plot
from engine.verification.committee.agreement import Agreement, Message
from engine.verification.committee.committee import NO_BLOCK, Committee, sign
from engine.verification.committee.effects import Effect, Remember, Send
from engine.wire.blocks import (
    Certificate,
    CommitteeBlock,
    CommitteeHave,
    CommitteeNews,
    CommitteePrevotes,
    Proposal,
    Vote,
    agreement_decoder,
)

HONEST = "honest"
SILENT, TWINS, BLIND, WITHHOLDING, FORGETFUL = "silent", "twins", "blind", "withholding", "forgetful"
EAGER, LYING, OMITTING = "eager", "lying", "omitting"
KINDS = (SILENT, TWINS, TWINS, BLIND, WITHHOLDING, FORGETFUL, EAGER, EAGER, EAGER, LYING, LYING, OMITTING, OMITTING)
"""The worst ones more often. ``twins``: two honest members with one key that know nothing of each other; ``blind``:
votes for whatever is proposed, and proposes what is invalid; ``withholding``: what it sends reaches some;
``forgetful``: forgets everything now and then; ``eager``: votes for everything in every round, to some, and proposes
several blocks; ``lying``: that, with invalid blocks, forged quorums and certificates, and rounds in the far future;
``omitting``: leaves what others have promised out of its blocks, and votes for whatever is proposed."""
Sides = tuple[Collection[int], Collection[int]]


class Actor(Protocol):
    """One member, whatever it is made of."""

    def receive(self, sender: int, message: Message, now: float) -> list[Effect]:
        """A message of another member."""

    def tick(self, now: float) -> list[Effect]:
        """Time has passed."""

    def next_deadline(self) -> float | None:
        """When :meth:`tick` is due."""


class Silent:
    """Nothing at all."""

    def receive(self, sender: int, message: Message, now: float) -> list[Effect]:
        """Nothing."""
        return []

    def tick(self, now: float) -> list[Effect]:
        """Nothing."""
        return []

    def next_deadline(self) -> float | None:
        """Never."""
        return None


class Twins:
    """Two machines with one key; each talks with a part of the others, which may overlap."""

    def __init__(self, machines: tuple[Agreement, Agreement], random: Random, sides: Sides) -> None:
        self._machines = machines
        common = {member for side in sides for member in side if random.random() < random.choice((0.0, 0.0, 0.4))}
        self._friends = tuple(common.union(side) for side in sides)

    def receive(self, sender: int, message: Message, now: float) -> list[Effect]:
        """To the twins that know the sender."""
        found: list[Effect] = []
        for machine, friends in zip(self._machines, self._friends, strict=True):
            if sender in friends:
                found += _only_to(friends, machine.receive(sender, message, now))
        return found

    def tick(self, now: float) -> list[Effect]:
        """Both."""
        found: list[Effect] = []
        for machine, friends in zip(self._machines, self._friends, strict=True):
            found += _only_to(friends, machine.tick(now))
        return found

    def next_deadline(self) -> float | None:
        """The earlier one's."""
        deadlines = [one.next_deadline() for one in self._machines]
        return min((one for one in deadlines if one is not None), default=None)


class Withholding:
    """An honest machine whose messages reach some of the others."""

    def __init__(self, machine: Agreement, random: Random, members: int) -> None:
        self._machine = machine
        self._random = random
        self._members = range(members)
        self._share = random.choice((0.3, 0.6, 0.9))

    def receive(self, sender: int, message: Message, now: float) -> list[Effect]:
        """As an honest one."""
        return self._some(self._machine.receive(sender, message, now))

    def tick(self, now: float) -> list[Effect]:
        """As an honest one."""
        return self._some(self._machine.tick(now))

    def next_deadline(self) -> float | None:
        """As an honest one."""
        return self._machine.next_deadline()

    def _some(self, effects: Iterable[Effect]) -> list[Effect]:
        friends = {member for member in self._members if self._random.random() < self._share}
        return _only_to(friends, effects)


class Eager:
    """Signs whatever may do harm. All of a schedule work together: the first block that is proposed in a round is for
    one of the ``sides``, the second for the other, and where it divides them each side hears only of its own. Where one
    shall decide alone, only that one is shown the precommits that it takes, and all others work on something else."""

    def __init__(
        self,
        index: int,
        committee: Committee,
        random: Random,
        unit: float,
        plot: Plot,
        invent: Callable[[], Content],
        *,
        lies: bool,
    ) -> None:
        """``invent``: what to put into a block, whoever has it."""
        self._index = index
        self._invent = invent
        self._identity = identity_of(index)
        self._committee = committee
        self._random = random
        self._unit = unit
        self._sides = plot.sides
        self._lucky = plot.lucky if plot.script == "alone" else None
        self._own: set[bytes] = {NO_BLOCK}
        self._lies = lies
        self._shares = random.choice(((1.0,), (0.3, 0.6, 1.0)))
        self._divides = random.choice((0.0, 0.9))
        self._round = 0
        self._led = -1
        self._blocks: dict[bytes, bytes] = {}
        self._voted: set[tuple[int, bytes]] = set()
        self._next = unit * random.random()

    def receive(self, sender: int, message: Message, now: float) -> list[Effect]:
        """Vote for every proposal and every digest that is heard of."""
        if isinstance(message, CommitteeHave) and message.height == HEIGHT:
            self._round = max(self._round, message.round)
        if not isinstance(message, CommitteeNews):
            return []
        try:
            record = agreement_decoder.decode(message.item.record)
        except WireError:
            return []
        if record.round > self._round + 8:  # of another liar
            return []
        self._round = max(self._round, record.round)
        digest = record.digest if isinstance(record, Vote) else hashlib.sha256(record.block).digest()
        if isinstance(record, Proposal) and len(self._blocks) < 40:
            self._blocks[digest] = record.block
        return self._lead(record.round) + self._lead(record.round + 1) + self._votes(record.round, digest)

    def tick(self, now: float) -> list[Effect]:
        """Now and then against everything; a liar sends forged things as well."""
        self._next = now + self._unit * self._random.uniform(0.3, 1.5)
        effects = self._lead(self._round) + self._votes(self._round, NO_BLOCK)
        return effects + self._forged() if self._lies else effects

    def next_deadline(self) -> float | None:
        """Soon."""
        return self._next

    def _lead(self, number: int) -> list[Effect]:
        """Several blocks for a round that it leads, some of them old ones; each to some."""
        if number <= self._led or self._committee.leader(number) != self._index:
            return []
        self._led = number
        make = partial(make_block, self._committee, self._index, number)
        blocks = [make(self._random.getrandbits(40), self._invent()) for _ in range(2)]
        if self._lies:
            blocks.append(make(1, valid=False))
        old = [(block, self._random.randint(0, number)) for block in self._blocks.values()]
        candidates = [(block, 0) for block in blocks] + self._random.sample(old, min(2, len(old)))
        effects: list[Effect] = []
        is_divided = self._random.random() < self._divides
        if not is_divided and self._random.random() < 0.7:
            candidates = [self._random.choice((*candidates[:2], candidates[-1]))]
        for place, (block, valid_round) in enumerate(candidates):
            side = self._sides[place] if is_divided and place < 2 else None
            proposal = Proposal(NETWORK_ID, HEIGHT, number, valid_round, block)
            self._own.add(hashlib.sha256(block).digest())
            effects += self._to_some(CommitteeNews(sign(self._identity, NETWORK_ID, proposal)), side)
            effects += self._votes(number, hashlib.sha256(block).digest(), side)
        return effects

    def _votes(self, number: int, digest: bytes, side: Collection[int] | None = None) -> list[Effect]:
        if (number, digest) in self._voted or len(self._voted) > 300:
            return []
        self._voted.add((number, digest))
        effects: list[Effect] = []
        for precommit in (False, True):
            vote = Vote(NETWORK_ID, HEIGHT, number, precommit, digest)
            if precommit and self._lucky is not None:
                lucky, everybody = {self._lucky}, set(range(len(self._committee.members)))
                side = everybody - lucky if digest in self._own else lucky
            effects += self._to_some(CommitteeNews(sign(self._identity, NETWORK_ID, vote)), side)
        return effects

    def _forged(self) -> list[Effect]:
        """What an honest member must not believe."""
        digest = self._random.choice([*self._blocks, self._random.randbytes(32)])
        own = sign(self._identity, NETWORK_ID, Vote(NETWORK_ID, HEIGHT, self._round, False, digest)).signature
        signatures = tuple((member, own) for member in range(len(self._committee.members)))
        far = Vote(NETWORK_ID, HEIGHT, self._random.randint(self._round, 0xFFFF), False, digest)
        certificate = Certificate(HEIGHT, self._round, digest, signatures)
        messages = (
            CommitteePrevotes(HEIGHT, self._round, digest, signatures),
            CommitteeBlock(self._blocks.get(digest, b""), certificate),
            CommitteeHave(HEIGHT, self._round, False, False, b"", b"\xff" * 8, digest),
            CommitteeNews(sign(self._identity, NETWORK_ID, far)),
            CommitteeNews(sign(self._identity, NETWORK_ID, Vote(NETWORK_ID, HEIGHT, self._round, True, b"short"))),
        )
        return self._to_some(self._random.choice(messages))

    def _to_some(self, message: Message, side: Collection[int] | None = None) -> list[Effect]:
        """To all of a side, or to a part of all."""
        if side is not None:
            return [Send(member, message) for member in sorted(side)]
        share = self._random.choice(self._shares)
        members = range(len(self._committee.members))
        return [Send(member, message) for member in members if self._random.random() < share]


def _only_to(friends: set[int], effects: Iterable[Effect]) -> list[Effect]:
    found: list[Effect] = []
    for effect in effects:
        if isinstance(effect, Send):
            targets = friends if effect.to is None else friends & {effect.to}
            found += (Send(member, effect.message) for member in sorted(targets))
        elif not isinstance(effect, Remember):
            found.append(effect)
    return found
