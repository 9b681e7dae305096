"""What members have found of nodes, and to whom they show it: a liar's evidence reaches some, or others than it says.

Books, what a leader takes into its block and the look at what a block names are those of real members
(``RecordBook``, ``choose_results``, ``check_records``). All results here are challenges that nobody has answered, or
that were broken off: of these a block needs nothing but that they were shown, and that it says which of both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from random import Random
from types import MappingProxyType

from engine.directory.genesis import GenesisRecord
from engine.errors import VerificationError
from engine.ids import NetworkId, NodeId
from engine.simulation.committee.blocks import HEIGHT, NETWORK_ID, identity_of
from engine.verification.chain.records import RecordBook
from engine.verification.chain.results import check_records, choose_results, is_broken
from engine.verification.chain.state import ChainState, OpenEpoch, first_state
from engine.verification.challenges.commitment import CommittedChallenges
from engine.verification.challenges.duties import Basis, publicly_drawn
from engine.verification.challenges.opening import encoded_challenge
from engine.verification.signing import digest_of, sign_record
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
ROOM = 8_000
"""Bytes of a block that are left for results: more than there can be."""
HONESTLY, SOME, SIDES, EACH, LATE, NOBODY = "honestly", "some", "sides", "each", "late", "nobody"
WAYS = (HONESTLY, SOME, SOME, SIDES, SIDES, EACH, LATE, NOBODY)
"""How a faulty member shows one result. ``sides``: each side of the plot another; ``each``: everybody another;
``late``: when the others have agreed long since, or would have."""


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
        parameters=Parameters(),
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
    """A result that a member shows at a time, to all (None) or to some; ``again`` and again until it has decided."""

    at: float
    author: int
    record: SignedRecord
    to: frozenset[int] | None
    again: bool


class Exhibits:
    """Everybody's books in one schedule. ``own_alone``: see :func:`choose_results`; ``reads``: members look at what a
    record says, not only whether they have it. A machine with a mistake does without."""

    def __init__(
        self,
        random: Random,
        members: int,
        rogue: frozenset[int],
        sides: Sequence[frozenset[int]],
        synchrony: float,
        *,
        own_alone: bool = True,
        reads: bool = True,
    ) -> None:
        self._random = random
        self._members = members
        self._rogue = rogue
        self._sides = sides
        self._synchrony = synchrony
        self._own_alone = own_alone
        self._reads = reads
        self._state = state_of(members)
        self._books = [RecordBook() for _ in range(members)]
        self._seen: dict[bytes, bool] = {}  # by an honest member; whether it says that the node broke off
        chosen = random.sample(range(len(NODES)), random.choice((0, 1, 2, 3)))
        self._duties = [
            (self._state.members.index(key), node)
            for node in chosen
            for key in publicly_drawn(self._state.epochs[HEIGHT].basis, NODES[node])
        ]

    def showings(self) -> Iterator[Showing]:
        """All of the schedule's."""
        for author, node in self._duties:
            if author in self._rogue:
                yield from self._shown_by_rogue(author, node)
            else:
                at = self._random.choice((0.0, self._random.uniform(0.0, self._synchrony)))
                yield Showing(at, author, result_of(self._members, author, node, 0), None, again=True)

    def _shown_by_rogue(self, author: int, node: int) -> Iterator[Showing]:
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
            yield Showing(at, author, result_of(self._members, author, node, version), members, again)

    def take(self, member: int, record: SignedRecord) -> None:
        """Somebody is shown a result, or has found it."""
        try:
            self._books[member].add(record, self._state, HEIGHT)
        except VerificationError:
            return  # another one of that turn is here
        if member not in self._rogue:
            digest = digest_of(record)
            self._seen[digest] = is_broken(self._books[member].material().opened[digest])

    def forget(self, member: int) -> None:
        """Its disk is gone."""
        self._books[member] = RecordBook()

    def choose(self, member: int, round_number: int) -> tuple[Unjudged, ...]:
        """What it takes into its block as the leader of a round."""
        _, chosen = choose_results(
            self._state,
            self._books[member].material(),
            self._state.members[member],
            epoch=HEIGHT,
            round_number=round_number if self._own_alone else 0,
            epochs=self._state.epochs,
            room=ROOM,
        )
        return chosen

    def invent(self, author: int) -> tuple[Unjudged, ...]:
        """What a liar puts into its block: some results of all, and one that nobody may have."""
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
        return tuple(sorted(named, key=lambda one: (one.author, one.asked)))

    def refusal(self, member: int, block: Block) -> str | None:
        """Why a member does not vote for a block that names this."""
        if not self._reads:
            return "something is not here" if self.is_lacked(member, block) else None
        try:
            check_records(self._state, block, self._books[member].record_of)
        except VerificationError as error:
            return str(error)
        return None

    def is_lacked(self, member: int, block: Block) -> bool:
        """Whether a member has not got all that a block names."""
        return any(self._books[member].record_of(one.record) is None for one in block.unjudged)

    def unseen(self, block: Block) -> bool:
        """Whether a block names what no honest member was ever shown."""
        return any(one.record not in self._seen for one in block.unjudged)

    def is_misread(self, block: Block) -> bool:
        """Whether a block says otherwise of a conversation than what was shown that it was broken off."""
        return any(self._seen.get(one.record, one.broken) != one.broken for one in block.unjudged)
