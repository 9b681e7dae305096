"""Traces like those of the field, made from a seed.

Prompt lengths and popularity follow GenTorrent / PlanetServe (arXiv 2504.20101, evaluation): ToolUse is ToolBench with
tools drawn by Zipf 1.1 (7,206 tokens a prompt on average), Coding is APPS (1,802, Zipf 0.8), LongDoc is LooGLE (10,985,
776 documents, Zipf 0.6). How much of a prompt is shared and how long answers are follows Preble (arXiv 2407.00023,
study of workloads): 85 % and 43 tokens, 97 % and 190, 91 % and 16. Chat is a conversation of several turns, its user
messages and answers as long as ShareGPT's (PagedAttention, arXiv 2309.06180: means 161 and 338), nothing of it public.
Which tokens stand in a prompt does not matter and is drawn at random.
"""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate

from engine.errors import ConfigurationError
from engine.simulation.forwarding.trace import PublicText, Request, Texts, numbered

VOCABULARY = 128_000
Draw = random.Random


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """Single questions about shared texts. Lengths in tokens, drawn from a log-normal distribution."""

    texts: int  # how many there are
    zipf: float  # the k-th most popular is asked for in proportion to k ** -zipf
    preamble: int  # tokens that all texts begin with
    public: float  # tokens of a text, the preamble included; mean
    private: float  # mean
    output: float  # mean
    spread: float = 0.4  # of lengths: standard deviation over mean
    output_spread: float = 0.4


TOOL_USE = Workload(texts=154, zipf=1.1, preamble=256, public=6_125, private=1_081, output=43)
CODING = Workload(texts=2_000, zipf=0.8, preamble=256, public=1_748, private=54, output=190, output_spread=1.8)
LONG_DOC = Workload(texts=333, zipf=0.6, preamble=64, public=9_996, private=989, output=16, output_spread=0.6)
CHAT_TURNS, CHAT_MESSAGE, CHAT_ANSWER, CHAT_PAUSE = 4, 161.0, 338.0, 30.0
BURST_REQUESTS, BURST_FACTOR, BURST_SHARE = 200, 4.0, 0.15


def generate(name: str, requests: int, seed: int, rate: float = 1.0) -> list[Request]:
    """So many requests of the trace ``name`` (see :data:`TRACES`), ``rate`` of them a second on average, by a Poisson
    process; :class:`ConfigurationError` for an unknown name."""
    make = TRACES.get(name)
    if make is None:
        raise ConfigurationError(f"There is no trace {name!r}; there are: {', '.join(TRACES)}.")
    return numbered(make(requests, rate, Draw(f"{name} {seed}")))


def _questions(*workloads: Workload, bursts: bool = False) -> Callable[[int, float, Draw], Iterator[Request]]:
    """Each request belongs to one of the workloads, all of them equally often."""

    def make(requests: int, rate: float, draw: Draw) -> Iterator[Request]:
        texts = Texts()
        libraries = [_Library(workload, texts, draw) for workload in workloads]
        times = _bursts(rate, draw) if bursts else _poisson(rate, draw)
        for number in range(requests):
            library = libraries[draw.randrange(len(libraries))]
            workload = library.workload
            private = _tokens(_length(workload.private, workload.spread, draw), draw)
            output = _length(workload.output, workload.output_spread, draw)
            yield Request(next(times), f"s{number}", library.draw(), private, output)

    return make


def _chat(requests: int, rate: float, draw: Draw) -> Iterator[Request]:
    """Conversations, each with a geometric number of turns; the next one follows when the answer has been read."""
    nothing = Texts().of(array("I"))
    begins = _poisson(rate / CHAT_TURNS, draw)
    made = number = 0
    while made < requests:
        t, prompt = next(begins), array("I")
        number += 1
        while made < requests:
            prompt = prompt + _tokens(_length(CHAT_MESSAGE, 1.0, draw), draw)
            output = _length(CHAT_ANSWER, 0.8, draw)
            yield Request(t, f"c{number}", nothing, prompt, output)
            made += 1
            if draw.random() < 1 / CHAT_TURNS:
                break
            prompt = prompt + _tokens(output, draw)
            t += draw.expovariate(1 / CHAT_PAUSE) + output / 20


class _Library:
    """The shared texts of one workload, made when they are first asked for."""

    def __init__(self, workload: Workload, texts: Texts, draw: Draw) -> None:
        self.workload = workload
        self._texts = texts
        self._draw = draw
        self._preamble = _tokens(workload.preamble, draw)
        weights = (rank**-workload.zipf for rank in range(1, workload.texts + 1))
        self._cumulative = list(accumulate(weights))
        self._made: dict[int, PublicText] = {}

    def draw(self) -> PublicText:
        """One of them, the popular ones more often."""
        rank = self._draw.choices(range(self.workload.texts), cum_weights=self._cumulative)[0]
        found = self._made.get(rank)
        if found is None:
            rest = max(1, _length(self.workload.public, self.workload.spread, self._draw) - self.workload.preamble)
            found = self._made[rank] = self._texts.of(self._preamble + _tokens(rest, self._draw))
        return found


def _poisson(rate: float, draw: Draw) -> Iterator[float]:
    t = 0.0
    while True:
        t += draw.expovariate(rate)
        yield t


def _bursts(rate: float, draw: Draw) -> Iterator[float]:
    """A Poisson process that is ``BURST_FACTOR`` times as fast as on average for ``BURST_SHARE`` of the time, about
    ``BURST_REQUESTS`` requests long."""
    burst = BURST_REQUESTS / (rate * BURST_FACTOR)
    calm = burst * (1 - BURST_SHARE) / BURST_SHARE
    slow = rate * (1 - BURST_FACTOR * BURST_SHARE) / (1 - BURST_SHARE)
    t, end, fast = 0.0, draw.expovariate(1 / calm), False
    while True:
        after = t + draw.expovariate(rate * BURST_FACTOR if fast else slow)
        if after > end:  # the process has no memory: it begins anew at the border
            t, fast = end, not fast
            end += draw.expovariate(1 / (burst if fast else calm))
            continue
        t = after
        yield t


def _length(mean: float, spread: float, draw: Draw) -> int:
    """At least 1; log-normal with this mean and this standard deviation over mean."""
    variance = math.log(1 + spread * spread)
    return max(1, round(draw.lognormvariate(math.log(mean) - variance / 2, math.sqrt(variance))))


def _tokens(count: int, draw: Draw) -> array[int]:
    """Random bytes, two for each token: ids below 65,536 are enough to tell texts apart."""
    return array("I", array("H", draw.randbytes(2 * count)))


TRACES: dict[str, Callable[[int, float, Draw], Iterator[Request]]] = {
    "tooluse": _questions(TOOL_USE),
    "coding": _questions(CODING),
    "longdoc": _questions(LONG_DOC),
    "mixed": _questions(TOOL_USE, CODING, LONG_DOC),
    "chat": _chat,
    "bursts": _questions(TOOL_USE, bursts=True),
}
"""Every kind of trace by its name."""
SHARED = ("tooluse", "coding", "longdoc", "mixed", "bursts")
"""Those with prefixes that requests of different people share."""
