"""A real worker that is slowed: strangers feel it, its owner does not, and nobody's tokens change."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from engine.inference.supervisor.limits import DeviceLimit
from engine.inference.types import Delta
from tests.integration.test_inference_worker import answer, ask, ids_of, models, running  # noqa: F401 - a fixture

pytestmark = pytest.mark.timeout(120)
SLOW = DeviceLimit(pace=0.02)


async def test_the_owners_answer_is_made_while_strangers_rest(models):  # noqa: F811
    strangers = ask(seed=1, max_tokens=80, min_tokens=80)
    owners = replace(ask(seed=2, max_tokens=60, min_tokens=60), owner=True)
    async with running(models) as supervisor:
        expected = [ids_of(await answer(supervisor, one)) for one in (strangers, owners)]
        supervisor.limit(SLOW)
        made: list[int] = []
        begun = asyncio.Event()

        async def slowly() -> None:
            async for event in supervisor.generate(strangers):
                if isinstance(event, Delta):
                    made.extend(event.ids)
                    begun.set()

        task = asyncio.get_running_loop().create_task(slowly())
        await begun.wait()
        before = len(made)
        assert ids_of(await answer(supervisor, owners)) == expected[1]
        assert len(made) - before < 30, "the stranger's tokens came as seldom as before"
        supervisor.limit(DeviceLimit())
        await task
        assert tuple(made) == expected[0]
