"""What sealing, receipts and verification cost: the same network with and without them, switched every few seconds.

``on`` is what ``gentorrent node`` does, and beside it the verifiers' readings of answers, as many as the default rate
asks for. ``off`` is the same code with functions in the place of sealing, signing and checking that copy bytes
(``drivers.unsealed``). Both take turns in short blocks, so that what else the machine does meets both alike; a pair is
one block of each, and shares are means over pairs with their 95 % interval.
"""

from __future__ import annotations

import math
import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.bench.other_programs import OtherPrograms
from engine.bench.overlay import _own_seconds
from engine.bench.overlay_network import OverlayNetwork, Participant, running_network
from engine.crypto.identity import Identity
from engine.errors import BenchmarkError

Say = Callable[[str], None]
TOKENS = 128
PACE = 30.0
ENGINES = ("client", "model node")
"""Who seals, signs and checks."""
MEMBERS = 4
"""Of the network's committee, so that its model node writes down and submits what it signs; they run nowhere."""
STAND_IN_PACE = 50.0
TARGET = 0.03
ALL = {"sealing": True, "receipts": True, "layers": True}
NEITHER = {**ALL, "sealing": False, "receipts": False}
NOTHING = dict.fromkeys(ALL, False)
_SETTLE_SECONDS = 0.3
"""After a switch, before anything is counted."""
_LONGEST_WINDOW = 5
_T95 = (12.71, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131)
"""Student's t, two-sided 95 %, by degrees of freedom from 1 on."""


@dataclass(frozen=True)
class Amount:
    """How many pairs of blocks. ``chats``: answers at once; ``window_s``: of a saturated block."""

    paced_pairs: int
    paced_chats: int
    window_s: float
    saturated_pairs: int
    saturated_chats: int
    stand_in_pairs: int
    stand_in_chats: int
    layers_pairs: int
    tokens: int = TOKENS


FULL = Amount(10, 4, 3.0, 60, 8, 10, 24, 6)
QUICK = Amount(4, 4, 2.5, 8, 8, 5, 24, 3)


@dataclass(frozen=True, slots=True)
class Share:
    """Of the whole, what protection takes; ``low`` and ``high``: the 95 % interval of the mean over ``pairs``."""

    mean: float
    low: float
    high: float
    pairs: int

    def as_json(self) -> dict[str, Any]:
        """Rounded."""
        return {
            "mean": round(self.mean, 5),
            "low95": round(self.low, 5),
            "high95": round(self.high, 5),
            "pairs": self.pairs,
        }


def share_of(dear: Sequence[float], cheap: Sequence[float]) -> Share:
    """By how much ``dear`` exceeds ``cheap`` (both positive, paired), as a share of ``cheap``."""
    ratios = [math.log(one / other) for one, other in zip(dear, cheap, strict=True)]
    mean = statistics.fmean(ratios)
    if len(ratios) < 2:
        return Share(math.expm1(mean), -math.inf, math.inf, len(ratios))
    freedom = len(ratios) - 1
    reach = (_T95[freedom - 1] if freedom <= len(_T95) else 2.1) * statistics.stdev(ratios) / math.sqrt(len(ratios))
    return Share(math.expm1(mean), math.expm1(mean - reach), math.expm1(mean + reach), len(ratios))


@dataclass(slots=True)
class Side:
    """Blocks of one kind. ``seconds``: mean of whole answers (paced); ``speed``: tokens per second (saturated);
    ``processor``: by participant, seconds for 1,000 tokens."""

    seconds: list[float] = field(default_factory=list)
    speed: list[float] = field(default_factory=list)
    processor: dict[str, list[float]] = field(default_factory=dict)


