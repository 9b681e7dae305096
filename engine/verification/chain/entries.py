"""Judged answers: who scores one, when scores agree, and which score follows from them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from engine.crypto.identity import node_id_of
from engine.errors import VerificationError
from engine.ids import NodeId
from engine.verification.challenges.opening import OpenedEvidence
from engine.verification.large_models.majority import OpenedScoring, open_scoring
from engine.verification.large_models.transcript import transcript_of_evidence
from engine.verification.members import faulty
from engine.verification.scoring.agreeing import agree, check_score, median, most_that_agree
from engine.verification.signing import open_record, read_record
from engine.wire.blocks import BlockEntry
from engine.wire.challenges import Attestation, Score
from engine.wire.codec import encode
from engine.wire.signed import SignedRecord


@dataclass(frozen=True, slots=True)
class Attested:
    """One attestation with its place in the committee."""

    place: int
    attestation: Attestation
    signed: SignedRecord


def scorers(
    members: Sequence[bytes], evidence: bytes, author: bytes, judged: NodeId, related: Collection[bytes] = ()
) -> tuple[bytes, ...]:
    """The members whose scores count for evidence with this digest: its author and 2f others, by lot; whoever is judged
    is not among them, nor are those ``related`` to it. The first f + 1 score it at once, the others where those have
    not agreed in time."""
    apart = {author, *related}
    others = [member for member in members if member not in apart and node_id_of(member) != judged]
    others.sort(key=lambda member: hashlib.sha256(evidence + member).digest())
    return (author, *others[: 2 * faulty(len(members))])


def open_attestations(signed: Sequence[SignedRecord], members: Sequence[bytes], network_id: bytes) -> list[Attested]:
    """All attestations of members, opened; :class:`VerificationError` for any that is none."""
    found = []
    for one in signed:
        attestation = read_record(one, Attestation, network_id)
        if attestation.member not in members:
            raise VerificationError("An attestation is by somebody who is no member of the committee.")
        check_score(attestation.score)
        open_record(one, Attestation, network_id)
        found.append(Attested(members.index(attestation.member), attestation, one))
    return found


def check_entry(
    entry: BlockEntry, members: Sequence[bytes], network_id: bytes, related: Collection[bytes] = ()
) -> None:
    """Whether the score follows from enough attestations that agree; :class:`VerificationError` if not. ``related``:
    members of the judged node's family."""
    if entry.author >= len(members):
        raise VerificationError("An entry names an author that the committee does not have.")
    places = [place for place, _, _ in entry.attestations]
    if places != sorted(set(places)):
        raise VerificationError("An entry's attestations are not in the order of their members, or one came twice.")
    if places[-1] >= len(members):
        raise VerificationError("An attestation is by somebody who is no member of the committee.")
    allowed = scorers(members, entry.evidence, members[entry.author], NodeId(entry.node), related)
    for place, score, signature in entry.attestations:
        if members[place] not in allowed:
            raise VerificationError("An attestation is by a member that was not drawn to score this answer.")
        check_score(score)
        open_record(_attestation(entry, members[place], score, signature, network_id), Attestation, network_id)
    scores = [score for _, score, _ in entry.attestations]
    if len(scores) <= faulty(len(members)):
        raise VerificationError(
            f"An entry has {len(scores)} attestations; {faulty(len(members)) + 1} are needed, so that one is honest."
        )
    if not agree(scores):
        raise VerificationError("The attestations of an entry do not agree.")
    if median(scores) != entry.score:
        raise VerificationError("An entry's score is not the one that follows from its attestations.")


def scoring_of(entry: BlockEntry, members: Sequence[bytes], network_id: bytes) -> OpenedScoring | None:
    """What drawn nodes have found where members could not, if the entry has it; who was drawn is not looked at.
    :class:`VerificationError` if it is another answer's or does not lead to the entry's score."""
    if not entry.scoring:
        return None
    opened = open_scoring(entry.scoring[0], network_id)
    scoring = opened.scoring
    if (scoring.member, scoring.epoch, scoring.evidence) != (members[entry.author], entry.epoch, entry.evidence):
        raise VerificationError("An entry shows the scoring of another answer.")
    if not agree([opened.score, entry.score]):
        raise VerificationError("An entry's score is not that of the nodes that have scored it.")
    return opened


def matches(entry: BlockEntry, opened: OpenedEvidence, members: Sequence[bytes], network_id: bytes) -> bool:
    """Whether the entry says of its evidence what it shows."""
    evidence, model = opened.evidence, opened.request.model_digest
    said = (entry.evidence, entry.epoch, members[entry.author], entry.index, entry.turn, entry.asked, entry.node)
    shown = (opened.digest, evidence.epoch, evidence.member, evidence.index, evidence.turn, opened.asked, opened.node)
    if said != shown or entry.model != model:
        return False
    if entry.score.tokens > len(opened.output_ids):
        return False
    scoring = scoring_of(entry, members, network_id)
    return scoring is None or scoring.transcript == transcript_of_evidence(opened, network_id)


def _attestation(entry: BlockEntry, member: bytes, score: Score, signature: bytes, network_id: bytes) -> SignedRecord:
    """What a member has signed, of what a block says of it."""
    said = Attestation(
        network_id=network_id,
        epoch=entry.epoch,
        member=member,
        evidence=entry.evidence,
        node=entry.node,
        model=entry.model,
        score=score,
    )
    return SignedRecord(record=encode(said), key=member, signature=signature)


def make_entry(
    opened: OpenedEvidence,
    attestations: Sequence[SignedRecord],
    members: Sequence[bytes],
    network_id: bytes,
    scoring: SignedRecord | None = None,
    related: Collection[bytes] = (),
) -> BlockEntry | None:
    """The entry for evidence, from the most attestations that agree; None while they are too few. Attestations that are
    not valid are left aside, and ``scoring`` (checked before) where they do not say what it says."""
    evidence = opened.evidence
    if evidence.member not in members:
        return None
    allowed = scorers(members, opened.digest, evidence.member, opened.node, related)
    usable: dict[int, Attested] = {}
    for signed in attestations:
        try:
            (one,) = open_attestations([signed], members, network_id)
        except VerificationError:
            continue
        said = one.attestation
        if encode(said) != signed.record:
            continue  # a block holds what the bytes say, not the bytes
        shown = (opened.digest, evidence.epoch, opened.node, opened.request.model_digest)
        about = (said.evidence, said.epoch, said.node, said.model) == shown
        if about and said.member in allowed and said.score.tokens <= len(opened.output_ids):
            usable.setdefault(one.place, one)
    ordered = sorted(usable.values(), key=lambda one: (one.attestation.score.likelihood, one.place))
    chosen = most_that_agree(ordered, lambda one: one.attestation.score)
    if len(chosen) <= faulty(len(members)):
        return None
    found = median([one.attestation.score for one in chosen])
    fits = scoring is not None and agree([open_scoring(scoring, network_id).score, found])
    return BlockEntry(
        evidence=opened.digest,
        epoch=evidence.epoch,
        author=members.index(evidence.member),
        index=evidence.index,
        turn=evidence.turn,
        asked=opened.asked,
        node=opened.node,
        score=found,
        attestations=tuple(
            (one.place, one.attestation.score, one.signed.signature)
            for one in sorted(chosen, key=lambda one: one.place)
        ),
        model=opened.request.model_digest,
        scoring=(scoring,) if scoring is not None and fits else (),
    )
