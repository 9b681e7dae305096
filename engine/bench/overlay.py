"""``gentorrent bench overlay``: whole answers through the overlay, and the same engine asked directly, in turns."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil

from engine import __version__
from engine.bench.charts import draw_bars
from engine.bench.machine import commit, describe_machine
from engine.bench.other_programs import OtherPrograms
from engine.bench.overlay_network import RELAYS, OverlayNetwork, running_network
from engine.bench.storing import disturbance, make_page, store_results, table
from engine.errors import BenchmarkError

Say = Callable[[str], None]
PACES: tuple[float | None, ...] = (30.0, 100.0, None)
TARGET_RATIO = 0.97
TARGET_TTFT_MS = 25.0
QUESTION = "Who can read my question, and how is it kept from the others on its way?"
SHORT_ANSWER = 8
_SETTLE_SECONDS = 0.5
_PATHS_SECONDS = 30.0
METHOD = f"""
A bootstrap server, {RELAYS} relays (in one process), a model node with the built-in model and a client run on this
machine, linked by WebRTC on 127.0.0.1, with the code that `gentorrent node` runs. Each question opens a new chat: four
paths of three relays that were built before, as they are for a user; S-IDA, HPKE, cells and receipts as always. The
same question with the same seed is put to the model node itself, past the network; the two take turns in each round,
and the texts must be the same. Every question is new, so neither side finds it in a cache.

*tokens/s* is after the first token. *Paced*: the worker holds back each answer to 30 or 100 tokens/s, on both sides.
Time to the first token is counted from the call that the local API makes to the first token that it could write out;
*added* is the median of the differences within the rounds. All processes share the processors, so the relays, the
client and the engine slow each other down here as they would not on machines of their own.

*On the wire* is every datagram of every link while an answer is on its way, on all hops, with UDP and IP headers, less
what the links carry while idle. *Path set-up* is from the first packet to the confirmation of all three relays.
"""


@dataclass(frozen=True)
class Amount:
    """Rounds and tokens by pace, and rounds of short answers for the time to the first token."""

    rounds: dict[float | None, tuple[int, int]]
    short: int
    idle_seconds: float


FULL = Amount({30.0: (7, 60), 100.0: (9, 150), None: (15, 150)}, 40, 5.0)
QUICK = Amount({30.0: (3, 45), 100.0: (3, 100), None: (5, 60)}, 10, 2.0)


@dataclass
class Side:
    """What was measured of one of the two ways."""

    first_ms: list[float] = field(default_factory=list)
    speed: list[float] = field(default_factory=list)
    whole_s: list[float] = field(default_factory=list)


@dataclass
class Measured:
    """Everything of one pace. ``stages``: milliseconds of request, engine and answer's way back, by answer."""

    overlay: Side = field(default_factory=Side)
    direct: Side = field(default_factory=Side)
    stages: list[tuple[float, float, float]] = field(default_factory=list)
    wire_per_byte: list[float] = field(default_factory=list)
    wire_per_token: list[float] = field(default_factory=list)


def run(*, quick: bool, say: Say) -> dict[str, Any]:
    """Measure; the documented keys and more."""
    amount = QUICK if quick else FULL
    say("measuring the machine")
    machine = describe_machine()
    say("starting the network")
    with running_network() as network:
        bench = _Bench(network, say)
        bench.warm_up(amount.idle_seconds)
        others = OtherPrograms(_own_seconds)
        paced = {pace: bench.rounds(pace, *amount.rounds[pace]) for pace in PACES}
        short = bench.rounds(None, amount.short, SHORT_ANSWER)
        disturbed = others.share()
        set_ups = network.client.ask("set_ups")["ms"]
    versions = {"gentorrent": __version__, "commit": commit(Path(__file__).resolve().parents[2])}
    return {
        "machine": machine,
        "versions": versions,
        **assemble(paced, short, set_ups),
        "other_programs": disturbed,
    } | {
        "idle_bytes_per_s": round(bench.idle_rate),
        "quick": quick,
    }


