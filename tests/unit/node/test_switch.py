"""The owner's switch: whatever is loading or running, off means off at once, and off twice is off once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from engine.clock import SystemClock
from engine.config import Configuration
from engine.errors import InferenceError, ModelInUseError, StorageError
from engine.governor.rules import DeviceRules, Rules
from engine.inference.types import ModelInfo
from engine.node.model_uses import let_go
from engine.node.node import Node
from engine.node.peer_keeper import FINISH_SECONDS
from engine.node.peer_presence import PeerPresence
from engine.node.status import contributing_state
from engine.storage.data_directory import DataDirectory, acquire_lock
from engine.storage.state import save_state
from tests.support.bootstrap import until


class SlowInference:
    """Loads for ever unless told that it is done."""

    def __init__(self) -> None:
        self.loading = 0
        self.begun = 0
        self.stops = 0
        self.done = asyncio.Event()
        self.problem: InferenceError | None = None

    def models(self) -> list[ModelInfo]:
        return []

    async def start(self, _: list[str]) -> None:
        self.loading += 1
        self.begun += 1
        try:
            if self.problem is not None:
                raise self.problem
            await self.done.wait()
        finally:
            self.loading -= 1

    async def stop(self) -> None:
        self.stops += 1

    async def refresh(self) -> None:
        pass


@asynccontextmanager
async def switched(data: Path, *, relay: bool) -> AsyncIterator[tuple[Node, SlowInference]]:
    directory = DataDirectory(data)
    configuration = Configuration(
        data_directory=data, bootstrap="http://127.0.0.1:1", api_port=0, relay=relay, sensors=False
    )
    with acquire_lock(directory.lock) as lock:
        node = Node(configuration, lock, SystemClock())
        inference = SlowInference()
        node.inference = cast(Any, inference)
        membership = node._membership
        assert membership is not None
        async with asyncio.TaskGroup() as tasks:
            keeping = tasks.create_task(node.keeper.run(membership))
            yield node, inference
            keeping.cancel()
        node.api._socket.close()


async def test_why_the_network_does_not_hear_of_it_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("GENTORRENT_KEYRING", "off")
    async with switched(tmp_path, relay=True) as (node, inference):
        inference.done.set()
        await node.set_contributing(True)
        await until(lambda: node.peer is not None and node.peer.bootstrap.state.reason)
        node.client = cast(Any, object())  # who asks here is not in the way
        told = contributing_state(node)
        node.client = None
    assert told.status == "starting"
    assert "cannot be reached" in told.reason


@pytest.mark.parametrize("relay", [True, False])
async def test_off_ends_a_model_that_is_still_loading(tmp_path, monkeypatch, relay):
    monkeypatch.setenv("GENTORRENT_KEYRING", "off")
    async with switched(tmp_path, relay=relay) as (node, inference):
        before = inference.stops
        await node.set_contributing(True)
        await until(lambda: inference.loading)
        await node.set_contributing(False)
        await until(lambda: not inference.loading and inference.stops > before, 1.0)
        assert not node.keeper.ready


async def test_twenty_changes_end_where_the_last_one_points(tmp_path, monkeypatch):
    monkeypatch.setenv("GENTORRENT_KEYRING", "off")
    async with switched(tmp_path, relay=False) as (node, inference):
        for number in range(21):
            await node.set_contributing(number % 2 == 0)
            await asyncio.sleep(0.005 * (number % 3))
        await until(lambda: inference.loading == 1)
        inference.done.set()
        await until(lambda: node.keeper.ready)
        await node.set_contributing(False)
        stops = inference.stops
        await until(lambda: inference.stops > stops)
        assert not node.keeper.ready


async def test_off_when_it_is_off_leaves_the_owners_own_answers_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("GENTORRENT_KEYRING", "off")
    async with switched(tmp_path, relay=True) as (node, inference):
        before = inference.stops
        await node.set_contributing(False)
        await asyncio.sleep(0.1)
        assert inference.stops == before


@pytest.mark.parametrize("relay", [True, False])
async def test_other_limits_leave_the_owners_own_answers_alone(tmp_path, monkeypatch, relay):
    monkeypatch.setenv("GENTORRENT_KEYRING", "off")
    async with switched(tmp_path, relay=relay) as (node, inference):
        await until(lambda: (node.peer is not None) is relay)
        for rules in (
            Rules(relay_rate=1.0),
            Rules(devices=(DeviceRules(device="cpu", memory_cap=4096),)),
            Rules(devices=(DeviceRules(device="cpu", on=False),)),
            Rules(relay=False),
            Rules(),
        ):
            node.governing.set_rules(rules)
            await asyncio.sleep(0.1)
            assert (node.peer is not None) is (relay and rules.relay)
        assert inference.stops == 0


async def test_a_rule_pauses_and_lets_go_on_and_each_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("GENTORRENT_KEYRING", "off")
    async with switched(tmp_path, relay=True) as (node, inference):
        inference.done.set()
        await node.set_contributing(True)
        await until(lambda: node.keeper.ready)
        stops = inference.stops
        node.governing.set_rules(Rules(schedule=(0,) * 7))
        await until(lambda: inference.stops > stops, 1.0)
        told = contributing_state(node)
        assert (told.on, told.status) == (True, "paused")
        assert told.reason == "The weekly schedule has every hour off."
        node.governing.set_rules(Rules())
        await until(lambda: node.keeper.ready)
        node.governing.pause(60)
        heard: list[None] = []
        monkeypatch.setattr(node._feed, "notify", lambda: heard.append(None))
        node.governing.pause(3600)
        assert heard  # for the same reason, until another time
        assert contributing_state(node).until == pytest.approx(node.governing.clock.wall() + 3600, abs=60)
        assert contributing_state(node).by_owner
        await node.set_contributing(False)
        assert not contributing_state(node).by_owner  # there is nothing to go on with
        await node.set_contributing(True)  # whoever turns the switch on wants it on
        assert not contributing_state(node).by_owner
        await until(lambda: node.keeper.ready)


async def test_the_owners_pause_outlives_a_start_that_was_not_theirs(tmp_path, monkeypatch):
    monkeypatch.setenv("GENTORRENT_KEYRING", "off")
    async with switched(tmp_path, relay=False) as (node, _):
        await node.set_contributing(True)
        node.governing.pause(None)
        node.shutdown(when_idle=True)  # as a window does, for another setting
    async with switched(tmp_path, relay=False) as (node, _):
        await node.set_contributing(True, by_owner=False)
        assert contributing_state(node).by_owner
        node.governing.pause(3600)
        node.shutdown()
    async with switched(tmp_path, relay=False) as (node, _):
        await node.set_contributing(True, by_owner=False)
        assert contributing_state(node).by_owner
        await node.set_contributing(True)
        assert not contributing_state(node).by_owner
        node.governing.pause(None)
        node.shutdown()
    async with switched(tmp_path, relay=False) as (node, _):
        await node.set_contributing(True, by_owner=False)
        assert not contributing_state(node).by_owner


async def test_another_reason_for_the_same_pause_leaves_the_owners_own_answers_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("GENTORRENT_KEYRING", "off")
    async with switched(tmp_path, relay=True) as (node, inference):
        await node.set_contributing(True)
        node.governing.set_rules(Rules(schedule=(0,) * 7))
        await until(lambda: not inference.loading and inference.begun <= 1)
        await asyncio.sleep(0.1)
        stops = inference.stops
        node.governing.pause(60)
        node.governing.set_rules(Rules(schedule=(0,) * 7, price=2))
        await asyncio.sleep(0.1)
        assert inference.stops == stops


async def test_only_my_networks_means_that_strangers_are_not_served(tmp_path, monkeypatch):
    """Whose network it is comes to be known after the start."""
    monkeypatch.setenv("GENTORRENT_KEYRING", "off")
    mine = False
    monkeypatch.setattr("engine.node.node.is_private", lambda presence: mine)
    async with switched(tmp_path, relay=False) as (node, inference):
        inference.done.set()
        node.governing.set_rules(Rules(serve="my_networks"))
        await node.set_contributing(True)
        await asyncio.sleep(0.1)
        assert (contributing_state(node).status, inference.begun) == ("paused", 0)
        mine = True
        node.changed()
        await until(lambda: node.keeper.ready)
        stops, mine = inference.stops, False
        node.changed()
        await until(lambda: inference.stops > stops)
        assert not node.keeper.ready


class SlowToFinish:
    """Running answers that end when they are told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.waiting = 0
        self.given: list[float] = []
        self.done = asyncio.Event()
        monkeypatch.setattr(PeerPresence, "finish", lambda _, seconds: self._finish(seconds))

    async def _finish(self, seconds: float) -> None:
        assert seconds >= 60
        self.given.append(seconds)
        self.waiting += 1
        try:
            await self.done.wait()
        finally:
            self.waiting -= 1


