"""A model node scores answers of others for verifiers that cannot hold its model. It does not learn whose they are.

Whoever asks is a client like any other: a score costs what an answer of one token to the same text would. Only the
score comes back, no margins, so that nobody learns more of the model by it than by asking.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from engine.clock import Clock
from engine.crypto.identity import Identity
from engine.errors import InvalidRequestError, OverloadedError
from engine.ids import NetworkId
from engine.node.answer_scorer import AnswerScorer
from engine.node.requests import DAY_SECONDS, day_of
from engine.paths.setup import TokenBucket
from engine.verification.large_models.transcript import KEY_LENGTH, sign_report, transcript_of
from engine.wire.answer import Finished, Request
from engine.wire.challenges import MAX_OUTPUT

SCORES_PER_EPOCH, SCORES_BURST = 120.0, 60.0
"""Where everybody is new, each node is asked for about thirty in an epoch, many of them at its begin."""
LATEST_EPOCHS = 4
"""So long behind an answer its score may be asked for."""
MAX_RUNNING = 4
"""Scores that are computed or wait."""


class ScoringService:
    """Own nothing; each score is awaited by who was asked for it. ``scorer`` makes one when it is first needed."""

    def __init__(
        self,
        identity: Identity,
        network_id: NetworkId,
        scorer: Callable[[], AnswerScorer],
        clock: Clock,
        epoch_seconds: float,
    ) -> None:
        self._identity = identity
        self._network_id = network_id
        self._make = scorer
        self._scorer: AnswerScorer | None = None
        self._clock = clock
        self._allowed = TokenBucket(SCORES_PER_EPOCH / epoch_seconds, SCORES_BURST, clock.monotonic())
        self._epoch_seconds = epoch_seconds
        self._running = 0
        self.scored = 0

    async def score(self, request: Request) -> Finished:
        """The signed score of the tokens that came with a request; ``RequestError`` where there is none."""
        if len(request.score_key) != KEY_LENGTH or len(request.prompt_commitment) != KEY_LENGTH:
            raise InvalidRequestError("A request for a score needs a key and a commitment of 32 bytes each.")
        ids = request.continue_tokens
        if not 0 < len(ids) <= MAX_OUTPUT:
            raise InvalidRequestError(f"A request for a score has {len(ids)} tokens; 1 to {MAX_OUTPUT} are scored.")
        if self._running >= MAX_RUNNING or not self._allowed.take(self._clock.monotonic()):
            raise OverloadedError("This machine scores as many answers as it can at the moment.")
        if self._scorer is None:
            self._scorer = self._make()
        self._running += 1
        try:
            plain = msgspec.structs.replace(request, continue_tokens=(), continue_characters=0)
            key, commitment = request.score_key, request.prompt_commitment
            dates = self._dates(request.sealed_at)
            score, prompt_tokens = await self._scorer.score_answer(plain, ids, key, commitment, dates)
        finally:
            self._running -= 1
        self.scored += 1
        transcript = transcript_of(request, ids, key, commitment, self._network_id)
        signed = sign_report(self._identity, self._network_id, transcript, score)
        return Finished(
            reason="scored",
            prompt_tokens=prompt_tokens,
            completion_tokens=0,
            record=signed.record,
            signature=signed.signature,
        )

    def _dates(self, asked: float) -> tuple[float, ...]:
        """The answer was made up to a few epochs before its score is asked for: perhaps on a day before, which some
        templates write into the prompt. The newest day comes first."""
        made = max(0.0, asked - LATEST_EPOCHS * self._epoch_seconds)
        days = int((day_of(asked) - day_of(made)) // DAY_SECONDS)
        return tuple(day_of(asked) - DAY_SECONDS * back for back in range(days + 1))
