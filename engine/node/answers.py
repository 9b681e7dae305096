"""Answers a question: on this machine or through the overlay, with the receipt checked. One async stream for both."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable

import msgspec

from engine.api.service import AnswerDone, AnswerEvent, AnswerRequest, AnswerStage
from engine.chats.answering import conversation_name
from engine.clock import Clock
from engine.errors import (
    InferenceError,
    InvalidRequestError,
    NetworkNotReadyError,
    ServingNodeLostError,
)
from engine.ids import NetworkId
from engine.inference.request_check import check_request, missing_abilities, unable
from engine.inference.types import (
    Delta,
    Done,
    GenerationEvent,
    InferenceBackend,
    Queued,
    Started,
)
from engine.library.published import PublishedModels
from engine.node.answer_progress import Progress
from engine.node.conversations import Conversations
from engine.node.network_answer import NetworkAnswer, finish_reason
from engine.node.overlay_client import OverlayClient
from engine.node.reading import Reading
from engine.node.requests import generation_of
from engine.sentences import said_by, say, together


class Answers:
    """Routes questions. ``network`` gives the overlay's client while a network is configured, ``published`` says what
    is asked of publishers' models (None: nothing of them is known)."""

    def __init__(
        self,
        backend: InferenceBackend,
        network: Callable[[], tuple[OverlayClient, NetworkId] | None],
        has_network: bool,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
        published: PublishedModels | None = None,
    ) -> None:
        self._published = published
        self._backend = backend
        self._network = network
        self._has_network = has_network
        self._clock = clock
        self._conversations = Conversations(random_bytes)
        # One for all that is asked on this machine: whoever may ask here acts for the owner, and programs send the
        # same long beginnings in many chats. Strangers' salts are their own.
        self._salt = random_bytes(32)
        self.running = 0
        """Answers to the owner that are being made."""
        self.running_here = 0
        """Those of them that this machine makes."""
        self.begins_here: Callable[[], None] = lambda: None
        """Hears of each before it is begun."""
        self.answered: Callable[[AnswerDone], None] = lambda _: None
        """Hears of each answer of another machine."""
        self.hot: Callable[[], tuple[str, ...]] = tuple
        """Why this machine answers its owner more slowly than it could."""

    async def answer(self, request: AnswerRequest) -> AsyncGenerator[AnswerEvent, None]:
        """See ``AnswerService.answer``."""
        check_request(generation_of(request))
        local = request.route == "local" or (request.route == "auto" and not self._has_network)
        digest = self._published.check_asking(request.model_id, here=local) if self._published is not None else None
        stream = self._answer_here(request) if local else self._answer_there(request, digest)
        self.running += 1
        try:
            async for event in stream:
                yield event
        finally:
            self.running -= 1
            await stream.aclose()

    async def count_tokens(self, request: AnswerRequest) -> int | None:
        """Tokens of a request's prompt; None where its model is not loaded on this machine."""
        shape = await self._backend.describe(generation_of(request))
        return shape.prompt_tokens if shape is not None else None

    def paths_of(self, chat: str) -> frozenset[bytes]:
        """Names of the path sets of a kept chat."""
        return self._conversations.names(conversation_name(chat)) if chat else frozenset()

    # On this machine

    async def _answer_here(self, request: AnswerRequest) -> AsyncGenerator[AnswerEvent, None]:
        progress = Progress(self._clock.monotonic(), Reading(request))
        generation = generation_of(request, self._salt)
        for info in self._backend.models():
            missing = missing_abilities(generation, info) if info.model_id == request.model_id else ()
            if missing:
                raise unable(info.model_id, missing, "on this machine")
        self.running_here += 1
        self.begins_here()
        events = self._backend.generate(generation)
        try:
            async for event in events:
                for out in self._translate_local(event, progress):
                    yield out
        except InferenceError as error:
            raise ServingNodeLostError(said_by(error)) from error
        finally:
            self.running_here -= 1
            close = getattr(events, "aclose", None)
            if close is not None:
                await close()

    def _translate_local(self, event: GenerationEvent, progress: Progress) -> list[AnswerEvent]:
        match event:
            case Queued():
                stage = "queued" if event.place else "prefill"
                return [AnswerStage(stage=stage, place=event.place, estimate=event.estimate)]
            case Started():
                progress.reading.style(event.style)
                return [AnswerStage(stage="prefill", text=together(say("stage.reads_here"), *self.hot()))]
            case Delta():
                return [progress.add(event.ids, event.text, self._clock.monotonic(), event.logprobs)]
            case Done():
                return [*progress.rest(), _local_done(event, progress)]

    # Through the overlay

    async def _answer_there(self, request: AnswerRequest, digest: bytes | None) -> AsyncGenerator[AnswerEvent, None]:
        network = self._network()
        if network is None:
            if self._has_network:
                raise NetworkNotReadyError(say("network.joining"))
            raise NetworkNotReadyError(say("network.not_configured"))
        if request.prompt_tokens:
            raise InvalidRequestError(
                "A prompt of token ids means nothing to other machines, whose model may count differently. Send text, "
                'or ask the model on this machine ("gentorrent": {"route": "local"}).',
                "prompt",
            )
        client, network_id = network
        progress = Progress(self._clock.monotonic(), Reading(request))
        digest = digest or self._digest(request.model_id)
        answer = NetworkAnswer(client, network_id, self._conversations, request, digest, progress, self._clock)
        events = answer.events()
        try:
            async for event in events:
                if isinstance(event, AnswerDone) and self._published is not None:
                    why = self._published.unverifiable(request.model_id)
                    event = msgspec.structs.replace(event, unverifiable=why)
                if isinstance(event, AnswerDone):
                    self.answered(event)
                yield event
        finally:
            await events.aclose()

    def _digest(self, model_id: str) -> bytes | None:
        """The digest that this machine itself knows for a model, so that nobody passes another one off as it."""
        return next((info.digest for info in self._backend.models() if info.model_id == model_id), None)


def _local_done(event: Done, progress: Progress) -> AnswerDone:
    return AnswerDone(
        finish_reason=finish_reason(event.reason),
        prompt_tokens=event.prompt_tokens,
        completion_tokens=event.completion_tokens,
        cached_tokens=event.cached_tokens,
        served_by="local",
        ttft_ms=progress.ttft_ms,
        tokens_per_s=progress.tokens_per_s,
        receipt_reason=say("badge.local"),
    )