@pytest.mark.parametrize("relay", [True, False])
async def test_a_pause_that_lets_answers_finish_can_be_taken_back_at_once(tmp_path, monkeypatch, relay):
    monkeypatch.setenv("GENTORRENT_KEYRING", "off")
    answers = SlowToFinish(monkeypatch)
    async with switched(tmp_path, relay=relay) as (node, inference):
        inference.done.set()
        node.governing.set_rules(Rules(when_pausing="finish"))
        await node.set_contributing(True)
        await until(lambda: node.keeper.ready)
        peer, stops = node.peer, inference.stops
        node.governing.pause(3600)
        await until(lambda: answers.waiting)
        assert contributing_state(node).status == "draining"
        await node.set_contributing(True)
        await until(lambda: node.keeper.ready and not answers.waiting, 1.0)
        assert contributing_state(node).status != "draining"
        assert (node.peer, inference.stops) == (peer, stops)  # nothing was given up


@pytest.mark.parametrize("relay", [True, False])
async def test_memory_is_free_when_the_last_answer_is_finished(tmp_path, monkeypatch, relay):
    monkeypatch.setenv("GENTORRENT_KEYRING", "off")
    answers = SlowToFinish(monkeypatch)
    async with switched(tmp_path, relay=relay) as (node, inference):
        inference.done.set()
        node.governing.set_rules(Rules(when_pausing="finish"))
        await node.set_contributing(True)
        await until(lambda: node.keeper.ready)
        stops = inference.stops
        await node.set_contributing(False)
        await until(lambda: answers.waiting)
        assert inference.stops == stops
        answers.done.set()
        await until(lambda: inference.stops > stops, 1.0)
        await until(lambda: (node.peer is not None) is relay)
        assert not node.keeper.finishing


