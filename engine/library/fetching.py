"""One file from a hub onto the disk: resumed where it broke off, tried again, and believed when its hash is right."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import aiohttp

from engine.errors import ContentError, HubError
from engine.library.hub import Hub, gated
from engine.library.part_file import CHUNK, PartFile, Wanted, hashed_if_whole
from engine.library.pins import PinnedFile
from engine.library.progress import Meter
from engine.library.selection import HubFile

_REDIRECTS = 5
_LATER = (408, 425, 429, 500, 502, 503, 504)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited for a hub. ``attempts``: in a row without a new byte. Times in seconds."""

    connect: float = 15.0
    silence: float = 30.0
    attempts: int = 6
    first_pause: float = 1.0
    longest_pause: float = 30.0


class _LaterError(Exception):
    """Worth another attempt; ``pause`` is what the server asked for."""

    def __init__(self, reason: str, pause: float = 0.0) -> None:
        super().__init__(reason)
        self.pause = pause


@asynccontextmanager
async def connections(patience: Patience, parallel: int) -> AsyncIterator[aiohttp.ClientSession]:
    """Connections for :func:`fetch`; proxies of the environment count."""
    limits = aiohttp.ClientTimeout(total=None, sock_connect=patience.connect, sock_read=patience.silence)
    connector = aiohttp.TCPConnector(limit=parallel)
    async with aiohttp.ClientSession(
        connector=connector, timeout=limits, trust_env=True, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        yield session


async def fetch(
    session: aiohttp.ClientSession,
    hub: Hub,
    repository: str,
    commit: str,
    file: HubFile,
    target: Path,
    meter: Meter,
    patience: Patience,
    pinned: PinnedFile | None = None,
) -> PinnedFile:
    """Bring ``file`` to ``target`` and return its size and SHA-256; a complete ``target`` is only hashed.

    Raises :class:`HubError` (the hub does not give it), :class:`ContentError` (wrong bytes twice), ``StorageError``
    (the disk). Cancelled or failed, it leaves what it has for the next time.
    """
    wanted = Wanted(file, pinned.sha256 if pinned else "")
    meter.begin(file.name, file.size)
    done = await asyncio.to_thread(hashed_if_whole, target, wanted)
    for last in (False, True):
        if done is None:
            sink = await asyncio.to_thread(PartFile, target, wanted)
            try:
                await _fill(
                    session, hub, hub.file_url(repository, commit, file.name), repository, sink, meter, patience
                )
                found = await asyncio.to_thread(sink.finish)
            finally:
                sink.close()
            if found is not None:
                meter.at(file.name, file.size, note=f"wrong content, fetched {'twice' if last else 'again'}")
                _log.warning("%s of %s: wrong content", file.name, repository)
                if last:
                    raise ContentError(
                        f"{file.name} of {repository} is not what {wanted.says}: expected {wanted.digest}, found "
                        f"{found}, twice. Somebody on the way, or the hub's copy, is broken. Try again later, or from "
                        "another network."
                    )
                continue
            done = PinnedFile(file.size, sink.sha256, file.identity)
        break
    assert done is not None
    meter.at(file.name, file.size)
    return done


async def _fill(
    session: aiohttp.ClientSession,
    hub: Hub,
    url: str,
    repository: str,
    sink: PartFile,
    meter: Meter,
    patience: Patience,
) -> None:
    """Ask until all bytes are there."""
    name, size = sink.file.name, sink.file.size
    meter.at(name, sink.length)
    failures = 0
    while sink.length < size:
        before = sink.length
        try:
            await _ask_once(session, hub, url, repository, sink, meter)
            if sink.length < size:
                raise _LaterError("the connection ended early")
        except (_LaterError, aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            if isinstance(error, aiohttp.InvalidURL | aiohttp.ClientPayloadError) and sink.length > size:
                raise
            failures = 1 if sink.length > before else failures + 1
            reason = str(error) or (
                "nothing came any more" if isinstance(error, TimeoutError) else type(error).__name__
            )
            if failures >= patience.attempts:
                raise HubError(
                    f"{name} of {repository} could not be fetched: {reason[:200]} ({failures} attempts). What has "
                    "arrived is kept: run the same command again to go on."
                ) from None
            asked = error.pause if isinstance(error, _LaterError) else 0.0
            pause = min(max(asked, patience.first_pause * 2 ** (failures - 1)), patience.longest_pause)
            meter.at(name, sink.length, note=f"{reason[:80]}; next attempt in {pause:.0f} s")
            await asyncio.sleep(pause)


async def _ask_once(
    session: aiohttp.ClientSession, hub: Hub, url: str, repository: str, sink: PartFile, meter: Meter
) -> None:
    for _ in range(_REDIRECTS):
        hub.refuse(url)
        headers = hub.headers(url)
        if sink.length:
            headers["Range"] = f"bytes={sink.length}-"
        async with session.get(url, headers=headers, allow_redirects=False) as reply:
            if reply.status in (301, 302, 303, 307, 308):
                url = urljoin(url, reply.headers.get("Location", ""))
                continue
            _refuse_status(reply, hub, repository, sink)
            if reply.status == 416:
                await asyncio.to_thread(sink.restart)
                raise _LaterError("the hub does not go on from here")
            if sink.length and (reply.status == 200 or not _goes_on(reply, sink)):
                await asyncio.to_thread(sink.restart)
                if reply.status != 200:
                    raise _LaterError("the hub sent another part of the file")
            await _take(reply, sink, meter)
            return
    raise HubError(
        f"The hub sends {sink.file.name} of {repository} on more than {_REDIRECTS} times. Check HF_ENDPOINT."
    )


async def _take(reply: aiohttp.ClientResponse, sink: PartFile, meter: Meter) -> None:
    async for data in reply.content.iter_chunked(CHUNK):
        room = sink.file.size - sink.length
        await asyncio.to_thread(sink.write, data[:room])
        meter.at(sink.file.name, sink.length, received=len(data))
        if len(data) >= room:
            return  # more than announced is never read; the hash says whether it was the file


def _refuse_status(reply: aiohttp.ClientResponse, hub: Hub, repository: str, sink: PartFile) -> None:
    if reply.status in (200, 206, 416):
        if reply.headers.get("Content-Encoding", "identity") != "identity":
            raise HubError(
                f"The hub sends {sink.file.name} compressed, although it was asked not to. Check HF_ENDPOINT."
            )
        return
    if reply.status in (401, 403):
        raise gated(repository, hub.endpoint)
    if reply.status in _LATER:
        after = reply.headers.get("Retry-After", "")
        raise _LaterError(f"the hub answers with status {reply.status}", float(after) if after.isdecimal() else 0.0)
    raise HubError(f"The hub does not give {sink.file.name} of {repository}: status {reply.status}. Try again later.")


def _goes_on(reply: aiohttp.ClientResponse, sink: PartFile) -> bool:
    """Whether a 206 begins where this file ends."""
    match = re.match(r"bytes (\d{1,20})-\d{1,20}/(\d{1,20}|\*)\Z", reply.headers.get("Content-Range", ""))
    return match is not None and int(match[1]) == sink.length and match[2] in ("*", str(sink.file.size))
