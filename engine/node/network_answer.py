"""One answer through the overlay: asked of one machine after the other until it is complete.

While nothing has come another machine is simply asked the same. Once tokens have come the next machine is given them
and goes on behind them (hand-over): the same answer, as sampling noise depends on seed and position alone.
"""

from __future__ import annotations

import logging
import math
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from typing import Literal

import msgspec

from engine.api.service import AnswerDone, AnswerEvent, AnswerRequest, AnswerStage
from engine.clock import Clock
from engine.directory.shapes import Shape
from engine.errors import (
    ContextLengthError,
    InvalidRequestError,
    OverloadedError,
    RequestError,
    ServingNodeLeavingError,
    ServingNodeLostError,
    UnknownModelError,
    request_error,
)
from engine.ids import NetworkId, NodeId, node_id_text
from engine.inference.types import TokenLogprob
from engine.node.answer_progress import Progress
from engine.node.conversations import Conversation, Conversations
from engine.node.overlay_client import OverlayClient
from engine.node.privacy import accepted_of, privacy_of, sending_words
from engine.node.receipt_chain import ReceiptChain
from engine.node.requests import generation_of, question_of
from engine.paths.outgoing import Question, Target
from engine.paths.running_answer import AnswerSummary, Terms
from engine.sentences import say
from engine.verification.receipt_file import ReceiptPart
from engine.wire.answer import AnswerStyle, Checkpoint, Failed, Finished, FrameEvent, Stage, Tokens

logger = logging.getLogger(__name__)
MAX_TRIES = 3
"""Machines that are asked one after the other without a token from any of them."""
MAX_HAND_OVERS = 16
"""Of one answer."""
MAX_PATIENCE = 8.0
"""Times the usual silence that the machines of an answer are given after many hand-overs."""
MAX_ANSWER_CHARACTERS = 4_000_000
"""Of one answer; text may lag behind the tokens, so it is bounded on its own."""
STAGE_TEXT = {
    "queued": say("stage.place"),
    "prefill": say("stage.reads"),
    "decode": say("stage.writes"),
    "finishing": say("stage.finishes"),
}
_SAID_BY_MACHINES = (
    ContextLengthError,
    InvalidRequestError,
    OverloadedError,
    ServingNodeLostError,
    UnknownModelError,
)
_BROKEN = say("machine.broke")


