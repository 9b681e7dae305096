"""One loaded model and the answers it is making: scheduler, runner, tokenizer and sampler put together.

Lives in the worker process, in its computing thread only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from engine.clock import Clock
from engine.errors import InferenceError, RequestError
from engine.inference.sampling.gumbel import Logits, TokenHistory, choose
from engine.inference.scheduling.first_cut import KvBudget, Prefill, Scheduler, SchedulerSettings, Step, Submission
from engine.inference.text.decoder import AnswerText
from engine.inference.types import (
    Delta,
    Done,
    GenerationEvent,
    GenerationRequest,
    ModelInfo,
    PromptMessage,
    Queued,
    Started,
)

Emit = Callable[[int, GenerationEvent | RequestError], None]
"""Called with an answer's key and its next event, or the error that ends it."""


class Model(Protocol):
    """What runs the graph (``engine.inference.runtime.runner.Runner``)."""

    def new_state(self) -> Any: ...

    def feed(self, state: Any, ids: Sequence[int]) -> Logits: ...


class Texts(Protocol):
    """What knows the tokens (``engine.inference.text.tokenizer.ChatTokenizer``)."""

    def prompt_ids(self, messages: Sequence[PromptMessage]) -> tuple[int, ...]: ...

    def decode(self, ids: Sequence[int]) -> str: ...


@dataclass(slots=True)
class _Answer:
    request: GenerationRequest
    prompt_ids: tuple[int, ...]
    history: TokenHistory
    text: AnswerText
    stopped: bool  # the tokens to continue hold a stop string already
    state: Any = None  # the model's cache, from the first step on
    started: bool = False
    place: int = 0


