"""What an answer that evidence shows is worth, computed with the reference model on this machine."""

from __future__ import annotations

from engine.errors import UnknownModelError
from engine.inference.types import InferenceBackend, ModelInfo
from engine.node.requests import generation_for
from engine.verification.challenges.opening import OpenedEvidence
from engine.verification.receipts import compare_prompt
from engine.verification.scoring.calibration import Calibrations
from engine.verification.scoring.score import contradiction, score_answer
from engine.wire.verification import Score


class AnswerScorer:
    """One prefill for each answer."""

    def __init__(self, backend: InferenceBackend, calibrations: Calibrations) -> None:
        self._backend = backend
        self._calibrations = calibrations

    def holds(self, digest: bytes) -> bool:
        """Whether this version of a model is here."""
        return any(info.digest == digest for info in self._backend.models())

    async def score(self, opened: OpenedEvidence) -> Score:
        """The score of an answer; ``RequestError`` or ``WorkerDiedError`` where it cannot be computed here.

        A receipt whose prompt is not that of the request contradicts itself: the node signed both."""
        info = self._info(opened)
        request, evidence = generation_for(opened.request, info.context_length, None), opened.evidence
        found = await self._backend.score(request, evidence.output_ids)
        if compare_prompt(opened.receipt, evidence.key, found.prompt_ids):
            return contradiction(len(evidence.output_ids))
        calibration = self._calibrations.find(info.digest, reference=_short(info.provider))
        return score_answer(found.margins, found.logprobs, calibration, found.impossible)

    def _info(self, opened: OpenedEvidence) -> ModelInfo:
        for info in self._backend.models():
            if info.digest == opened.request.model_digest:
                return info
        raise UnknownModelError(f"The model {opened.request.model_id} is not here in the version that was asked.")


def _short(provider: str) -> str:
    """As calibrations name execution providers; a model that is not loaded yet is computed by the processor."""
    return provider.lower().removesuffix("executionprovider") or "cpu"
