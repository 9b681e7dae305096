"""Sweep, then measure in turns: one engine computes at a time, all on the same work, round after round."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from engine.bench.engines import Engine
from engine.bench.other_programs import busy_seconds
from engine.bench.processes import DriverProcess
from engine.bench.work import Precision, Settings, Work, sweep_group

Say = Callable[[str], None]


@dataclass(frozen=True)
class Samples:
    """Tokens per second of one engine at one work, a number for each round."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.values)

    @property
    def spread(self) -> tuple[float, float]:
        """The lowest and the highest."""
        return min(self.values), max(self.values)


@dataclass(frozen=True)
class SweepEntry:
    """What one engine reached with one setting; ``chosen`` for the measurements of its group of works."""

    engine: str
    group: str
    precision: Precision
    settings: Settings
    tokens_per_s: float
    chosen: bool


@dataclass
class Meter:
    """The processes of one precision, taking turns. ``idle_share``: the most that any of those whose turn it was not
    used of one processor meanwhile, and so disturbed. ``outside``: for each measurement since it was last emptied, what
    other programs used of one processor."""

    processes: Sequence[DriverProcess]
    say: Say
    idle_share: float = 0.0
    outside: list[float] = field(default_factory=list)
    best: dict[tuple[str, str], Settings] = field(default_factory=dict)
    entries: list[SweepEntry] = field(default_factory=list)

    def sweep(self, works: Sequence[Work], rounds: int, settings_of: Callable[[Engine], list[Settings]]) -> None:
        """Find the best settings of each engine for each group of works."""
        for process in self.processes:
            choices = settings_of(process.engine)
            reached: dict[str, list[tuple[float, Settings]]] = {}
            for settings in choices:
                process.use(settings)
                for work in works:
                    speed = max(self._once(process, work)["tokens_per_s"] for _ in range(rounds))
                    reached.setdefault(sweep_group(work), []).append((speed, settings))
            for group, results in reached.items():
                best = max(results, key=lambda result: result[0])[1]
                self.best[process.engine.name, group] = best
                for speed, settings in results:
                    entry = SweepEntry(process.engine.name, group, process.precision, settings, speed, settings == best)
                    self.entries.append(entry)
                    self.say(f"sweep  {describe(entry)}")

    def rounds(self, work: Work, count: int) -> dict[str, Samples]:
        """``count`` measurements of every engine at its best settings, in turns."""
        reached: dict[str, list[float]] = {process.engine.name: [] for process in self.processes}
        for number in range(count):
            turn = number % len(self.processes)  # nobody always comes after the same one
            for process in (*self.processes[turn:], *self.processes[:turn]):
                process.use(self.best[process.engine.name, sweep_group(work)])
                reached[process.engine.name].append(self._once(process, work)["tokens_per_s"])
        result = {name: Samples(tuple(values)) for name, values in reached.items()}
        told = ", ".join(f"{name} {samples.median:.1f}" for name, samples in result.items())
        self.say(f"result {work.name} x{work.batch}: {told} tokens/s")
        return result

    def once(self, name: str, work: Work) -> dict[str, float]:
        """One measurement of the engine ``name`` at its best settings."""
        process = next(one for one in self.processes if one.engine.name == name)
        process.use(self.best[name, sweep_group(work)])
        return self._once(process, work)

    def _once(self, process: DriverProcess, work: Work) -> dict[str, float]:
        others = [one for one in self.processes if one is not process]
        before, all_before = [one.processor_seconds() for one in others], self._elsewhere()
        begin = time.perf_counter()
        result = process.measure(work)
        wall = max(time.perf_counter() - begin, 1e-9)
        if wall > 0.5:  # processor times come in hundredths of a second
            self.outside.append(max(0.0, (self._elsewhere() - all_before) / wall))
            used = [one.processor_seconds() - was for one, was in zip(others, before, strict=True)]
            self.idle_share = max(self.idle_share, *(seconds / wall for seconds in used), 0.0)
        return {**result, "tokens_per_s": result["tokens"] / max(result["seconds"], 1e-9)}

    def _elsewhere(self) -> float:
        """Seconds of processor time so far that were neither ours nor the engines', nor idle."""
        own = time.process_time() + sum(one.processor_seconds() for one in self.processes)
        return busy_seconds() - own


def describe(entry: SweepEntry) -> str:
    """One line of the printed sweep."""
    settings = ", ".join(f"{name} {value}" for name, value in entry.settings.items())
    mark = "  <- taken" if entry.chosen else ""
    where = f"{entry.engine}, {entry.group} {entry.precision}"
    return f"{where}: {settings}: {entry.tokens_per_s:.1f} tokens/s{mark}"