class ModelHost:
    """Answers of one model. ``info`` describes the model without what is measured."""

    def __init__(
        self,
        info: ModelInfo,
        model: Model,
        texts: Texts,
        settings: SchedulerSettings,
        budget: KvBudget,
        clock: Clock,
        emit: Emit,
    ) -> None:
        self._info = info
        self._model = model
        self._texts = texts
        self._scheduler = Scheduler(settings, budget)
        self._clock = clock
        self._emit = emit
        self._answers: dict[int, _Answer] = {}

    def info(self) -> ModelInfo:
        """The model with the rates and free cache of this moment."""
        info = self._info
        return ModelInfo(
            model_id=info.model_id,
            digest=info.digest,
            tokenizer_digest=info.tokenizer_digest,
            context_length=info.context_length,
            slots=info.slots,
            prefill_rate=self._scheduler.prefill_rate,
            decode_rate=self._scheduler.decode_rate,
            kv_tokens_total=self._scheduler.budget.total,
            kv_tokens_free=self._scheduler.budget.free,
        )

    def measure(self, prompt: int = 64, steps: int = 8) -> None:
        """Run a short made-up sequence, so that the first estimates are not guesses."""
        tokens = max(1, min(prompt, self._info.context_length // 2))
        state = self._model.new_state()
        self._model.feed(state, [0])  # the first run of a session allocates
        state = self._model.new_state()
        begin = self._clock.monotonic()
        self._model.feed(state, [0] * tokens)
        self._scheduler.prefilled(-1, tokens, self._clock.monotonic() - begin)
        begin = self._clock.monotonic()
        for _ in range(steps):
            self._model.feed(state, [0])
        self._scheduler.decoded(steps, self._clock.monotonic() - begin)

    # ---------------------------------------------------------------------------------------------- requests

    def submit(self, key: int, request: GenerationRequest) -> None:
        """Take a request; every outcome, refusals too, goes to ``emit``."""
        try:
            prompt_ids = self._texts.prompt_ids(request.messages)
            self._accept(key, request, prompt_ids)
        except RequestError as error:
            self._answers.pop(key, None)
            self._emit(key, error)
        self._announce()

    def _accept(self, key: int, request: GenerationRequest, prompt_ids: tuple[int, ...]) -> None:
        text = AnswerText(self._texts.decode, request.stop, request.min_tokens)
        stopped = False
        for token in request.continue_tokens:  # their text was delivered by whoever made them
            stopped = text.push(token)[1] or stopped
        submission = Submission(
            prompt_ids=prompt_ids,
            max_tokens=request.max_tokens,
            min_tokens=request.min_tokens,
            answer_ids=request.continue_tokens,
            owner=request.owner,
            max_tokens_per_second=request.max_tokens_per_second,
        )
        history = TokenHistory(prompt_ids, request.continue_tokens)
        self._answers[key] = _Answer(request, prompt_ids, history, text, stopped)
        self._scheduler.submit(key, submission, self._clock.monotonic())

    def cancel(self, key: int) -> None:
        """Forget an answer; nothing is emitted for it any more."""
        self._answers.pop(key, None)
        self._scheduler.finish(key)
        self._announce()

    def close(self, error: RequestError) -> None:
        """End every answer with ``error``."""
        for key in list(self._answers):
            self._fail(key, error)

    def _announce(self) -> None:
        """Tell those whose turn has come and those whose place in the queue has changed."""
        complete = []
        for key in self._scheduler.running():
            answer = self._answers[key]
            if not answer.started:
                answer.started = True
                self._emit(key, Started(answer.prompt_ids))
                if answer.request.continue_tokens and (answer.stopped or self._scheduler.ended(key)):
                    complete.append(key)
        for place in self._scheduler.places():
            answer = self._answers[place.key]
            if answer.place != place.place:
                answer.place = place.place
                self._emit(place.key, Queued(place.place, place.estimate))
        for key in complete:
            answer = self._answers[key]
            reason = "stop" if answer.stopped else self._scheduler.ended(key)
            rest = "" if answer.stopped else answer.text.flush()
            self._end(key, reason or "stop", rest)

    # ------------------------------------------------------------------------------------------------- steps

    def next_deadline(self) -> float | None:
        """When :meth:`step` has something to do; None while nothing runs."""
        return self._scheduler.next_deadline()

    def step(self) -> bool:
        """Run one step; False when there is nothing to do yet."""
        step = self._scheduler.next_step(self._clock.monotonic())
        if step is None:
            return False
        self._run(step)
        return True

    def _run(self, step: Step) -> None:
        begin = self._clock.monotonic()
        if isinstance(step, Prefill):
            logits = self._feed(step.key, step.ids)
            self._scheduler.prefilled(step.key, len(step.ids), self._clock.monotonic() - begin)
            if logits is not None and step.last:
                self._draw(step.key, logits)
            return
        for key, token in step.pairs:
            logits = self._feed(key, (token,))
            if logits is not None:
                self._draw(key, logits)
        self._scheduler.decoded(len(step.pairs), self._clock.monotonic() - begin)

    def _feed(self, key: int, ids: Sequence[int]) -> Logits | None:
        answer = self._answers.get(key)
        if answer is None:
            return None
        try:
            if answer.state is None:
                answer.state = self._model.new_state()
            return self._model.feed(answer.state, ids)
        except InferenceError as error:
            self._fail(key, RequestError(str(error)))
            return None

    def _draw(self, key: int, logits: Logits) -> None:
        answer = self._answers[key]
        position = len(self._scheduler.answer(key))
        try:
            suppressed = self._scheduler.suppressed(key)
            token = choose(logits, answer.request.sampling, position, answer.history, suppressed)
        except InferenceError as error:
            self._fail(key, RequestError(str(error)))
            return
        answer.history.append(token)
        reason = self._scheduler.append(key, token, self._clock.monotonic())
        # The end-of-turn token has an id in the answer but never a text, whatever the tokenizer says of it.
        shown, stopped = answer.text.push(token) if reason != "stop" else ("", False)
        if stopped:
            reason = "stop"
        elif reason is not None:
            shown += answer.text.flush()
        self._emit(key, Delta((token,), shown))
        if reason is not None:
            self._end(key, reason, "")

    def _end(self, key: int, reason: str, rest: str) -> None:
        answer = self._answers.pop(key)
        made = len(self._scheduler.answer(key))
        if rest:
            self._emit(key, Delta((), rest))
        self._emit(key, Done(reason, len(answer.prompt_ids), made))
        self._scheduler.finish(key)
        self._announce()

    def _fail(self, key: int, error: RequestError) -> None:
        self._answers.pop(key, None)
        self._scheduler.finish(key)
        self._emit(key, error)
        self._announce()
