"""Policies beside each other on the same requests: cases, their results, and what is concluded from them.

A case is one run. Cases are independent of each other: they are computed by several processes, and a result that is
kept in a folder is not computed again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import msgspec

from engine.forwarding.policies.registry import NAMES
from engine.simulation.forwarding.generated import TRACES
from engine.simulation.forwarding.network import ORACLE, Plan
from engine.simulation.forwarding.options import make_plan, make_trace
from engine.simulation.forwarding.run import simulate
from engine.simulation.forwarding.saturation import at_load, saturation_goodput
from engine.simulation.forwarding.trace import Request

LOADS = (0.3, 0.5, 0.7, 0.9)
Say = Callable[[str], None]
Parameters = tuple[tuple[str, float | str], ...]


def _balance(absolute: float, relative: float) -> Parameters:
    return (("balance_absolute", absolute), ("balance_relative", relative), ("on_miss", "load"))


SWEEPS: dict[str, tuple[Parameters, ...]] = {
    "planetserve": ((), (("depth", 100.0),), (("depth", 400.0),)),
    "sglang": ((), _balance(64.0, 1.5), _balance(8.0, 1.5)),
    "least-load": ((), (("by", "tokens"),)),
}
"""Parameters that are tried of the policies that are shown at their best."""
SWEPT_AT = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One run. ``goodput``: what loads are shares of; 0 asks for it instead of a run."""

    trace: str
    requests: int
    policy: str = "none"
    parameters: Parameters = ()
    load: float = 0.0
    goodput: float = 0.0
    nodes: int = 8
    kinds: tuple[str, ...] = ()
    newcomers: float = 0.0
    overstating: float = 0.0
    beliefs: bool = True
    gossip_seconds: float | None = None
    access_seconds: float = 0.0075
    churn_per_minute: float = 0.0
    warm_up: float = 0.25
    seed: int = 1

    def plan(self) -> Plan:
        """What to simulate."""
        plan = make_plan(
            policy=self.policy,
            nodes=self.nodes,
            kinds=self.kinds,
            newcomers=self.newcomers,
            overstating=self.overstating,
            beliefs=self.beliefs,
            gossip_seconds=self.gossip_seconds,
            access_seconds=self.access_seconds,
            churn_per_minute=self.churn_per_minute,
            seed=self.seed,
        )
        return replace(plan, parameters=dict(self.parameters))

    @property
    def key(self) -> str:
        """A name for its result."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:24]


def measure(case: Case) -> dict[str, Any]:
    """The result of one case: its numbers (see ``measures.summary``), or ``{"goodput": tokens/s}``."""
    requests = _trace(case.trace, case.requests, case.seed)
    if not case.goodput:
        return {"goodput": saturation_goodput(case.plan(), requests)}
    return simulate(case.plan(), at_load(requests, case.goodput, case.load), warm_up=case.warm_up)


@lru_cache(maxsize=2)
def _trace(name: str, requests: int, seed: int) -> list[Request]:
    return make_trace(name, requests, seed)


class Results:
    """Results of cases: computed by ``jobs`` processes, kept in ``folder`` if there is one."""

    def __init__(self, jobs: int = 1, folder: Path | None = None, say: Say = lambda _line: None) -> None:
        self._jobs = jobs
        self._folder = folder
        self._say = say
        self._known: dict[Case, dict[str, Any]] = {}

    def of(self, case: Case) -> dict[str, Any]:
        """One result; :meth:`compute` it first if there are many."""
        self.compute([case])
        return self._known[case]

    def compute(self, cases: Iterable[Case]) -> None:
        """Have the results of all these."""
        missing = []
        for case in dict.fromkeys(cases):
            if case not in self._known:
                kept = self._kept(case)
                if kept is None:
                    missing.append(case)
                else:
                    self._known[case] = kept
        if self._jobs == 1 or len(missing) < 2:
            for done, case in enumerate(missing, 1):
                self._take(case, measure(case), done, len(missing))
            return
        with ProcessPoolExecutor(self._jobs, mp_context=get_context("spawn")) as pool:
            futures = {pool.submit(measure, case): case for case in missing}
            for done, future in enumerate(as_completed(futures), 1):
                self._take(futures[future], future.result(), done, len(missing))

    def goodput(self, case: Case) -> float:
        """Saturation goodput of no forwarding on a case's trace and machines, whatever its policy; found once, with
        the first seed."""
        found: float = self.of(unloaded(case))["goodput"]
        return found

    def _take(self, case: Case, result: dict[str, Any], done: int, of: int) -> None:
        self._known[case] = result
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            (self._folder / f"{case.key}.json").write_bytes(msgspec.json.encode({"case": asdict(case), **result}))
        load = f" at {case.load:.0%}" if case.goodput else ", saturation"
        self._say(f"{done} of {of}: {case.trace}{load}, {case.policy} {dict(case.parameters) or ''}")

    def _kept(self, case: Case) -> dict[str, Any] | None:
        if self._folder is None:
            return None
        try:
            kept: dict[str, Any] = msgspec.json.decode((self._folder / f"{case.key}.json").read_bytes())
        except (OSError, msgspec.DecodeError):
            return None
        return kept


def unloaded(case: Case) -> Case:
    """The case that asks for the saturation goodput of another one's machines and trace."""
    return replace(
        case,
        policy="none",
        parameters=(),
        load=0.0,
        goodput=0.0,
        newcomers=0.0,
        overstating=0.0,
        beliefs=False,
        churn_per_minute=0.0,
        seed=1,
    )


