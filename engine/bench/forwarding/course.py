"""``gentorrent bench forwarding``: measure nodes, then play the same requests by each policy, real and simulated."""

from __future__ import annotations

import asyncio
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from engine import __version__
from engine.bench.forwarding.asking import Record
from engine.bench.forwarding.calibration import Calibration, Measured, Rates, fit
from engine.bench.forwarding.fleet import Fleet, running_fleet
from engine.bench.forwarding.outcomes import error, gain, real_summary, simulated_summary
from engine.bench.forwarding.player import play
from engine.bench.forwarding.prompts import Prompts
from engine.bench.forwarding.quotas import Quotas, find_controller
from engine.bench.forwarding.setting import BASELINE, DRAWS, SETTINGS, Setting
from engine.bench.forwarding.workload import Question, make_questions, trace_lines
from engine.bench.machine import commit, describe_machine
from engine.bench.other_programs import OtherPrograms
from engine.errors import BenchmarkError, ConfigurationError
from engine.forwarding.policies.registry import NAMES
from engine.inference.supervisor.settings import InferenceSettings
from engine.lifeline import run_on_loop
from engine.simulation.forwarding.network import Network, Plan
from engine.simulation.forwarding.node_kinds import NodeKind
from engine.simulation.forwarding.saturation import at_load, saturation_goodput
from engine.simulation.forwarding.trace import Request, read

