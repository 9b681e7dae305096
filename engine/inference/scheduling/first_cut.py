"""The scheduler before batching, until the worker carries out step plans. Pure.

It knows sequences by number and handles token ids only; text, tensors and clocks are its callers' business. The worker
asks :meth:`Scheduler.next_step`, runs it, and reports with :meth:`Scheduler.prefilled` and :meth:`Scheduler.append`.
A sequence's tokens do not depend on what runs beside it: every step names whole sequences, and a sampler sees one row.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count

from engine.errors import ContextLengthError, OverloadedError

DEFAULT_EXPECTED_TOKENS = 256
"""Tokens that an answer is expected to have when estimates are made and its limit is higher."""
_RATE_MEMORY = 0.8  # weight of the past in the measured rates


class KvBudget:
    """A number of cache tokens, reserved for each sequence before it starts, so that none runs out in mid-answer."""

    def __init__(self, total: int) -> None:
        if total < 1:
            raise ValueError("the cache must hold at least one token")
        self._total = total
        self._held: dict[int, int] = {}

    @property
    def total(self) -> int:
        """Tokens that fit in all."""
        return self._total

    @property
    def free(self) -> int:
        """Tokens that nobody holds."""
        return self._total - sum(self._held.values())

    def reserve(self, key: int, tokens: int) -> bool:
        """Reserve ``tokens`` for sequence ``key``; False, and no change, when they do not fit."""
        if key in self._held:
            raise ValueError("this sequence has a reservation already")
        if tokens > self.free:
            return False
        self._held[key] = tokens
        return True

    def release(self, key: int) -> None:
        """Give back what ``key`` holds; nothing happens if it holds nothing."""
        self._held.pop(key, None)


def capacity(slots: int, context_length: int, bytes_per_token: int, budget_bytes: int) -> int:
    """Cache tokens to offer: what the memory allows, at least one full context, at most one for every slot."""
    affordable = budget_bytes // max(1, bytes_per_token)
    return max(context_length, min(slots * context_length, affordable))


@dataclass(frozen=True, slots=True)
class SchedulerSettings:
    """Limits of one model. Ids in ``end_ids`` end an answer."""

    context_length: int
    end_ids: frozenset[int]
    slots: int = 8
    queue_limit: int = 32
    prefill_chunk: int = 512


@dataclass(frozen=True, slots=True)
class Submission:
    """One answer to make. ``answer_ids`` were made elsewhere already and are continued."""

    prompt_ids: tuple[int, ...]
    max_tokens: int | None = None
    min_tokens: int = 0
    answer_ids: tuple[int, ...] = ()
    owner: bool = False
    max_tokens_per_second: float | None = None


@dataclass(frozen=True, slots=True)
class Prefill:
    """Feed ``ids`` to sequence ``key``; after the ``last`` chunk a token is drawn from the logits."""

    key: int
    ids: tuple[int, ...]
    last: bool


@dataclass(frozen=True, slots=True)
class Decode:
    """Feed each sequence its newest token and draw the next; ``pairs`` of (key, token)."""

    pairs: tuple[tuple[int, int], ...]


Step = Prefill | Decode


@dataclass(frozen=True, slots=True)
class Place:
    """Where a waiting sequence stands; ``place`` from 1, ``estimate`` in seconds to its first token."""

    key: int
    place: int
    estimate: float


@dataclass(slots=True)
class _Sequence:
    key: int
    submission: Submission
    limit: int  # tokens of the whole answer
    order: tuple[int, int]
    answer: list[int] = field(default_factory=list)
    fed: int = 0  # tokens in the cache
    ready_at: float = 0.0
    paced: bool = False

    @property
    def source(self) -> tuple[int, ...]:
        """What prefill feeds."""
        return self.submission.prompt_ids + self.submission.answer_ids

    @property
    def prefilling(self) -> bool:
        return self.fed < len(self.submission.prompt_ids) + len(self.submission.answer_ids)

    @property
    def remaining(self) -> int:
        """Tokens it is expected to make still."""
        return max(1, min(self.limit, DEFAULT_EXPECTED_TOKENS) - len(self.answer))


class Scheduler:
    """The sequences of one model."""

    def __init__(self, settings: SchedulerSettings, budget: KvBudget) -> None:
        self.settings = settings
        self.budget = budget
        self.prefill_rate = 0.0  # tokens per second of one prefill, 0 until measured
        self.decode_rate = 0.0  # tokens per second of all sequences together, 0 until measured
        self._waiting: list[_Sequence] = []
        self._running: dict[int, _Sequence] = {}
        self._numbers = count()
        self._decode_next = False

    # ------------------------------------------------------------------------------------------ what comes and goes

    def submit(self, key: int, submission: Submission, now: float) -> bool:
        """Take a sequence in; True if it runs at once, False if it waits.

        Raises :class:`ContextLengthError` or, with an estimate in words, :class:`OverloadedError`.
        """
        limit = self._answer_limit(submission)
        sequence = _Sequence(key, submission, limit, (0 if submission.owner else 1, next(self._numbers)))
        sequence.answer.extend(submission.answer_ids)
        sequence.ready_at = now
        self._waiting.append(sequence)
        self._waiting.sort(key=lambda one: one.order)
        self._admit()
        if len(self._waiting) > self.settings.queue_limit:
            self._waiting.remove(sequence)
            raise OverloadedError(
                f"All {self.settings.slots} places of this model are taken and {len(self._waiting)} requests wait "
                f"already. The next place is expected in about {max(1, round(self._estimate(len(self._waiting))))} s: "
                "try again then, or ask another node."
            )
        return key in self._running

    def finish(self, key: int) -> None:
        """Forget a sequence, wherever it stands, and let the next one run. Unknown keys are ignored."""
        self._running.pop(key, None)
        self._waiting = [one for one in self._waiting if one.key != key]
        self.budget.release(key)
        self._admit()

    def running(self) -> list[int]:
        """Keys that have a slot, oldest first."""
        return list(self._running)

    def places(self) -> list[Place]:
        """Where the waiting sequences stand."""
        return [Place(one.key, index + 1, self._estimate(index)) for index, one in enumerate(self._waiting)]

    def _answer_limit(self, submission: Submission) -> int:
        context = min(self.settings.context_length, self.budget.total)
        room = context - len(submission.prompt_ids)
        needed = max(1, submission.min_tokens, len(submission.answer_ids))
        if room < needed:
            raise ContextLengthError(
                f"The conversation has {len(submission.prompt_ids)} tokens and at least {needed} are needed for the "
                f"answer, but this model holds {context} together. Shorten the conversation or "
                "choose a model with a longer context."
            )
        return room if submission.max_tokens is None else min(room, submission.max_tokens)

    def _admit(self) -> None:
        while self._waiting and len(self._running) < self.settings.slots:
            first = self._waiting[0]
            if not self.budget.reserve(first.key, len(first.submission.prompt_ids) + first.limit):
                return  # it stays first, so that a long request is not overtaken for ever
            self._running[first.key] = self._waiting.pop(0)

    # ------------------------------------------------------------------------------------------------------- steps

    def next_step(self, now: float) -> Step | None:
        """The next piece of work, or None when everything waits for its time (see :meth:`next_deadline`).

        Prefill chunks and decode steps alternate, so that nobody stalls for longer than one chunk.
        """
        prefilling = min((one for one in self._running.values() if one.prefilling), key=_by_order, default=None)
        ready = [one for one in self._running.values() if not one.prefilling and one.ready_at <= now]
        if prefilling is not None and not (ready and self._decode_next):
            self._decode_next = True
            chunk = prefilling.source[prefilling.fed : prefilling.fed + self.settings.prefill_chunk]
            return Prefill(prefilling.key, chunk, prefilling.fed + len(chunk) == len(prefilling.source))
        self._decode_next = False
        if not ready:
            return None
        return Decode(tuple((one.key, one.answer[-1]) for one in sorted(ready, key=_by_order)))

    def next_deadline(self) -> float | None:
        """When a paced sequence may go on; None when nothing runs."""
        return min((one.ready_at for one in self._running.values()), default=None)

    def prefilled(self, key: int, tokens: int, seconds: float) -> None:
        """A chunk of ``tokens`` was fed in ``seconds``."""
        sequence = self._running.get(key)
        if sequence is not None:
            sequence.fed += tokens
        if tokens >= 16 and seconds > 0:
            self.prefill_rate = _smooth(self.prefill_rate, tokens / seconds)

    def decoded(self, tokens: int, seconds: float) -> None:
        """A decode step made ``tokens`` (one for each sequence) in ``seconds``."""
        if tokens and seconds > 0:
            self.decode_rate = _smooth(self.decode_rate, tokens / seconds)

    def append(self, key: int, token: int, now: float) -> str | None:
        """A token was drawn; "stop" or "length" when the answer ends with it (then call :meth:`finish`)."""
        sequence = self._running[key]
        sequence.answer.append(token)
        self._pace(sequence, now)
        return self.ended(key)

    def ended(self, key: int) -> str | None:
        """Why the sequence is complete as it stands, or None."""
        sequence = self._running[key]
        if sequence.answer and sequence.answer[-1] in self.settings.end_ids:
            return "stop"
        return "length" if len(sequence.answer) >= sequence.limit else None

    def suppressed(self, key: int) -> frozenset[int]:
        """Ids that may not be drawn next: the end of the turn, below ``min_tokens``."""
        sequence = self._running[key]
        few = len(sequence.answer) < min(sequence.submission.min_tokens, sequence.limit)
        return self.settings.end_ids if few else frozenset()

    def answer(self, key: int) -> list[int]:
        """The answer's ids so far, those made elsewhere included."""
        return self._running[key].answer

    def _pace(self, sequence: _Sequence, now: float) -> None:
        rate = sequence.submission.max_tokens_per_second
        if rate is None:
            sequence.ready_at = now
            return
        # One interval after the last due time: late steps do not add up to a burst, and early ones not to a drift.
        due = sequence.ready_at if sequence.paced else now
        sequence.paced = True
        sequence.ready_at = max(due + 1 / rate, now)

    # --------------------------------------------------------------------------------------------------- estimates

    def _estimate(self, ahead: int) -> float:
        """Seconds until somebody with ``ahead`` sequences before them in the queue has a first token."""
        prefill = self.prefill_rate or 200.0
        decode = self.decode_rate or 20.0
        prompts = sum(len(one.source) - one.fed for one in self._running.values())
        prompts += sum(len(one.source) for one in self._waiting[: ahead + 1])
        left = sum(one.remaining for one in self._running.values())
        left += sum(one.remaining for one in self._waiting[:ahead])
        # Of the work ahead, so much must be done that ahead + 1 places have become free.
        share = min(1.0, (ahead + 1) / max(1, len(self._running) + ahead))
        return prompts / prefill + share * left / decode


def _by_order(sequence: _Sequence) -> tuple[int, int]:
    return sequence.order


def _smooth(past: float, value: float) -> float:
    return value if past == 0 else _RATE_MEMORY * past + (1 - _RATE_MEMORY) * value
