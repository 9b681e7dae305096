"""What a verifier does with answers that it or others of the committee cannot score: it has drawn nodes score them,
shows their reports once its duties are shown, and believes what others show as far as the draw and the directory allow.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from engine.crypto.ecvrf import prove
from engine.crypto.ecvrf import verify as verify_proof
from engine.crypto.identity import Identity, node_id_of
from engine.directory.directory import Directory
from engine.ids import NodeId
from engine.node.asking_scorers import Scorers
from engine.verification.chain.records import RecordBook
from engine.verification.chain.state import ChainState
from engine.verification.challenges.opening import OpenedEvidence
from engine.verification.large_models.draw import drawn, serving_now, unrelated
from engine.verification.large_models.majority import OpenedScoring
from engine.verification.members import duties_alpha, faulty
from engine.wire.challenges import MAX_REPORTS, MIN_REPORTS, Scoring

logger = logging.getLogger(__name__)
MAX_ASKED = 8
"""Answers that are handed out at the same time."""
MAX_TRIES = 4
NEWS = 3
"""So many places further back than an author may go a scorer is taken: nodes come, and are listed here already."""
LOOKS_BETWEEN = 8
"""Of one answer, and so many looks apart: who has not answered may have time a little later."""


class HandingOut:
    """Look again with :meth:`look`, again and again; ``holds``: whether a model is here."""

    def __init__(self, identity: Identity, book: RecordBook, holds: Callable[[bytes], bool]) -> None:
        self._identity = identity
        self._book = book
        self._holds = holds
        self._scorings: dict[bytes, Scoring] = {}
        self._tries: dict[bytes, int] = {}
        self._looks = 0
        self._rests: dict[bytes, int] = {}  # until which look
        self._running: set[bytes] = set()
        self.scorers: Scorers | None = None
        self.directory: Directory | None = None

    def look(self, tasks: asyncio.TaskGroup, state: ChainState, epoch: int) -> None:
        """Begin what is due, as tasks."""
        self._looks += 1
        unfinished = self._book.unfinished(self._identity.public_key, state)
        waiting = {opened.digest for opened, _ in unfinished}
        self._scorings = {digest: found for digest, found in self._scorings.items() if digest in waiting}
        self._tries = {digest: count for digest, count in self._tries.items() if digest in waiting}
        self._rests = {digest: look for digest, look in self._rests.items() if look > self._looks}
        for opened, attested in unfinished:
            late = epoch > opened.evidence.epoch and attested <= faulty(len(state.members))
            if self._holds(opened.request.model_digest) and not late:
                continue
            is_begun = any(opened.digest in known for known in (self._scorings, self._running, self._rests))
            if not is_begun and self._tries.get(opened.digest, 0) < MAX_TRIES and len(self._running) < MAX_ASKED:
                self._running.add(opened.digest)
                tasks.create_task(self._have_scored(opened, state))

    def to_show(self, epoch: int) -> list[Scoring]:
        """What was found of epochs that are over, once: before, nobody could check who was drawn."""
        found = [digest for digest, one in self._scorings.items() if one.epoch < epoch]
        return [self._scorings.pop(digest) for digest in found]

    def is_believed(self, opened: OpenedEvidence, scoring: OpenedScoring, state: ChainState) -> bool:
        """Whether the directory, too, allows those who have scored: they serve the model and are strangers to each
        other and to whom they judge, and, where none of them has standing, the lot has fallen on them among all that
        are listed. What the chain says of the draw was checked when the record came."""
        directory, evidence, model = self.directory, opened.evidence, opened.request.model_digest
        found = state.epochs.get(evidence.epoch)
        output = self._book.output_of(evidence.epoch, evidence.member, state)
        if directory is None or found is None or output is None:
            return False
        scorers, listed = set(scoring.scorers), set(serving_now(directory, model))
        known = listed | {node for node, served in state.serving.items() if served == model}
        without = self._without(opened, state)
        order = drawn(
            found.basis, model, output, opened.asked, evidence.turn, listed | scorers, without, MAX_REPORTS + NEWS
        )
        strangers = unrelated(directory, scoring.scorers, self._concerned(opened))
        return scorers <= known and scorers <= set(order) and len(strangers) == len(scoring.scorers)

    async def _have_scored(self, opened: OpenedEvidence, state: ChainState) -> None:
        digest, evidence = opened.digest, opened.evidence
        self._tries[digest] = self._tries.get(digest, 0) + 1
        try:
            nodes = self._drawn(opened, state)
            reports = await self.scorers.ask(opened, nodes) if self.scorers and len(nodes) >= MIN_REPORTS else []
        finally:
            self._running.discard(digest)
        if len(reports) < MIN_REPORTS:
            self._rests[digest] = self._looks + LOOKS_BETWEEN
            logger.info("an answer was scored by %d of %d nodes; %d are needed", len(reports), len(nodes), MIN_REPORTS)
            return
        self._scorings[digest] = Scoring(
            network_id=state.network_id,
            epoch=evidence.epoch,
            member=evidence.member,
            evidence=digest,
            reports=tuple(reports),
        )

    def _drawn(self, opened: OpenedEvidence, state: ChainState) -> list[NodeId]:
        """Whom to ask, in this order: those that are drawn, serve the model now, and are strangers."""
        found, directory = state.epochs.get(opened.evidence.epoch), self.directory
        if found is None or directory is None:
            return []
        alpha = duties_alpha(state.network_id, opened.evidence.epoch, found.basis.output)
        output = verify_proof(self._identity.public_key, alpha, prove(self._identity.seed, alpha))
        model, turn = opened.request.model_digest, opened.evidence.turn
        without = self._without(opened, state)
        present = set(serving_now(directory, model))
        order = drawn(found.basis, model, output, opened.asked, turn, present, without)
        return unrelated(directory, [node for node in order if node in present], self._concerned(opened))

    def _without(self, opened: OpenedEvidence, state: ChainState) -> set[NodeId]:
        """Who scores nothing of this answer."""
        return {opened.asked, opened.node, *(node_id_of(member) for member in state.members)}

    def _concerned(self, opened: OpenedEvidence) -> tuple[NodeId, ...]:
        """Whom scorers must not be related with."""
        return tuple({opened.asked, opened.node, node_id_of(opened.evidence.member)})
