"""The model node's part of an engine: requests from the overlay go to inference, its events go back, receipted."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from engine.clock import Clock
from engine.crypto.identity import Identity
from engine.errors import (
    GenTorrentError,
    InferenceError,
    InvalidRequestError,
    OverloadedError,
    RequestError,
    ServingNodeLeavingError,
    UnknownModelError,
)
from engine.ids import NetworkId, NodeId, RequestId
from engine.inference.request_check import check_request, missing_abilities, unable
from engine.inference.types import (
    AnswerStyle,
    Delta,
    Done,
    GenerationEvent,
    GenerationRequest,
    InferenceBackend,
    ModelInfo,
    Queued,
    Started,
    TokenLogprob,
)
from engine.node.bringing_samples import BringingSamples
from engine.node.requests import generation_for
from engine.node.scoring_service import ScoringService
from engine.node.task_owner import TaskOwner
from engine.node.uncounted import Uncounted
from engine.paths.answer_sender import MAX_FRAME_TEXT
from engine.paths.serving import ExecutionStarted
from engine.sentences import say
from engine.verification.large_models.transcript import wants_score
from engine.verification.receipts import CommittedRequest, Served, execution_name, make_receipt, sign_receipt
from engine.wire.answer import (
    LOWEST_LOGPROB,
    MAX_TOKEN_BYTES,
    Checkpoint,
    Failed,
    Finished,
    FrameEvent,
    Request,
    Stage,
    TokenProbability,
    Tokens,
)

CHECKPOINT_TOKENS = 32
CHECKPOINT_SECONDS = 1.0
PAUSE_SECONDS = 0.02
LEAVING = ServingNodeLeavingError.code
MAX_ESTIMATE = 1e6
"""Seconds; what a frame can say (``engine.wire.answer.Stage``)."""
logger = logging.getLogger(__name__)

Push = Callable[[RequestId, FrameEvent], None]


class TooLongHereError(OverloadedError):
    """The owner of this machine takes no requests that long; others may."""


@dataclass(slots=True)
class _Transcript:
    """What has been served of one answer, for its receipts. Times are monotonic seconds."""

    identity: Identity
    network_id: NetworkId
    encoded: bytes
    tokenizer_digest: bytes
    attempt: int
    first: int
    begun: float
    entry: NodeId | None
    prompt_ids: tuple[int, ...] = ()
    output_ids: list[int] = field(default_factory=list)
    first_token: float | None = None
    committed: CommittedRequest | None = None  # from the first receipt on
    signed_tokens: int = 0
    signed_at: float = 0.0

    def add(self, ids: tuple[int, ...], now: float) -> None:
        """Tokens were served."""
        if ids and self.first_token is None:
            self.first_token = self.signed_at = now
        self.output_ids.extend(ids)

    @property
    def unsigned(self) -> int:
        """Tokens that no receipt covers yet."""
        return len(self.output_ids) - self.signed_tokens

    def due(self, now: float) -> bool:
        """Whether a checkpoint is due: every 32 tokens or every second with new ones."""
        new = self.unsigned
        return new >= CHECKPOINT_TOKENS or (new > 0 and now >= self.signed_at + CHECKPOINT_SECONDS)

    def sign(self, *, final: bool, now: float, wall: float) -> tuple[bytes, bytes]:
        """The receipt's record and signature for everything served so far."""
        self.signed_tokens, self.signed_at = len(self.output_ids), now
        self.committed = self.committed or CommittedRequest(self.encoded)
        total = (now - self.begun) * 1000
        first_token = self.first_token if self.first_token is not None else now
        served = Served(
            request=self.committed,
            attempt=self.attempt,
            final=final,
            first=self.first,
            prompt_ids=self.prompt_ids,
            output_ids=self.output_ids,
            tokenizer_digest=self.tokenizer_digest,
            ttft_ms=min((first_token - self.begun) * 1000, total),
            total_ms=total,
            issued=int(wall),
            entry=self.entry,
        )
        return sign_receipt(self.identity, make_receipt(self.identity, self.network_id, served))


