"""What sealing, receipts and verification cost: the same network with and without them, switched every few seconds.

``on`` is what ``gentorrent node`` does, and beside it the verifiers' readings of answers, as many as the default rate
asks for. ``off`` is the same code with functions in the place of sealing, signing and checking that copy bytes
(``drivers.unsealed``). Both take turns in short blocks, so that what else the machine does meets both alike; a pair is
one block of each, and shares are means over pairs with their 95 % interval. Every block is the same piece of work:
so many answers of so many tokens, begun together and waited for, so that no reading of questions or half of an answer
falls into one block rather than the other.
"""

from __future__ import annotations

import math
import os
import statistics
from collections.abc import Callable, Mapping, Sequence
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
EVERYBODY = "all"
"""All processes of the network together."""
SERVING = "all but the client"
"""Those of them that serve: a client's work is done on its own machine, not on theirs."""
WORKER = "worker"
"""Of the model node, which counts it as its own."""
MEMBERS = 4
"""Of the network's committee, so that its model node writes down and submits what it signs; they run nowhere."""
STAND_IN_PACE = 50.0
TARGET = 0.03
ALL = {"sealing": True, "receipts": True, "layers": True}
NEITHER = {**ALL, "sealing": False, "receipts": False}
NOTHING = dict.fromkeys(ALL, False)
_T95 = (12.71, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131)
"""Student's t, two-sided 95 %, by degrees of freedom from 1 on."""
_LEAST_FOR_A_SLOPE = 6
_BORNE, _SETTLING = 5, 3
"""Pairs that may fail (of many a twentieth), and answers that may behind each before it is tried again."""
_LEAST_SECONDS = 0.005
"""Half of what processor time is counted in: what took less shows as nothing."""


@dataclass(frozen=True)
class Amount:
    """How many pairs of blocks. ``chats``: answers of a block, all begun at once."""

    paced_pairs: int
    paced_chats: int
    saturated_pairs: int
    saturated_chats: int
    stand_in_pairs: int
    stand_in_chats: int
    layers_pairs: int
    tokens: int = TOKENS


FULL = Amount(4, 4, 200, 8, 6, 24, 3)
QUICK = Amount(4, 4, 8, 8, 4, 24, 3)


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


def lost_of(more: Share) -> Share:
    """``more``: by how much it is more without; as a share of that."""
    mean, low, high = (one / (1 + one) if math.isfinite(one) else one for one in (more.mean, more.low, more.high))
    return Share(mean, low, high, more.pairs)


def share_of(
    dear: Sequence[float], cheap: Sequence[float], control: tuple[Sequence[float], Sequence[float]] | None = None
) -> Share:
    """By how much ``dear`` exceeds ``cheap`` (both positive, paired), as a share of ``cheap``, with Student's
    interval. ``control``: what takes the same in both, so that its
    differences show what the machine did meanwhile; as far as the others follow them they are taken off."""
    ratios = _logarithms(dear, cheap)
    others = _logarithms(*control) if control is not None else [0.0] * len(ratios)
    pairs, count = list(zip(ratios, others, strict=True)), len(ratios)
    mean = _mean(pairs)
    if count < 2:
        return Share(math.expm1(mean), -math.inf, math.inf, count)
    reach = _reach(pairs)
    low, high = mean - reach, mean + reach
    return Share(math.expm1(mean), math.expm1(low), math.expm1(high), count)


def _logarithms(dear: Sequence[float], cheap: Sequence[float]) -> list[float]:
    return [math.log(one / other) for one, other in zip(dear, cheap, strict=True)]


def _mean(pairs: Sequence[tuple[float, float]]) -> float:
    """Of the first ones, where the second ones are 0."""
    ones, others = zip(*pairs, strict=True)
    return statistics.fmean(ones) - _slope(pairs) * statistics.fmean(others)


def _reach(pairs: Sequence[tuple[float, float]]) -> float:
    """Half of the 95 % interval of :func:`_mean`."""
    slope, middle = _slope(pairs), statistics.fmean(other for _, other in pairs)
    rest = [one - slope * other for one, other in pairs]
    freedom, part = len(rest) - 1, 1 / len(rest)
    if slope:
        freedom, part = freedom - 1, part + middle**2 / sum((other - middle) ** 2 for _, other in pairs)
    mean = statistics.fmean(rest)
    t = _T95[min(freedom, len(_T95)) - 1]
    return t * math.sqrt(sum((one - mean) ** 2 for one in rest) / freedom * part)


