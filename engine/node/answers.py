"""Answers a question: on this machine or through the overlay, with the receipt checked. One async stream for both."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from engine.api.service import AnswerDelta, AnswerDone, AnswerEvent, AnswerRequest, AnswerStage
from engine.clock import Clock
from engine.directory.shapes import Shape
from engine.errors import (
    InferenceError,
    InvalidRequestError,
    NetworkNotReadyError,
    OverloadedError,
    ReceiptError,
    RequestError,
    ServingNodeLostError,
    UnknownModelError,
    request_error,
)
from engine.ids import NetworkId, NodeId, node_id_text
from engine.inference.request_check import check_request, missing_abilities, unable
from engine.inference.types import (
    Delta,
    Done,
    GenerationEvent,
    InferenceBackend,
    Queued,
    Started,
    TokenLogprob,
)
from engine.node.conversations import Conversation, Conversations
from engine.node.overlay_client import OverlayClient
from engine.node.privacy import accepted_of, privacy_of, sending_words
from engine.node.reading import Reading
from engine.node.requests import generation_of, question_of
from engine.paths.outgoing import Target
from engine.paths.running_answer import AnswerSummary
from engine.verification.receipt_file import ReceiptPart, export_receipt
from engine.verification.receipts import check_receipt, receipt_key, verify_against
from engine.wire.answer import AnswerStyle, Checkpoint, Failed, Finished, FrameEvent, Stage, Tokens

logger = logging.getLogger(__name__)
MAX_TRIES = 3
"""Nodes that are asked before an answer that has not begun is given up."""
MAX_ANSWER_CHARACTERS = 4_000_000
"""Of one answer; text may lag behind the tokens, so it is bounded on its own."""
STAGE_TEXT = {
    "queued": "Waiting for a place at the machine that answers",
    "prefill": "The machine that answers reads the question",
    "decode": "Writing",
    "finishing": "Finishing",
}


@dataclass(slots=True)
class _Progress:
    """What has arrived of one answer. Times are monotonic seconds."""

    begun: float
    reading: Reading
    ids: list[int] = field(default_factory=list)
    characters: int = 0
    first_at: float | None = None
    last_at: float = 0.0

    def add(self, ids: tuple[int, ...], text: str, now: float, logprobs: tuple[TokenLogprob, ...]) -> AnswerDelta:
        """Tokens arrived."""
        if self.first_at is None:
            self.first_at = now
        self.last_at = now
        self.ids.extend(ids)
        self.characters += len(text)
        return AnswerDelta(ids, text, self.reading.push(text), logprobs)

    def rest(self) -> list[AnswerEvent]:
        """What the text turns out to mean at its end."""
        parts = self.reading.flush()
        return [AnswerDelta((), "", parts)] if parts else []

    @property
    def ttft_ms(self) -> float:
        """Milliseconds from the question to the first token."""
        return 0.0 if self.first_at is None else (self.first_at - self.begun) * 1000

    @property
    def tokens_per_s(self) -> float:
        """Tokens per second after the first one."""
        if self.first_at is None or self.last_at <= self.first_at:
            return 0.0
        return (len(self.ids) - 1) / (self.last_at - self.first_at)


class Answers:
    """Routes questions. ``network`` gives the overlay's client while a network is configured."""

    def __init__(
        self,
        backend: InferenceBackend,
        network: Callable[[], tuple[OverlayClient, NetworkId] | None],
        has_network: bool,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._backend = backend
        self._network = network
        self._has_network = has_network
        self._clock = clock
        self._conversations = Conversations(random_bytes)
        # One for all that is asked on this machine: whoever may ask here acts for the owner, and programs send the
        # same long beginnings in many chats. Strangers' salts are their own.
        self._salt = random_bytes(32)

    async def answer(self, request: AnswerRequest) -> AsyncGenerator[AnswerEvent, None]:
        """See ``AnswerService.answer``."""
        check_request(generation_of(request))
        local = request.route == "local" or (request.route == "auto" and not self._has_network)
        stream = self._answer_here(request) if local else self._answer_there(request)
        try:
            async for event in stream:
                yield event
        finally:
            await stream.aclose()

    # On this machine

    async def _answer_here(self, request: AnswerRequest) -> AsyncGenerator[AnswerEvent, None]:
        progress = _Progress(self._clock.monotonic(), Reading(request))
        generation = generation_of(request, self._salt)
        for info in self._backend.models():
            missing = missing_abilities(generation, info) if info.model_id == request.model_id else ()
            if missing:
                raise unable(info.model_id, missing, "on this machine")
        events = self._backend.generate(generation)
        try:
            async for event in events:
                for out in self._translate_local(event, progress):
                    yield out
        except InferenceError as error:
            raise ServingNodeLostError(str(error)) from error
        finally:
            close = getattr(events, "aclose", None)
            if close is not None:
                await close()

    def _translate_local(self, event: GenerationEvent, progress: _Progress) -> list[AnswerEvent]:
        match event:
            case Queued():
                stage = "queued" if event.place else "prefill"
                return [AnswerStage(stage=stage, place=event.place, estimate=event.estimate)]
            case Started():
                progress.reading.style(event.style)
                return [AnswerStage(stage="prefill", text="This machine reads the question")]
            case Delta():
                return [progress.add(event.ids, event.text, self._clock.monotonic(), event.logprobs)]
            case Done():
                return [*progress.rest(), _local_done(event, progress)]

    # Through the overlay

    async def _answer_there(self, request: AnswerRequest) -> AsyncGenerator[AnswerEvent, None]:
        network = self._network()
        if network is None:
            if self._has_network:
                what = "it is still being joined. Wait a moment, or ask the model on this machine."
            else:
                what = "no network is configured. Join one with --bootstrap, or ask the model on this machine."
            raise NetworkNotReadyError(f"The network cannot be asked: {what}")
        if request.prompt_tokens:
            raise InvalidRequestError(
                "A prompt of token ids means nothing to other machines, whose model may count differently. Send text, "
                'or ask the model on this machine ("gentorrent": {"route": "local"}).',
                "prompt",
            )
        client, network_id = network
        conversation = self._conversations.find(request)
        progress = _Progress(self._clock.monotonic(), Reading(request))
        generation = generation_of(request)
        avoid: set[NodeId] = set()
        yield AnswerStage(stage="connecting", text="Choosing anonymous paths")
        accepted = accepted_of(request.privacy)
        while True:
            shape = await client.wait_ready(conversation.name, accepted)
            target = client.choose_target(
                conversation.name, generation, conversation.node, avoid, self._digest(request.model_id), shape
            )
            attempt = self._attempt(client, network_id, conversation, request, target, shape, progress)
            try:
                async for event in attempt:
                    yield event
                return
            except (ServingNodeLostError, OverloadedError, UnknownModelError) as error:
                avoid.add(target.node_id)
                conversation.node = None  # a refusal or its absence releases the pin
                others = {node.node_id for node in client.model_nodes(request.model_id)} - avoid
                if progress.ids or len(avoid) >= MAX_TRIES or not others:
                    raise
                logger.info("another node is asked: %s", error)
                yield AnswerStage(stage="connecting", text="That machine is gone or full; asking another one")
            finally:
                await attempt.aclose()

    def _digest(self, model_id: str) -> bytes | None:
        """The digest that this machine itself knows for a model, so that nobody passes another one off as it."""
        return next((info.digest for info in self._backend.models() if info.model_id == model_id), None)

    async def _attempt(
        self,
        client: OverlayClient,
        network_id: NetworkId,
        conversation: Conversation,
        request: AnswerRequest,
        target: Target,
        shape: Shape,
        progress: _Progress,
    ) -> AsyncGenerator[AnswerEvent, None]:
        yield AnswerStage(stage="sending", text=sending_words(shape, client.choice.full))
        progress.reading.style(AnswerStyle())  # what another node said of its own model is void
        stage = ""
        stream = client.ask(conversation.name, question_of(request), target, shape)
        try:
            async for served in stream:
                for event in served.events:
                    if isinstance(event, Stage) and event.stage == stage and not event.place:
                        continue  # a heartbeat
                    stage = event.stage if isinstance(event, Stage) else ""
                    told = self._translate(event, served.summary, network_id, progress)
                    told = [_with_privacy(out, served.summary, client.choice.full) for out in told]
                    if isinstance(event, Finished):  # before it is told: who has heard the end asks for no more
                        message = progress.reading.message
                        self._conversations.answered(request, conversation, target.node_id, message)
                    for out in told:
                        yield out
        finally:
            await stream.aclose()

    def _translate(
        self, event: FrameEvent, summary: AnswerSummary, network_id: NetworkId, progress: _Progress
    ) -> list[AnswerEvent]:
        match event:
            case Stage():
                if progress.ids:
                    return []
                text = STAGE_TEXT.get(event.stage, event.stage)
                return [AnswerStage(stage=event.stage, place=event.place, estimate=event.estimate, text=text)]
            case Tokens():
                asked = summary.outgoing.request
                too_long = progress.characters + len(event.text) > MAX_ANSWER_CHARACTERS
                too_many = len(progress.ids) + len(event.ids) > asked.max_tokens
                if event.first != len(progress.ids) or too_many or too_long or not _fits(event, asked.top_logprobs):
                    raise RequestError(_BROKEN)
                logprobs = tuple(TokenLogprob(one.token, one.text, one.logprob, one.top) for one in event.logprobs)
                return [progress.add(event.ids, event.text, self._clock.monotonic(), logprobs)]
            case AnswerStyle():
                if progress.ids or progress.characters:
                    raise RequestError(_BROKEN)
                progress.reading.style(event)
                return []
            case Checkpoint():
                problem = _receipt_problem(event, summary, network_id, progress)
                if problem:
                    logger.warning("a checkpoint does not hold: %s", problem)
                return []
            case Failed():
                raise request_error(event.code, event.text, event.parameter or None)
            case Finished():
                return [*progress.rest(), _network_done(event, summary, network_id, progress)]


_BROKEN = "The machine that answered broke the protocol. Ask again; another one answers."


def _fits(event: Tokens, wanted: int) -> bool:
    """Whether the log probabilities are those of the tokens, and were asked for."""
    told = event.logprobs
    if not told:
        return True  # some servers behind a node have none for some tokens
    return (
        wanted >= 0
        and [one.token for one in told] == list(event.ids)
        and all(len(one.top) <= wanted for one in told)
        and not any(math.isnan(value) for one in told for value in (one.logprob, *(top[2] for top in one.top)))
    )


def _receipt_problem(
    event: Checkpoint | Finished, summary: AnswerSummary, network_id: NetworkId, progress: _Progress
) -> str:
    """What is wrong with a receipt, in plain words; empty when it holds for what arrived."""
    outgoing = summary.outgoing
    try:
        receipt = check_receipt(event.record, event.signature, network_id)
        found = verify_against(
            receipt,
            answer_secret=outgoing.request.answer_secret,
            request_bytes=outgoing.encoded,
            output_ids=progress.ids,
            first=0,
            serving_node=outgoing.target.node_id,
            attempt=summary.attempt,
        )
    except ReceiptError as error:
        return str(error)
    if isinstance(event, Finished) and not receipt.final:
        found.append("it is not the final one")
    return "; ".join(found)


def _network_done(event: Finished, summary: AnswerSummary, network_id: NetworkId, progress: _Progress) -> AnswerDone:
    problem = _receipt_problem(event, summary, network_id, progress)
    outgoing = summary.outgoing
    export = ""
    if not problem:
        part = ReceiptPart(
            record=event.record,
            signature=event.signature,
            key=receipt_key(outgoing.request.answer_secret),
            request=outgoing.encoded,
            output_ids=tuple(progress.ids),
        )
        export = json.dumps(export_receipt(network_id, [part]))
    return AnswerDone(
        finish_reason=_finish_reason(event.reason),
        prompt_tokens=event.prompt_tokens,
        completion_tokens=len(progress.ids),
        cached_tokens=event.cached_tokens,
        served_by=node_id_text(outgoing.target.node_id),
        paths=tuple(tuple(node_id_text(hop) for hop in path) for path in summary.paths),
        n=outgoing.request.n,
        k=outgoing.request.k,
        ttft_ms=progress.ttft_ms,
        tokens_per_s=progress.tokens_per_s,
        receipt="failed" if problem else "verified",
        receipt_reason=problem or "Signed by the machine that answered; it matches the question and every token.",
        receipt_export=export,
    )


def _with_privacy(event: AnswerEvent, summary: AnswerSummary, full: Shape) -> AnswerEvent:
    """The last event says what carried the answer, however strong it was."""
    if not isinstance(event, AnswerDone):
        return event
    request = summary.outgoing.request
    return msgspec.structs.replace(event, privacy=privacy_of(summary.paths, request.n, request.k, full))


def _local_done(event: Done, progress: _Progress) -> AnswerDone:
    return AnswerDone(
        finish_reason=_finish_reason(event.reason),
        prompt_tokens=event.prompt_tokens,
        completion_tokens=event.completion_tokens,
        cached_tokens=event.cached_tokens,
        served_by="local",
        ttft_ms=progress.ttft_ms,
        tokens_per_s=progress.tokens_per_s,
        receipt_reason="Answered on this machine; nobody else saw it.",
    )


def _finish_reason(reason: str) -> Literal["stop", "length"]:
    return "length" if reason == "length" else "stop"
