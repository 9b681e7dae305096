"""Judged answers: who scores one, when scores agree, and which score follows from them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from engine.crypto.identity import node_id_of
from engine.errors import VerificationError
from engine.ids import NodeId
from engine.verification.challenges.opening import OpenedEvidence
from engine.verification.members import faulty
from engine.verification.reputation.rule import FAIL, FAILS_ABOVE, INCONCLUSIVE, PASS, PASSES_BELOW
from engine.verification.signing import open_record
from engine.wire.verification import Attestation, BlockEntry, Score, SignedRecord

TOLERANCE = 1_000
"""Thousandths by which likelihoods that agree may differ: less than what lies between a pass and a fail."""
BOUND = 5_000
LEAST_TOKENS = 16


@dataclass(frozen=True, slots=True)
class Attested:
    """One attestation with its place in the committee."""

    place: int
    attestation: Attestation
    signed: SignedRecord


def scorers(members: Sequence[bytes], evidence: bytes, author: bytes, judged: NodeId) -> tuple[bytes, ...]:
    """The members whose scores count for evidence with this digest: its author and 2f others, by lot; whoever is judged
    is not among them. The first f + 1 score it at once, the others where those have not agreed in time."""
    others = [member for member in members if member != author and node_id_of(member) != judged]
    others.sort(key=lambda member: hashlib.sha256(evidence + member).digest())
    return (author, *others[: 2 * faulty(len(members))])


def check_score(score: Score) -> None:
    """Refuse a score whose verdict does not follow from its numbers."""
    if abs(score.likelihood) > BOUND:
        raise VerificationError(f"A likelihood of {score.likelihood} is out of bounds; at most ±{BOUND} are allowed.")
    said = score.verdict
    if (said == PASS and score.likelihood >= PASSES_BELOW) or (said == FAIL and score.likelihood <= FAILS_ABOVE):
        raise VerificationError("A verdict does not follow from its likelihood.")
    contradicted = said == FAIL and score.likelihood == BOUND  # proven by what was signed, however short it is
    if said != INCONCLUSIVE and score.tokens < LEAST_TOKENS and not contradicted:
        raise VerificationError(f"{score.tokens} tokens are too few for a verdict; {LEAST_TOKENS} are needed.")


def agree(scores: Sequence[Score]) -> bool:
    """Whether scores of one answer are the same within the tolerance."""
    likelihoods = [score.likelihood for score in scores]
    return max(likelihoods) - min(likelihoods) <= TOLERANCE and len({score.tokens for score in scores}) == 1


def median(scores: Sequence[Score]) -> Score:
    """The score with the median likelihood; of two the one nearer to zero, of equally near ones the lower."""
    ordered = sorted(scores, key=lambda score: (score.likelihood, score.verdict, score.credit))
    upper = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[upper]
    return min(ordered[upper - 1 : upper + 1], key=lambda score: abs(score.likelihood))


def open_attestations(signed: Sequence[SignedRecord], members: Sequence[bytes], network_id: bytes) -> list[Attested]:
    """All attestations of members, opened; :class:`VerificationError` for any that is none."""
    found = []
    for one in signed:
        attestation = open_record(one, Attestation, network_id)
        if attestation.member not in members:
            raise VerificationError("An attestation is by somebody who is no member of the committee.")
        check_score(attestation.score)
        found.append(Attested(members.index(attestation.member), attestation, one))
    return found


def check_entry(entry: BlockEntry, members: Sequence[bytes], network_id: bytes) -> None:
    """Whether the score follows from enough attestations that agree; :class:`VerificationError` if not."""
    if entry.author >= len(members):
        raise VerificationError("An entry names an author that the committee does not have.")
    found = open_attestations(entry.attestations, members, network_id)
    places = [one.place for one in found]
    if places != sorted(set(places)):
        raise VerificationError("An entry's attestations are not in the order of their members, or one came twice.")
    allowed = scorers(members, entry.evidence, members[entry.author], NodeId(entry.node))
    for one in found:
        said = one.attestation
        if (said.evidence, said.epoch, said.node) != (entry.evidence, entry.epoch, entry.node):
            raise VerificationError("An attestation is of another answer than its entry.")
        if said.member not in allowed:
            raise VerificationError("An attestation is by a member that was not drawn to score this answer.")
    scores = [one.attestation.score for one in found]
    if len(scores) <= faulty(len(members)):
        raise VerificationError(
            f"An entry has {len(scores)} attestations; {faulty(len(members)) + 1} are needed, so that one is honest."
        )
    if not agree(scores):
        raise VerificationError("The attestations of an entry do not agree.")
    if median(scores) != entry.score:
        raise VerificationError("An entry's score is not the one that follows from its attestations.")


def matches(entry: BlockEntry, opened: OpenedEvidence, members: Sequence[bytes]) -> bool:
    """Whether the entry says of its evidence what it shows."""
    evidence = opened.evidence
    said = (entry.evidence, entry.epoch, members[entry.author], entry.index, entry.turn, entry.asked, entry.node)
    shown = (opened.digest, evidence.epoch, evidence.member, evidence.index, evidence.turn, opened.asked, opened.node)
    return said == shown and entry.score.tokens <= len(evidence.output_ids)


def make_entry(
    opened: OpenedEvidence, attestations: Sequence[SignedRecord], members: Sequence[bytes], network_id: bytes
) -> BlockEntry | None:
    """The entry for evidence, from the most attestations that agree; None while they are too few. Attestations that are
    not valid are left aside."""
    evidence = opened.evidence
    if evidence.member not in members:
        return None
    allowed = scorers(members, opened.digest, evidence.member, opened.node)
    usable: dict[int, Attested] = {}
    for signed in attestations:
        try:
            (one,) = open_attestations([signed], members, network_id)
        except VerificationError:
            continue
        said = one.attestation
        about = (said.evidence, said.epoch, said.node) == (opened.digest, evidence.epoch, opened.node)
        if about and said.member in allowed and said.score.tokens <= len(evidence.output_ids):
            usable.setdefault(one.place, one)
    chosen = _most_that_agree(list(usable.values()))
    if len(chosen) <= faulty(len(members)):
        return None
    return BlockEntry(
        evidence=opened.digest,
        epoch=evidence.epoch,
        author=members.index(evidence.member),
        index=evidence.index,
        turn=evidence.turn,
        asked=opened.asked,
        node=opened.node,
        score=median([one.attestation.score for one in chosen]),
        attestations=tuple(one.signed for one in sorted(chosen, key=lambda one: one.place)),
    )


def _most_that_agree(found: Sequence[Attested]) -> Sequence[Attested]:
    """Runs of neighbouring likelihoods are tried; of equally long ones the lowest counts."""
    ordered = sorted(found, key=lambda one: (one.attestation.score.likelihood, one.place))
    best: Sequence[Attested] = ()
    for begin in range(len(ordered)):
        for end in range(begin + len(best) + 1, len(ordered) + 1):
            run = ordered[begin:end]
            if not agree([one.attestation.score for one in run]):
                break
            best = run
    return best
