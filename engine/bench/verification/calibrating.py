"""From recorded margins to an entry of a calibration file. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from engine.bench.verification.conditions import Condition as Way
from engine.bench.verification.measuring import MILLION, Record
from engine.errors import BenchmarkError
from engine.verification.scoring.calibration import Calibration, Condition, check_calibration, noise
from engine.verification.scoring.cells import BOUNDS, count_cells

Recorded = Mapping[Way, Sequence[Record]]


def counted(way: Way, records: Sequence[Record]) -> Condition:
    """The frequencies under one condition."""
    logprobs = [value / MILLION for record in records for value in record.logprobs]
    perplexity = math.exp(-sum(logprobs) / len(logprobs)) if logprobs else 0.0
    cells = count_cells(value / MILLION for record in records for value in record.margins)
    return Condition(f"{way.kind}: {way.name}", cells, len(records), round(1000 * min(perplexity, 1e9)))


def calibration(recorded: Recorded, **facts: str) -> Calibration:
    """The entry: the noisiest honest condition against the least visible cheat. ``facts``: the fields of
    :class:`Calibration` that say what was measured. :class:`BenchmarkError` where the two cannot be told apart."""
    conditions = {way: counted(way, records) for way, records in recorded.items() if records}
    honest = [found for way, found in conditions.items() if way.kind == "honest"]
    cheats = [found for way, found in conditions.items() if way.kind == "cheat"]
    if not honest or not cheats:
        raise BenchmarkError("A calibration takes one honest condition and one cheat at least.")
    noisiest, least = max(honest, key=noise), min(cheats, key=noise)
    if noise(least) <= 2 * noise(noisiest):
        raise BenchmarkError(
            f"The least visible cheat ({least.name}) differs no more from the reference than honest answers do "
            f"({noisiest.name}), so no verdict can stand on margins of this model. Measure more tokens; if it stays "
            "so, its answers cannot be verified."
        )
    others = tuple(found for found in conditions.values() if found not in (noisiest, least))
    entry = Calibration(bounds=BOUNDS, honest=noisiest, cheat=least, others=others, texts_percent=0, **facts)
    check_calibration(entry)
    return entry


def table(entry: Calibration) -> list[str]:
    """One line for each condition: its share of tokens that the reference would not have drawn."""
    drawn = entry.bounds.index(0)
    lines = [f"{'condition':72} {'tokens':>8} {'not drawn':>10} {'by > 0.1':>9} {'1/credit':>9}"]
    large = next(number for number, bound in enumerate(entry.bounds) if bound >= 100_000) + 1
    for one in (entry.honest, entry.cheat, *entry.others):
        missed, clear = sum(one.cells[drawn + 1 :]), sum(one.cells[large:])
        mark = {entry.honest: " (noisiest)", entry.cheat: " (least visible)"}.get(one, "")
        shares = f"{missed / max(1, one.tokens):10.5f} {clear / max(1, one.tokens):9.5f}"
        lines.append(f"{one.name + mark:72} {one.tokens:8} {shares} {one.perplexity / 1000:9.3f}")
    return lines
