"""Calibrations: how often margins occur in honest answers and in those of cheats; their file and their look-up. Pure.

The file is JSON, ``{"format": "gentorrent-calibration", "version": 1, "entries": [...]}`` with the fields of
:class:`Calibration`; ``gentorrent calibrate`` writes it. One entry is for one model (by its digest) or one family of
models, one precision, and one pair of execution providers: that of the machine that computes an answer again, and that
of the machine that made it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from engine.errors import CalibrationError
from engine.verification.scoring.cells import BOUNDS

FORMAT: Literal["gentorrent-calibration"] = "gentorrent-calibration"
FORMAT_VERSION: Literal[1] = 1
MAX_FILE = 8 * 1024 * 1024
LEAST_TOKENS = 2_000
"""Of a condition whose frequencies are believed."""
LARGEST_STEP = 3.0
"""What one token can add at most, in natural logarithms: noise of a kind that nobody measured makes few odd tokens, and
no odd token decides alone."""
_PRIOR = 0.5
"""Tokens that every cell counts beside those that were seen."""

Count = Annotated[int, Meta(ge=0, le=1_000_000_000_000)]
Cells = Annotated[tuple[Count, ...], Meta(min_length=3, max_length=64)]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Words = Annotated[str, Meta(max_length=1000)]
Bound = Annotated[int, Meta(ge=-1_000_000_000, le=1_000_000_000)]


class Condition(Struct, frozen=True, forbid_unknown_fields=True):
    """Answers that were made in one way, with how often their margins lie in each cell. ``perplexity``: of their tokens
    under the reference, thousandths (0: not measured)."""

    name: Name
    cells: Cells
    answers: Count = 0
    perplexity: Count = 0

    @property
    def tokens(self) -> int:
        """How many tokens were measured."""
        return sum(self.cells)


class Calibration(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``digest`` (hexadecimal, of the model) or, for models without one of their own, ``family``. ``reference`` and
    ``node``: execution providers in short ("cpu", "cuda"). ``bounds``: upper ends of all cells but the last, millionths
    of a logit. ``honest``: the noisiest of the honest conditions; ``cheat``: the least visible one; ``others``: what
    was measured besides. ``texts_percent``: how many of a hundred challenges are texts to go on with (0: as of any
    model), for a model that is certain of every word in conversations. ``machine``, ``runtime`` and ``made`` (a date)
    say where and when."""

    model: Name
    digest: Annotated[str, Meta(pattern=r"\A([0-9a-f]{64})?\Z")] = ""
    family: Annotated[str, Meta(max_length=200)] = ""
    precision: Name
    reference: Name = "cpu"
    node: Name = "cpu"
    bounds: Annotated[tuple[Bound, ...], Meta(min_length=2, max_length=63)]
    honest: Condition
    cheat: Condition
    others: Annotated[tuple[Condition, ...], Meta(max_length=200)] = ()
    texts_percent: Annotated[int, Meta(ge=0, le=100)] = 0
    machine: Words = ""
    runtime: Words = ""
    made: Annotated[str, Meta(max_length=40)] = ""
    note: Words = ""


