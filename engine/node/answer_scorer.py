"""What an answer is worth, computed with the reference model on this machine: for this verifier, or for another one."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import msgspec

from engine.crypto.symmetric import constant_time_equal
from engine.errors import UnknownModelError
from engine.inference.types import InferenceBackend, ModelInfo
from engine.node.requests import day_of, generation_for
from engine.verification.challenges.opening import OpenedEvidence
from engine.verification.receipts import commit, token_bytes
from engine.verification.scoring.calibration import Calibrations
from engine.verification.scoring.score import contradiction, score_answer
from engine.wire.answer import Receipt, Request
from engine.wire.challenges import Score


class AnswerScorer:
    """One prefill for each answer."""

    def __init__(
        self,
        backend: InferenceBackend,
        calibrations: Calibrations,
        fits: Callable[[ModelInfo], bool] = lambda _: True,
    ) -> None:
        """``fits``: whether a model may be loaded here only to score with it."""
        self._backend = backend
        self._calibrations = calibrations
        self._fits = fits
        self._salt = os.urandom(32)  # a conversation's later turns begin with the earlier ones, read before

    def holds(self, digest: bytes) -> bool:
        """Whether this version of a model is here, and is loaded or may be."""
        return any(
            info.digest == digest and (bool(info.provider) or self._fits(info)) for info in self._backend.models()
        )

    def texts_percent(self, digest: bytes) -> int:
        """How many of a hundred challenges for this model are texts to go on with; 0: as of any model."""
        calibration = self._calibrations.find(digest)
        return 0 if calibration is None else calibration.texts_percent

    def can_judge(self, digest: bytes) -> bool:
        """Whether answers of this version of a model can pass or fail here."""
        return self.holds(digest) and self._calibrations.find(digest) is not None

    async def score(self, opened: OpenedEvidence) -> Score:
        """The score of an answer; ``RequestError`` or ``WorkerDiedError`` where it cannot be computed here."""
        return await self.score_signed(opened.request, opened.output_ids, opened.evidence.key, opened.receipt)

    async def score_signed(self, request: Request, output_ids: Sequence[int], key: bytes, receipt: Receipt) -> Score:
        """The score of the first tokens of an answer that a node has signed for; errors as :meth:`score`.

        A receipt whose prompt is not that of the request contradicts itself: the node signed both."""
        score, prompt_tokens = await self.score_answer(request, output_ids, key, receipt.prompt_commitment)
        return contradiction(len(output_ids)) if receipt.prompt_tokens != prompt_tokens else score

    async def score_answer(
        self,
        request: Request,
        output_ids: Sequence[int],
        key: bytes,
        prompt_commitment: bytes,
        dates: Sequence[float] = (),
    ) -> tuple[Score, int]:
        """The score of an answer to a request that begins with the first token, and the prompt's length; errors as
        :meth:`score`. ``prompt_commitment``: what was signed of the prompt under ``key``; ``dates``: when the answer
        may have been asked for (seconds since 1970), if not when the request was sealed."""
        info = self._info(request)
        wanted = msgspec.structs.replace(generation_for(request, info.context_length, None), cache_salt=self._salt)
        for dated in dates or (day_of(request.sealed_at),):
            found = await self._backend.score(msgspec.structs.replace(wanted, dated=dated), output_ids)
            if constant_time_equal(commit(key, b"prompt", token_bytes(found.prompt_ids)), prompt_commitment):
                break
        else:
            return contradiction(len(output_ids)), len(found.prompt_ids)
        calibration = self._calibrations.find(info.digest, reference=_short(info.provider))
        score = score_answer(found.margins, found.logprobs, calibration, found.impossible)
        return score, len(found.prompt_ids)

    def _info(self, request: Request) -> ModelInfo:
        for info in self._backend.models():
            if info.digest == request.model_digest:
                return info
        raise UnknownModelError(f"The model {request.model_id} is not here in the version that was asked.")


def _short(provider: str) -> str:
    """As calibrations name execution providers; a model that is not loaded yet is computed by the processor."""
    return provider.lower().removesuffix("executionprovider") or "cpu"
