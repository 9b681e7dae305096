"""Watching the picture of links, paths and groups over the control WebSocket."""

from __future__ import annotations

import asyncio

from engine.api import schema
from engine.api.outbox import Outbox
from engine.api.watching import TopologyWatch
from engine.doctor.session import running

ONE = schema.Topology(links=(schema.OwnLink(peer="a", holder="client"),))
TWO = schema.Topology(links=(schema.OwnLink(peer="b", holder="node"),))


async def test_the_picture_comes_at_once_then_when_it_is_another_one_until_nobody_watches():
    now, told = [ONE], list[schema.ControlEvent]()
    asked: list[str] = []

    def look(chat: str) -> schema.Topology:
        asked.append(chat)
        return now[0]

    watch = TopologyWatch(look, told.append, seconds=0.01)
    async with asyncio.timeout(60), running(watch.run()):
        await _watch(watch, now, asked, told)


async def _watch(
    watch: TopologyWatch, now: list[schema.Topology], asked: list[str], told: list[schema.ControlEvent]
) -> None:
    watch.ask(schema.WatchTopology(on=True, chat="mine", ref="7"))
    assert told == [schema.Topology(links=ONE.links, ref="7")]
    while len(asked) < 4:
        await asyncio.sleep(0.01)
    assert len(told) == 1, "nothing new was told"
    assert set(asked) == {"mine"}
    now[0] = TWO
    while len(told) < 2:
        await asyncio.sleep(0.01)
    assert told[1] == TWO
    watch.ask(schema.WatchTopology(on=False))
    await asyncio.sleep(0.05)
    looked = len(asked)
    await asyncio.sleep(0.1)
    assert len(asked) == looked


async def test_of_pictures_that_wait_only_the_newest_is_sent():
    outbox = Outbox()
    for number in range(1000):
        outbox.put(schema.Topology(links_left_out=number))
    told = await outbox.take()
    assert told == schema.Topology(links_left_out=999)


async def test_replies_are_not_lost_among_pictures():
    outbox = Outbox()
    outbox.put(schema.Topology(ref="1"))
    outbox.put(schema.Topology())
    outbox.put(schema.Topology(ref="2"))
    assert [await outbox.take() for _ in range(3)] == [schema.Topology(ref=ref) for ref in ("1", "", "2")]