class NetworkAnswer:
    """``digest``: of the model's version that this machine knows (None: any). ``only``: the one machine that is asked
    (None: whoever serves the model), which may pass the question on as the request permits. ``request_id``: of the
    request to it (empty: drawn), as nobody else is asked then."""

    def __init__(
        self,
        client: OverlayClient,
        network_id: NetworkId,
        conversations: Conversations,
        request: AnswerRequest,
        digest: bytes | None,
        progress: Progress,
        clock: Clock,
        only: NodeId | None = None,
        request_id: bytes = b"",
    ) -> None:
        self._client = client
        self._conversations = conversations
        self._conversation: Conversation = conversations.find(request)
        self._request = request
        self._digest = digest
        self._progress = progress
        self._clock = clock
        self._only = only
        self._request_id = request_id
        self._chain = ReceiptChain(network_id, clock)
        self._avoid: set[NodeId] = set()
        self._preferred: tuple[NodeId, ...] = ()  # what a machine that refused has recommended
        self._serving: NodeId | None = None  # of the attempt that runs
        self._first = 0  # its first token
        self._attempts = 0
        self._asked: list[NodeId] = []  # whom the question was sent to: they have read it, whoever answers
        self._fruitless = 0  # attempts without a token, one after the other
        self._loss: ServingNodeLostError | None = None  # why the answer had to be handed over last

    async def events(self) -> AsyncGenerator[AnswerEvent, None]:
        """See ``AnswerService.answer``."""
        yield AnswerStage(stage="connecting", text=say("stage.paths"))
        accepted = accepted_of(self._request.privacy)
        while True:
            shape = await self._client.wait_ready(self._conversation.name, accepted)
            target = self._choose(shape)
            attempt = self._attempt(target, shape)
            try:
                async for event in attempt:
                    yield event
                return
            except (ServingNodeLostError, OverloadedError, UnknownModelError) as error:
                stage = self._go_on(error, target)
            except InvalidRequestError:  # the rest of an answer can be too long to ask for
                if self._loss is not None:
                    raise self._loss from None
                raise
            finally:
                await attempt.aclose()
            yield stage

    @property
    def signed(self) -> ReceiptPart | None:
        """The newest receipt of the machine that answers, with what it opens; None while it has signed nothing."""
        return self._chain.latest

    @property
    def serving(self) -> NodeId | None:
        """Who answers, or was the last to do so; None while nobody does."""
        return self._serving

    # Which machine

    def _choose(self, shape: Shape) -> Target:
        request, progress = self._request, self._progress
        generation = msgspec.structs.replace(generation_of(request), continue_tokens=tuple(progress.ids))
        pinned = self._conversation.node
        if self._only is not None:
            return self._client.target_of(pinned or self._only, request.model_id, self._digest)
        try:
            return self._client.choose_target(
                self._conversation.name,
                generation,
                self._preferred if pinned is None else (pinned,),
                self._avoid,
                self._digest,
                shape,
                request.minimum_standing,
            )
        except (UnknownModelError, InvalidRequestError):
            if self._loss is not None:  # nobody can go on: what happened before matters
                raise self._loss from None
            raise

    def _others(self, without: set[NodeId]) -> bool:
        """Whether any machine besides these could make this answer, or the rest of it."""
        return self._only is None and self._client.has_others(self._request.model_id, self._digest, without)

    def _could_go_on(self, target: Target) -> bool:
        """Whether another machine could; one to which the question was passed on may live where the first is gone."""
        return self._attempts <= MAX_HAND_OVERS and self._others({target.node_id})

    def _go_on(self, error: RequestError, target: Target) -> AnswerStage:
        """Whether another machine is asked, and what the user hears of it; raises ``error``, or why the answer had to
        be handed over at all, when none is."""
        gone = {self._serving or target.node_id}
        if not isinstance(error, ServingNodeLeavingError):  # which only who answers says, not who had passed it on
            gone.add(target.node_id)
        gained = len(self._progress.ids) > self._first
        self._fruitless = 0 if gained else self._fruitless + 1
        self._avoid |= gone
        if not self._others(self._avoid) and (gained or len(gone) > 1):
            self._avoid = gone if len(gone) == 1 else {target.node_id}  # others may live, or be back
        self._conversation.node = None  # a refusal or its absence releases the pin
        self._preferred = tuple(NodeId(node) for node in error.alternatives)
        if isinstance(error, ServingNodeLostError) and not isinstance(error, ServingNodeLeavingError) and not gained:
            self._client.said_nothing(target.node_id)
        if isinstance(error, ServingNodeLostError) and self._progress.ids:
            self._loss = error
        exhausted = self._fruitless >= MAX_TRIES or self._attempts > MAX_HAND_OVERS
        if exhausted or not self._others(self._avoid) or (self._progress.characters and not self._progress.ids):
            raise self._loss or error
        logger.info("another machine is asked: %s", error)
        return AnswerStage(stage="connecting", estimate=error.estimate, text=_going_on(error, bool(self._loss)))

    def _may_serve(self, target: Target, shape: Shape) -> Callable[[NodeId], bool] | None:
        """Whom the machine that is asked may pass the question on to; None: nobody. Later turns of a chat go where the
        first one was answered, and the rest of an answer where it is asked for."""
        request = self._request
        if not request.may_forward or self._progress.ids or target.node_id == self._conversation.node:
            return None
        return self._client.may_serve(
            self._conversation.name, request.model_id, target, request.minimum_standing, shape
        )

    # One attempt

    def _question(self) -> Question:
        progress = self._progress
        return replace(
            question_of(self._request),
            minimum_standing=self._request.minimum_standing,
            continue_tokens=tuple(progress.ids),
            continue_characters=progress.characters,
            attempt=self._attempts,
            request_id=b"" if self._attempts else self._request_id,
        )

    async def _attempt(self, target: Target, shape: Shape) -> AsyncGenerator[AnswerEvent, None]:
        progress = self._progress
        may_serve = self._may_serve(target, shape)
        question = replace(self._question(), may_forward=may_serve is not None)
        terms = Terms(
            may_serve=may_serve,
            elsewhere=lambda: self._could_go_on(target),
            patience=min(MAX_PATIENCE, 2.0**self._attempts),
        )
        self._first, self._serving = len(progress.ids), None
        self._attempts += 1
        if target.node_id not in self._asked:
            self._asked.append(target.node_id)
        self._chain.begin(self._first)
        yield AnswerStage(stage="sending", text=sending_words(shape, self._client.choice.full))
        if not progress.ids:
            progress.reading.style(AnswerStyle())  # what another machine said of its own model is void
        stage = ""
        stream = self._client.ask(self._conversation.name, question, target, shape, terms)
        try:
            async for served in stream:
                self._serving = served.summary.serving
                for event in served.events:
                    if isinstance(event, Stage) and event.stage == stage and not event.place:
                        continue  # a heartbeat
                    stage = event.stage if isinstance(event, Stage) else ""
                    told = self._translate(event, served.summary)
                    if isinstance(event, Finished):  # before it is told: who has heard the end asks for no more
                        self._client.answered(target.node_id)
                        self._conversations.answered(
                            self._request, self._conversation, served.summary.serving, progress.reading.message
                        )
                    for out in told:
                        yield out
        finally:
            await stream.aclose()

    def _translate(self, event: FrameEvent, summary: AnswerSummary) -> list[AnswerEvent]:
        progress = self._progress
        match event:
            case Stage():
                if len(progress.ids) > self._first:
                    return []
                text = STAGE_TEXT.get(event.stage, event.stage)
                return [AnswerStage(stage=event.stage, place=event.place, estimate=event.estimate, text=text)]
            case Tokens():
                return [self._tokens(event, summary)]
            case AnswerStyle():
                if len(progress.ids) > self._first or (progress.characters and not self._first):
                    raise ServingNodeLostError(_BROKEN)
                if not progress.ids:  # a text that has begun is read on as it was begun
                    progress.reading.style(event)
                return []
            case Checkpoint():
                problem = self._chain.checkpoint(event, summary, progress.ids)
                if problem:
                    logger.warning("a checkpoint does not hold: %s", problem)
                return []
            case Failed():
                raise _failure(event, begun=len(progress.ids) > self._first)
            case Finished():
                return [*progress.rest(), self._done(event, summary)]

    def _tokens(self, event: Tokens, summary: AnswerSummary) -> AnswerEvent:
        progress, asked = self._progress, summary.outgoing.request
        too_long = progress.characters + len(event.text) > MAX_ANSWER_CHARACTERS
        too_many = len(progress.ids) + len(event.ids) > asked.max_tokens
        if event.first != len(progress.ids) or too_many or too_long or not _fits(event, asked.top_logprobs):
            raise ServingNodeLostError(_BROKEN)
        if event.ids:
            self._chain.made(summary.serving)
            self._digest = asked.model_digest  # no other version of the model can go on with it
        logprobs = tuple(TokenLogprob(one.token, one.text, one.logprob, one.top) for one in event.logprobs)
        return progress.add(event.ids, event.text, self._clock.monotonic(), logprobs)

    def _done(self, event: Finished, summary: AnswerSummary) -> AnswerDone:
        progress, request = self._progress, summary.outgoing.request
        problem, export = self._chain.finished(event, summary, progress.ids)
        return AnswerDone(
            finish_reason=finish_reason(event.reason),
            prompt_tokens=event.prompt_tokens,
            completion_tokens=len(progress.ids),
            cached_tokens=event.cached_tokens,
            served_by=node_id_text(summary.serving),
            machines=tuple(node_id_text(node) for node in self._chain.machines),
            asked=tuple(map(node_id_text, self._asked)),
            paths=tuple(tuple(node_id_text(hop) for hop in path) for path in summary.paths),
            n=request.n,
            k=request.k,
            ttft_ms=progress.ttft_ms,
            tokens_per_s=progress.tokens_per_s,
            receipt="failed" if problem else "verified",
            receipt_reason=problem or self._chain.verdict(),
            receipt_export=export,
            privacy=privacy_of(summary.paths, request.n, request.k, self._client.choice.full),
            standings=self._client.standings_of(dict.fromkeys(self._chain.machines or [summary.serving])),
        )