Say = Callable[[str], None]
DRAIN = 60.0
"""Seconds after the last arrival within which everything has to be answered."""
CALIBRATED = "random"
"""The policy of the network in which nodes are measured: most requests are passed on."""
WARM_UP = 0.25
"""Of the requests: they fill the caches and are not counted."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the command line asks for."""

    models: Sequence[str]
    policies: Sequence[str]
    quick: bool
    load: float | None = None
    nodes: int | None = None
    requests: int | None = None
    quotas: bool = True

    def settings(self) -> list[Setting]:
        """With the numbers that were given; :class:`ConfigurationError` for what does not exist."""
        for name in self.models:
            if name not in SETTINGS:
                raise ConfigurationError(f"--model {name!r} is not known. Choose from: {', '.join(SETTINGS)}.")
        for name in self.policies:
            if name not in NAMES:
                raise ConfigurationError(f"--policies {name!r} is not known. Choose from: {', '.join(NAMES)}.")
        chosen = [SETTINGS[name] for name in self.models]
        if self.quick:
            chosen = [one.scaled(requests=one.requests // 4) for one in chosen]
        return [one.scaled(nodes=self.nodes, load=self.load, requests=self.requests) for one in chosen]


def run(wanted: Wanted, say: Say) -> dict[str, Any]:
    """Everything; the documented keys."""
    settings = wanted.settings()
    prompts = [Prompts(one) for one in settings]  # what is missing is told before anything is measured
    say("measuring the machine")
    machine = describe_machine()
    controller, reason = find_controller() if wanted.quotas else (None, "--no-quota was given")
    if controller is None:
        say(f"No quotas: {reason}. The nodes disturb each other.")
    results: list[dict[str, Any]] = []

    async def course() -> None:
        folder = Path(tempfile.mkdtemp(prefix="gentorrent-bench-"))
        with Quotas(controller, folder) as quotas:
            for setting, texts in zip(settings, prompts, strict=True):
                one = _Course(setting, texts, folder / setting.name, quotas, say)
                results.append(await one.run(wanted.policies))

    _run_until_stopped(course)
    return {
        "machine": machine,
        "versions": {"gentorrent": __version__, "commit": commit(Path(__file__).resolve().parents[3])},
        "quick": wanted.quick,
        "quota": "" if controller is None else f"control groups, version {controller.version}",
        "no_quota_because": reason,
        "settings": results,
        "other_programs": max(row["other_programs"] for one in results for row in one["rows"]),
    }


def _run_until_stopped(course: Callable[[], Awaitable[None]]) -> None:
    """SIGTERM ends it as Ctrl-C does: nothing is left behind."""
    stopped = False

    async def main() -> None:
        nonlocal stopped
        task = asyncio.current_task()
        assert task is not None

        def stop() -> None:
            nonlocal stopped
            stopped = True
            task.cancel()

        if sys.platform != "win32":
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, stop)
        await course()

    try:
        run_on_loop(main())
    except asyncio.CancelledError:
        if stopped:
            raise BenchmarkError("The benchmark was stopped; its network is gone, nothing was stored.") from None
        raise


class _Course:
    """One model."""

    def __init__(self, setting: Setting, prompts: Prompts, folder: Path, quotas: Quotas, say: Say) -> None:
        self._setting = setting
        self._prompts = prompts
        self._folder = folder
        self._quotas = quotas
        self._say = say
        self._skipped = round(setting.requests * WARM_UP)

    async def run(self, policies: Sequence[str]) -> dict[str, Any]:
        """The results of this model."""
        setting = self._setting
        measured, rates = await self._calibrate()
        kind = node_kind(setting, rates, self._prompts.kv_tokens)
        questions, requests, goodput = self._trace(kind)
        rows: list[dict[str, Any]] = []
        for policy in policies:
            row = await self._play(policy, questions)
            simulated = self._simulate(policy, kind, requests, row.pop("entries"))
            real = row["real"]
            rows.append({"policy": policy, **row, "simulated": simulated})
            rows[-1]["error"] = {key: error(real, simulated, key) for key in ("ttft_s", "total_s")}
            self._say(f"{setting.name}, {policy}: first token {_mean(real)} s, simulated {_mean(simulated)} s")
        for row in rows:
            row["gain"] = {
                way: {key: gain(rows[0][way], row[way], key) for key in ("ttft_s", "total_s")}
                for way in ("real", "simulated")
            }
        return {
            "setting": msgspec.to_builtins(setting),
            "kv_tokens": self._prompts.kv_tokens,
            "prompt_tokens": round(sum(one.prompt_tokens for one in requests) / len(requests)),
            "public_tokens": round(sum(len(one.public) for one in requests) / len(requests)),
            "texts_asked_for": len({one.text for one in questions}),
            "arrivals_per_s": round(len(questions) / max(questions[-1].t, 1e-9), 3),
            "saturation_goodput_tokens_per_s": round(goodput, 2),
            "not_counted": self._skipped,
            "rates": rates.as_json(),
            "calibration": measured.as_json(),
            "rows": rows,
        }

    async def _calibrate(self) -> tuple[Measured, Rates]:
        self._say(f"{self._setting.name}: starting {self._setting.nodes} nodes to measure them")
        async with self._fleet(CALIBRATED, "calibration") as fleet:
            measured = await Calibration(fleet.client, self._setting, self._prompts.count).measure()
        rates = fit(measured)
        self._say(f"{self._setting.name}: {rates.as_json()}")
        return measured, rates

    def _trace(self, kind: NodeKind) -> tuple[list[Question], list[Request], float]:
        """The questions at the load that is wanted, the same for the simulator, and the goodput at saturation."""
        setting = self._setting
        unscaled = make_questions(setting, 1.0, self._prompts.count)
        file = self._folder / "trace.jsonl"
        lines = trace_lines(unscaled, self._prompts.rendered)
        file.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
        requests = read(file)
        goodput = saturation_goodput(_plan(BASELINE, kind, setting), requests)
        requests = at_load(requests, goodput, setting.load)
        rate = unscaled[-1].t / requests[-1].t
        return make_questions(setting, rate, self._prompts.count), requests, goodput

    def _simulate(
        self, policy: str, kind: NodeKind, requests: Sequence[Request], entries: Sequence[int]
    ) -> dict[str, Any]:
        """With the entry nodes that were drawn in reality; the policies' own draws differ."""
        plans = [replace(_plan(policy, kind, self._setting, draw), entries=entries) for draw in range(DRAWS)]
        draws = [Network(plan).run(requests) for plan in plans]
        return simulated_summary(policy, draws, self._skipped, self._setting.nodes)

    async def _play(self, policy: str, questions: Sequence[Question]) -> dict[str, Any]:
        """``real``, the share of periods in which nodes used up their quota, and what other programs used."""
        async with self._fleet(policy, policy) as fleet:

            async def ask(question: Question, begin: float) -> Record:
                return await fleet.client.ask(
                    question.messages,
                    output=question.output,
                    conversation=question.session,
                    public_messages=1,
                    begin=begin,
                    intended=question.t,
                )

            others = OtherPrograms()
            records = await play(questions, ask, drain=DRAIN)
            fleet.check()
            disturbed = others.share()  # while the nodes are still there to be left out
            throttled = [self._quotas.throttled(name) for name in fleet.nodes]
        summary = real_summary(policy, records, self._skipped, self._setting.nodes)
        if not summary["finished"]:
            raise BenchmarkError(f"Nothing was answered under {policy}: {summary['reasons']}. {_told(records)}")
        used_up = round(sum(throttled) / len(throttled), 3)
        places = {node: place for place, node in enumerate(sorted({one.asked for one in records if one.asked}))}
        entries = [places.get(one.asked, -1) for one in records]
        return {"real": summary, "throttled": used_up, "other_programs": disturbed, "entries": entries}

    def _fleet(self, policy: str, name: str) -> AbstractAsyncContextManager[Fleet]:
        folder = self._folder / name
        folder.mkdir(parents=True)
        return running_fleet(self._setting, policy, folder, self._quotas, self._prompts.extra)


def node_kind(setting: Setting, rates: Rates, kv_tokens: int) -> NodeKind:
    """What was measured as the simulator wants it."""
    limits = InferenceSettings()
    return NodeKind(
        title=f"{setting.share:g} of a processor, {setting.model}",
        source="calibrated in the same run",
        prefill_rate=rates.prefill_rate,
        attention_seconds=rates.attention_seconds,
        step_seconds=rates.step_seconds,
        answer_seconds=rates.answer_seconds,
        kv_token_seconds=rates.kv_token_seconds,
        kv_tokens=kv_tokens,
        slots=limits.slots,
        queue=limits.queue_limit,
        step_tokens=limits.prefill_chunk,
        overlaps=False,
        request_seconds=rates.request_seconds + rates.entry_seconds,
    )


def _plan(policy: str, kind: NodeKind, setting: Setting, draw: int = 0) -> Plan:
    """All nodes are on one machine: no way between them takes any time."""
    return Plan(policy=policy, kinds=[kind], nodes=setting.nodes, access=(0.0, 0.0), seed=draw)


def _mean(summary: dict[str, Any]) -> str:
    mean = summary["ttft_s"]["mean"]
    return "-" if mean is None else f"{mean:.3f}"


def _told(records: Sequence[Record]) -> str:
    return next((one.message for one in records if one.message), "")
