"""``gentorrent bench inference``: everything about the speed of answers, measured and put together."""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from engine import __version__
from engine.bench.engines import BARE, ENGINES, GENAI, LLAMA, OURS, OURS_NEWER, PEERS, Engine, Places, check_complete
from engine.bench.machine import bytes_per_token, commit, describe_machine
from engine.bench.measure import Meter, Samples, Say, SweepEntry
from engine.bench.processes import DriverProcess
from engine.bench.shapes import SHAPES, Shape
from engine.bench.work import (
    DRAWS,
    FULL,
    OVERHEAD_BATCH,
    PRECISIONS,
    PREFILL_TOKENS,
    QUICK,
    SHARED_TOKENS,
    Plan,
    Precision,
    Settings,
    Work,
    sweep,
)


@dataclass(frozen=True)
class Wanted:
    """What the user asked for. ``works``: names of ``engine.bench.work.WORKS``; empty means all."""

    shape: str = "qwen2.5-0.5b"
    quick: bool = False
    works: frozenset[str] = frozenset()

    def wants(self, name: str) -> bool:
        """Whether the work ``name`` is to be measured."""
        return not self.works or name in self.works

    @property
    def plan(self) -> Plan:
        """How much."""
        return QUICK if self.quick else FULL


@dataclass
class Results:
    """What was measured; :meth:`as_json` is what is stored."""

    machine: dict[str, Any]
    shape: Shape
    quick: bool
    versions: dict[str, str] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    cached_prefix: dict[str, Any] = field(default_factory=dict)
    overhead: dict[str, float] = field(default_factory=dict)
    sweep: list[SweepEntry] = field(default_factory=list)
    idle_share: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """The published keys; the others say more."""
        return {
            "machine": self.machine,
            "versions": self.versions,
            "rows": self.rows,
            "cached_prefix_speedup": self.cached_prefix.get("speedup"),
            "overhead": {draw: self.overhead.get(draw) for draw in DRAWS},
            "cached_prefix": self.cached_prefix,
            "sweep": [
                {
                    "engine": entry.engine,
                    "group": entry.group,
                    "precision": entry.precision,
                    "settings": entry.settings,
                    "tokens_per_s": round(entry.tokens_per_s, 2),
                    "chosen": entry.chosen,
                }
                for entry in self.sweep
            ],
            "idle_processor_share_of_waiting_engines": round(self.idle_share, 4),
            "model": self.shape.name,
            "quick": self.quick,
        }


def run(wanted: Wanted, places: Places, say: Say) -> Results:
    """Measure what is wanted; :class:`BenchmarkError` when a peer is missing or an engine fails."""
    check_complete(places, list(ENGINES.values()))
    say("measuring the machine")
    results = Results(describe_machine(), SHAPES[wanted.shape], wanted.quick)
    results.versions = {"gentorrent": __version__, "commit": commit(places.root)}
    for precision in PRECISIONS:
        works = _wanted_works(wanted, precision)
        extra = precision == "int4" and (wanted.wants("cached-prefix") or wanted.wants("overhead"))
        if works or extra:
            _measure_precision(wanted, places, precision, works, results, say)
    return results


def _wanted_works(wanted: Wanted, precision: Precision) -> list[Work]:
    works = wanted.plan.works(precision)
    return [work for work in works if wanted.wants(f"{work.kind}-{precision}")]


def _measure_precision(
    wanted: Wanted, places: Places, precision: Precision, works: Sequence[Work], results: Results, say: Say
) -> None:
    plan = wanted.plan
    engines = [engine for engine in ENGINES.values() if precision in engine.files]
    if not works:  # only what concerns our own engine
        engines = [engine for engine in engines if engine.name in (OURS, OURS_NEWER, BARE)]
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        processes = []
        for engine in engines:
            process = DriverProcess(engine, precision, places, Path(folder) / f"{engine.module}-{engine.peers_python}")
            stack.callback(process.close)
            processes.append(process)
        meter = Meter(processes, say)
        meter.sweep(_sweep_works(plan, precision, works), plan.sweep_rounds, lambda engine: _settings(engine, plan))
        for work in works:
            meter.outside.clear()
            samples = meter.rounds(work, plan.rounds)
            row = make_row(work, samples, results.shape, results.machine)
            results.rows.append({**row, "other_programs": round(max(meter.outside, default=0.0), 3)})
        if precision == "int4" and wanted.wants("cached-prefix"):
            results.cached_prefix = _cached_prefix(meter, plan, say)
        if precision == "int4" and wanted.wants("overhead"):
            results.overhead = _overhead(meter, plan, say)
        results.sweep += meter.entries
        results.idle_share = max(results.idle_share, meter.idle_share)
        for process in processes:
            note = " (newer)" if process.engine.name == OURS_NEWER else ""
            results.versions.update({name + note: version for name, version in process.versions.items()})


