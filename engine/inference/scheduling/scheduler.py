"""Which step the model takes next: admission, fairness, prefill chunks, memory, pacing, limits. Pure.

It knows sequences by number and handles token ids only; text, tensors and clocks are its callers' business. The worker
asks :meth:`Scheduler.next_step`, carries the plan out, and reports with :meth:`Scheduler.completed` (or
:meth:`Scheduler.failed`) and, for each token it draws, :meth:`Scheduler.append`. One plan is carried out at a time.
A sequence's tokens do not depend on what runs beside it: rows name whole sequences, and a sampler sees one row.
"""

from __future__ import annotations

from itertools import count

from engine.errors import OverloadedError
from engine.inference.scheduling.building import Flight, find
from engine.inference.scheduling.choosing import StepChooser
from engine.inference.scheduling.plan import BLOCK_TOKENS, CacheEvent, StepPlan
from engine.inference.scheduling.prefix_cache import PrefixCache
from engine.inference.scheduling.rates import Rates
from engine.inference.scheduling.running import RunningSequences
from engine.inference.scheduling.sequence import Sequence, blocks_for
from engine.inference.scheduling.submission import Place, SchedulerSettings, Submission, Work, answer_limit, check

__all__ = ["Place", "Scheduler", "SchedulerSettings", "Submission", "Work"]


