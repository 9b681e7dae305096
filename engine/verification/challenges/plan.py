"""A verifier's epoch: what it may have to ask, whom it has to ask, and when, so that it looks like anybody's chat."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from engine.directory.sampling import random_below
from engine.errors import VerificationError, WireError
from engine.ids import NodeId
from engine.verification.challenges.commitment import MAX_CHALLENGES, CommittedChallenges
from engine.verification.challenges.duties import (
    KIN_BYTES,
    MAX_SAMPLED,
    Basis,
    has_duty,
    is_drawn_publicly,
    may_check,
)
from engine.verification.challenges.opening import encoded_challenge
from engine.verification.challenges.pool import Conversation, Pool, RandomBytes
from engine.wire.blocks import NodeStanding
from engine.wire.challenges import MAX_KIN, ChallengeCommitment, ChallengeTurn, PlannedChallenge, challenge_decoder

SEED_BITS = 53
LONGEST_EPOCH_SECONDS = 600.0
"""Pauses are those of people in epochs of this length or more; in shorter ones they shrink with it."""
LAST_BEGIN = 0.6
"""Of the epoch: no conversation begins later, so that answers and later turns come in time."""
MOST_TOKENS = 960
"""Of an answer that are judged. The receipt that covers them covers a checkpoint's tokens more at most, so it fits into
evidence."""
LATER_TURNS = 2
"""Questions of a conversation that shows who answers well only the first one."""
_OF_NEW = (2, 3)
"""So many of so many conversations with a node that is checked in every epoch have these; the others have one. A longer
one takes more of its scorers' time than it tells: what a conversation says is bounded."""
_BIT = 1 << 20