def assemble(paced: dict[float | None, Measured], short: Measured, set_ups: Sequence[float]) -> dict[str, Any]:
    """The documented keys out of what was measured."""
    everything = [*paced.values(), short]
    added = [
        there - here
        for one in everything
        for there, here in zip(one.overlay.first_ms, one.direct.first_ms, strict=True)
    ]
    stages = [stage for one in everything for stage in one.stages]
    names = ("request", "engine", "answer")
    return {
        "ratio_paced": {f"{pace:.0f}": _ratio(one) for pace, one in paced.items() if pace is not None},
        "ratio_unpaced": _ratio(paced[None]),
        "added_ttft_ms_median": _median(added),
        "wire_bytes_per_answer_byte": _median(paced[30.0].wire_per_byte),
        "path_setup_ms": _median(set_ups),
        "rows": [_row(name_of(pace), one) for pace, one in paced.items()] + [_row("short answers", short)],
        "stages_ms": {name: _median([stage[place] for stage in stages]) for place, name in enumerate(names)},
        "direct_ttft_ms": _median([value for one in everything for value in one.direct.first_ms]),
        "added_ttft_ms_spread": [round(min(added), 2), round(max(added), 2)],
        "path_setup_ms_spread": [round(min(set_ups), 2), round(max(set_ups), 2)],
        "answers": len(added),
    }


class _Bench:
    """Asks in turns. ``idle_rate``: bytes per second of all links without any answer."""

    def __init__(self, network: OverlayNetwork, say: Say) -> None:
        self._network = network
        self._say = say
        self._questions = 0
        self.idle_rate = 0.0

    def warm_up(self, idle_seconds: float) -> None:
        """Both ways once, then listen to the idle links."""
        self._one_round(Measured(), 16, turn=0)
        self._ready()
        time.sleep(_SETTLE_SECONDS)
        before, begun = self._sent(), time.monotonic()
        time.sleep(idle_seconds)
        self.idle_rate = (self._sent() - before) / (time.monotonic() - begun)
        self._network.client.ask("set_ups")  # the paths of the start were opened while everything else began

    def rounds(self, pace: float | None, count: int, tokens: int) -> Measured:
        """``count`` answers of ``tokens`` tokens on each way."""
        self._network.model.ask("pace", rate=pace)
        measured = Measured()
        for turn in range(count):
            self._one_round(measured, tokens, turn)
        speeds = f"{_median(measured.overlay.speed)} tokens/s, directly {_median(measured.direct.speed)}"
        firsts = f"{_median(measured.overlay.first_ms)} ms, directly {_median(measured.direct.first_ms)}"
        self._say(f"{name_of(pace)}, {tokens} tokens: {speeds}; first token after {firsts}")
        return measured

    def _one_round(self, measured: Measured, tokens: int, turn: int) -> None:
        self._questions += 1
        question = f"Question {self._questions}: {QUESTION}"
        sides = (self._through_the_overlay, self._directly)
        texts = [side(question, tokens, measured) for side in (sides if turn % 2 == 0 else sides[::-1])]
        if texts[0] != texts[1]:
            raise BenchmarkError(
                "The two ways gave different answers to the same question and seed; nothing is compared."
            )

    def _through_the_overlay(self, question: str, tokens: int, measured: Measured) -> str:
        self._ready()
        before, begun = self._sent(), time.monotonic()
        reply = self._network.client.ask("ask", text=question, tokens=tokens)
        time.sleep(_SETTLE_SECONDS / 2)  # the last acknowledgements
        sent = self._sent() - before - self.idle_rate * (time.monotonic() - begun)
        if reply["receipt"] != "verified":
            raise BenchmarkError("An answer came without a receipt that holds; nothing is compared.")
        marks = self._network.model.ask("marks")
        points = (reply["asked"], marks["asked"], marks["first"], reply["first"])
        request, engine, answer = ((later - earlier) * 1000 for earlier, later in pairwise(points))
        measured.stages.append((request, engine, answer))
        measured.wire_per_byte.append(sent / max(reply["answer_bytes"], 1))
        measured.wire_per_token.append(sent / reply["tokens"])
        return _keep(reply, measured.overlay)

    def _directly(self, question: str, tokens: int, measured: Measured) -> str:
        return _keep(self._network.model.ask("ask", text=question, tokens=tokens), measured.direct)

    def _ready(self) -> None:
        """Wait until the next chat finds its paths, as it does for a person."""
        begun = time.monotonic()
        while self._network.client.ask("state")["paths"] < 4:
            if time.monotonic() > begun + _PATHS_SECONDS:
                raise BenchmarkError("The client has no paths. Close other programs and run it again.")
            time.sleep(0.05)
        time.sleep(0.1)

    def _sent(self) -> float:
        return float(sum(one["bytes"] for one in self._network.counters()))


def _own_seconds() -> float:
    """Processor time of this process and of the network, which is all its children."""
    total = time.process_time()
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            times = child.cpu_times()
            total += times.user + times.system
    return total


