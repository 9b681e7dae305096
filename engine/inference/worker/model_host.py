"""One loaded model and the answers it is making: scheduler, runner, tokenizer and sampler put together.

Lives in the worker process, in its computing thread only.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.clock import Clock
from engine.errors import InferenceError, ProviderFailedError, RequestError
from engine.forwarding.digests import prefix_digests, root_digest
from engine.inference.runtime.runner import StepLogits
from engine.inference.sampling.batch import Choice, Draw, choose_batch, wanted_top
from engine.inference.scheduling.plan import Row, StepPlan
from engine.inference.scheduling.scheduler import Scheduler
from engine.inference.types import (
    CacheChange,
    CacheNews,
    Delta,
    Done,
    GenerationEvent,
    GenerationRequest,
    ModelInfo,
    PromptShape,
    Queued,
    Started,
    TokenScores,
)
from engine.inference.worker.answer import Answer, Grammars, Texts, begin, reported, submission
from engine.inference.worker.running_score import RunningScore

NEWS_SIZE = 20_000
"""Digests and ids in one message about the cache, at most (one block alone may have more): under a megabyte."""
Emit = Callable[[int, GenerationEvent | TokenScores | RequestError], None]
"""Called with an answer's key and its next event, or the error that ends it; with a score's key and the score."""


class Model(Protocol):
    """What runs the graph (``engine.inference.runtime.runner.Runner``)."""

    @property
    def bytes_per_token(self) -> int: ...

    def reserve(self, capacity: int) -> None: ...

    def release_slots(self, slots: Sequence[int]) -> None: ...

    def free_blocks(self, blocks: Sequence[int]) -> None: ...

    def move(self, source: int, target: int, length: int) -> None: ...

    def load_blocks(self, slot: int, blocks: Sequence[int]) -> None: ...

    def store_block(self, slot: int, position: int, block: int) -> None: ...

    def step(self, rows: Sequence[Row], top: int = 0) -> StepLogits: ...

    def close(self) -> None: ...


class ModelHost:
    """Answers of one model. ``info`` describes the model without what is measured; ``share``: whether a prompt's cached
    part may be used for another request (not where rows depend on what is computed beside them)."""

    def __init__(
        self,
        info: ModelInfo,
        model: Model,
        texts: Texts,
        grammars: Grammars,
        scheduler: Scheduler,
        clock: Clock,
        emit: Emit,
        *,
        share: bool = True,
    ) -> None:
        self._info = info
        self._model = model
        self._texts = texts
        self._grammars = grammars
        self._scheduler = scheduler
        self._clock = clock
        self._emit = emit
        self._share = share
        self._answers: dict[int, Answer] = {}
        self._scores: dict[int, RunningScore] = {}
        self._changes_lost = 0

    def info(self) -> ModelInfo:
        """The model with the rates and free cache of this moment."""
        scheduler = self._scheduler
        work = scheduler.work()
        return msgspec.structs.replace(
            self._info,
            prefill_rate=scheduler.prefill_rate,
            decode_rate=scheduler.decode_rate,
            kv_tokens_total=scheduler.kv_tokens_total,
            kv_tokens_free=scheduler.kv_tokens_free,
            kv_tokens_cached=scheduler.kv_tokens_cached,
            queue_tokens=work.queue_tokens,
            waiting=work.waiting,
            running=work.running,
            output_tokens=work.output_tokens,
            context_tokens=work.context_tokens,
            decode_rate_alone=scheduler.decode_rate_alone,
            first_token_seconds=work.first_token_seconds,
        )

    def measure(self, prompt: int = 64, steps: int = 8) -> None:
        """Run a short made-up sequence, so that the first estimates are not guesses."""
        tokens = max(1, min(prompt, self._info.context_length // 2))
        steps = min(steps, self._info.context_length - tokens)
        self._model.reserve(tokens + steps)
        self._model.step([Row(-1, 0, 0, (0,), True)])  # the first run of a session allocates
        begun = self._clock.monotonic()
        self._model.step([Row(-1, 0, 0, (0,) * tokens, True)])
        self._scheduler.measured_prefill(tokens, self._clock.monotonic() - begun)
        for step in range(steps):
            begun = self._clock.monotonic()
            self._model.step([Row(-1, 0, tokens + step, (0,), True)])
            self._scheduler.measured_decode(1, self._clock.monotonic() - begun)
        self._model.release_slots([0])

    # ---------------------------------------------------------------------------------------------- requests

    def submit(self, key: int, request: GenerationRequest) -> None:
        """Take a request; every outcome, refusals too, goes to ``emit``."""
        try:
            end_ids = self._scheduler.settings.end_ids
            answer = begin(request, self._texts, self._grammars, self._info.vocabulary, end_ids)
            self._answers[key] = answer
            wanted = submission(answer, self._texts, share=self._share)
            self._scheduler.submit(key, wanted, self._clock.monotonic())
        except InferenceError as error:  # the form that the answer must have
            self._answers.pop(key, None)
            self._emit(key, RequestError(str(error)))
        except RequestError as error:
            self._answers.pop(key, None)
            self._emit(key, error)
        self._announce()

    def score(self, key: int, request: GenerationRequest, output_ids: Sequence[int]) -> None:
        """Take an answer to be judged; the :class:`TokenScores`, or why there are none, go to ``emit``."""
        end_ids = self._scheduler.settings.end_ids
        try:
            score = RunningScore(request, output_ids, self._texts, self._grammars, self._info.vocabulary, end_ids)
            if not score.complete:
                wanted = score.submission(self._info.context_length, share=self._share)
                self._scheduler.submit(key, wanted, self._clock.monotonic())
                self._scores[key] = score
        except InferenceError as error:
            self._emit(key, RequestError(str(error)))
        except RequestError as error:
            self._emit(key, error)
        else:
            if score.complete:
                self._emit(key, score.scores())
        self._announce()

    def describe(self, request: GenerationRequest) -> PromptShape | None:
        """The prompt of a request that is not made here (yet); None for one that is wrong."""
        try:
            ids = request.prompt_tokens or self._texts.prompt(request).ids
            public = self._texts.public_tokens(request, ids) if self._share else 0
            root = root_digest(self._info.digest, self._info.tokenizer_digest)
            return PromptShape(len(ids), public, prefix_digests(root, ids, public))
        except (RequestError, InferenceError, struct.error):  # the last: ids that no model has
            return None

    def cancel(self, key: int) -> None:
        """Forget an answer or a score; nothing is emitted for it any more."""
        self._forget(key)
        self._scheduler.finish(key)
        self._announce()

    def set_budget(self, kv_bytes: int) -> None:
        """So much memory for caches from now on; answers that can never fit any more end with an error."""
        tokens = kv_bytes // max(1, self._model.bytes_per_token)
        for key, error in self._scheduler.set_budget(tokens, self._clock.monotonic()):
            if self._forget(key):
                self._emit(key, error)
        self._announce()

    def close(self, error: RequestError) -> None:
        """End every answer and score with ``error`` and give the model's memory back."""
        for key in [*self._answers, *self._scores]:
            self._fail(key, error)
        self._model.close()

    def cache_news(self) -> list[CacheNews]:
        """What has changed in the public part of the prefix cache since the last call, in pieces that fit into frames
        of the pipe."""
        lost = self._scheduler.events_lost
        if lost != self._changes_lost:
            self._changes_lost = lost
            self._scheduler.events()
            changes = self._scheduler.cache.public_blocks()
            reset = True
        else:
            changes, reset = iter(self._scheduler.events()), False
        pieces: list[list[CacheChange]] = [[]] if reset else []
        size = 0
        for one in changes:
            size += len(one.path) + len(one.ids)
            if not pieces or size > NEWS_SIZE:
                pieces.append([])
                size = len(one.path) + len(one.ids)
            pieces[-1].append(CacheChange(one.inserted, one.path, one.ids))
        model_id = self._info.model_id
        return [CacheNews(model_id, tuple(told), reset and not place) for place, told in enumerate(pieces)]

    def _announce(self) -> None:
        """Tell those whose turn has come and those whose place in the queue has changed."""
        complete = []
        for key in self._scheduler.running():
            answer = self._answers.get(key)
            if answer is not None and not answer.started:
                answer.started = True
                self._emit(key, Started(answer.prompt_ids, self._scheduler.cached_tokens(key), answer.style))
                if answer.missed:
                    self._emit(key, Delta((), answer.missed))
                if answer.request.continue_tokens and (answer.stopped or self._scheduler.ended(key)):
                    complete.append(key)
        for place in self._scheduler.places():
            answer = self._answers.get(place.key)
            if answer is not None and answer.place != place.place:
                answer.place = place.place
                self._emit(place.key, Queued(place.place, place.estimate))
        for key in complete:
            answer = self._answers[key]
            reason = "stop" if answer.stopped else self._scheduler.ended(key)
            rest = "" if answer.stopped else answer.text.flush()[answer.delivered :]
            self._end(key, reason or "stop", rest)

    # ------------------------------------------------------------------------------------------------- steps

    @property
    def owner_waits(self) -> bool:
        """Whether a request of the owner waits for a place."""
        return self._scheduler.owner_waits

    def next_deadline(self, owner_only: bool = False) -> float | None:
        """When :meth:`step` has something to do; None while nothing runs."""
        return self._scheduler.next_deadline(owner_only)

    def step(self, pace: float = 1.0, owner_only: bool = False) -> bool:
        """Run one step; False when there is nothing to do yet. :class:`ProviderFailedError` ends the process.
        ``pace``: share of the time in which there are steps for others, so that rates are told as they come to be.
        ``owner_only``: the others' answers rest."""
        plan = self._scheduler.next_step(self._clock.monotonic(), owner_only)
        if plan is None:
            return False
        begun = self._clock.monotonic()
        drawing = [row for row in plan.rows if row.draw]
        draws = [self._wish(row.key) for row in drawing if row.key in self._answers]
        try:
            logits = self._carry_out(plan, [draw for draw in draws if isinstance(draw, Draw)])
        except ProviderFailedError:
            raise
        except InferenceError as error:
            self._scheduler.failed(plan)
            if len(plan.rows) == 1:
                self._fail(plan.rows[0].key, RequestError(str(error)))
            return True
        now = self._clock.monotonic()
        self._scheduler.completed(plan, (now - begun) / pace, now)
        if logits is not None and drawing:
            self._use(drawing, draws, logits)
        return True

    def _use(self, rows: Sequence[Row], draws: Sequence[Draw | InferenceError], logits: StepLogits) -> None:
        """Answers take their tokens, scores their numbers."""
        ends = list(accumulate(row.draw for row in rows))
        answers = [(row, end - 1) for row, end in zip(rows, ends, strict=True) if row.key in self._answers]
        scores = [(row, end) for row, end in zip(rows, ends, strict=True) if row.key in self._scores]
        if answers:
            drawn = _rows_of(logits, [place for _, place in answers]) if scores else logits
            self._draw([row for row, _ in answers], draws, drawn)
        for row, end in scores:
            self._judge(row, logits.logits[end - row.draw : end])

    def _judge(self, row: Row, logits: NDArray[np.float32]) -> None:
        score = self._scores[row.key]
        try:
            score.take(row.start + len(row.ids), logits)
        except InferenceError as error:
            self._fail(row.key, RequestError(str(error)), broken=True)
            return
        if score.complete:
            self._forget(row.key)
            self._scheduler.finish(row.key)
            self._emit(row.key, score.scores())
            self._announce()

    def _wish(self, key: int) -> Draw | InferenceError:
        try:
            return self._answers[key].draw(self._scheduler.answer_length(key), self._scheduler.suppressed(key))
        except InferenceError as error:
            return error

    def _carry_out(self, plan: StepPlan, draws: Sequence[Draw]) -> StepLogits | None:
        model = self._model
        if plan.freed_slots:
            model.release_slots(plan.freed_slots)
        if plan.freed_blocks:
            model.free_blocks(plan.freed_blocks)
        if plan.capacity:
            model.reserve(plan.capacity)
        for move in plan.moves:
            model.move(move.source, move.target, move.length)
        for load in plan.loads:
            model.load_blocks(load.slot, load.blocks)
        logits = model.step(plan.rows, wanted_top(draws)) if plan.rows else None
        for store in plan.stores:
            model.store_block(store.slot, store.position, store.block)
        return logits

    def _draw(self, rows: Sequence[Row], draws: Sequence[Draw | InferenceError], logits: StepLogits) -> None:
        places = [place for place, draw in enumerate(draws) if isinstance(draw, Draw)]
        if len(places) < len(draws):
            logits = _rows_of(logits, places)
        wishes = [draw for draw in draws if isinstance(draw, Draw)]
        outcomes: dict[int, Choice | InferenceError] = dict(
            zip(places, choose_batch(wishes, logits.logits, logits.top_values, logits.top_ids), strict=True)
        )
        for place, (row, draw) in enumerate(zip(rows, draws, strict=True)):
            outcome = draw if isinstance(draw, InferenceError) else outcomes[place]
            if isinstance(outcome, Choice):
                self._take(row.key, outcome)
            else:
                self._fail(row.key, RequestError(str(outcome)), broken=outcome is not draw)

    def _take(self, key: int, choice: Choice) -> None:
        answer = self._answers[key]
        token = choice.token
        try:
            answer.accept(token)
        except InferenceError as error:
            self._fail(key, RequestError(str(error)))
            return
        reason = self._scheduler.append(key, token, self._clock.monotonic())
        # The end-of-turn token has an id in the answer but never a text, whatever the tokenizer says of it.
        shown, stopped = answer.push(token) if reason != "stop" else ("", False)
        if stopped:
            reason = "stop"
        elif reason is not None:
            shown += answer.text.flush()
        self._emit(key, Delta((token,), shown, reported(choice, self._texts)))
        if reason is not None:
            self._end(key, reason, "")

    def _end(self, key: int, reason: str, rest: str) -> None:
        answer = self._answers.pop(key)
        made = self._scheduler.answer_length(key)
        if rest:
            self._emit(key, Delta((), rest))
        cached, waited = self._scheduler.cached_tokens(key), self._scheduler.waited(key)
        self._emit(key, Done(reason, len(answer.prompt_ids), made, cached, waited))
        self._scheduler.finish(key)
        self._announce()

    def _forget(self, key: int) -> bool:
        """Whether there was such an answer or score."""
        return self._answers.pop(key, None) is not None or self._scores.pop(key, None) is not None

    def _fail(self, key: int, error: RequestError, *, broken: bool = False) -> None:
        self._forget(key)
        self._scheduler.finish(key, broken)
        self._emit(key, error)
        self._announce()


def _rows_of(logits: StepLogits, places: Sequence[int]) -> StepLogits:
    """Some rows of a step."""
    if logits.top_values is None or logits.top_ids is None:
        return StepLogits(logits.logits[places], None, None)
    return StepLogits(logits.logits[places], logits.top_values[places], logits.top_ids[places])