class CalibrationFile(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The file as a whole."""

    format: Literal["gentorrent-calibration"] = FORMAT
    version: Literal[1] = FORMAT_VERSION
    entries: Annotated[tuple[Calibration, ...], Meta(max_length=1000)] = ()


class _Head(Struct, frozen=True):
    """The two fields that every version of the format has."""

    format: str = ""
    version: int = 0


_file_decoder = msgspec.json.Decoder(CalibrationFile)
_head_decoder = msgspec.json.Decoder(_Head)


def read_calibrations(data: bytes) -> tuple[Calibration, ...]:
    """The entries of a file; :class:`CalibrationError` says what is wrong with it."""
    if len(data) > MAX_FILE:
        raise CalibrationError(f"The calibration file has {len(data)} bytes; at most {MAX_FILE} are read.")
    try:
        head = _head_decoder.decode(data)
        if head.format != FORMAT:
            raise CalibrationError("This is not a calibration file of GenTorrent.")
        if head.version != FORMAT_VERSION:
            raise CalibrationError(
                f"The calibration file has version {head.version}, this program knows {FORMAT_VERSION}. Update "
                "GenTorrent, or make the file again with `gentorrent calibrate`."
            )
        entries = _file_decoder.decode(data).entries
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CalibrationError(f"The calibration file cannot be read: {error}. Make it again.") from error
    for entry in entries:
        check_calibration(entry)
    return entries


def write_calibrations(entries: Sequence[Calibration]) -> bytes:
    """The file, readable by people; :class:`CalibrationError` when it could not be read again."""
    data = msgspec.json.format(msgspec.json.encode(CalibrationFile(entries=tuple(entries))), indent=1)
    read_calibrations(data)
    return data + b"\n"


def check_calibration(entry: Calibration) -> None:
    """:class:`CalibrationError` for an entry that contradicts itself or that no verdict can stand on."""
    where = f"The calibration of {entry.model} ({entry.precision}, {entry.reference}/{entry.node})"
    if not entry.digest and not entry.family:
        raise CalibrationError(f"{where} names neither a model's digest nor a family.")
    if list(entry.bounds) != sorted(set(entry.bounds)) or 0 not in entry.bounds:
        raise CalibrationError(f"{where} has bounds of cells that do not rise, or none at 0.")
    for condition in (entry.honest, entry.cheat, *entry.others):
        if len(condition.cells) != len(entry.bounds) + 1:
            raise CalibrationError(f"{where} has {len(condition.cells)} cells for {len(entry.bounds)} bounds.")
    for condition in (entry.honest, entry.cheat):
        if condition.tokens < LEAST_TOKENS:
            raise CalibrationError(
                f"{where} stands on {condition.tokens} tokens of {condition.name!r}; it takes {LEAST_TOKENS} at least."
            )


@lru_cache(maxsize=64)
def likelihoods(entry: Calibration) -> tuple[int, ...]:
    """For each cell the logarithm of the ratio of its frequencies, cheat by honest, in millionths.

    The first cell, of tokens that were drawn surely, says nothing, and frequencies are those among all other tokens:
    how many tokens of an answer are certain is its text's doing, not its maker's. No token that the reference draws as
    well speaks against its maker.

    A token that is missed by more is never a better sign, nor is one that is drawn more surely: cells that say
    otherwise than their neighbours, by chance or because nobody saw them, are counted together until they do not (pool
    adjacent violators; Ayer et al. 1955)."""
    cells = list(zip(entry.honest.cells, entry.cheat.cells, strict=True))
    missed = entry.bounds.index(0) + 1
    honest, cheat = (max(1, sum(one.cells[1:])) for one in (entry.honest, entry.cheat))
    drawn = [min(0.0, ratio) for ratio in _rising(cells[1:missed][::-1], honest, cheat)[::-1]]
    return tuple(round(ratio * 1_000_000) for ratio in [0.0, *drawn, *_rising(cells[missed:], honest, cheat)])


def _rising(cells: Sequence[tuple[int, int]], honest: int, cheat: int) -> list[float]:
    """The ratio of each cell (honest tokens, the cheat's) of so many of each, pooled so that none is above the next."""
    pools: list[tuple[int, int, int]] = []  # honest tokens, the cheat's, cells
    for good, bad in cells:
        pool = (good, bad, 1)
        while pools and _ratio(pools[-1], honest, cheat) >= _ratio(pool, honest, cheat):
            before = pools.pop()
            pool = (before[0] + pool[0], before[1] + pool[1], before[2] + pool[2])
        pools.append(pool)
    return [_ratio(pool, honest, cheat) for pool in pools for _ in range(pool[2])]


def _ratio(pool: tuple[int, int, int], honest: int, cheat: int) -> float:
    ratio = math.log((pool[1] + _PRIOR) / (cheat + _PRIOR)) - math.log((pool[0] + _PRIOR) / (honest + _PRIOR))
    return min(LARGEST_STEP, max(-LARGEST_STEP, ratio))


def noise(condition: Condition, bounds: Sequence[int] = BOUNDS) -> float:
    """The share of tokens that the reference would not have drawn, the larger margins counting more: a measure to
    compare conditions by."""
    drawn = bounds.index(0)
    missed = ((number - drawn) * count for number, count in enumerate(condition.cells) if number > drawn)
    return sum(missed) / max(1, condition.tokens)


class Calibrations:
    """The entries that are known here. Later ones with the same key take the place of earlier ones."""

    def __init__(self, entries: Iterable[Calibration] = ()) -> None:
        self._entries = {_key(entry): entry for entry in entries}

    def __len__(self) -> int:
        return len(self._entries)

    def find(
        self, digest: bytes, precision: str = "", reference: str = "cpu", node: str = "", family: str = ""
    ) -> Calibration | None:
        """The entry for a model, or None: then nobody can say anything of its answers.

        The digest goes before the ``family``. ``precision`` and ``node`` "": not known. Of several that fit the one
        with the largest honest noise is taken.
        """
        fitting = [
            entry
            for entry in self._entries.values()
            if entry.reference == reference and node in ("", entry.node) and precision in ("", entry.precision)
        ]
        own = [entry for entry in fitting if entry.digest and entry.digest == digest.hex()]
        related = [entry for entry in fitting if not entry.digest and family and entry.family == family]
        return max(own or related, key=lambda entry: noise(entry.honest, entry.bounds), default=None)


def _key(entry: Calibration) -> tuple[str, ...]:
    return entry.digest, entry.family, entry.precision, entry.reference, entry.node
