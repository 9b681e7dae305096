"""Which step the model takes next: admission, fairness, prefill chunks, memory, pacing, limits. Pure.

It knows sequences by number and handles token ids only; text, tensors and clocks are its callers' business. The worker
asks :meth:`Scheduler.next_step`, carries the plan out, and reports with :meth:`Scheduler.completed` (or
:meth:`Scheduler.failed`) and, for each token it draws, :meth:`Scheduler.append`. One plan is carried out at a time.
A sequence's tokens do not depend on what runs beside it: rows name whole sequences, and a sampler sees one row.
"""

from __future__ import annotations

from itertools import count

from engine.errors import OverloadedError
from engine.inference.scheduling.building import Flight, PlanBuilder, find, next_block
from engine.inference.scheduling.kv_cache import KvMemory
from engine.inference.scheduling.plan import BLOCK_TOKENS, CacheEvent, StepPlan
from engine.inference.scheduling.prefix_cache import PrefixCache
from engine.inference.scheduling.rates import Rates
from engine.inference.scheduling.sequence import Sequence, blocks_for
from engine.inference.scheduling.sharing import oldest_share, step_budget, turns
from engine.inference.scheduling.slots import SlotTable
from engine.inference.scheduling.submission import Place, SchedulerSettings, Submission, answer_limit, check
from engine.inference.scheduling.waiting import WaitingLine

__all__ = ["Place", "Scheduler", "SchedulerSettings", "Submission"]

STRANGERS_SHARE = 4
"""The owner's requests take strangers' places, but never the last one in so many."""


