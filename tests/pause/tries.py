"""A real network in which somebody presses pause while the machine answers, and what each try shows.

Every machine is a process of its own with its own worker. The pause is the request that the window sends; memory is
free once the system knows no worker process any more.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
import psutil

from engine.api.schema import (
    Contribution,
    ControlRequest,
    GetContribution,
    PauseContributing,
    ResumeContributing,
    SetRules,
    State,
)
from engine.bench.shapes import Shape
from engine.bench.verification.random_model import make_random_model
from engine.demo.control import Control, open_control
from tests.support.network import Answer, Network, is_running

MODEL = "random-pause"
SHAPE = Shape("random-pause", hidden=512, inner=2048, layers=8, heads=8, kv_heads=2, vocabulary=320, context=16_384)
"""Small enough that a prompt of 8,000 tokens is read in seconds. Most of its vocabulary is text."""
MACHINES = ("giver-1", "giver-2")
LONG, SHORT = 8_000, 1_500
"""Tokens of prompts."""
TOKENS = 60
MOST_PIECES = 15
"""Of an answer before a pause; some tokens give no text."""
RATE = 20
"""Tokens per second that a machine writes at most: so there is a middle."""
MOST_SECONDS = 1.0
WORKS_SECONDS = 0.1
"""Processor time after which a worker counts as the one that computes this answer."""
Kind = Literal["long prefill", "prefill", "decode", "finish"]


@dataclass(frozen=True)
class Told:
    """One try. ``kind``: what was aimed at; ``during``: where the pause came; ``moment``: seconds after the worker
    began, or pieces of the answer before it. ``freed_s``: from the request to the end of the worker, where answers are
    finished first from the end of the answer. ``megabytes``: what the worker held."""

    kind: Kind
    during: str
    moment: float
    prompt_tokens: int
    freed_s: float
    megabytes: float
    problems: tuple[str, ...]


class Pausing:
    """Two machines that answer, and one that asks."""

    def __init__(self, network: Network, relays: int) -> None:
        self._network = network
        self._relays = relays
        self._prefill_seconds = 0.0
        """That a prompt of ``LONG`` tokens takes."""

    def start(self) -> None:
        """Make the model and everything that runs, and find out how long a prefill takes."""
        network = self._network
        network.found(*(() if self._relays else ("--hops", "0")))
        if self._relays:
            network.relays("relays", self._relays)
        model = make_random_model(_folder(network, MACHINES[0]), SHAPE)
        other = _folder(network, MACHINES[1])
        for file in model.iterdir():
            (other / file.name).hardlink_to(file)
        for name in MACHINES:
            network.node(name, "--contribute", MODEL, "--max-tokens-per-second", str(RATE))
        network.node("client", "--no-relay")
        self._wait_ready(180)
        begun = time.monotonic()
        answer = self._ask(_prompt(random.Random("first"), LONG), 10).read()
        assert answer.error is None, answer.error
        assert answer.pieces, "an answer without text"
        self._prefill_seconds = answer.first - begun

    def once(self, number: int, kind: Kind) -> Told:
        """Ask, press pause at a random moment, and look."""
        return asyncio.run(self._once(random.Random(f"{number} {kind}"), kind))

    async def _once(self, dice: random.Random, kind: Kind) -> Told:
        await asyncio.to_thread(self._wait_ready, 120)
        asked = _Asked(lambda: self._ask(_prompt(dice, LONG if kind == "long prefill" else SHORT), TOKENS))
        victim, worker = await self._who_answers(asked)
        async with open_control(self._network.data(victim), self._network.check) as open_to, _read(open_to) as control:
            if kind == "finish":
                await _when_pausing(control, "finish")
            moment = await self._moment(dice, kind, asked)
            during = "nothing" if asked.ended else "decode" if asked.pieces else "prefill"
            megabytes = worker.memory_info().rss / 1e6
            freed_at: list[float] = []
            watching = threading.Thread(target=_watch, args=(worker.pid, freed_at))
            watching.start()
            pressed = time.monotonic()
            contribution = await control.ask(PauseContributing())
            await asyncio.to_thread(asked.thread.join)
            await asyncio.to_thread(watching.join)
            problems = [] if contribution.paused else ["the pause is not shown"]
            freed = freed_at[0] - (asked.ended if kind == "finish" else pressed)
            problems += self._problems(asked, kind, during, victim, freed)
            if kind == "finish":
                await _when_pausing(control, "hand_over")
            await control.ask(ResumeContributing())
        tokens = asked.answer.prompt_tokens if asked.answer else 0
        return Told(kind, during, moment, tokens, freed, megabytes, tuple(problems))

    async def _moment(self, dice: random.Random, kind: Kind, asked: _Asked) -> float:
        """Wait for it."""
        if kind in ("decode", "finish"):
            pieces = dice.randint(1, MOST_PIECES)
            await _until(lambda: asked.pieces >= pieces or not asked.thread.is_alive())
            return pieces
        share = SHORT / LONG if kind == "prefill" else 1.0
        seconds = dice.uniform(0.0, 0.9 * share * self._prefill_seconds)
        await asyncio.sleep(seconds)
        return seconds

    async def _who_answers(self, asked: _Asked) -> tuple[str, psutil.Process]:
        """The machine whose worker computes."""
        pids = {name: (await asyncio.to_thread(self._network.state, name)).worker.pid for name in MACHINES}
        workers = {name: psutil.Process(pid) for name, pid in pids.items()}
        before = {name: _processor_time(worker) for name, worker in workers.items()}
        asked.thread.start()

        def found() -> list[str]:
            return [name for name in MACHINES if _processor_time(workers[name]) > before[name] + WORKS_SECONDS]

        await _until(found)
        name = found()[0]
        return name, workers[name]

    def _problems(self, asked: _Asked, kind: Kind, during: str, victim: str, freed: float) -> Iterator[str]:
        if during == "nothing":
            yield "the answer had ended before the pause"
        if freed > MOST_SECONDS:
            yield f"memory was free after {freed:.2f} s"
        answer = asked.answer
        if answer is None or answer.error is not None:
            yield f"the answer failed: {asked.problem or (answer and answer.error)}"
            return
        if answer.tokens != TOKENS:
            yield f"{answer.tokens} tokens instead of {TOKENS}"
        if answer.extension["receipt_verified"] is not True:
            yield f"the receipt: {answer.extension['receipt_reason']}"
        machines = answer.extension.get("machines", [])
        last = str(answer.extension["served_by"])
        assert isinstance(machines, list)
        if len(machines) != (2 if kind != "finish" and during == "decode" else 0):
            yield f"answered by {machines or last}, and the pause came in {during}"
        if self._network.is_node(victim, last) is not (kind == "finish"):
            yield f"the end was answered by {last}"
        if kind == "long prefill" and answer.prompt_tokens < LONG:
            yield f"a prompt of {answer.prompt_tokens} tokens"

    def _ask(self, prompt: str, tokens: int) -> Answer:
        client = self._network.openai("client")
        lengths = {"min_tokens": tokens, "max_tokens": tokens}
        return Answer(
            client, prompt, model=MODEL, conversation=f"{time.monotonic_ns()}", temperature=1.0, seed=7, **lengths
        )

    def _wait_ready(self, seconds: float) -> None:
        """Both machines have the model in memory, and the client knows."""
        for name in MACHINES:
            self._network.wait(name, lambda state: state.contributing.status == "on" and state.worker.pid > 0, seconds)

        def ready(state: State) -> bool:
            served = [model.nodes for model in state.models if model.id == MODEL]
            return state.network.status == "ready" and served == [len(MACHINES)]

        self._network.wait("client", ready, seconds)


class _Asked:
    """A question that a thread asks."""

    def __init__(self, ask: Callable[[], Answer]) -> None:
        self._ask = ask
        self.answer: Answer | None = None
        self.problem = ""
        self.ended = 0.0
        self.thread = threading.Thread(target=self._run, daemon=True)

    @property
    def pieces(self) -> int:
        """That have arrived."""
        return len(self.answer.pieces) if self.answer is not None else 0

    def _run(self) -> None:
        try:
            self.answer = self._ask()
            self.answer.read()
        except Exception as error:  # it is told with the try
            self.problem = f"{type(error).__name__}: {error}"
        self.ended = time.monotonic()


@contextmanager
def pausing(folder: Path, relays: int) -> Iterator[Pausing]:
    """Everything is running. ``relays`` 0: clients ask directly."""
    with Network(folder) as network:
        here = Pausing(network, relays)
        here.start()
        yield here


def as_json(told: Told) -> dict[str, Any]:
    """To be kept."""
    return asdict(told)


def _folder(network: Network, name: str) -> Path:
    folder = network.folder / name / "models" / MODEL
    folder.mkdir(parents=True)
    return folder


def _prompt(dice: random.Random, tokens: int) -> str:
    """The tokenizer knows single bytes and four pairs, so of ``q`` and ``z`` each is a token."""
    return "".join(dice.choice("qz") for _ in range(tokens))


def _processor_time(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _watch(pid: int, freed_at: list[float]) -> None:
    while is_running(pid):
        time.sleep(0.002)
    freed_at.append(time.monotonic())


async def _until(wanted: Callable[[], object], seconds: float = 120.0) -> None:
    async with asyncio.timeout(seconds):
        while not wanted():
            await asyncio.sleep(0.005)


async def _when_pausing(control: _Asking, choice: Literal["hand_over", "finish"]) -> None:
    rules = (await control.ask(GetContribution())).rules
    await control.ask(SetRules(rules=msgspec.structs.replace(rules, when_pausing=choice)))


class _Asking:
    """Requests over a connection that a task of its own reads: the engine tells news all the time, and cuts off who
    reads none of them while an answer takes minutes."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._replies: asyncio.Queue[Contribution] = asyncio.Queue()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            event = await self._control.receive()
            if isinstance(event, Contribution):
                self._replies.put_nowait(event)

    async def ask(self, request: ControlRequest) -> Contribution:
        await self._control.send(request)
        return await self._replies.get()


@asynccontextmanager
async def _read(control: Control) -> AsyncIterator[_Asking]:
    asking = _Asking(control)
    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(asking.run())
        yield asking
        reading.cancel()