def _failure(event: Failed, *, begun: bool) -> RequestError:
    """What a machine says of its failure. Nothing but the question itself is a reason that holds for all others, too,
    and is one only before it has ``begun`` to answer: where it has an error, or says what it cannot know, another one
    may go on."""
    error = request_error(event.code, event.text, event.parameter or None)
    of_question = isinstance(error, ContextLengthError | InvalidRequestError)
    if (begun and of_question) or not isinstance(error, _SAID_BY_MACHINES):
        error = ServingNodeLostError(event.text or _BROKEN)
    error.estimate, error.alternatives = event.estimate, event.alternatives
    return error


def _going_on(error: RequestError, begun: bool) -> str:
    """What the user reads while another machine is asked."""
    if isinstance(error, ServingNodeLeavingError):
        return say("stage.left_goes_on") if begun else say("stage.left_asking")
    if isinstance(error, ServingNodeLostError):
        return say("stage.gone_goes_on") if begun else say("stage.gone_asking")
    if isinstance(error, OverloadedError):
        return say("stage.full_goes_on") if begun else say("stage.full_asking")
    return say("stage.changed_goes_on") if begun else say("stage.changed_asking")


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


def finish_reason(reason: str) -> Literal["stop", "length"]:
    """As OpenAI's API has it."""
    return "length" if reason == "length" else "stop"
