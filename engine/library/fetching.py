"""One file from a hub onto the disk: resumed where it broke off, tried again, and believed when its hash is right."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urljoin

import aiohttp
from aiohttp.abc import AbstractResolver

from engine.errors import ContentError, CutOffError, HubError, HubNotFoundError
from engine.library.hub import gated
from engine.library.part_file import CHUNK, PartFile, Wanted, hashed_if_whole
from engine.library.pins import PinnedFile
from engine.library.progress import Meter
from engine.library.selection import HubFile
from engine.sentences import say

MAX_ATTEMPTS = 500
"""For one file, however much each of them brings."""
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


class Source(Protocol):
    """Where files come from: a hub, or the addresses of a manifest."""

    endpoint: str

    def file_url(self, repository: str, commit: str, name: str) -> str:
        """Where a file lies."""
        ...

    def headers(self, url: str) -> dict[str, str]:
        """What a request for ``url`` carries."""
        ...

    def refuse(self, url: str) -> None:
        """:class:`HubError` for an address that is not asked, at the beginning or behind a redirect."""
        ...


@asynccontextmanager
async def connections(
    patience: Patience, parallel: int, resolver: AbstractResolver | None = None
) -> AsyncIterator[aiohttp.ClientSession]:
    """Connections for :func:`fetch`; proxies of the environment count. ``resolver`` turns names into addresses."""
    limits = aiohttp.ClientTimeout(total=None, sock_connect=patience.connect, sock_read=patience.silence)
    connector = aiohttp.TCPConnector(limit=parallel, resolver=resolver)
    async with aiohttp.ClientSession(
        connector=connector, timeout=limits, trust_env=True, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        yield session


@dataclass(frozen=True, slots=True)
class Transfer:
    """What all files of one download share."""

    session: aiohttp.ClientSession
    hub: Source
    repository: str
    commit: str
    meter: Meter
    patience: Patience


async def fetch(transfer: Transfer, file: HubFile, target: Path, pinned: PinnedFile | None = None) -> PinnedFile:
    """Bring ``file`` to ``target`` and return its size and SHA-256; a complete ``target`` is only hashed.

    Raises :class:`HubError` (the hub does not give it), :class:`ContentError` (wrong bytes twice), ``StorageError``
    (the disk). Cancelled or failed, it leaves what it has for the next time.
    """
    wanted = Wanted(file, pinned.sha256 if pinned else "")
    transfer.meter.begin(file.name, file.size)
    found = await asyncio.to_thread(hashed_if_whole, target, wanted) or await _fetch_once(transfer, wanted, target)
    if isinstance(found, str):
        _log.warning("%s of %s has the wrong content and is fetched again", file.name, transfer.repository)
        transfer.meter.at(file.name, 0, note="wrong content, fetched again")
        found = await _fetch_once(transfer, wanted, target)
    if isinstance(found, str):
        code = "download.other_than_before" if wanted.pinned else "download.wrong_content"
        said = say(code, file=file.name, model=transfer.repository, expected=wanted.digest, found=found)
        raise ContentError(said)
    transfer.meter.at(file.name, file.size)
    return found


async def _fetch_once(transfer: Transfer, wanted: Wanted, target: Path) -> PinnedFile | str:
    """The file in place, or the hash of what came instead."""
    part = PartFile(target, wanted)
    try:
        await asyncio.to_thread(part.open)
        await _fill(transfer, part)
        return await asyncio.to_thread(part.finish)
    finally:
        part.close()


async def _fill(transfer: Transfer, part: PartFile) -> None:
    """Ask until all bytes are there."""
    file, patience = part.file, transfer.patience
    url = transfer.hub.file_url(transfer.repository, transfer.commit, file.name)
    transfer.meter.at(file.name, part.length)
    failures = 0
    for _ in range(MAX_ATTEMPTS):
        if part.length == file.size:
            return
        before = part.length
        try:
            await _ask_once(transfer, url, part)
            if part.length < file.size:
                raise _LaterError("the connection ended early")
        except (_LaterError, aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            failures = 1 if part.length > before else failures + 1
            silent = isinstance(error, TimeoutError)
            reason = "nothing came any more" if silent else str(error)[:200] or type(error).__name__
            if failures >= patience.attempts:
                break
            asked = error.pause if isinstance(error, _LaterError) else 0.0
            pause = min(max(asked, patience.first_pause * 2 ** (failures - 1)), patience.longest_pause)
            transfer.meter.at(file.name, part.length, note=f"{reason[:80]}; next attempt in {pause:.0f} s")
            await asyncio.sleep(pause)
    if part.length < file.size:
        raise CutOffError(
            say("download.cut_off", file=file.name, model=transfer.repository, reason=reason, times=failures)
        )


async def _ask_once(transfer: Transfer, url: str, part: PartFile) -> None:
    for _ in range(_REDIRECTS):
        transfer.hub.refuse(url)
        headers = transfer.hub.headers(url)
        if part.length:
            headers["Range"] = f"bytes={part.length}-"
        async with transfer.session.get(url, headers=headers, allow_redirects=False) as reply:
            if reply.status in (301, 302, 303, 307, 308):
                url = _joined(url, reply.headers.get("Location", ""))
                continue
            _refuse_status(reply, transfer, part)
            if reply.status == 416:
                await asyncio.to_thread(part.restart)
                raise _LaterError("the hub does not go on from here")
            if part.length and (reply.status == 200 or not _goes_on(reply, part)):
                await asyncio.to_thread(part.restart)
                if reply.status != 200:
                    raise _LaterError("the hub sent another part of the file")
            await _take(reply, part, transfer.meter)
            return
    raise HubError(
        f"The hub sends {part.file.name} of {transfer.repository} on more than {_REDIRECTS} times. Check HF_ENDPOINT."
    )


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:  # no address at all
        return ""


async def _take(reply: aiohttp.ClientResponse, part: PartFile, meter: Meter) -> None:
    async for data in reply.content.iter_chunked(CHUNK):
        room = part.file.size - part.length
        await asyncio.to_thread(part.write, data[:room])
        meter.at(part.file.name, part.length, received=len(data))
        if len(data) >= room:
            return  # more than announced is never read; the hash says whether it was the file


def _refuse_status(reply: aiohttp.ClientResponse, transfer: Transfer, part: PartFile) -> None:
    if reply.status in (200, 206, 416):
        if reply.headers.get("Content-Encoding", "identity") != "identity":
            raise HubError(
                f"The hub sends {part.file.name} compressed, although it was asked not to. Check HF_ENDPOINT."
            )
        return
    if reply.status in (401, 403):
        raise gated(transfer.repository, transfer.hub.endpoint)
    if reply.status in _LATER:
        after = reply.headers.get("Retry-After", "")
        raise _LaterError(f"the hub answers with status {reply.status}", float(after) if after.isdecimal() else 0.0)
    kind = HubNotFoundError if reply.status in (404, 410) else HubError
    status = str(reply.status)
    raise kind(say("download.not_given", file=part.file.name, model=transfer.repository, status=status))


def _goes_on(reply: aiohttp.ClientResponse, part: PartFile) -> bool:
    """Whether a 206 begins where this file ends."""
    match = re.match(r"bytes (\d{1,20})-\d{1,20}/(\d{1,20}|\*)\Z", reply.headers.get("Content-Range", ""))
    return match is not None and int(match[1]) == part.length and match[2] in ("*", str(part.file.size))