async def test_another_limit_while_answers_finish_gives_them_no_more_time(tmp_path, monkeypatch):
    monkeypatch.setenv("GENTORRENT_KEYRING", "off")
    answers = SlowToFinish(monkeypatch)
    async with switched(tmp_path, relay=True) as (node, inference):
        inference.done.set()
        node.governing.set_rules(Rules(when_pausing="finish"))
        for pauses in (1, 2):
            await node.set_contributing(True)
            await until(lambda: node.keeper.ready)
            answers.given.clear()
            node.governing.pause(3600)
            await until(lambda: answers.given == [FINISH_SECONDS])
            node.governing.set_rules(Rules(when_pausing="finish", relay_rate=float(pauses)))
            await until(lambda: len(answers.given) == 2)
            assert answers.given[1] < FINISH_SECONDS


class Answering:
    """Answers somebody with a model for ever, and hears that it is to leave."""

    def __init__(self, model: str) -> None:
        self.answered_models = frozenset([model])
        self.offered = self.answered_models
        self.answering, self.answered = 1, 0
        self.left: set[str] = set()

    def leave(self, models: frozenset[str]) -> None:
        self.left |= models


async def test_who_was_to_be_finished_hears_of_a_pause_that_does_not_wait_any_more(tmp_path, monkeypatch):
    monkeypatch.setenv("GENTORRENT_KEYRING", "off")
    async with switched(tmp_path, relay=True) as (node, inference):
        inference.done.set()
        await node.set_contributing(True)
        await until(lambda: node.keeper.ready)
        assert node.peer is not None
        answering = Answering(node.contributed_model)
        node.peer.serving = cast(Any, answering)
        node.governing.set_rules(Rules(when_pausing="finish"))
        node.governing.pause(3600)
        await until(lambda: node.keeper.finishing and not answering.offered)
        stops = inference.stops
        node.governing.set_rules(Rules(relay_rate=1.0))  # and answers are handed over now
        await until(lambda: inference.stops > stops)
        assert answering.left == answering.answered_models


async def test_relaying_comes_and_goes_and_what_is_served_stays(tmp_path, monkeypatch):
    monkeypatch.setenv("GENTORRENT_KEYRING", "off")
    async with switched(tmp_path, relay=True) as (node, inference):
        inference.done.set()
        await node.set_contributing(True)
        await until(lambda: node.keeper.ready)
        peer, begun, stops = node.peer, inference.begun, inference.stops
        assert peer is not None
        for rules in (Rules(relay_rate=1.0), Rules(relay=False), Rules(relay_rate=2.0)):
            node.governing.set_rules(rules)
            await until(lambda: peer.relays == node.relaying)
            assert node.peer is peer
            assert node.keeper.ready
        assert node.relaying == (True, 250_000)
        assert inference.stops == stops
        assert begun == 1


