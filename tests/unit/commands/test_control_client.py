"""The command line's connection to the engine: no wait without an end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import aiohttp
import pytest

from engine.api import schema
from engine.api.schema import State
from engine.commands import control_client
from engine.commands.control_client import ControlClient
from tests.support.local_api import CONTROL_TOKEN, PlayedService, serve


class SilentNetwork:
    """Never replies."""

    def attach(self, tell: object) -> None:
        pass

    def detach(self, tell: object) -> None:
        pass

    async def handle(self, request: object, tell: object) -> schema.ControlEvent:
        await asyncio.Event().wait()
        raise AssertionError


class RestlessService(PlayedService):
    """Always has news, and leaves the switch as it is."""

    async def changes(self) -> AsyncGenerator[State, None]:
        while True:
            yield self.state()
            await asyncio.sleep(0.01)

    async def set_contributing(self, on: bool, *, by_owner: bool = True) -> None:
        pass


@pytest.mark.parametrize("asked", ["reply", "state"])
async def test_a_reply_that_does_not_come_ends_the_wait_also_while_there_is_news(
    monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    monkeypatch.setattr(control_client, "LONGEST_SECONDS", 0.3)
    headers = {"Authorization": f"Bearer {CONTROL_TOKEN}"}
    async for api in serve(RestlessService(), network=SilentNetwork()):
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{api.url}{schema.CONTROL_PATH}", headers=headers) as socket,
        ):
            await socket.send_str(schema.encode(schema.Hello(version=schema.CONTROL_VERSION)))
            client = ControlClient(socket)
            with pytest.raises(TimeoutError):
                if asked == "reply":
                    await client.ask(schema.GetHosting(), schema.Hosting)
                else:
                    await client.state(schema.SetContributing(on=True))