@dataclass(frozen=True, slots=True)
class Candidate:
    """A node and the model that it is asked about. ``texts_percent``: how many of a hundred conversations about
    this model are texts to go on with; 0: as the pool has them."""

    node_id: NodeId
    model_id: str
    model_digest: bytes
    texts_percent: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One challenge with what only its verifier knows of it: seconds from the epoch's begin to the first question, and
    from each answer to the next question."""

    index: int
    challenge: PlannedChallenge
    begin: float
    pauses: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class EpochPlan:
    """All that a verifier may ask in an epoch, by node. ``kin``: beginnings of the ids of nodes of its own family;
    ``sampled``: so many of the first places are for nodes that users doubt."""

    epoch: int
    committed: CommittedChallenges
    planned: Mapping[NodeId, Planned]
    kin: tuple[bytes, ...] = ()
    sampled: int = 0

    def promise(self, network_id: bytes, member: bytes) -> ChallengeCommitment:
        """What is signed before the epoch."""
        return self.committed.commitment(network_id, self.epoch, member, self.kin)


def plan_epoch(
    pool: Pool,
    epoch: int,
    member: bytes,
    candidates: Iterable[Candidate],
    standings: Mapping[NodeId, NodeStanding],
    epoch_seconds: float,
    random_bytes: RandomBytes,
    family: Collection[NodeId] = (),
    doubted: Collection[NodeId] = (),
    named: int = MAX_KIN,
) -> EpochPlan | None:
    """One challenge of ``member`` for each node that may be due; None where there are no nodes. Those that are checked
    in every epoch by these ``standings`` are asked :func:`turns_of_new` questions. ``random_bytes`` must be secret: who
    knows them knows what will be asked. ``family``: the nodes of the verifier's own, whom it does not ask; of these its
    promise names so many (``named``) at most;
    ``doubted``: by users, of which a lot puts a few of standing into the first places, whoever is doubted most."""
    kin = tuple(sorted({node[:KIN_BYTES] for node in family})[:named])
    planned: dict[NodeId, Planned] = {}
    encoded: list[bytes] = []
    served: dict[NodeId, Candidate] = {}
    for candidate in candidates:
        if candidate.node_id not in family:
            served.setdefault(candidate.node_id, candidate)
    first = _first(served.keys() & set(doubted), standings, random_bytes)
    for candidate in [*(served[node] for node in first), *(one for node, one in served.items() if node not in first)]:
        if len(planned) == MAX_CHALLENGES:
            break
        new = is_drawn_publicly(standings.get(candidate.node_id))
        turns = turns_of_new(random_bytes) if new else None
        conversation = pool.draw(random_bytes, turns, texts_percent=candidate.texts_percent)
        one = _plan(conversation, epoch, member, candidate, len(encoded), epoch_seconds, random_bytes)
        planned[candidate.node_id] = one
        encoded.append(encoded_challenge(one.challenge))
    return EpochPlan(epoch, CommittedChallenges(encoded), planned, kin, len(first)) if encoded else None


def _first(
    doubted: Collection[NodeId], standings: Mapping[NodeId, NodeStanding], random_bytes: RandomBytes
) -> list[NodeId]:
    """Those of standing, by lot: a flood of doubts about many takes places from none for good. Others are checked in
    every epoch as it is."""
    known = [node for node in sorted(doubted) if not is_drawn_publicly(standings.get(node))]
    return sorted(known, key=lambda _: random_bytes(8))[:MAX_SAMPLED]


def turns_of_new(random_bytes: RandomBytes) -> int:
    """How many questions the next conversation with a node has that is checked in every epoch."""
    longer, all_ = _OF_NEW
    return LATER_TURNS if random_below(all_, random_bytes) < longer else 1


def duties_of(
    plan: EpochPlan, basis: Basis, member: bytes, output: bytes, without: Collection[NodeId] = ()
) -> Sequence[Planned]:
    """The planned challenges that a member has to send, or sends because users doubt a node, in the order of their
    begins; ``output``: of its VRF for this epoch; ``without``: whom it cannot judge, as its own."""

    def is_due(node: NodeId, one: Planned) -> bool:
        if one.index < plan.sampled:
            return may_check(basis, member, node, output, one.index)
        return has_duty(basis, member, node, output)

    due = [one for node, one in plan.planned.items() if node not in without and is_due(node, one)]
    return sorted(due, key=lambda one: one.begin)


class _Saved(msgspec.Struct, frozen=True, array_like=True):
    """One challenge of a plan on the disk, in the order of their commitment."""

    challenge: bytes
    begin: float
    pauses: tuple[float, ...]


def encoded_plan(plan: EpochPlan) -> bytes:
    """For the disk of its verifier alone: what is asked is a secret until it has been asked."""
    ordered = sorted(plan.planned.values(), key=lambda one: one.index)
    saved = [_Saved(plan.committed.challenges[one.index], one.begin, one.pauses) for one in ordered]
    return msgspec.msgpack.encode((plan.kin, saved, plan.sampled))


def read_plan(epoch: int, data: bytes) -> EpochPlan:
    """The plan that :func:`encoded_plan` has written; :class:`VerificationError` if it is none."""
    try:
        kin, saved, sampled = msgspec.msgpack.decode(data, type=tuple[tuple[bytes, ...], list[_Saved], int])
        committed = CommittedChallenges([one.challenge for one in saved])
        challenges = [challenge_decoder.decode(one.challenge) for one in saved]
    except (msgspec.DecodeError, WireError, ValueError, RecursionError) as error:
        raise VerificationError(f"The plan for epoch {epoch} cannot be read: {error}.") from error
    planned = {
        NodeId(challenge.node): Planned(
            index=index,
            challenge=challenge,
            begin=one.begin,
            pauses=one.pauses,
        )
        for index, (one, challenge) in enumerate(zip(saved, challenges, strict=True))
    }
    return EpochPlan(epoch, committed, planned, kin, sampled)


def _plan(
    conversation: Conversation,
    epoch: int,
    member: bytes,
    candidate: Candidate,
    index: int,
    epoch_seconds: float,
    random_bytes: RandomBytes,
) -> Planned:
    turns = tuple(
        ChallengeTurn(text=text, seed=random_below(1 << SEED_BITS, random_bytes), read=_read_tokens(random_bytes))
        for text in conversation.texts
    )
    challenge = PlannedChallenge(
        nonce=random_bytes(32),
        epoch=epoch,
        member=member,
        node=candidate.node_id,
        model_id=candidate.model_id,
        model_digest=candidate.model_digest,
        system=conversation.system,
        turns=turns,
        sampling=conversation.sampling,
        max_tokens=conversation.max_tokens,
        min_tokens=conversation.min_tokens,
        plain=conversation.plain,
        may_forward=conversation.may_forward,
    )
    return Planned(
        index=index,
        challenge=challenge,
        begin=_share(random_bytes) * LAST_BEGIN * epoch_seconds,
        pauses=tuple(_pause(epoch_seconds, random_bytes) for _ in turns[1:]),
    )


def _pause(epoch_seconds: float, random_bytes: RandomBytes) -> float:
    """Reading and typing: 4 to 44 s, more often short."""
    shrink = min(1.0, epoch_seconds / LONGEST_EPOCH_SECONDS)
    return (4.0 + 40.0 * _share(random_bytes) * _share(random_bytes)) * shrink


def _read_tokens(random_bytes: RandomBytes) -> int:
    """Most answers are read to their end; one in five is stopped somewhere."""
    if random_below(5, random_bytes):
        return MOST_TOKENS
    return 40 + random_below(MOST_TOKENS - 40, random_bytes)


def _share(random_bytes: RandomBytes) -> float:
    """Uniform in [0, 1)."""
    return random_below(_BIT, random_bytes) / _BIT