async def test_another_model_is_loaded_when_the_memory_of_the_last_one_is_free(tmp_path, monkeypatch):
    monkeypatch.setenv("GENTORRENT_KEYRING", "off")
    async with switched(tmp_path, relay=True) as (node, inference):
        inference.done.set()
        await node.set_contributing(True)
        await until(lambda: node.keeper.ready)
        stops = inference.stops
        node.governing.set_rules(Rules(model="another-model"))
        await until(lambda: inference.begun == 2 and node.keeper.ready)
        assert inference.stops == stops + 1


async def test_rules_that_speak_against_it_from_the_start_hold_from_the_start(tmp_path, monkeypatch):
    monkeypatch.setenv("GENTORRENT_KEYRING", "off")
    tmp_path.mkdir(exist_ok=True)
    save_state(tmp_path / "rules.json", Rules(schedule=(0,) * 7, devices=(DeviceRules(device="cpu", on=False),)))
    async with switched(tmp_path, relay=False) as (node, inference):
        await node.set_contributing(True)
        assert contributing_state(node).reason == "The weekly schedule has every hour off."
        node.governing.set_rules(Rules(devices=(DeviceRules(device="cpu", on=False),)))
        await asyncio.sleep(0.1)
        told = contributing_state(node)
        assert (told.status, inference.begun) == ("paused", 0)
        assert "The processor. It is switched off for contributing." in told.reason
        node.governing.set_rules(Rules())
        await until(lambda: inference.begun)
        node.governing.set_rules(Rules(devices=(DeviceRules(device="cpu", on=False),)))
        await until(lambda: not inference.loading)


async def test_a_limit_of_memory_below_the_model_ends_it_and_a_wider_one_begins_it(tmp_path, monkeypatch):
    monkeypatch.setenv("GENTORRENT_KEYRING", "off")
    async with switched(tmp_path, relay=True) as (node, inference):
        inference.done.set()
        await node.set_contributing(True)
        await until(lambda: node.keeper.ready)
        peer = node.peer
        assert peer is not None
        inference.problem = InferenceError("It needs more.")
        node.governing.set_rules(Rules(devices=(DeviceRules(device="cpu", memory_cap=300),)))
        await until(lambda: node.keeper.problem)
        told = contributing_state(node)
        assert (told.on, told.status, told.reason) == (True, "failed", "It needs more.")
        assert not peer._offered, "nobody is sent here"
        inference.problem = None
        node.governing.set_rules(Rules(devices=(DeviceRules(device="cpu", memory_cap=4096),)))
        await until(lambda: node.keeper.ready and not node.keeper.problem)
        assert peer._offered == {node.contributed_model}


async def test_a_model_that_is_deleted_is_left_first_and_another_one_taken(tmp_path, monkeypatch):
    monkeypatch.setenv("GENTORRENT_KEYRING", "off")
    async with switched(tmp_path, relay=True) as (node, inference):
        inference.done.set()
        node.governing.set_rules(Rules(model="mine"))
        await node.set_contributing(True)
        await until(lambda: node.keeper.ready)
        stops = inference.stops
        node.answers.running_here = 1
        with pytest.raises(ModelInUseError):
            async with let_go(node, "mine"):
                raise AssertionError("it would lose its worker")
        assert (node.keeper.ready, inference.stops) == (True, stops)
        node.answers.running_here = 0
        async with let_go(node, "mine"):
            assert inference.stops > stops
            assert not node.keeper.model
            told = contributing_state(node)
            assert (told.on, told.status) == (True, "paused")
            assert told.words["reason"][0].code == "remove.leaves"
        assert node.governing.rules.model == ""
        await until(lambda: node.keeper.ready and node.keeper.model == node.contributed_model != "mine")


async def test_a_model_that_is_not_deleted_after_all_is_served_on(tmp_path, monkeypatch):
    monkeypatch.setenv("GENTORRENT_KEYRING", "off")
    async with switched(tmp_path, relay=True) as (node, inference):
        inference.done.set()
        node.governing.set_rules(Rules(model="mine:q4"))
        await node.set_contributing(True)
        await until(lambda: node.keeper.ready)
        with pytest.raises(StorageError):
            async with let_go(node, "mine"):
                raise StorageError("The disk says no.")
        await until(lambda: node.keeper.ready)
        assert node.keeper.model == "mine:q4"


async def test_without_another_model_to_choose_the_switch_goes_off(tmp_path, monkeypatch):
    monkeypatch.setenv("GENTORRENT_KEYRING", "off")
    async with switched(tmp_path, relay=True) as (node, inference):
        inference.done.set()
        node.configuration = msgspec.structs.replace(node.configuration, contribute="mine")
        await node.set_contributing(True)
        await until(lambda: node.keeper.ready)
        async with let_go(node, "mine"):
            pass
        assert contributing_state(node).status == "off"
