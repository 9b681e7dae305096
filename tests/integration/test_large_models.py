"""Verifiers that cannot load the model: drawn nodes score for them, blind, and the majority counts.

The network is that of test_verifiers; scores are asked for over the overlay and computed by the nodes that serve.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from engine.crypto.identity import Identity, node_id_of
from engine.ids import NodeId
from engine.inference.types import GenerationRequest, TokenScores
from engine.node import asking_scorers, challenge_chat
from engine.node.answer_scorer import AnswerScorer
from engine.node.asking_scorers import ScorerChats
from engine.node.scoring_service import ScoringService
from engine.node.verifier_role import VerifierRole
from engine.verification.large_models.majority import open_scoring
from engine.verification.scoring.calibration import Calibrations
from tests.integration.test_verifiers import DIRECT, EPOCH_SECONDS, OTHER, SAID, Reference, Verified
from tests.support.answering_overlay import INFO, AnsweringMember, AnsweringOverlay
from tests.support.calibrations import calibration
from tests.support.overlay import NETWORK

pytestmark = [pytest.mark.timeout(300), pytest.mark.usefixtures("time_is_simulated")]
CALIBRATIONS = Calibrations([msgspec.structs.replace(calibration(), digest=INFO.digest.hex())])
NEEDED = 40_000_000_000
"""Bytes that the model takes, as its folder would say."""


@pytest.fixture
def time_is_simulated(monkeypatch: pytest.MonkeyPatch) -> None:
    """How long an answer takes on this machine says nothing."""
    monkeypatch.setattr(asking_scorers, "ANSWER_SECONDS", None)
    monkeypatch.setattr(challenge_chat, "ANSWER_SECONDS", None)


class Turned(Reference):
    """A scorer that lies: what is right it calls wrong, and the other way round."""

    async def score(self, request: GenerationRequest, output_ids: Sequence[int]) -> TokenScores:
        found = await super().score(request, output_ids)
        return TokenScores(found.prompt_ids, tuple(1.95 - one for one in found.margins), found.logprobs)


class Watched(Reference):
    """Keeps what it is asked to score."""

    def __init__(self) -> None:
        self.asked: list[GenerationRequest] = []

    async def score(self, request: GenerationRequest, output_ids: Sequence[int]) -> TokenScores:
        self.asked.append(request)
        return await super().score(request, output_ids)


class Large(Verified):
    """Verifiers with 8 GB, which the model does not fit into."""

    def _role(self, member: Identity) -> VerifierRole:
        role = super()._role(member)
        info = msgspec.structs.replace(INFO, memory=NEEDED)
        reference = Reference()
        reference.models = lambda: [info]  # type: ignore[method-assign]
        role.checkable.holds = AnswerScorer(reference, CALIBRATIONS, lambda one: one.memory <= 8_000_000_000).holds
        overlay = self.overlay
        role.handing_out.scorers = ScorerChats(
            lambda: overlay.client, NETWORK, role.checkable.key_of, overlay.random_bytes
        )
        return role


def serve_scores(overlay: AnsweringOverlay, machine: AnsweringMember, reference: Reference) -> None:
    identity = overlay.identities[machine.node_id]
    scorer = AnswerScorer(reference, CALIBRATIONS)
    machine.role.scoring = ScoringService(identity, NETWORK, lambda: scorer, overlay.scheduler.clock, EPOCH_SECONDS)


async def large(machines: int = 6, **options: object) -> Large:
    overlay = AnsweringOverlay(parameters=DIRECT, models=machines, pace=0.005, **options)
    await overlay.until_true(lambda: overlay.client.goes_direct or overlay.ready(), 10)
    for machine in overlay.machines:
        machine.writer.written = SAID
        serve_scores(overlay, machine, Reference())
    return Large(overlay)


async def test_a_cheat_is_excluded_by_the_word_of_other_nodes_though_one_of_them_lies() -> None:
    network = await large()
    machines = network.overlay.machines
    cheat, liar = machines[5], machines[4]
    cheat.writer.written = OTHER
    watched = [Watched() for _ in machines[:4]]
    for machine, reference in zip(machines[:4], watched, strict=True):
        serve_scores(network.overlay, machine, reference)
    serve_scores(network.overlay, liar, Turned())
    async with network.running():
        await network.epochs(6)
    entries = [entry for block in network.blocks for entry in block.entries]
    assert entries
    assert all(len(entry.scoring) == 1 and entry.model == INFO.digest for entry in entries)
    assert network.standing(5).excluded
    for honest in range(5):  # the liar, too: a wrong score is no verdict about its own answers
        assert (network.standing(honest).excluded, network.standing(honest).suspicion) == (False, 0), honest
    against: set[NodeId] = set()
    members = {node_id_of(member) for member in network.state.members}
    for entry in entries:
        opened = open_scoring(entry.scoring[0], NETWORK)
        assert len(opened.scorers) >= 3
        assert not {entry.node, entry.asked, *members} & set(opened.scorers)
        against |= opened.against
    assert against == {liar.node_id}, "who lies stands alone, and every block says so"
    assert all(block.missed == () for block in network.blocks)
    assert all("duties" in reason for reason in network.refused)
    asked = [one for reference in watched for one in reference.asked]
    assert len(asked) > 20
    for one in asked:
        text = repr(one)
        assert not any(repr(machine.node_id)[2:-1] in text for machine in machines), "whose it is stands nowhere"


async def test_without_three_nodes_that_serve_it_nobody_is_judged() -> None:
    network = await large(3)
    network.overlay.machines[2].writer.written = OTHER
    async with network.running():
        await network.epochs(4)
    assert all(block.entries == () for block in network.blocks)
    assert network.state.standings == {}
    assert any(block.unjudged for block in network.blocks)