def _keep(reply: dict[str, Any], side: Side) -> str:
    if reply["cached_tokens"]:
        raise BenchmarkError("A side found the question in its cache; nothing is compared.")
    side.first_ms.append((reply["first"] - reply["asked"]) * 1000)
    side.whole_s.append(reply["ended"] - reply["asked"])
    rest, seconds = reply["tokens"] - reply["first_tokens"], reply["last"] - reply["first"]
    side.speed.append(rest / max(seconds, 1e-9))
    return str(reply["text"])


def name_of(pace: float | None) -> str:
    """As it stands in tables."""
    return "unpaced" if pace is None else f"paced, {pace:.0f}/s"


def _row(name: str, one: Measured) -> dict[str, Any]:
    return {
        "work": name,
        "rounds": len(one.overlay.speed),
        "tokens_per_s": {"overlay": _median(one.overlay.speed), "direct": _median(one.direct.speed)},
        "spread": {
            side: [round(min(values), 2), round(max(values), 2)]
            for side, values in (("overlay", one.overlay.speed), ("direct", one.direct.speed))
        },
        "ratio": _ratio(one),
        "ttft_ms": {"overlay": _median(one.overlay.first_ms), "direct": _median(one.direct.first_ms)},
        "whole_answer_s": {
            "overlay": round(statistics.median(one.overlay.whole_s), 4),
            "direct": round(statistics.median(one.direct.whole_s), 4),
        },
        "wire_bytes_per_answer_byte": _median(one.wire_per_byte),
        "wire_bytes_per_token": _median(one.wire_per_token),
    }


def _ratio(one: Measured) -> float:
    """Median of the ratios within the rounds."""
    pairs = zip(one.overlay.speed, one.direct.speed, strict=True)
    return round(statistics.median(there / here for there, here in pairs), 4)


def _median(values: Sequence[float]) -> float:
    return round(statistics.median(values), 2) if values else 0.0


def as_text(results: dict[str, Any]) -> str:
    """What is printed."""
    rows = [
        [
            row["work"],
            row["tokens_per_s"]["overlay"],
            row["tokens_per_s"]["direct"],
            f"{row['ratio']:.3f}",
            row["ttft_ms"]["overlay"],
            row["ttft_ms"]["direct"],
            f"{row['wire_bytes_per_answer_byte']:,.0f}",
            f"{row['wire_bytes_per_token'] / 1000:,.1f}",
        ]
        for row in results["rows"]
        if row["work"] != "short answers"
    ]
    head = ["answers", "tokens/s, overlay", "direct", "ratio", "first token, ms, overlay", "direct"]
    return "\n".join(
        [
            *table([*head, "bytes on the wire per byte of answer", "KB per token"], rows),
            "",
            *_findings(results),
            *disturbance(results),
        ]
    )


def _findings(results: dict[str, Any]) -> list[str]:
    stages, (lowest, highest) = results["stages_ms"], results["added_ttft_ms_spread"]
    ratios = ", ".join(f"{ratio:.3f} at {pace}/s" for pace, ratio in results["ratio_paced"].items())
    return [
        f"- Added time to the first token: {results['added_ttft_ms_median']} ms, median of {results['answers']}",
        f"  answers (wanted: {TARGET_TTFT_MS:.0f} or less); from {lowest} to {highest}.",
        f"- Ratio of tokens/s when paced (wanted: {TARGET_RATIO} or more): {ratios}.",
        f"- Of the time to the first token the request takes {stages['request']} ms to the engine, the engine",
        f"  {stages['engine']} ms, and the token {stages['answer']} ms back; asked directly it is",
        f"  {results['direct_ttft_ms']} ms in all.",
        f"- Path set-up: {results['path_setup_ms']} ms. Idle links of all {RELAYS + 2} participants:",
        f"  {results['idle_bytes_per_s'] / 1000:.1f} KB/s.",
    ]


def store(results: dict[str, Any], folder: Path) -> list[Path]:
    """Write overlay.json, overlay.md and overlay.svg."""
    groups: list[tuple[str, dict[str, float]]] = [
        (f"{row['work']}: tokens/s", row["tokens_per_s"]) for row in results["rows"] if row["work"] != "short answers"
    ]
    groups += [(f"{row['work']}: first, ms", row["ttft_ms"]) for row in results["rows"]]
    below = f"{results['machine']['processor']}, {results['machine']['processors']} processors; all on one machine"
    page = make_page(
        "Answers through the overlay",
        "bench overlay",
        "overlay.svg",
        results,
        findings=as_text(results).splitlines(),
        method=METHOD,
    )
    picture = draw_bars("Through the overlay and directly", groups, below, "")
    return store_results("overlay", results, page, picture, folder)
