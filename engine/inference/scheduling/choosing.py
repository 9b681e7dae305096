"""Which sequences a step feeds, and how much of each. Pure."""

from __future__ import annotations

from engine.inference.scheduling.building import PlanBuilder, find, next_block
from engine.inference.scheduling.rates import Rates
from engine.inference.scheduling.running import RunningSequences
from engine.inference.scheduling.sequence import Sequence
from engine.inference.scheduling.sharing import oldest_share, step_budget, turns
from engine.inference.scheduling.submission import SchedulerSettings

ALONE = 12
"""A step may take so many times ``longest_wait`` while no answer waits for its next token: a cancellation or a newcomer
is not noticed before its end."""


class StepChooser:
    """Every answer that is due gets its next token; the rest of the step is shared among prompts."""

    def __init__(self, settings: SchedulerSettings, running: RunningSequences, rates: Rates) -> None:
        self._settings = settings
        self._running = running
        self._rates = rates

    def choose(self, now: float, owner_only: bool = False) -> PlanBuilder:
        """The parts of the next step, for the owner's answers alone where that is wanted."""
        builder = PlanBuilder(self._running.cache, self._running.memory, self._settings.scored_places)
        decoding: list[Sequence] = []
        reading: list[Sequence] = []
        for sequence in self._running.by_key.values():
            if owner_only and not sequence.owner:
                continue
            (decoding if sequence.decoding else reading).append(sequence)
        # Memory first: who has to give way is known before anything is read or loaded.
        due = [one for one in decoding if one.available(now) > 0]
        grown = [one for one in due if one.slot >= 0 and self._running.grow(one, one.fed + 1)]
        for sequence in grown:
            if sequence.slot >= 0:
                builder.add(sequence, 1)
        self._read([one for one in reading if one.slot >= 0], builder, now, bool(decoding))
        return builder

    def choose_one(self, sequence: Sequence, now: float) -> PlanBuilder:
        """A step for ``sequence`` alone."""
        builder = PlanBuilder(self._running.cache, self._running.memory, self._settings.scored_places)
        self._read([sequence], builder, now, False)
        return builder

    def _read(self, reading: list[Sequence], builder: PlanBuilder, now: float, decoding: bool) -> None:
        """Share the step's prompt tokens among ``reading``."""
        if not reading:
            return
        wait = self._settings.longest_wait * (1 if decoding else ALONE)
        budget = step_budget(self._settings.step_tokens, self._rates.prefill_within(wait))
        share = oldest_share(budget)
        making = set()  # blocks that are computed in this step already: whoever begins with the same one waits for it
        for sequence in reading:
            if sequence.fed == 0:
                find(self._running.cache, sequence)
        for sequence, limited in turns(reading, now):
            if budget < 1:
                return
            if len(reading) > 1 and sequence not in builder.parts:
                mark = next_block(sequence)
                if sequence.fed == 0 and mark in making:
                    continue
                if mark is not None:
                    making.add(mark)
            budget -= self._feed(sequence, min(budget, share) if limited else budget, builder, now)

    def _feed(self, sequence: Sequence, most: int, builder: PlanBuilder, now: float) -> int:
        """Let ``sequence`` feed up to ``most`` of its tokens; returns how many."""
        if sequence.slot < 0:  # it had to give way in this very step
            return 0
        part = builder.parts.get(sequence)
        if part is not None:
            more = min(most, sequence.available(now) + sequence.fed - part.start - part.count)
            more = builder.bounded(sequence, part.start, part.count + more) - part.count
            more = builder.fits(sequence, more) if more > 0 else 0
            part.count += more
            return more
        fed = builder.load(sequence, most, now) if sequence.fed == 0 else 0
        if fed:
            return fed
        most = builder.bounded(sequence, sequence.fed, min(most, sequence.available(now)))
        fed = builder.fits(sequence, most)
        if not fed and not builder.acquired and self._running.grow(sequence, sequence.fed + most):
            fed = most
        if fed:
            builder.add(sequence, fed)
        return fed
