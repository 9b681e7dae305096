"""What drawn nodes have found together, and who has said something else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.crypto.identity import node_id_of
from engine.errors import VerificationError
from engine.ids import NodeId
from engine.verification.challenges.duties import Basis
from engine.verification.large_models.draw import check_draw
from engine.verification.large_models.transcript import open_report
from engine.verification.reputation.rule import INCONCLUSIVE
from engine.verification.scoring.agreeing import check_score, median, most_that_agree
from engine.verification.signing import open_record
from engine.wire.challenges import Score, Scoring
from engine.wire.signed import SignedRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedScoring:
    """A scoring whose signatures hold. ``score`` is what the majority says; ``against``: who said something else."""

    scoring: Scoring
    transcript: bytes
    scorers: tuple[NodeId, ...]
    score: Score
    against: frozenset[NodeId]


def open_scoring(signed: SignedRecord, network_id: bytes) -> OpenedScoring:
    """All of it that needs no draw; :class:`VerificationError` says what is wrong with it."""
    scoring = open_record(signed, Scoring, network_id)
    found = [open_report(one, network_id) for one in scoring.reports]
    transcripts = {report.transcript for _, report in found}
    if len(transcripts) != 1:
        raise VerificationError("Scorers have been shown different answers.")
    scorers = tuple(node for node, _ in found)
    if len(set(scorers)) != len(scorers):
        raise VerificationError("A node has scored an answer twice.")
    for _, report in found:
        check_score(report.score)
    score, against = majority([(node, report.score) for node, report in found])
    return OpenedScoring(scoring=scoring, transcript=transcripts.pop(), scorers=scorers, score=score, against=against)


def majority(given: Sequence[tuple[NodeId, Score]]) -> tuple[Score, frozenset[NodeId]]:
    """The median score of the most that agree within the tolerance, if they are more than half, and who does not agree
    with it; else an inconclusive one that counts nothing, and nobody."""
    ordered = sorted(given, key=lambda one: (one[1].likelihood, one[0]))
    agreeing = most_that_agree(ordered, lambda one: one[1])
    if 2 * len(agreeing) <= len(given):
        fewest = min(score.tokens for _, score in given)
        return Score(tokens=fewest, likelihood=0, credit=0, verdict=INCONCLUSIVE), frozenset()
    with_it = {node for node, _ in agreeing}
    return median([score for _, score in agreeing]), frozenset(node for node, _ in given if node not in with_it)


def check_scorers(
    opened: OpenedScoring,
    basis: Basis,
    output: bytes | None,
    *,
    model: bytes,
    asked: NodeId,
    judged: NodeId,
    turn: int,
    members: Sequence[bytes],
) -> None:
    """Whether the scorers are those whom the draw allows; :class:`VerificationError` if not. ``output``: of the
    author's VRF, None while it has not shown its duties."""
    if output is None:
        raise VerificationError("Who was to score an answer cannot be checked before its author has shown its duties.")
    without = {judged, asked, *(node_id_of(member) for member in members)}
    check_draw(basis, model, output, asked, turn, opened.scorers, without)