class Scheduler:
    """The sequences of one model. What ``cache.budget`` is at first, in blocks, is the memory for sequences and cache
    together."""

    def __init__(self, settings: SchedulerSettings, cache: PrefixCache) -> None:
        self.settings = settings
        self.cache = cache
        self._memory = KvMemory(cache)
        self._rates = Rates()
        self._slots = SlotTable(settings.slots)
        self._waiting = WaitingLine()
        self._all: dict[int, Sequence] = {}
        self._running: dict[int, Sequence] = {}
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
        self._waiting.add(sequence)
        self._admit()
        if sequence.slot < 0 and self._waiting.newcomers(sequence.owner) > self.settings.queue_limit:
            self._waiting.remove(sequence)
            del self._all[key]
            raise self._overloaded()
        return sequence.slot >= 0

    def finish(self, key: int, broken: bool = False) -> None:
        """Forget a sequence, wherever it stands, and let the next one run. Unknown keys are ignored. ``broken``: its
        numbers were wrong (call it after :meth:`completed`): what it left in the prefix cache goes too."""
        sequence = self._all.pop(key, None)
        if sequence is None:
            return
        self._suspects.discard(sequence)
        tail = sequence.tail
        if sequence.slot >= 0:
            self._leave(sequence)
        else:
            self._waiting.remove(sequence)
        if broken and tail is not None:
            self.cache.drop(tail)
        self._admit()

    def running(self) -> list[int]:
        """Keys that have a slot, oldest first."""
        return [one.key for one in sorted(self._running.values(), key=_by_order)]

    def places(self) -> list[Place]:
        """Where those stand who wait for their first turn."""
        line = self._waiting.in_order()
        running = list(self._running.values())
        return [
            Place(one.key, index + 1, self._rates.estimate(running, line[: index + 1]))
            for index, one in enumerate(line)
            if not one.admitted
        ]

    def set_budget(self, tokens: int, now: float) -> list[tuple[int, OverloadedError]]:
        """From now on use memory for ``tokens`` (rounded down to whole blocks): evict, and let running sequences wait.

        Returns those that can never fit any more, with what to tell them; they are forgotten here already.
        """
        self._memory.total = max(0, tokens) // BLOCK_TOKENS
        refused = []
        for sequence in list(self._all.values()):
            if sequence.over:
                continue
            if len(sequence.tokens) >= self.kv_tokens_total:
                refused.append((sequence.key, self._no_memory(sequence)))
            else:
                sequence.limit = self._limit(sequence)
                sequence.over = self._reason(sequence) is not None
        for key, _ in refused:
            sequence = self._all.pop(key)
            self._suspects.discard(sequence)
            if sequence.slot >= 0:
                self._leave(sequence)
            else:
                self._waiting.remove(sequence)
        while self._memory.held > self._memory.total and self._running:
            self._preempt(self._youngest())
        self._memory.missing()
        self._admit()
        return refused

    # ------------------------------------------------------------------------------------------------------- steps

    def next_step(self, now: float) -> StepPlan | None:
        """The next piece of work, or None when everything waits for its time (see :meth:`next_deadline`).

        A plan without rows only says what was freed; it is made when nothing can run.
        """
        if self._flight is not None:
            raise ValueError("the plan before this one was neither completed nor failed")
        self._admit()
        builder = PlanBuilder(self.cache, self._memory)
        suspect = min(
            (one for one in self._suspects if one.slot >= 0 and one.available(now) > 0), key=_by_order, default=None
        )
        if suspect is not None:
            self._read([suspect], builder, now, False)
        else:
            self._choose(builder, now)
        self._flight = builder.build(self._slots, self.settings.context_length)
        return None if self._flight is None else self._flight.plan

    def next_deadline(self) -> float | None:
        """When :meth:`next_step` has something to do; None when nothing runs."""
        times = [
            one.ready_at if one.fed + 1 == len(one.tokens) else 0.0
            for one in self._running.values()
            if not one.over and one.fed < len(one.tokens)
        ]
        if not times and (self._slots.pending or self.cache.freed):
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
                self._empty(sequence)
        holders = self._slots.holders()
        for move in plan.moves:
            moved = holders.get(move.target)
            if moved is not None:
                self._empty(moved)

    def append(self, key: int, token: int, now: float) -> str | None:
        """A token was drawn; "stop" or "length" when the answer ends with it (then call :meth:`finish`). Unknown keys
        are ignored."""
        sequence = self._all.get(key)
        if sequence is None:
            return None
        if not sequence.over:
            sequence.tokens.append(token)
            sequence.pace(now)
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

    # ------------------------------------------------------------------------------------------- numbers and news

    @property
    def prefill_rate(self) -> float:
        """Prompt tokens per second, 0 until measured."""
        return self._rates.prefill

    @property
    def decode_rate(self) -> float:
        """Tokens per second of all sequences together, 0 until measured."""
        return self._rates.decode

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
        """What came and went of the public blocks since the last call (see ``cache.events_lost``)."""
        return self.cache.events()

    # --------------------------------------------------------------------------------------- admission and memory

    def _admit(self) -> None:
        """Give out places. Whoever is first and does not fit yet keeps everybody behind waiting, so that a long request
        is not overtaken for ever."""
        while (first := self._waiting.first()) is not None:
            if not self._has_room(first, ()):
                victims = self._in_the_way(first)
                if not victims:
                    return
                for victim in victims:
                    self._preempt(victim)
            sequence = self._waiting.take()
            self._slots.give(sequence)
            self._running[sequence.key] = sequence
            sequence.admitted = True
            find(self.cache, sequence)

    def _has_room(self, sequence: Sequence, without: tuple[Sequence, ...]) -> bool:
        if self._slots.free + len(without) < 1:
            return False
        promised = sum(one.promise for one in self._running.values() if one not in without)
        return promised + sequence.promise <= self._memory.total

    def _in_the_way(self, sequence: Sequence) -> tuple[Sequence, ...]:
        """Which strangers, youngest first, make room for ``sequence`` of the owner. Some places stay strangers'."""
        if not sequence.owner:
            return ()
        strangers = sorted((one for one in self._running.values() if not one.owner), key=_by_order, reverse=True)
        spared = max(1, self.settings.slots // STRANGERS_SHARE)
        for number in range(1, len(strangers) - spared + 1):
            victims = tuple(strangers[:number])
            if self._has_room(sequence, victims):
                return victims
        return ()

    def _youngest(self) -> Sequence:
        return max(self._running.values(), key=lambda one: (not one.owner, one.order))

    def _preempt(self, sequence: Sequence) -> None:
        """It gives up its place and waits first in line; what it had is computed again, or is in the prefix cache."""
        self._leave(sequence)
        self._waiting.add(sequence)

    def _leave(self, sequence: Sequence) -> None:
        self._empty(sequence)
        self._slots.take_back(sequence)
        del self._running[sequence.key]

    def _empty(self, sequence: Sequence) -> None:
        self._memory.give_back(sequence.blocks)
        sequence.reset()

    def _grow(self, sequence: Sequence, tokens: int) -> bool:
        """Make its slot hold ``tokens``; the youngest give way. False if it was the one who had to."""
        extra = blocks_for(tokens) - sequence.blocks
        if extra <= 0:
            return True
        sequence.blocks += extra
        missing = self._memory.hold(extra)
        while missing:
            victim = self._youngest()
            self._preempt(victim)
            if victim is sequence:
                return False
            missing = self._memory.missing()
        return True

    def _limit(self, sequence: Sequence) -> int:
        room = min(self.settings.context_length, self.kv_tokens_total) - sequence.prompt_length
        wanted = sequence.submission.max_tokens
        return room if wanted is None else min(room, wanted)

    def _reason(self, sequence: Sequence) -> str | None:
        made = sequence.answer_length
        if made and sequence.tokens[-1] in self.settings.end_ids:
            return "stop"
        return "length" if made >= sequence.limit else None

    # ------------------------------------------------------------------------------------------- choosing the rows

    def _choose(self, builder: PlanBuilder, now: float) -> None:
        decoding: list[Sequence] = []
        reading: list[Sequence] = []
        for sequence in self._running.values():
            (decoding if sequence.decoding else reading).append(sequence)
        # Memory first: who has to give way is known before anything is read or loaded.
        grown = [one for one in decoding if one.available(now) > 0]
        grown = [one for one in grown if one.slot >= 0 and self._grow(one, one.fed + 1)]
        for sequence in grown:
            if sequence.slot >= 0:
                builder.add(sequence, 1)
        self._read([one for one in reading if one.slot >= 0], builder, now, bool(decoding))

    def _read(self, reading: list[Sequence], builder: PlanBuilder, now: float, decoding: bool) -> None:
        """Share the step's prompt tokens among ``reading``."""
        settings = self.settings
        budget = step_budget(settings.step_tokens, decoding, lambda: self._rates.prefill_within(settings.longest_wait))
        share = oldest_share(budget)
        making = set()  # blocks that are computed in this step already: whoever needs the same one waits for it
        for sequence in reading:
            if sequence.fed == 0:
                find(self.cache, sequence)
        for sequence, limited in turns(reading, now):
            if budget < 1:
                return
            mark = next_block(sequence) if len(reading) > 1 else None
            if sequence not in builder.parts and mark is not None:
                if sequence.fed == 0 and mark in making:
                    continue
                making.add(mark)
            budget -= self._feed(sequence, min(budget, share) if limited else budget, builder, now)

    def _feed(self, sequence: Sequence, most: int, builder: PlanBuilder, now: float) -> int:
        """Let ``sequence`` feed up to ``most`` of its tokens; returns how many."""
        part = builder.parts.get(sequence)
        if part is not None:
            more = min(most, sequence.available(now) - part.start + sequence.fed - part.count)
            more = builder.fits(sequence, more) if more > 0 else 0
            part.count += more
            return more
        if sequence.fed == 0:
            fed = builder.load(sequence, most, now)
            if fed:
                if sequence.cached_tokens is None:
                    sequence.cached_tokens = sequence.tail.depth * BLOCK_TOKENS if sequence.tail is not None else 0
                return fed
        most = min(most, sequence.available(now))
        fed = builder.fits(sequence, most)
        if not fed and not builder.acquired and self._grow(sequence, sequence.fed + most):
            fed = most
        if fed:
            builder.add(sequence, fed)
        return fed

    # --------------------------------------------------------------------------------------------------- little ones

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
        seconds = max(1, round(self._rates.estimate(list(self._running.values()), [*line, *line[-1:]])))
        return OverloadedError(
            f"All {self.settings.slots} places of this model are taken and {len(line)} requests wait already. "
            f"The next place is expected in about {seconds} s: try again then, or ask another node."
        )

    def _no_memory(self, sequence: Sequence) -> OverloadedError:
        return OverloadedError(
            f"The memory for this model was cut to {self.kv_tokens_total} tokens and this conversation has "
            f"{len(sequence.tokens)} already. Ask again: another node can go on with it, or raise the memory limit."
        )


def _by_order(sequence: Sequence) -> int:
    return sequence.order
