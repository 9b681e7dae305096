"""A verifier as this machine can be one: its questions go out by its own client, its models judge the answers."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from engine.clock import Clock
from engine.crypto.identity import Identity
from engine.inference.types import InferenceBackend, ModelInfo
from engine.library.calibrations import known_calibrations
from engine.node.answer_scorer import AnswerScorer
from engine.node.asking_scorers import ScorerChats
from engine.node.asking_speed import SpeedChats
from engine.node.challenge_chat import ClientChats
from engine.node.challenge_pool import load_pool
from engine.node.committee_presence import MakeVerifier
from engine.node.overlay_client import OverlayClient
from engine.node.timed_answers import TimedAnswers
from engine.node.verifier_role import VerifierRole
from engine.verification.chain.state import ChainState


def verifier_maker(
    client: Callable[[], OverlayClient | None],
    backend: InferenceBackend,
    questions: Path,
    clock: Clock,
    room: Callable[[], int] = lambda: 0,
) -> MakeVerifier:
    """What makes the verifier of a presence once its network is known. ``client``: this machine's own, None while it
    has none; ``questions``: a folder with questions of this verifier alone, beside one with its own ``calibrations``;
    neither need be there. ``room``: bytes that a reference model may take here now, 0: nobody can tell."""

    def fits(info: ModelInfo) -> bool:
        """Models whose memory nobody knows are tried: what cannot be computed is handed out later."""
        allowed = room()
        return not info.memory or not allowed or info.memory <= allowed

    def make(identity: Identity, state: ChainState) -> VerifierRole:
        scorer = AnswerScorer(backend, known_calibrations(questions.parent / "calibrations"), fits)
        chats = ClientChats(client, state.network_id, clock, os.urandom)
        pool = load_pool(questions)
        verifier = VerifierRole(identity, state, pool, chats, scorer.score, clock, os.urandom)
        judge = TimedAnswers(scorer, state.network_id, clock).worth
        timing = SpeedChats(client, backend, pool, judge, scorer.texts_percent, clock, os.urandom)
        verifier.capacity.timing = timing
        checkable = verifier.checkable
        checkable.holds, checkable.texts_percent = scorer.holds, scorer.texts_percent
        verifier.handing_out.scorers = ScorerChats(client, state.network_id, checkable.key_of, os.urandom)
        return verifier

    return make
