"""The owner's switch: whatever is loading or running, off means off at once, and off twice is off once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from engine.clock import SystemClock
from engine.config import Configuration
from engine.governor.rules import Rules
from engine.inference.types import ModelInfo
from engine.node.node import Node
from engine.node.status import contributing_state
from engine.storage.data_directory import DataDirectory, acquire_lock
from tests.support.bootstrap import until


class SlowInference:
    """Loads for ever unless told that it is done."""

    def __init__(self) -> None:
        self.loading = 0
        self.begun = 0
        self.stops = 0
        self.done = asyncio.Event()

    def models(self) -> list[ModelInfo]:
        return []

    async def start(self, _: list[str]) -> None:
        self.loading += 1
        self.begun += 1
        try:
            await self.done.wait()
        finally:
            self.loading -= 1

    async def stop(self) -> None:
        self.stops += 1


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
            keeping = tasks.create_task(node._keep_peer(membership))
            await until(lambda: inference.stops)
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
        assert not node.contribute_ready


async def test_twenty_changes_end_where_the_last_one_points(tmp_path, monkeypatch):
    monkeypatch.setenv("GENTORRENT_KEYRING", "off")
    async with switched(tmp_path, relay=False) as (node, inference):
        for number in range(21):
            await node.set_contributing(number % 2 == 0)
            await asyncio.sleep(0.005 * (number % 3))
        await until(lambda: inference.loading == 1)
        inference.done.set()
        await until(lambda: node.contribute_ready)
        await node.set_contributing(False)
        stops = inference.stops
        await until(lambda: inference.stops > stops)
        assert not node.contribute_ready


async def test_off_when_it_is_off_leaves_the_owners_own_answers_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("GENTORRENT_KEYRING", "off")
    async with switched(tmp_path, relay=True) as (node, inference):
        before = inference.stops
        await node.set_contributing(False)
        await asyncio.sleep(0.1)
        assert inference.stops == before


async def test_a_rule_pauses_and_lets_go_on_and_each_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("GENTORRENT_KEYRING", "off")
    async with switched(tmp_path, relay=True) as (node, inference):
        inference.done.set()
        await node.set_contributing(True)
        await until(lambda: node.contribute_ready)
        stops = inference.stops
        node.governing.set_rules(Rules(schedule=(0,) * 7))
        await until(lambda: inference.stops > stops, 1.0)
        told = contributing_state(node)
        assert (told.on, told.status) == (True, "paused")
        assert told.reason == "The weekly schedule has every hour off."
        node.governing.set_rules(Rules())
        await until(lambda: node.contribute_ready)
        node.governing.pause(3600)
        assert contributing_state(node).until == pytest.approx(node.governing.clock.wall() + 3600, abs=60)
        assert contributing_state(node).by_owner
        await node.set_contributing(False)
        assert not contributing_state(node).by_owner  # there is nothing to go on with
        await node.set_contributing(True)  # whoever turns the switch on wants it on
        assert not contributing_state(node).by_owner
        await until(lambda: node.contribute_ready)


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
        node._changed()
        await until(lambda: node.contribute_ready)
        stops, mine = inference.stops, False
        node._changed()
        await until(lambda: inference.stops > stops)
        assert not node.contribute_ready