@dataclass(slots=True)
class Pairs:
    """Block i of ``on`` and block i of ``off`` were measured one behind the other."""

    on: Side = field(default_factory=Side)
    off: Side = field(default_factory=Side)
    answers: float = 0.0
    scored: int = 0

    def latency(self) -> Share:
        """Of the total time of an answer."""
        return share_of(self.on.seconds, self.off.seconds)

    def throughput(self) -> Share:
        """Of the tokens per second that there would be without protection."""
        slower = share_of(self.off.speed, self.on.speed)  # how much more there is without
        low, high = slower.low / (1 + slower.low), slower.high / (1 + slower.high)
        return Share(slower.mean / (1 + slower.mean), low, high, slower.pairs)

    def processor(self, participant: str) -> Share:
        """Of the processor time for a token at one participant."""
        return share_of(self.on.processor[participant], self.off.processor[participant])


def of_processors(stand_in: Pairs, saturated: Pairs) -> Share:
    """What protection adds to the processor time for a token of all processes, as a share of what they take when they
    are ``saturated``: what those take more that seal, sign and check, measured where no worker runs beside them. Relays
    and the worker do the same with and without it, and what they take varies more than that."""
    on, off = (
        [sum(both) for both in zip(*(side.processor[name] for name in ENGINES), strict=True)]
        for side in (stand_in.on, stand_in.off)
    )
    more, part = share_of(on, off), statistics.fmean(off) / statistics.fmean(saturated.off.processor["all"])
    return Share(more.mean * part, more.low * part, more.high * part, more.pairs)


@dataclass(slots=True)
class Dose:
    """Readings by verifiers that are due for answers served; rounded up, so that none is forgotten in a short run."""

    per_answer: float
    answers: float = 0.0
    done: int = 0

    def due(self, answers: float) -> int:
        """How many to begin after ``answers`` more."""
        self.answers += answers
        wanted = math.ceil(self.answers * self.per_answer)
        fresh, self.done = wanted - self.done, wanted
        return fresh


