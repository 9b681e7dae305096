"""A real network whose machine gives way to programs that use all processors, and what each try shows.

Every machine is a process of its own with its own worker; sensors and programs are real.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

from engine.api.schema import Contribution, GetEvents, OwnerEvents, SetRules, State
from engine.demo.control import Control, open_control
from engine.governor.rules import Rules
from engine.inference.models.installed import BUILTIN_MODEL
from tests.support.network import Answer, Network, family, is_running

PAUSES_WITHIN = 2.0
SHARE = 0.85
"""Of all processors that others may use: much, so that a machine in use is calm enough."""
USUAL = Rules().contention_share
"""That an owner has who has changed nothing."""
RESTS = 30.0
"""Seconds without others' load before it goes on."""
CALM_SECONDS = 90.0
BUSY = 0.5
"""Share of all processors that strangers use in some second: it may be right to be paused then."""
GIVER, CLIENT = "giver", "client"
TOKENS = 400
RATE = 20
"""Tokens per second that it writes at most: so there is a middle of its answers."""
CAUSE = "Other programs need"
Kind = Literal["at rest", "in mid-answer"]


@dataclass(frozen=True)
class Told:
    """One try. Seconds since other programs began: until it was paused, and until its worker was gone. ``others``: the
    share of all processors that programs outside had before."""

    kind: Kind
    paused_s: float
    freed_s: float
    others: float
    problems: tuple[str, ...]


@contextmanager
def contended(folder: Path, *options: str) -> Iterator[Network]:
    """A machine with the built-in model, and one that asks; it contributes before long where it is calm. ``options``
    of its engine."""
    with Network(folder) as network:
        network.found("--hops", "0")
        network.node(GIVER, "--contribute", BUILTIN_MODEL, *options, settings={"GENTORRENT_SENSORS": "true"})
        network.node(CLIENT, "--no-relay")
        asyncio.run(rule(network))
        yield network


@contextmanager
def burners() -> Iterator[float]:
    """Other programs use all processors; since when."""
    command = [sys.executable, "-c", "print(flush=True)\nwhile True: pass"]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(os.cpu_count() or 1)]
    try:
        for one in running:
            assert one.stdout is not None
            one.stdout.readline()
        yield time.monotonic()
    finally:
        for one in running:
            one.kill()
            one.wait()
            assert one.stdout is not None
            one.stdout.close()


async def rule(network: Network, share: float = SHARE) -> None:
    """What the owner lets others have before it pauses. Another share than before ends a pause for others at once."""
    async with open_control(network.data(GIVER), network.check) as control:
        await control.send(SetRules(rules=Rules(contention_share=share)))
        while not isinstance(await control.receive(), Contribution):
            pass


async def shows(control: Control, wanted: Callable[[State], bool], seconds: float) -> State:
    """The state that is waited for."""
    async with asyncio.timeout(seconds):
        while control.state is None or not wanted(control.state):
            await control.receive()
    return control.state


def works(state: State) -> bool:
    """Whether it answers others."""
    return state.contributing.status == "on" and state.worker.pid > 0


async def pauses(control: Control) -> list[str]:
    """What the log says about pauses."""
    await control.send(GetEvents(ref="events"))
    while not isinstance(event := await control.receive(), OwnerEvents):
        pass
    return [one.text for one in event.events if one.text.startswith("Paused. ")]


def strangers(network: Network) -> float:
    """Seconds for which processors have worked for nobody of this network, nor this program."""
    own = {os.getpid(), *(pid for child in network.children.values() for pid in family(child.pid))}
    times = psutil.cpu_times()
    used = 0.0
    for pid in own:
        with suppress(psutil.Error):
            used += sum(psutil.Process(pid).cpu_times()[:2])
    return float(sum(times) - times.idle - times.iowait - used)


def strangers_share(network: Network, seconds: float) -> float:
    """Of all processors, as it is now; looks for some seconds."""
    before, begun = strangers(network), time.monotonic()
    time.sleep(seconds)
    return (strangers(network) - before) / (time.monotonic() - begun) / (os.cpu_count() or 1)


@contextmanager
def watched(network: Network) -> Iterator[Callable[[], float]]:
    """Gives the share of all processors that strangers had in the worst of the last ``CALM_SECONDS`` seconds."""
    shares: deque[float] = deque(maxlen=int(CALM_SECONDS))
    ended = threading.Event()

    def watch() -> None:
        while not ended.is_set():
            shares.append(strangers_share(network, 1.0))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield lambda: max(shares, default=0.0)
    finally:
        ended.set()
        watching.join()


async def contend(network: Network, kind: Kind, number: int) -> Told:
    """Once: wait until it contributes, let others need the machine, and look."""
    await rule(network, USUAL - 0.01 * (number % 2))
    others = await asyncio.to_thread(strangers_share, network, 1.0)
    async with open_control(network.data(GIVER), network.check) as control:
        try:
            worker = (await shows(control, works, CALM_SECONDS)).worker.pid
        except TimeoutError:
            raise SystemExit(f"[long] {number}: not calm: it stays paused; others use {others:.0%}") from None
        before, problems = await pauses(control), []
        if kind == "in mid-answer":
            await asyncio.to_thread(network.wait_ready, CLIENT, 0, 1)
            await asyncio.to_thread(_begun, network)
        with burners() as began:
            async with asyncio.TaskGroup() as tasks:
                gone_at = tasks.create_task(asyncio.to_thread(_end_of, worker, 60.0))
                state = await shows(control, lambda state: state.contributing.status == "paused", 60)
                paused = time.monotonic() - began
            freed = gone_at.result() - began
            told = (await pauses(control))[len(before) :]
        if paused >= PAUSES_WITHIN:
            problems.append(f"paused after {paused:.2f} s")
        if not state.contributing.reason.startswith(CAUSE):
            problems.append(f"paused for another reason: {state.contributing.reason}")
        if len(told) != 1 or not told[0].startswith(f"Paused. {CAUSE}"):
            problems.append(f"the log says {told}")
        return Told(kind, paused, freed, others, tuple(problems))


async def goes_on(network: Network) -> float:
    """Seconds from the end of the load until it contributes again; without any change of rules."""
    async with open_control(network.data(GIVER), network.check) as control:
        await shows(control, works, CALM_SECONDS)
        with burners():
            await shows(control, lambda state: state.contributing.status == "paused", 60)
        ended = time.monotonic()
        await shows(control, works, CALM_SECONDS)
        return time.monotonic() - ended


def _begun(network: Network) -> Answer:
    """An answer that has got to its second piece of text. Its end comes with the pause: nobody else has the model."""
    lengths = {"min_tokens": TOKENS, "max_tokens": TOKENS}
    return Answer(network.openai(CLIENT), "Tell me all that you know.", **lengths).read(2)


def _end_of(pid: int, seconds: float) -> float:
    """When it was gone, or the patience with it ended."""
    limit = time.monotonic() + seconds
    while is_running(pid) and time.monotonic() < limit:
        time.sleep(0.005)
    return time.monotonic()
