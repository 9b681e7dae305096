"""A real engine with real sensors gives the processors back to whoever else needs them, and goes on afterwards."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psutil
import pytest

from engine.api.schema import Contribution, GetEvents, OwnerEvents, SetRules, State
from engine.demo.control import Control, open_control
from engine.governor.rules import Rules
from engine.inference.models.installed import BUILTIN_MODEL
from tests.support.network import Answer, Network, family, gone, is_running

pytestmark = pytest.mark.timeout(300)
PAUSES_WITHIN = 2.0
SHARE = 0.85
"""Of all processors that others may use."""
RESTS = 30.0
"""Seconds without others' load before it goes on."""
CALM_SECONDS = 90.0


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


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with Network(tmp_path_factory.mktemp("contention")) as network:
        network.found("--hops", "0")
        network.node("giver", "--contribute", BUILTIN_MODEL, settings={"GENTORRENT_SENSORS": "true"})
        network.node("client", "--no-relay")
        asyncio.run(rule(network))
        try:
            network.wait("giver", lambda state: state.contributing.status == "on", CALM_SECONDS)
        except AssertionError as error:
            if "Other programs need" in str(error):
                pytest.skip(f"other programs use this machine all the time: {psutil.cpu_percent(1.0)} %")
            raise
        network.wait_ready("client", 0, 1)
        yield network


async def rule(network: Network) -> None:
    """The owner lets others have much before it pauses, so that a machine in use is calm enough for this test."""
    async with open_control(network.data("giver"), network.check) as control:
        await control.send(SetRules(rules=Rules(contention_share=SHARE)))
        while not isinstance(await control.receive(), Contribution):
            pass


async def shows(control: Control, wanted: Callable[[State], bool], seconds: float) -> State:
    """The state that is waited for."""
    async with asyncio.timeout(seconds):
        while control.state is None or not wanted(control.state):
            await control.receive()
    return control.state


async def pauses(control: Control) -> list[str]:
    """What the log says about pauses."""
    await control.send(GetEvents(ref="events"))
    while not isinstance(event := await control.receive(), OwnerEvents):
        pass
    return [one.text for one in event.events if one.text.startswith("Paused. ")]


def strangers(network: Network) -> float:
    """Seconds for which processors have worked for nobody of this test."""
    own = {os.getpid(), *(pid for child in network.children.values() for pid in family(child.pid))}
    times = psutil.cpu_times()
    used = 0.0
    for pid in own:
        with suppress(psutil.Error):
            used += sum(psutil.Process(pid).cpu_times()[:2])
    return float(sum(times) - times.idle - times.iowait - used)


async def test_its_own_work_is_nobody_elses(network: Network) -> None:
    async with open_control(network.data("giver"), network.check) as control:
        await shows(control, lambda state: state.contributing.status == "on", CALM_SECONDS)
        before, others, begun = await pauses(control), strangers(network), time.monotonic()
        client = await asyncio.to_thread(network.openai, "client")
        errors = []
        for _ in range(4):
            answer = Answer(client, "Tell me all that you know.", min_tokens=200, max_tokens=200)
            await asyncio.to_thread(answer.read)
            errors.append(answer.error)
        share = (strangers(network) - others) / (time.monotonic() - begun) / (os.cpu_count() or 1)
        after = await pauses(control)
    if share > SHARE / 2:
        pytest.skip(f"other programs use {share:.0%} of this machine")
    assert after == before
    assert errors == [None] * 4


async def test_others_load_pauses_within_two_seconds_and_it_goes_on_afterwards(network: Network) -> None:
    async with open_control(network.data("giver"), network.check) as control:
        state = await shows(control, lambda state: state.contributing.status == "on", CALM_SECONDS)
        worker, before = state.worker.pid, await pauses(control)
        assert is_running(worker)
        with burners() as began:
            state = await shows(control, lambda state: state.contributing.status == "paused", 60)
            took = time.monotonic() - began
            assert state.contributing.reason.startswith("Other programs need")
            assert not state.contributing.by_owner
            await shows(control, lambda state: not state.worker.pid, 60)
            assert await asyncio.to_thread(gone, {worker}, 30) == set()
            (told,) = (await pauses(control))[len(before) :]
            assert told.startswith("Paused. Other programs need")
        ended = time.monotonic()
        assert took < PAUSES_WITHIN
        try:
            await shows(control, lambda state: state.contributing.status == "on" and state.worker.pid > 0, CALM_SECONDS)
        except TimeoutError:
            assert control.state is not None
            if control.state.contributing.reason.startswith("Other programs need"):
                pytest.skip(f"paused after {took:.1f} s; then others used this machine: {psutil.cpu_percent(1.0)} %")
            raise
        assert time.monotonic() - ended > 0.8 * RESTS
