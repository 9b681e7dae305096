"""What members have found of nodes and what they promise, and to whom they show it: a liar's reaches some, or others
than it says.

Books, what a leader takes into its block and the look at what a block names are those of real members
(``RecordBook``, ``choose_results``, ``check_records``). All results here are challenges that nobody has answered, or
that were broken off: of these a block needs nothing but that they were shown, and that it says which of both.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from random import Random
from types import MappingProxyType

import msgspec

from engine.directory.genesis import GenesisRecord
from engine.errors import VerificationError
from engine.ids import NetworkId, NodeId
from engine.simulation.committee.blocks import HEIGHT, NETWORK_ID, Content, identity_of
from engine.simulation.committee.promised import (
    LEFT_OUT,
    LONG_AGO,
    TAKEN,
    ResultsWatch,
    Watch,
    commitment_of,
    some_of,
)
from engine.verification.chain.owed import TAKEN_AFTER, last_owing_round, left_out
from engine.verification.chain.promises import HELD_FOR
from engine.verification.chain.records import RecordBook
from engine.verification.chain.results import check_records, choose_results, is_broken
from engine.verification.chain.state import ChainState, OpenEpoch, first_state
from engine.verification.challenges.commitment import CommittedChallenges
from engine.verification.challenges.duties import Basis, publicly_drawn
from engine.verification.challenges.opening import encoded_challenge
from engine.verification.signing import digest_of, is_commitment, sign_record
from engine.wire.answer import Sampling
from engine.wire.blocks import Block, Unjudged
from engine.wire.challenges import ChallengeTurn, PlannedChallenge, Unanswered
from engine.wire.codec import encode
from engine.wire.records import Genesis, Parameters
from engine.wire.signed import SignedRecord

NODES = tuple(NodeId(bytes([number]) * 20) for number in range(1, 7))
"""Of which a schedule has some, all of them new: whoever is drawn to check them is known to all."""
MISNAMED = 0.5
"""Of what a liar names in every other block, the share of which it says otherwise that it was broken off. Such a block
names what honest members have shown to all, so that nothing else speaks against it."""
TOLD_AGAIN = 7.0
"""Waits of the first round between two times that a member tells what no block contains: a sixth of an epoch."""
EPOCH_SECONDS = 40.0
"""Waits of the first round."""
ROOM = 8_000
"""Bytes of a block that are left for results: more than there can be."""
LEAVES_OUT = "it leaves out commitments that its leader must have had"
LEAVES_OUT_RESULTS = "it leaves out results that its leader must have had"
HONESTLY, SOME, SIDES, EACH, LATE, NOBODY = "honestly", "some", "sides", "each", "late", "nobody"
WAYS = (HONESTLY, SOME, SOME, SIDES, SIDES, EACH, LATE, NOBODY)
"""How a faulty member shows one result, or its promise. ``sides``: each side of the plot another; ``each``: everybody
another; ``late``: when the others have agreed long since, or would have."""


@cache
def _plans(members: int) -> tuple[CommittedChallenges, ...]:
    """What each member has promised to ask: one question of each node."""
    return tuple(
        CommittedChallenges([encoded_challenge(_challenge(member, node)) for node in NODES])
        for member in range(members)
    )


def _challenge(member: int, node: NodeId) -> PlannedChallenge:
    return PlannedChallenge(
        nonce=bytes([member]) * 32,
        epoch=HEIGHT,
        member=identity_of(member).public_key,
        node=node,
        model_id="m",
        model_digest=bytes(32),
        system="",
        turns=(ChallengeTurn(text="Who was Ada?", seed=1),),
        sampling=Sampling(seed=0),
        max_tokens=100,
    )


@cache
def state_of(members: int) -> ChainState:
    """Before the block that is agreed on, in the epoch of the results."""
    keys = tuple(identity_of(index).public_key for index in range(members))
    genesis = Genesis(
        suite=1,
        name="committee",
        server_keys=(bytes(32),),
        committee_keys=keys,
        created=0,
        salt=bytes(32),
        parameters=Parameters(epoch_seconds=EPOCH_SECONDS),
    )
    promised = {
        key: committed.commitment(NETWORK_ID, HEIGHT, key) for key, committed in zip(keys, _plans(members), strict=True)
    }
    basis = Basis(members=keys, output=bytes(32), standings={}, commitments=promised)
    return replace(
        first_state(GenesisRecord(genesis, encode(genesis))),
        network_id=NetworkId(NETWORK_ID),
        height=HEIGHT - 1,
        epoch=HEIGHT - 1,
        epochs=MappingProxyType({HEIGHT: OpenEpoch(basis=basis)}),
    )


@cache
def result_of(members: int, author: int, node: int, version: int) -> SignedRecord:
    """What a member says of a node; of several versions it may show one, and every other one was broken off."""
    identity, committed = identity_of(author), _plans(members)[author]
    record = Unanswered(
        network_id=NETWORK_ID,
        epoch=HEIGHT,
        member=identity.public_key,
        challenge=committed.challenges[node],
        index=node,
        path=committed.path(node),
        reason="cut_off" if is_broken_off(author, node, version) else f"reason {version}",
    )
    return sign_record(identity, record)


def is_broken_off(author: int, node: int, version: int) -> bool:
    """Whether this version says that the node had begun to answer."""
    return (author + node + version) % 2 == 1


@dataclass(frozen=True, slots=True)
class Showing:
    """A result or a promise that a member shows at a time, to all (None) or to some; ``again`` and again until it has
    decided."""

    at: float
    author: int
    record: SignedRecord
    to: frozenset[int] | None
    again: bool


@dataclass(frozen=True, slots=True)
class Rules:
    """Of all members; a machine with a mistake does without one. ``own_alone``: see :func:`choose_results`; ``reads``:
    members look at what a record says, not only whether they have it; ``counts``: and at the commitments that a block
    leaves out; ``is_bound``: in the first rounds only; ``owes``: and at results; ``passes_on``: and pass on those of
    others; ``waits``: a leader takes what all others have, too."""

    own_alone: bool = True
    reads: bool = True
    counts: bool = True
    is_bound: bool = True
    owes: bool = True
    waits: bool = True
    passes_on: bool = True


ALL_RULES = Rules()


class Exhibits:
    """Everybody's books in one schedule."""

    def __init__(
        self,
        random: Random,
        members: int,
        rogue: frozenset[int],
        sides: Sequence[frozenset[int]],
        synchrony: float,
        rules: Rules = ALL_RULES,
    ) -> None:
        self._random = random
        self._members = members
        self._rogue = rogue
        self._sides = sides
        self._synchrony = synchrony
        self._rules = rules
        self.promised_in_time = False
        self._state = state_of(members)
        self._books = [RecordBook() for _ in range(members)]
        self._disks: list[list[SignedRecord]] = [[] for _ in range(members)]
        honest = frozenset(range(members)) - rogue
        self.watch = Watch(members, honest, EPOCH_SECONDS)
        self.results = ResultsWatch(members, honest, EPOCH_SECONDS)
        self._seen: dict[bytes, bool] = {}  # by an honest member; whether it says that the node broke off
        chosen = random.sample(range(len(NODES)), random.choice((0, 1, 2, 3)))
        self._duties = [
            (self._state.members.index(key), node)
            for node in chosen
            for key in publicly_drawn(self._state.epochs[HEIGHT].basis, NODES[node])
        ]

    def showings(self, *, calm: bool = False) -> Iterator[Showing]:
        """All of the schedule's. Everybody has promised long ago, and all have heard of it, in half of them, and in all
        ``calm`` ones; in a third the same holds of results."""
        is_calm = self.promised_in_time = calm or self._random.random() < 0.5
        for author in range(self._members):
            yield from self._still_to_show(is_calm, list(self._shown_by(author, partial(commitment_of, author))))
        is_calm = calm or self._random.random() < 0.33
        for author, node in self._duties:
            of_duty = partial(result_of, self._members, author, node)
            yield from self._still_to_show(is_calm, list(self._shown_by(author, of_duty)))

    def _still_to_show(self, is_calm: bool, showings: Sequence[Showing]) -> Iterator[Showing]:
        for one in showings:
            if is_calm and one.at <= self._synchrony:
                self._was_shown(one)
            else:
                yield one

    def _shown_by(self, author: int, record_of: Callable[[int], SignedRecord]) -> Iterator[Showing]:
        if author in self._rogue:
            yield from self._shown_by_rogue(author, record_of)
        else:
            at = self._random.choice((0.0, self._random.uniform(0.0, self._synchrony)))
            yield Showing(at, author, record_of(0), None, again=True)

    def _shown_by_rogue(self, author: int, record_of: Callable[[int], SignedRecord]) -> Iterator[Showing]:
        way, at = self._random.choice(WAYS), self._random.uniform(0.0, 0.7 * self._synchrony)
        everybody = range(self._members)
        some = frozenset(member for member in everybody if self._random.random() < 0.6)
        to: dict[str, list[frozenset[int] | None]] = {
            HONESTLY: [None],
            SOME: [some],
            SIDES: [*self._sides],
            EACH: [frozenset({member}) for member in everybody],
            LATE: [None],
            NOBODY: [frozenset()],
        }
        if way == LATE:
            at = self._synchrony + self._random.uniform(0.0, 20.0)
        again = self._random.random() < 0.5
        for version, members in enumerate(to[way]):
            yield Showing(at, author, record_of(version), members, again)

    def _was_shown(self, showing: Showing) -> None:
        """And passed on by who is honest."""
        everybody = range(self._members)
        shown = everybody if showing.to is None else showing.to
        for member in {showing.author, *shown}:
            self.take(member, showing.record, LONG_AGO)
        if self._rules.passes_on and any(member not in self._rogue for member in shown):
            for member in everybody:
                self.take(member, showing.record, LONG_AGO)

    def take(self, member: int, record: SignedRecord, now: float) -> bool:
        """Somebody is shown something, or has found it; whether it passes that on."""
        try:
            is_new = self._books[member].add(record, self._state, HEIGHT, now)
        except VerificationError:
            return False  # two others of that turn are here
        if is_new:
            self._disks[member].append(record)
        if is_commitment(record):
            self.watch.takes(member, record.key, now)
        elif member not in self._rogue:
            digest = digest_of(record)
            opened = self._books[member].material().opened[digest]
            self._seen[digest] = is_broken(opened)
            self.results.takes(member, record.key, opened.asked, digest, now)
        return is_new and self._rules.passes_on and member not in self._rogue

    def forget(self, member: int) -> None:
        """Its disk is gone."""
        self._books[member], self._disks[member] = RecordBook(), []
        self.watch.begins_anew(member)
        self.results.begins_anew(member)

    def restart(self, member: int, now: float) -> None:
        """It reads what it has from its disk."""
        had = self._disks[member]
        self.forget(member)
        for record in had:
            self.take(member, record, now)

    def choose(self, member: int, round_number: int, now: float = math.inf, *, is_omitting: bool = False) -> Content:
        """What it takes into its block as the leader of a round."""
        since = now - TAKEN_AFTER * EPOCH_SECONDS if self._rules.waits else math.inf
        material = self._books[member].material(since)
        _, chosen = choose_results(
            self._state,
            material,
            self._state.members[member],
            epoch=HEIGHT,
            round_number=round_number if self._rules.own_alone else 0,
            epochs=self._state.epochs,
            room=ROOM,
        )
        if is_omitting:
            promised = some_of(material.commitments, self._random.choice(LEFT_OUT), self._random)
            return Content(some_of(chosen, self._random.choice(LEFT_OUT), self._random), promised)
        return Content(chosen, tuple(material.commitments))

    def invent(self, author: int) -> Content:
        """What a liar puts into its block: some results of all, and one that nobody may have; more or less of what was
        promised, whoever has it."""
        named, misnamed = [], self._random.choice((0.0, MISNAMED))
        for of, node in self._duties:
            if of in self._rogue if misnamed else self._random.random() >= 0.5 and of != author:
                continue
            version = self._random.randrange(2) if of in self._rogue else 0
            named.append(
                Unjudged(
                    epoch=HEIGHT,
                    author=of,
                    asked=NODES[node],
                    record=digest_of(result_of(self._members, of, node, version)),
                    broken=is_broken_off(of, node, version) != (self._random.random() < misnamed),
                )
            )
        promised = {signed.key: signed for book in self._books for signed in book.promises}
        taken = some_of(list(promised.values()), self._random.choice(TAKEN), self._random)
        return Content(tuple(sorted(named, key=lambda one: (one.author, one.asked))), taken)

    def refusal(self, member: int, block: Block, now: float) -> str | None:
        """Why a member does not vote for a block with this content."""
        if not self._rules.reads:
            return "something is not here" if self.is_lacked(member, block) else None
        try:
            check_records(self._state, block, self._books[member].record_of)
        except VerificationError as error:
            return str(error)
        asked_for = block if self._rules.is_bound else msgspec.structs.replace(block, round=0)
        book = self._books[member]
        if self._rules.counts and book.promises.left_out(asked_for, self._state, now):
            return LEAVES_OUT
        if self._rules.owes and asked_for.round <= last_owing_round(self._members):
            held = book.held(now - HELD_FOR * EPOCH_SECONDS)
            return LEAVES_OUT_RESULTS if len(left_out(block, self._state, held)) else None
        return None

    def told_to_leaders(self, member: int, block: Block) -> list[SignedRecord]:
        """What a block lacks, of which its refusal tells whoever makes the next one."""
        if not self._rules.passes_on:
            return []
        book = self._books[member]
        return [
            *book.promises.lacked_by(block, self._state),
            *left_out(block, self._state, book.held(math.inf)),
        ]

    def is_lacked(self, member: int, block: Block) -> bool:
        """Whether a member has not got all that a block names."""
        return any(self._books[member].record_of(one.record) is None for one in block.unjudged)

    def unseen(self, block: Block) -> bool:
        """Whether a block names what no honest member was ever shown."""
        return any(one.record not in self._seen for one in block.unjudged)

    def is_misread(self, block: Block) -> bool:
        """Whether a block says otherwise of a conversation than what was shown that it was broken off."""
        return any(self._seen.get(one.record, one.broken) != one.broken for one in block.unjudged)