class Bench:
    """Measures on a running network."""

    def __init__(self, network: OverlayNetwork, amount: Amount, readings_per_answer: float, say: Say) -> None:
        self._network = network
        self._amount = amount
        self._say = say
        self._per_answer = readings_per_answer
        self._everybody: dict[str, Participant] = {
            "client": network.client, "model node": network.model, "relays": network.relays,
        }  # fmt: skip

    def paced(self) -> Pairs:
        """Answers at ``PACE`` tokens per second, several at once."""
        amount, pairs, dose = self._amount, Pairs(), Dose(self._per_answer)
        self._make(PACE)
        self._block(Side(), warm=True)
        for number in range(amount.paced_pairs):
            for side in self._in_turn(pairs, number, NEITHER):
                if side is pairs.on:
                    self._network.model.ask("score", background=True, times=dose.due(amount.paced_chats))
                self._block(side)
        pairs.answers, pairs.scored = amount.paced_pairs * amount.paced_chats, self._scored()
        self._say(f"paced answers: {_percent(pairs.latency())} of the time")
        return pairs

    def _block(self, side: Side, *, warm: bool = False) -> None:
        tokens = self._amount.tokens // (4 if warm else 1)
        found = self._network.client.ask("ask", chats=self._amount.paced_chats, tokens=tokens)
        side.seconds.append(statistics.fmean(found["s"]))

    def saturated(self, count: int, *, stand_in: bool = False, without: Mapping[str, bool] = NEITHER) -> Pairs:
        """As many tokens as go: of the real worker, or of a stand-in for a GPU's; ``count`` pairs."""
        amount, pairs, dose = self._amount, Pairs(), Dose(self._per_answer)
        chats = amount.stand_in_chats if stand_in else amount.saturated_chats
        self._make(STAND_IN_PACE if stand_in else None, stand_in=stand_in)
        scored = self._scored()
        self._network.client.ask("keep_busy", background=True, chats=chats, tokens=amount.tokens)
        try:
            self._wait_until_busy(chats)
            for number in range(count):
                for side in self._in_turn(pairs, number, without):
                    answers = self._window(side) / amount.tokens
                    pairs.answers += answers
                    if side is pairs.on and not stand_in:
                        self._network.model.ask("score", background=True, times=dose.due(answers))
        finally:
            self._network.client.ask("end")
        failed = self._network.client.ask("counted")
        if failed["failed"] > max(3, pairs.answers / 20):
            raise BenchmarkError(f"{failed['failed']} answers failed; nothing is compared. The last: {failed['why']}")
        pairs.scored = self._scored() - scored
        self._say(f"saturated{', stand-in' if stand_in else ''}: {_percent(pairs.throughput())} of the tokens/s")
        return pairs

    def _wait_until_busy(self, chats: int) -> None:
        """All chats have their paths and each has had some answer."""
        begun = time.monotonic()
        while self._network.client.ask("counted")["tokens"] < chats * self._amount.tokens // 2:
            if time.monotonic() > begun + 60:
                raise BenchmarkError("The answers of the benchmark do not come. Close other programs; run it again.")
            time.sleep(0.2)

    def _window(self, side: Side) -> float:
        """One block, as long as it takes until some token has come; gives how many came."""
        time.sleep(_SETTLE_SECONDS)
        before, used = self._network.client.ask("counted"), self._processor()
        for _ in range(_LONGEST_WINDOW):
            time.sleep(self._amount.window_s)
            after, used_later = self._network.client.ask("counted"), self._processor()
            tokens = after["tokens"] - before["tokens"]
            if tokens > 0:
                break
        else:
            raise BenchmarkError("No token came for long. Close other programs and run it again.")
        side.speed.append(tokens / (after["at"] - before["at"]))
        for name, seconds in used_later.items():
            side.processor.setdefault(name, []).append(1000 * (seconds - used[name]) / tokens)
        return float(tokens)

    def _in_turn(self, pairs: Pairs, number: int, without: Mapping[str, bool]) -> Iterator[Side]:
        """Both, each pair beginning with the other one; switched before they are given."""
        order = (pairs.on, pairs.off) if number % 2 == 0 else (pairs.off, pairs.on)
        for side in order:
            for one in self._everybody.values():
                one.ask("protect", **(ALL if side is pairs.on else without))
            yield side

    def _make(self, rate: float | None, *, stand_in: bool = False) -> None:
        self._network.model.ask("make", rate=rate, stand_in=stand_in)

    def _scored(self) -> int:
        return int(self._network.model.ask("score", times=0)["scored"])

    def _processor(self) -> dict[str, float]:
        found = {name: float(one.ask("processor")["s"]) for name, one in self._everybody.items()}
        return found | {"all": sum(found.values())}


@dataclass(frozen=True)
class Protected:
    """All that was measured. ``layers``: as ``stand_in``, but the relays' layers around cells are switched, too.
    ``disturbed``: what other programs used of a processor."""

    paced: Pairs
    saturated: Pairs
    stand_in: Pairs
    layers: Pairs
    disturbed: float

    def pairs(self) -> dict[str, Pairs]:
        """By name."""
        return {
            "paced": self.paced,
            "saturated": self.saturated,
            "stand_in": self.stand_in,
            "stand_in_with_layers": self.layers,
        }


def measure(amount: Amount, readings_per_answer: float, say: Say) -> Protected:
    """Run the network and all of it. ``readings_per_answer``: by verifiers, at the default rate."""
    committee = [Identity.from_seed(os.urandom(32)).public_key for _ in range(MEMBERS)]
    with running_network("security", committee) as network:
        bench = Bench(network, amount, readings_per_answer, say)
        others = OtherPrograms(_own_seconds)
        paced = bench.paced()
        saturated = bench.saturated(amount.saturated_pairs)
        stand_in = bench.saturated(amount.stand_in_pairs, stand_in=True)
        layers = bench.saturated(amount.layers_pairs, stand_in=True, without=NOTHING)
        return Protected(paced, saturated, stand_in, layers, others.share())


def _percent(share: Share) -> str:
    return f"{100 * share.mean:.2f} % (95 %: {100 * share.low:.2f} to {100 * share.high:.2f})"