class ServingRole(TaskOwner):
    """Makes the answers of accepted requests; owns one task per running answer."""

    def __init__(
        self,
        identity: Identity,
        network_id: NetworkId,
        backend: InferenceBackend,
        clock: Clock,
        push: Push,
        paused: Callable[[RequestId], bool],
        max_tokens_per_second: float | None,
    ) -> None:
        super().__init__()
        self._identity = identity
        self._network_id = network_id
        self._backend = backend
        self._clock = clock
        self._push = push
        self._paused = paused
        self._limit = max_tokens_per_second
        self._running: dict[RequestId, asyncio.Task[None]] = {}
        self._made: dict[RequestId, tuple[Request, _Transcript]] = {}  # of those that have got to the model
        self.signed: Callable[[bytes, bytes], None] = lambda _record, _signature: None
        """Hears of each receipt, its bytes and the signature, before it is sent."""
        self.overloaded: Callable[[Request], Failed] | None = None  # what is said where there is no place
        self.begins: Callable[[ExecutionStarted], None] = lambda _: None
        """Hears of each answer that is begun, before anything else is done,"""
        self.uncounted = Uncounted()
        """which hears when it has got to its model, and when it is over."""
        self.scoring: ScoringService | None = None  # scores answers of others, where verifiers cannot
        self.bringing: BringingSamples | None = None  # brings users' samples to the server
        self.offered: frozenset[str] = frozenset()  # the model ids that are served now
        self.longest_request: Callable[[], int | None] = lambda: None
        """Tokens of a prompt and its answer that the owner allows now; None: all."""
        self.served: Callable[[int], None] = lambda _: None
        """Hears how many tokens have been written for others."""
        self.finished: Callable[[], None] = lambda: None
        """Hears of each answer that has come to its end here."""

    @property
    def answering(self) -> int:
        """Answers being made."""
        return len(self._running)

    @property
    def answered_models(self) -> frozenset[str]:
        """The models that answer somebody now."""
        return frozenset(request.model_id for request, _ in self._made.values())

    def serves(self, request: Request) -> bool:
        """Whether the model is served now."""
        return request.model_id in self.offered

    def start(self, started: ExecutionStarted) -> None:
        """Begin an answer."""
        if self._tasks is None:
            self._push(started.request_id, Failed(code="overloaded", text="This machine is not serving at the moment."))
            return
        self.begins(started)
        task = self._tasks.create_task(self._serve(started))
        self._running[started.request_id] = task
        task.add_done_callback(lambda _: self._over(started.request_id))

    def _over(self, request_id: RequestId) -> None:
        self._running.pop(request_id, None)
        self._made.pop(request_id, None)
        self.uncounted.over(request_id)

    def leave(self, models: Collection[str]) -> None:
        """Serve these models no longer, from this moment on: whoever is being answered hears it, with a receipt for
        every token so far and the machines that may go on, and need not wait until this one is missed."""
        self.offered -= frozenset(models)
        for request_id, (request, _) in list(self._made.items()):
            if request.model_id not in models:
                continue
            told = self.overloaded(request) if self.overloaded is not None else Failed(code="", text="")
            text = "The machine that was answering stops contributing. Ask again; another one answers."
            self._end(request_id, Failed(LEAVING, text, alternatives=told.alternatives))
            self.cancel(request_id)

    def cancel(self, request_id: RequestId) -> None:
        """The client does not want this answer any more."""
        task = self._running.get(request_id)
        if task is not None:
            task.cancel()

    async def _serve(self, started: ExecutionStarted) -> None:
        request_id = started.request_id
        try:
            await self._generate(started)
        except RequestError as error:
            if isinstance(error, OverloadedError) and self.overloaded is not None:
                told = self.overloaded(started.request)
                if isinstance(error, TooLongHereError):
                    told = Failed(code=error.code, text=str(error)[:1000], alternatives=told.alternatives)
                self._end(request_id, told)
                return
            parameter = (error.parameter or "")[:100]
            self._end(request_id, Failed(code=error.code, text=str(error)[:1000], parameter=parameter))
        except InferenceError as error:
            logger.warning("an answer failed: %s", error)
            text = "The machine that was answering had to restart its model. Ask again."
            self._end(request_id, Failed(code="serving_node_lost", text=text))
        except GenTorrentError as error:
            logger.warning("an answer failed: %s", error)
            self._end(request_id, Failed(code="internal_error", text="The machine that was answering had an error."))
        except Exception as error:
            # A fault of ours that one stranger's request met must not end everybody's answers. Only its name is logged:
            # its text may hold the prompt.
            logger.error("an answer failed: %s", type(error).__name__)
            self._push(request_id, Failed(code="internal_error", text="The machine that was answering had an error."))

    def _end(self, request_id: RequestId, failed: Failed) -> None:
        """Say why it ends early, with a receipt for every token so far: somebody else may write the rest."""
        _, transcript = self._made.get(request_id, (None, None))
        if transcript is not None and transcript.unsigned:
            now, wall = self._clock.monotonic(), self._clock.wall()
            self._push(request_id, Checkpoint(*self._sign(transcript, final=False, now=now, wall=wall)))
        self._push(request_id, failed)

    def _model(self, request: Request) -> ModelInfo:
        for info in self._backend.models():
            if info.model_id == request.model_id and info.model_id in self.offered:
                if info.digest == request.model_digest:
                    return info
                raise UnknownModelError("This machine has another version of that model. Ask again.")
        raise UnknownModelError("This machine does not serve that model any more. Ask again.")

    async def _generate(self, started: ExecutionStarted) -> None:
        request = started.request
        info = self._model(request)
        if request.sample:
            if self.bringing is None:
                raise InvalidRequestError("This machine brings no samples.")
            self._push(started.request_id, await self.bringing.bring(request))
            return
        if wants_score(request):
            if self.scoring is None:
                raise InvalidRequestError("This machine scores no answers.")
            self._push(started.request_id, Stage(stage="prefill", place=0, estimate=0.0))
            self._push(started.request_id, await self.scoring.score(request))
            return
        transcript = _Transcript(
            identity=self._identity,
            network_id=self._network_id,
            encoded=started.encoded,
            tokenizer_digest=info.tokenizer_digest,
            attempt=request.attempt,
            first=len(request.continue_tokens),
            begun=self._clock.monotonic(),
            entry=started.entry,
        )
        self._made[started.request_id] = (request, transcript)
        generation = generation_for(request, info.context_length, self._limit)
        check_request(generation)
        missing = missing_abilities(generation, info)
        if missing:
            raise unable(info.model_id, missing, "at the machine that was asked")
        await self._admit(generation)
        events = self._backend.generate(generation)
        try:
            async for event in events:
                self.uncounted.taken(started.request_id, self._clock.monotonic())
                self._keep_to_length(started.request_id, generation, event, transcript)
                for frame_event in self._frame_events(event, transcript):
                    self._push(started.request_id, frame_event)
                while self._paused(started.request_id):  # noqa: ASYNC110 - a sans-I/O machine has no event
                    await asyncio.sleep(PAUSE_SECONDS)
        finally:
            close = getattr(events, "aclose", None)
            if close is not None:
                await close()

    def too_long(self, prompt: int, answer: int) -> str:
        """Why the owner takes no request of so many tokens; "" where that is no reason."""
        most = self.longest_request()
        return say("governor.too_long", most=most) if most is not None and prompt + answer > most else ""

    async def _admit(self, generation: GenerationRequest) -> None:
        """Before it waits for a place: what is too long goes elsewhere at once, where its length can be known."""
        if self.longest_request() is None:
            return
        shape = await self._backend.describe(generation)
        if shape is not None and (reason := self.too_long(shape.prompt_tokens, _least_answer(generation))):
            raise TooLongHereError(reason)

    def _keep_to_length(
        self, request_id: RequestId, generation: GenerationRequest, event: GenerationEvent, transcript: _Transcript
    ) -> None:
        """Who asks for an answer of any length gets what the owner allows; another machine may write the rest."""
        if isinstance(event, Started):
            prompt, answer = len(event.prompt_ids), _least_answer(generation)
        elif isinstance(event, Delta):
            prompt = len(transcript.prompt_ids)
            answer = transcript.first + len(transcript.output_ids) + len(event.ids)
        else:
            return
        reason = self.too_long(prompt, answer)
        if reason:
            raise TooLongHereError(reason)

    def _sign(self, transcript: _Transcript, *, final: bool, now: float, wall: float) -> tuple[bytes, bytes]:
        record, signature = transcript.sign(final=final, now=now, wall=wall)
        self.signed(record, signature)
        return record, signature

    def executions(self) -> list[bytes]:
        """The names of those that are running (see ``execution_name``)."""
        return [
            execution_name(request.request_id, transcript.attempt, transcript.first)
            for request, transcript in self._made.values()
        ]

    def _frame_events(self, event: GenerationEvent, transcript: _Transcript) -> list[FrameEvent]:
        now, wall = self._clock.monotonic(), self._clock.wall()
        match event:
            case Queued():
                stage = "queued" if event.place else "prefill"
                return [Stage(stage=stage, place=min(event.place, 65_535), estimate=min(event.estimate, MAX_ESTIMATE))]
            case Started():
                transcript.prompt_ids = event.prompt_ids
                style: list[FrameEvent] = [event.style] if event.style != AnswerStyle() else []
                return [*style, Stage(stage="prefill", place=0, estimate=0.0)]
            case Delta():
                return self._delta(event, transcript, now, wall)
            case Done():
                self.finished()
                record, signature = self._sign(transcript, final=True, now=now, wall=wall)
                return [
                    Finished(
                        reason=event.reason,
                        prompt_tokens=event.prompt_tokens,
                        completion_tokens=event.completion_tokens,
                        record=record,
                        signature=signature,
                        cached_tokens=event.cached_tokens,
                        waited_ms=min(max(int(event.waited_seconds * 1000), 0), 0xFFFF_FFFF),
                    )
                ]

    def _delta(self, event: Delta, transcript: _Transcript, now: float, wall: float) -> list[FrameEvent]:
        position = transcript.first + len(transcript.output_ids)
        transcript.add(event.ids, now)
        self.served(len(event.ids))
        out: list[FrameEvent] = []
        ids, probabilities = event.ids, tuple(_probability(told) for told in event.logprobs)
        if len(probabilities) == len(ids) > 1:  # a token with all its alternatives takes a fifth of a frame
            for place in range(len(ids) - 1):
                out.append(Tokens(position, ids[place : place + 1], "", probabilities[place : place + 1]))
                position += 1
            ids, probabilities = ids[-1:], probabilities[-1:]
        out.append(Tokens(first=position, ids=ids, text=event.text[:MAX_FRAME_TEXT], logprobs=probabilities))
        for start in range(MAX_FRAME_TEXT, len(event.text), MAX_FRAME_TEXT):
            end = transcript.first + len(transcript.output_ids)
            out.append(Tokens(first=end, ids=(), text=event.text[start : start + MAX_FRAME_TEXT]))
        if transcript.due(now):
            record, signature = self._sign(transcript, final=False, now=now, wall=wall)
            out.append(Checkpoint(record=record, signature=signature))
        return out


def _least_answer(generation: GenerationRequest) -> int:
    """Tokens of an answer that was asked for, at the least: who names no length may be content with little."""
    return generation.max_tokens or generation.min_tokens


def _probability(told: TokenLogprob) -> TokenProbability:
    """As the wire has it: bytes cut, minus infinity named."""
    top = tuple((token, text[:MAX_TOKEN_BYTES], _bounded(value)) for token, text, value in told.top)
    return TokenProbability(told.token, told.text[:MAX_TOKEN_BYTES], _bounded(told.logprob), top)


def _bounded(logprob: float) -> float:
    return min(max(logprob, LOWEST_LOGPROB), 0.0)