def _slope(pairs: Sequence[tuple[float, float]]) -> float:
    """Of the line of least squares; 0 for few pairs, and where the second ones do not differ."""
    if len(pairs) < _LEAST_FOR_A_SLOPE:
        return 0.0
    mean, middle = (statistics.fmean(one) for one in zip(*pairs, strict=True))
    spread = sum((other - middle) ** 2 for _, other in pairs)
    return sum((one - mean) * (other - middle) for one, other in pairs) / spread if spread else 0.0


@dataclass(frozen=True, slots=True)
class Round:
    """One block: answers begun together, until the last one ended. ``seconds``: mean of whole answers; ``took``: all of
    them; ``used``: processor seconds by participant."""

    tokens: int
    seconds: float
    took: float
    used: Mapping[str, float]


@dataclass(slots=True)
class Side:
    """Blocks of one kind. ``seconds``: mean of whole answers; ``speed``: tokens per second; ``processor``: by
    participant, seconds for 1,000 tokens; ``busy``: of all processors."""

    seconds: list[float] = field(default_factory=list)
    speed: list[float] = field(default_factory=list)
    processor: dict[str, list[float]] = field(default_factory=dict)
    busy: list[float] = field(default_factory=list)

    def add(self, one: Round) -> None:
        """Another block."""
        self.seconds.append(one.seconds)
        self.speed.append(one.tokens / one.took)
        self.busy.append(one.used[EVERYBODY] / one.took / (os.cpu_count() or 1))
        for name, used in one.used.items():
            self.processor.setdefault(name, []).append(1000 * max(used, _LEAST_SECONDS) / one.tokens)