def _sweep_works(plan: Plan, precision: Precision, works: Sequence[Work]) -> list[Work]:
    """The works of the sweep whose groups are needed; decoding many at once always is (for the overhead)."""
    kinds = {work.kind for work in works} or {"decode", "prefill"}
    return [work for work in plan.sweep_works(precision) if work.kind in kinds or work.kind == "decode"]


def _settings(engine: Engine, plan: Plan) -> list[Settings]:
    return list(sweep(engine.name, os.cpu_count() or 1, wide=plan.wide_sweep))


def make_row(work: Work, samples: dict[str, Samples], shape: Shape, machine: dict[str, Any]) -> dict[str, Any]:
    """One row of the results: medians, what they are to each other, and the lowest and highest of the rounds."""
    ours = samples[OURS].median
    row: dict[str, Any] = {
        "work": work.name,
        "batch": work.batch,
        "ours": round(ours, 2),
        "peers": {name: round(samples[name].median, 2) for name in PEERS if name in samples},
        "ratio_best_onnxruntime": _ratio(ours, samples.get(GENAI)),
        "ratio_llama_cpp": _ratio(ours, samples.get(LLAMA)),
        "spread": {name: [round(value, 2) for value in one.spread] for name, one in samples.items()},
    }
    if OURS_NEWER in samples:
        row["ours_newer_onnxruntime"] = round(samples[OURS_NEWER].median, 2)
    if BARE in samples:
        row["bare_loop"] = round(samples[BARE].median, 2)
    if work.kind == "decode" and work.batch == 1:
        needed = bytes_per_token(shape, work.precision, work.prompt + work.steps) * ours
        row["share_of_memory_bandwidth"] = round(needed / (machine["read_gb_per_s"] * 1e9), 3)
    return row


def _ratio(ours: float, peer: Samples | None) -> float | None:
    return round(ours / peer.median, 3) if peer is not None else None


def _cached_prefix(meter: Meter, plan: Plan, say: Say) -> dict[str, Any]:
    """Time to the first token with most of the prompt cached, against none; both in each round."""
    work = Work("cached prefix", "int4", 1, PREFILL_TOKENS, SHARED_TOKENS)
    meter.best.setdefault((OURS, "decode 1"), meter.best[OURS, "decode many"])
    pairs = [meter.once(OURS, work) for _ in range(plan.rounds)]
    speedup = statistics.median(pair["seconds"] / pair["cached_seconds"] for pair in pairs)
    found = {
        "speedup": round(speedup, 2),
        "cold_ms": round(statistics.median(pair["seconds"] for pair in pairs) * 1000, 1),
        "cached_ms": round(statistics.median(pair["cached_seconds"] for pair in pairs) * 1000, 1),
        "tokens": work.prompt,
        "shared": work.steps,
    }
    say(f"result cached prefix: {found}")
    return found


def _overhead(meter: Meter, plan: Plan, say: Say) -> dict[str, float]:
    """Share of the bare loop's tokens per second that the engine costs at 8 answers, for each way of drawing.

    A few per cent are less than what single measurements scatter, and machines drift: of many rounds, each compared
    with the bare loop beside it, the median.
    """
    work = Work("decode", "int4", OVERHEAD_BATCH, plan.prompt, plan.overhead_steps)
    turns = [(BARE, work), *((OURS, replace(work, draw=draw)) for draw in DRAWS)]
    reached: dict[tuple[str, Work], list[float]] = {turn: [] for turn in turns}
    for number in range(plan.overhead_rounds):
        first = number % len(turns)
        for turn in (*turns[first:], *turns[:first]):
            reached[turn].append(meter.once(*turn)["tokens_per_s"])
    bare = reached[turns[0]]
    found: dict[str, float] = {}
    for _, drawn in turns[1:]:
        shares = [1 - ours / floor for ours, floor in zip(reached[OURS, drawn], bare, strict=True)]
        found[drawn.draw] = round(statistics.median(shares), 4)
    floor = statistics.median(bare)
    say(f"result overhead over the bare loop ({floor:.1f} tokens/s) at {OVERHEAD_BATCH} answers: {found}")
    return found
