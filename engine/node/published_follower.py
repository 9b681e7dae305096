"""Published models in a running engine: bringing the owner's own to the network, and hearing of those of others.

Everybody fetches everything, so that fetching tells nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection
from pathlib import Path

from engine.clock import Clock
from engine.errors import (
    BootstrapUnreachableError,
    GenTorrentError,
    ManifestError,
    StorageError,
    VerificationError,
    WireError,
)
from engine.library.published import PublishedModels
from engine.library.publishing import Outgoing
from engine.sentences import said_by, say
from engine.transport.bootstrap_client import BootstrapClient
from engine.wire.codec import encode
from engine.wire.manifests import MAX_PAGE, manifest_page_decoder
from engine.wire.records import Signed

FETCH_SECONDS = 300.0
"""About so often the server is asked what is new."""
RETRY_SECONDS = 20.0
NUDGE_SECONDS = 15.0
"""Not oftener than so, whoever wants it sooner."""
LOOK_SECONDS = 1.0
"""So often it is looked whether the command line has changed something."""
MAX_PAGES = 200
_log = logging.getLogger(__name__)


class PublishedFollower:
    """``run()`` until cancelled. ``client`` gives None while no network is configured; ``changed`` is called whenever
    what is known or allowed has changed."""

    def __init__(
        self,
        published: PublishedModels,
        outgoing: Outgoing,
        client: Callable[[], BootstrapClient | None],
        clock: Clock,
        changed: Callable[[], None],
        notice: Callable[[str], None],
        here: Callable[[], Collection[str]] = tuple,
    ) -> None:
        """``here``: ids of the models on this machine, whose manifests stay however old they are."""
        self._here = here
        self._published = published
        self._outgoing = outgoing
        self._client = client
        self._clock = clock
        self._changed = changed
        self._notice = notice
        self._after: dict[str, int] = {}  # by server: the number of the newest record that was heard of
        self._nudged = asyncio.Event()

    def nudge(self) -> None:
        """Somebody wants to know of a model that is not known here: ask soon."""
        self._nudged.set()

    async def run(self) -> None:
        """Until cancelled; what goes wrong costs freshness only."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow())
            tasks.create_task(self._watch())

    async def _watch(self) -> None:
        """What another process changes counts at once: who distrusts a publisher wants its models unloaded now. Time
        alone changes something, too: manifests expire."""
        seen: object = None
        waiting: list[tuple[Path, Signed]] = []
        while True:
            now = await asyncio.to_thread(self._standing)
            if now != seen:
                seen = now
                self._changed()
            before, waiting = waiting, await asyncio.to_thread(self._outgoing.all)
            if waiting and waiting != before:
                self._nudged.set()
            await asyncio.sleep(LOOK_SECONDS)

    def _standing(self) -> object:
        return self._published.stamp(), frozenset(self._published.usable())

    async def _follow(self) -> None:
        asked = float("-inf")
        while True:
            client, wait = self._client(), RETRY_SECONDS
            if client is not None and client.connected:
                asked = self._clock.monotonic()
                try:
                    await self._bring(client)
                    await self._fetch(client)
                    await asyncio.to_thread(lambda: self._published.forget_old(self._here()))
                    wait = FETCH_SECONDS
                except (BootstrapUnreachableError, WireError, StorageError) as error:
                    _log.info("published models are not fetched: %s", error)
            elif client is not None:
                wait = LOOK_SECONDS
            self._nudged.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._nudged.wait()
                if self._clock.monotonic() - asked < NUDGE_SECONDS and not self._outgoing.all():
                    await asyncio.sleep(NUDGE_SECONDS)

    async def _bring(self, client: BootstrapClient) -> None:
        for path, signed in await asyncio.to_thread(self._outgoing.all):
            try:
                await client.bring("/v1/manifests", encode(signed))
            except VerificationError as error:
                self._notice(say("publish.refused", problem=said_by(error)))
            await asyncio.to_thread(self._outgoing.done, path, signed)

    async def _fetch(self, client: BootstrapClient) -> None:
        server = client.server
        after = self._after.get(server, 0)
        for _ in range(MAX_PAGES):
            page = manifest_page_decoder.decode(await client.read(f"/v1/manifests/from-{after}", MAX_PAGE))
            if page.newest < after:  # the server begins anew
                after = 0
                continue
            for signed in page.records:
                await self._take(signed)
            done = page.upto <= after or page.upto >= page.newest
            after = max(after, page.upto)
            if done:
                break
        self._after[server] = after

    async def _take(self, signed: Signed) -> None:
        try:
            await asyncio.to_thread(self._published.add, signed)
        except ManifestError as error:
            _log.info("a published model is left out: %s", error)
        except GenTorrentError as error:
            _log.warning("a published model cannot be kept: %s", error)