@dataclass(slots=True)
class Pairs:
    """Block i of ``on`` and block i of ``off`` were measured one behind the other. ``answers``: in all blocks of a
    side; ``chats``: wanted at once, ``fewest_chats``: those of the smallest block."""

    on: Side = field(default_factory=Side)
    off: Side = field(default_factory=Side)
    answers: int = 0
    scored: int = 0
    chats: int = 0
    fewest_chats: int = 0

    def latency(self) -> Share:
        """Of the total time of an answer."""
        return share_of(self.on.seconds, self.off.seconds)

    def throughput(self) -> Share:
        """Of the tokens per second that there would be without protection."""
        return lost_of(share_of(self.off.speed, self.on.speed))

    def capacity(self, of: str = EVERYBODY, *, controlled: bool = False) -> Share:
        """The same by processor time: where no processor is ever idle, tokens per second are the inverse of what all
        processes (or those ``of``) take for a token. ``controlled``: by what the worker takes, which computes the same
        in both."""
        if not controlled:
            return lost_of(self.processor(of))
        control = self.on.processor[WORKER], self.off.processor[WORKER]
        return lost_of(share_of(self.on.processor[of], self.off.processor[of], control))

    def processor(self, participant: str) -> Share:
        """By how much protection raises the processor time for a token at one participant."""
        return share_of(self.on.processor[participant], self.off.processor[participant])


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
    """Measures on a running network. ``server``: processor seconds so far of its bootstrap server."""

    def __init__(
        self,
        network: OverlayNetwork,
        amount: Amount,
        readings_per_answer: float,
        say: Say,
        server: Callable[[], float] = float,
    ) -> None:
        self._network = network
        self._amount = amount
        self._say = say
        self._per_answer = readings_per_answer
        self._server = server
        self._carries: dict[int, int] = {}  # answers at once, of so many that were wanted and failed
        self._parts: dict[str, Participant] = {
            "client": network.client, "model node": network.model, "relays": network.relays,
        }  # fmt: skip

    def paced(self) -> Pairs:
        """Answers at ``PACE`` tokens per second, several at once."""
        self._make(PACE)
        pairs = self._pairs(self._amount.paced_pairs, self._amount.paced_chats)
        self._say(f"paced answers: {_percent(pairs.latency())} of the time")
        return pairs

    def saturated(self) -> Pairs:
        """As many tokens as go, of the real worker."""
        self._make(None)
        pairs = self._pairs(self._amount.saturated_pairs, self._amount.saturated_chats)
        self._say(f"saturated: {_percent(pairs.throughput())} of the tokens/s")
        for of, controlled, words in (
            (EVERYBODY, False, ""),
            (EVERYBODY, True, ", the worker as the control"),
            (SERVING, True, ", the worker as the control, without the client"),
        ):
            share = pairs.capacity(of, controlled=controlled)
            self._say(f"saturated: {_percent(share)} by processor time{words}")
        return pairs

    def stand_in(self, count: int, without: Mapping[str, bool] = NEITHER) -> Pairs:
        """As many as go, of a stand-in for a GPU's worker."""
        self._make(STAND_IN_PACE, stand_in=True)
        pairs = self._pairs(count, self._amount.stand_in_chats, without=without, reads=False)
        self._say(f"saturated, stand-in: {_percent(pairs.throughput())} of the tokens/s")
        return pairs

    def _pairs(self, count: int, chats: int, *, without: Mapping[str, bool] = NEITHER, reads: bool = True) -> Pairs:
        """``count`` pairs of blocks. Where an answer failed both blocks are measured again, with half as many chats
        where that failed, too: a machine with other work to do cannot carry as many. ``reads``: verifiers' readings
        beside those with protection."""
        wanted, chats = chats, self._carries.get(chats, chats)
        pairs, dose = Pairs(chats=wanted), Dose(self._per_answer if reads else 0.0)
        lost, in_a_row, scored = 0, 0, self._scored()
        self._round(chats)  # opens the paths
        while len(pairs.on.speed) < count:
            why = self._pair(pairs, dose, chats, without)
            if not why:
                in_a_row = 0
                continue
            lost, in_a_row = lost + 1, in_a_row + 1
            self._say(f"answers failed with {chats} at once: {why}")
            if lost > max(_BORNE, count / 20):
                raise BenchmarkError(f"Answers failed, {lost} times; nothing is compared. The last: {why}")
            self._settle()
            if in_a_row > 1:
                chats = self._carries[wanted] = max(1, chats // 2)
        pairs.scored = self._scored() - scored
        return pairs

    def _pair(self, pairs: Pairs, dose: Dose, chats: int, without: Mapping[str, bool]) -> str:
        """Another pair; why an answer failed, if one did."""
        found: dict[bool, Round] = {}
        for protected in (True, False) if len(pairs.on.speed) % 2 == 0 else (False, True):
            self._protect(ALL if protected else without)
            if protected and (due := dose.due(chats)):
                self._network.model.ask("score", background=True, times=due)
            one = self._round(chats)
            if isinstance(one, str):
                return one
            found[protected] = one
        pairs.on.add(found[True])
        pairs.off.add(found[False])
        pairs.answers += chats
        pairs.fewest_chats = min(pairs.fewest_chats or chats, chats)
        return ""

    def _settle(self) -> None:
        """What was given up still runs for a while, and links may have ended: wait for one answer alone."""
        for _ in range(_SETTLING):
            if isinstance(self._round(1), Round):
                return

    def _round(self, chats: int) -> Round | str:
        """One block; why an answer failed, if one did."""
        before = self._processor()
        found = self._network.client.ask("ask", chats=chats, tokens=self._amount.tokens)
        after = self._processor()
        if found["why"]:
            return str(found["why"])
        used = {name: after[name] - before[name] for name in after}
        return Round(chats * self._amount.tokens, statistics.fmean(found["s"]), found["took"], used)

    def _protect(self, what: Mapping[str, bool]) -> None:
        for one in self._parts.values():
            one.ask("protect", **what)

    def _make(self, rate: float | None, *, stand_in: bool = False) -> None:
        self._network.model.ask("make", rate=rate, stand_in=stand_in)

    def _scored(self) -> int:
        return int(self._network.model.ask("score", times=0)["scored"])

    def _processor(self) -> dict[str, float]:
        told = {name: one.ask("processor") for name, one in self._parts.items()}
        found = {name: float(one["s"]) for name, one in told.items()}
        worker = float(told["model node"]["children"])
        everybody = sum(found.values()) + self._server()
        return found | {EVERYBODY: everybody, SERVING: everybody - found["client"], WORKER: worker}


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
        bench = Bench(network, amount, readings_per_answer, say, network.server_seconds)
        others = OtherPrograms(_own_seconds)
        try:
            paced, saturated = bench.paced(), bench.saturated()
            stand_in = bench.stand_in(amount.stand_in_pairs)
            layers = bench.stand_in(amount.layers_pairs, NOTHING)
        except BenchmarkError as error:
            raise BenchmarkError(
                f"{error} Other programs used {others.share():.0%} of a processor meanwhile; close them first."
            ) from error
        return Protected(paced, saturated, stand_in, layers, others.share())


def _percent(share: Share) -> str:
    return f"{100 * share.mean:.2f} % (95 %: {100 * share.low:.2f} to {100 * share.high:.2f})"