def compare(
    base: Case,
    results: Results,
    traces: Sequence[str] = tuple(TRACES),
    loads: Sequence[float] = LOADS,
    policies: Sequence[str] = (*NAMES, ORACLE),
    sweeps: Mapping[str, Sequence[Parameters]] = SWEEPS,
) -> dict[str, Any]:
    """Every policy on every trace at every load: ``rows``, with the parameters that each was ``best`` with on a trace
    (those with the lowest 99th percentile of the time to the first token at ``SWEPT_AT``)."""
    traces = list(dict.fromkeys(traces))
    results.compute(replace(unloaded(base), trace=trace) for trace in traces)
    goodputs = {trace: results.goodput(replace(base, trace=trace)) for trace in traces}
    based = {trace: replace(base, trace=trace, goodput=goodputs[trace]) for trace in traces}
    swept = {
        (trace, policy): [
            replace(based[trace], policy=policy, parameters=one, load=SWEPT_AT) for one in sweeps.get(policy, ())
        ]
        for trace in traces
        for policy in policies
    }
    best: dict[tuple[str, str], Parameters] = {}
    cases = [case for tried in swept.values() for case in tried]
    cases += [
        replace(based[trace], policy=policy, load=load)
        for trace in traces
        for policy in policies
        if not swept[trace, policy]
        for load in loads
    ]
    results.compute(cases)
    for place, tried in swept.items():
        if tried:
            best[place] = min(tried, key=lambda case: _worst_first(results.of(case))).parameters
    chosen = [
        replace(based[trace], policy=policy, load=load, parameters=best.get((trace, policy), ()))
        for trace in traces
        for policy in policies
        for load in loads
    ]
    results.compute(chosen)
    rows = [
        {
            "trace": case.trace,
            "load": case.load,
            "parameters": dict(case.parameters),
            **{name: value for name, value in results.of(case).items() if name != "case"},
        }
        for case in chosen
    ]
    return {"case": asdict(base), "saturation_tokens_per_s": goodputs, "rows": rows}


def _worst_first(result: dict[str, Any]) -> tuple[float, float]:
    """To sort by: rejections count more than any time."""
    p99 = result["ttft_s"]["p99"]
    return result["rejected"] / result["requests"], float("inf") if p99 is None else p99
