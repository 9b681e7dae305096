"""Who follows what is published forgets what expired long ago, but for what is on this machine."""

import asyncio
from typing import cast

import pytest

from engine.directory.manifests import fingerprint_of
from engine.library.published import PublishedModels
from engine.library.publishing import Outgoing
from engine.node.published_follower import PublishedFollower
from engine.transport.bootstrap_client import BootstrapClient
from engine.wire.codec import encode
from engine.wire.manifests import ManifestPage
from tests.support.local_api import until
from tests.support.manifests import DAY, LAB, NOW, signed

MODEL = f"{fingerprint_of(LAB.public_key)}/our-model-1b"


class Clock:
    now = NOW + 60.0

    def wall(self) -> float:
        return self.now

    monotonic = wall


class Server:
    """A server that has nothing; counts what it is asked."""

    connected, server, asked = True, "here", 0

    async def read(self, path: str, most: int) -> bytes:
        self.asked += 1
        return encode(ManifestPage(newest=0, upto=0, records=()))


@pytest.mark.parametrize("here", [(), (MODEL,)])
async def test_what_expired_long_ago_is_forgotten(tmp_path, here):
    clock, server = Clock(), Server()
    published = PublishedModels(tmp_path / "data" / "published", clock)
    published.add(signed(version=5))
    clock.now = NOW + 500 * DAY
    outgoing = Outgoing(tmp_path / "data" / "published")
    client = cast("BootstrapClient", server)
    follower = PublishedFollower(
        published, outgoing, lambda: client, clock, lambda: None, lambda _: None, here=lambda: here
    )
    async with asyncio.TaskGroup() as group:
        task = group.create_task(follower.run())
        await until(lambda: server.asked, 60)
        if here:
            await asyncio.sleep(0.2)  # it would have been forgotten by now
            assert MODEL in published.all()
        else:
            await until(lambda: MODEL not in published.all(), 60)
        task.cancel()