class Scheduler:
    """The sequences of one model. What ``cache.budget`` is at first, in blocks, is the memory for sequences and cache
    together."""

    def __init__(self, settings: SchedulerSettings, cache: PrefixCache) -> None:
        self.settings = settings
        self.cache = cache
        self._rates = Rates()
        reserved = settings.slots * blocks_for(settings.context_length) if settings.whole_slots else 0
        self._running = RunningSequences(cache, settings.slots, reserved)
        self._memory = self._running.memory
        self._waiting = self._running.waiting
        self._chooser = StepChooser(settings, self._running, self._rates)
        self._all: dict[int, Sequence] = {}
        self._suspects: set[Sequence] = set()
        self._numbers = count()
        self._flight: Flight | None = None

    # ------------------------------------------------------------------------------------------ what comes and goes

    def submit(self, key: int, submission: Submission, now: float) -> bool:
        """Take a sequence in; True if it runs at once, False if it waits.

        Raises :class:`InvalidRequestError`, :class:`ContextLengthError` or, with an estimate in words,
        :class:`OverloadedError`.
        """
        if key in self._all:
            raise ValueError("this key is in use")
        check(submission)
        limit = answer_limit(submission, self.settings.context_length, self.kv_tokens_total)
        sequence = Sequence(key, submission, next(self._numbers), limit, now)
        sequence.over = self._reason(sequence) is not None
        self._all[key] = sequence
        self._running.add(sequence)
        if sequence.slot < 0 and self._waiting.newcomers(sequence.owner) > self.settings.queue_limit:
            self._running.remove(sequence)
            del self._all[key]
            raise self._overloaded()
        if sequence.slot < 0:
            find(self.cache, sequence)  # only what it lacks is counted as work to come
        return sequence.slot >= 0

    def finish(self, key: int, broken: bool = False) -> None:
        """Forget a sequence, wherever it stands, and let the next one run. Unknown keys are ignored. ``broken``: its
        numbers were wrong (call it after :meth:`completed`): what it left in the prefix cache goes too."""
        sequence = self._all.pop(key, None)
        if sequence is None:
            return
        self._suspects.discard(sequence)
        tail = sequence.tail
        self._running.remove(sequence)
        if broken and tail is not None:
            self.cache.drop(tail)
        self._running.admit()

    def running(self) -> list[int]:
        """Keys that have a slot, oldest first."""
        return [one.key for one in self._running.in_order()]

    def places(self) -> list[Place]:
        """Where those stand who wait for their first turn."""
        line = self._waiting.in_order()
        running = self._running.in_order()
        return [
            Place(one.key, index + 1, self._rates.estimate(running, line[: index + 1]))
            for index, one in enumerate(line)
            if not one.admitted
        ]

    def set_budget(self, tokens: int, now: float) -> list[tuple[int, OverloadedError]]:
        """From now on use memory for ``tokens`` (rounded down to whole blocks): evict, and let running sequences wait.

        Returns those that can never fit any more, with what to tell them; they are forgotten here already.
        """
        total = max(0, tokens) // BLOCK_TOKENS
        room = min(self.settings.context_length, total * BLOCK_TOKENS)
        refused = []
        for sequence in [one for one in self._all.values() if not one.over]:
            if len(sequence.tokens) < total * BLOCK_TOKENS:
                wanted = sequence.submission.max_tokens
                sequence.limit = room - sequence.prompt_length
                if wanted is not None:
                    sequence.limit = min(sequence.limit, wanted)
                continue
            refused.append((sequence.key, _no_memory(len(sequence.tokens), total * BLOCK_TOKENS)))
            del self._all[sequence.key]
            self._suspects.discard(sequence)
            self._running.remove(sequence)
        self._running.resize(total)
        self._running.admit()
        return refused

    # ------------------------------------------------------------------------------------------------------- steps

    def next_step(self, now: float, owner_only: bool = False) -> StepPlan | None:
        """The next piece of work, or None when everything waits for its time (see :meth:`next_deadline`).
        ``owner_only``: strangers' answers stay where they are.

        A plan without rows only says what was freed; it is made when nothing can run.
        """
        if self._flight is not None:
            raise ValueError("the plan before this one was neither completed nor failed")
        self._running.admit()
        suspects = [
            one for one in self._suspects if one.slot >= 0 and one.available(now) > 0 and (one.owner or not owner_only)
        ]
        if suspects:
            builder = self._chooser.choose_one(min(suspects, key=lambda one: one.order), now)
        else:
            builder = self._chooser.choose(now, owner_only)
        self._flight = builder.build(self._running.slots, self.settings.context_length)
        return None if self._flight is None else self._flight.plan

    @property
    def owner_waits(self) -> bool:
        """Whether a request of the owner waits for a place, which strangers have."""
        return self._waiting.owner_waits

    def next_deadline(self, owner_only: bool = False) -> float | None:
        """When :meth:`next_step` has something to do; None when nothing runs."""
        times = [
            0.0 if 0 < one.fed < len(one.tokens) - 1 else one.ready_at
            for one in self._running.by_key.values()
            if not one.over and one.fed < len(one.tokens) and (one.owner or not owner_only)
        ]
        if not times and (self._running.slots.pending or self.cache.freed):
            return 0.0
        return min(times, default=None)

    def completed(self, plan: StepPlan, seconds: float, now: float) -> None:
        """The plan was carried out in ``seconds``: what it fed and stored is there from now on."""
        flight = self._land(plan)
        for sequence, epoch, end in flight.ends:
            if sequence.epoch == epoch:
                sequence.fed = end
                if sequence.suspect and end >= sequence.suspect:
                    sequence.suspect = 0
                    self._suspects.discard(sequence)
        for node in flight.pending:
            self.cache.commit(node)
        self._settle(flight)
        self._rates.step(flight.prompt_tokens, flight.answer_tokens, seconds)

    def failed(self, plan: StepPlan) -> None:
        """The plan raised an error: whoever was part of it begins anew, without losing a token.

        Those that were fed run one at a time until they are past the place, so that the one whose fault it is (if it
        is one's fault) fails alone; then :meth:`finish` it.
        """
        flight = self._land(plan)
        for node in reversed(flight.pending):
            self.cache.abandon(node)
        self._settle(flight)
        for sequence, epoch, end in flight.ends:
            if sequence.epoch == epoch:
                sequence.suspect = end
                self._suspects.add(sequence)
                self._running.empty(sequence)
        holders = self._running.slots.holders()
        for move in plan.moves:
            moved = holders.get(move.target)
            if moved is not None:
                self._running.empty(moved)

    def append(self, key: int, token: int, now: float) -> str | None:
        """A token was drawn; "stop" or "length" when the answer ends with it (then call :meth:`finish`). Unknown keys
        are ignored."""
        sequence = self._all.get(key)
        if sequence is None:
            return None
        if not sequence.over:
            sequence.tokens.append(token)
            sequence.pace(now)
            if sequence.answer_length == 1:
                self._rates.first_token_after(now - sequence.submitted)
                read = sequence.prompt_length - self.cached_tokens(key)
                sequence.waited = max(0.0, now - sequence.submitted - self._rates.reading(read))
        reason = self._reason(sequence)
        sequence.over = reason is not None
        return reason

    def ended(self, key: int) -> str | None:
        """Why the sequence is complete as it stands, or None."""
        sequence = self._all.get(key)
        return None if sequence is None else self._reason(sequence)

    def suppressed(self, key: int) -> frozenset[int]:
        """Ids that may not be drawn next: the end of the turn, below ``min_tokens``."""
        sequence = self._all.get(key)
        if sequence is None or not sequence.submission.min_tokens:
            return frozenset()
        few = sequence.answer_length < min(sequence.submission.min_tokens, sequence.limit)
        return self.settings.end_ids if few else frozenset()

    def answer(self, key: int) -> list[int]:
        """The answer's ids so far, those made elsewhere included."""
        sequence = self._all.get(key)
        return [] if sequence is None else sequence.tokens[sequence.prompt_length :]

    def answer_length(self, key: int) -> int:
        """How many ids :meth:`answer` has."""
        sequence = self._all.get(key)
        return 0 if sequence is None else sequence.answer_length

    def cached_tokens(self, key: int) -> int:
        """Tokens of the prompt that came from the prefix cache; before the first step, that are known to be there."""
        sequence = self._all.get(key)
        if sequence is None:
            return 0
        known = sequence.tail.depth * BLOCK_TOKENS if sequence.tail is not None else 0
        return min(sequence.prompt_length, known if sequence.cached_tokens is None else sequence.cached_tokens)

    def waited(self, key: int) -> float:
        """Seconds from request to first token in which it was not its prompt that was read."""
        sequence = self._all.get(key)
        return 0.0 if sequence is None else sequence.waited

    # ------------------------------------------------------------------------------------------- numbers and news

    @property
    def prefill_rate(self) -> float:
        """Prompt tokens per second, 0 until measured."""
        return self._rates.prefill

    @property
    def decode_rate(self) -> float:
        """Tokens per second of all sequences together, 0 until measured."""
        return self._rates.decode

    @property
    def decode_rate_alone(self) -> float:
        """Tokens per second of a sequence that runs alone, 0 until measured."""
        return self._rates.decode_alone

    def work(self) -> Work:
        """What there is to do now."""
        running, waiting = self._running.in_order(), self._waiting.in_order()
        everybody = [one for one in (*running, *waiting) if not one.over]
        return Work(
            queue_tokens=sum(one.remaining for one in everybody if not one.decoding),
            waiting=len(waiting),
            running=len(running),
            output_tokens=sum(one.expected for one in everybody),
            context_tokens=sum(one.fed for one in running),
            first_token_seconds=self._rates.first_token,
        )

    def measured_prefill(self, tokens: int, seconds: float) -> None:
        """So many prompt tokens were fed in ``seconds`` outside any plan."""
        self._rates.prefilled(tokens, seconds)

    def measured_decode(self, tokens: int, seconds: float) -> None:
        """A decode step outside any plan made so many tokens, one for each sequence."""
        self._rates.decoded(tokens, seconds)

    @property
    def kv_tokens_total(self) -> int:
        """Tokens that fit into memory in all."""
        return self._memory.total * BLOCK_TOKENS

    @property
    def kv_tokens_free(self) -> int:
        """Tokens of memory that no running sequence holds; what only the prefix cache holds gives way to requests."""
        return self._memory.free * BLOCK_TOKENS

    @property
    def kv_tokens_cached(self) -> int:
        """Tokens that the prefix cache holds."""
        return self.cache.held * BLOCK_TOKENS

    def events(self) -> list[CacheEvent]:
        """What came and went of the public blocks since the last call."""
        return self.cache.events()

    @property
    def events_lost(self) -> int:
        """How often events were given up, as nobody took them: then ``cache.public_blocks()`` says what is there."""
        return self.cache.events_lost

    # --------------------------------------------------------------------------------------------------- little ones

    def _reason(self, sequence: Sequence) -> str | None:
        made = sequence.answer_length
        if made and sequence.tokens[-1] in self.settings.end_ids:
            return "stop"
        return "length" if made >= sequence.limit else None

    def _land(self, plan: StepPlan) -> Flight:
        flight = self._flight
        if flight is None or flight.plan is not plan:
            raise ValueError("this plan is not being carried out")
        self._flight = None
        return flight

    def _settle(self, flight: Flight) -> None:
        for node in flight.acquired:
            self.cache.release(node)
        self._memory.missing()

    def _overloaded(self) -> OverloadedError:
        line = self._waiting.in_order()
        seconds = max(1, round(self._rates.estimate(self._running.in_order(), [*line, *line[-1:]])))
        return OverloadedError(
            f"All {self.settings.slots} places of this model are taken and {len(line)} requests wait already. "
            f"The next place is expected in about {seconds} s: try again then, or ask another node."
        )


def _no_memory(tokens: int, total: int) -> OverloadedError:
    return OverloadedError(
        f"The memory for this model was cut to {total} tokens and this conversation has {tokens} already. Ask again: "
        "another node can go on with it, or raise the memory limit."
    )
