from __future__ import annotations

import asyncio
from contextlib import aclosing

import msgspec
import pytest

from engine.api import state_feed
from engine.api.state_feed import StateFeed
from tests.support.local_api import PlayedService


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(state_feed, "INTERVAL_SECONDS", 0.01)
    monkeypatch.setattr(state_feed, "POLL_SECONDS", 0.05)


async def test_first_the_present_state_then_each_change():
    service = PlayedService()
    async with asyncio.timeout(5), aclosing(service.changes()) as states:
        assert not (await anext(states)).contributing.on
        await service.set_contributing(True)
        assert (await anext(states)).contributing.on


async def test_changes_that_nobody_announces_are_found():
    service = PlayedService()
    async with asyncio.timeout(5), aclosing(service.changes()) as states:
        await anext(states)
        service.contributing = True
        assert (await anext(states)).contributing.on


async def test_fast_changes_are_merged_and_repeats_left_out():
    counted = 0
    base = PlayedService().state()

    def state():
        return msgspec.structs.replace(base, node_id=str(counted))

    feed = StateFeed(state)
    seen = []

    async def listen():
        seen.extend([current.node_id async for current in feed.changes()])

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        group.create_task(listen())
        await asyncio.sleep(0)
        while counted < 99:
            counted += 1
            feed.notify()
            await asyncio.sleep(0)
        await asyncio.sleep(0.1)
        feed.notify()
        await asyncio.sleep(0.1)
        feed.close()
    assert seen[0] == "0"
    assert seen[-1] == "99"
    assert len(seen) == len(set(seen)) < 20


async def test_listeners_that_leave_are_forgotten():
    service = PlayedService()
    async with aclosing(service.changes()) as states:
        await anext(states)
        assert len(service.feed._wakers) == 1
    assert not service.feed._wakers
