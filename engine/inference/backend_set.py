"""Several back ends as one: this machine's own worker, and other servers by the models that they answer for.

It chooses between them by the model's id and does nothing else.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

from engine.inference.types import (
    GenerationEvent,
    GenerationRequest,
    InferenceBackend,
    ModelInfo,
    PromptShape,
    TokenScores,
)


class BackendSet:
    """An ``InferenceBackend``. A model in ``others`` is always answered there, also when its server is away: an answer
    never comes from another model than the one that was meant."""

    def __init__(self, own: InferenceBackend, others: Mapping[str, InferenceBackend]) -> None:
        self._own = own
        self._others = dict(others)

    def models(self) -> list[ModelInfo]:
        """See ``InferenceBackend``."""
        found = [info for backend in self._others.values() for info in backend.models()]
        return [info for info in self._own.models() if info.model_id not in self._others] + found

    def generate(self, request: GenerationRequest) -> AsyncIterator[GenerationEvent]:
        """See ``InferenceBackend``."""
        return self._others.get(request.model_id, self._own).generate(request)

    async def describe(self, request: GenerationRequest) -> PromptShape | None:
        """See ``InferenceBackend``."""
        return await self._others.get(request.model_id, self._own).describe(request)

    async def score(self, request: GenerationRequest, output_ids: Sequence[int]) -> TokenScores:
        """See ``InferenceBackend``."""
        return await self._others.get(request.model_id, self._own).score(request, output_ids)
