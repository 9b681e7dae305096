"""One file from a hub onto the disk: resumed where it broke off, tried again, and believed only when its hash is right.

What has arrived lies beside the target as ``NAME.<first digits of what it should be>.part``, so that a later run goes
on with it only if the hub still means the same content.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import logging
import os
import re
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from urllib.parse import urljoin

import aiohttp

from engine.errors import ContentError, HubError, StorageError
from engine.library.hub import Hub, gated
from engine.library.pins import PinnedFile
from engine.library.progress import Meter
from engine.library.selection import HubFile
from engine.storage.files import storage_error

CHUNK = 1 << 20
_REDIRECTS = 5
_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG)
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
    wanted = _Wanted(file, pinned.sha256 if pinned else "")
    meter.begin(file.name, file.size)
    done = await asyncio.to_thread(_hashed_if_whole, target, wanted)
    for last in (False, True):
        if done is None:
            sink = await asyncio.to_thread(_Sink, target, wanted)
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


def copy_hashed(source: Path, target: Path | None, told: Callable[[int], None]) -> PinnedFile:
    """Size and SHA-256 of a file, read once; with ``target`` also a copy of it, flushed to the disk.

    ``told`` hears how many bytes are done. ``StorageError`` names the file that cannot be read or written.
    """
    digest, done = hashlib.sha256(), 0
    part = target.with_name(f"{target.name}.part") if target else None
    try:
        with source.open("rb") as stream, ExitStack() as stack:
            if part is not None:
                part.parent.mkdir(parents=True, exist_ok=True)
                copy = stack.enter_context(part.open("wb"))
            while data := stream.read(CHUNK):
                digest.update(data)
                if part is not None:
                    copy.write(data)
                done += len(data)
                told(done)
            if part is not None:
                copy.flush()
                os.fsync(copy.fileno())
        if part is not None and target is not None:
            part.replace(target)
    except OSError as error:
        if part is not None and error.errno in _FULL:
            raise _disk_error(part, error) from error
        raise storage_error("copy" if target else "read", source, error) from error
    return PinnedFile(done, digest.hexdigest())


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a file has to be; ``pinned``: SHA-256 of an earlier download, which counts before the hub's word."""

    file: HubFile
    pinned: str

    @property
    def digest(self) -> str:
        return self.pinned or self.file.identity

    @property
    def says(self) -> str:
        return "the earlier download was" if self.pinned else "the hub says"

    def wrong(self, sha256: str, git_id: str) -> str | None:
        """What was found in the place of what should be; None if nothing is wrong."""
        if self.pinned and sha256 != self.pinned:
            return sha256
        if self.file.sha256:
            return None if sha256 == self.file.sha256 else sha256
        return None if not self.file.git_id or git_id == self.file.git_id else git_id


class _Digests:
    """SHA-256, and what git calls the same bytes."""

    def __init__(self, size: int) -> None:
        self._sha256 = hashlib.sha256()
        self._git = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)

    def update(self, data: bytes) -> None:
        self._sha256.update(data)
        self._git.update(data)

    def values(self) -> tuple[str, str]:
        return self._sha256.hexdigest(), self._git.hexdigest()


class _Sink:
    """The part file: written in order and hashed on the way. Methods block; closed once, from any thread."""

    def __init__(self, target: Path, wanted: _Wanted) -> None:
        self._target = target
        self._wanted = wanted
        self.file = wanted.file
        name = (wanted.digest or "unknown")[:16]
        self.part = target.with_name(f"{target.name}.{name}.part")
        self.sha256 = ""
        self._lock = Lock()
        self._closed = False
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            for other in target.parent.glob(f"{_escaped(target.name)}.*.part"):
                if other != self.part:
                    other.unlink()
            self._stream = os.fdopen(
                os.open(self.part, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644), "r+b", buffering=0
            )
            try:
                self._begin()
            except BaseException:
                self._stream.close()
                raise
        except OSError as error:
            raise storage_error("write", self.part, error) from error

    def _begin(self) -> None:
        """Hash what is there already."""
        self.digests, self.length = _Digests(self.file.size), 0
        if self._stream.seek(0, os.SEEK_END) > self.file.size:
            self._stream.truncate(0)
        self._stream.seek(0)
        while data := self._stream.read(CHUNK):
            self.digests.update(data)
            self.length += len(data)

    def restart(self) -> None:
        """Forget what is there."""
        with self._lock:
            if not self._closed:
                self._stream.seek(0)
                self._stream.truncate(0)
                self.digests, self.length = _Digests(self.file.size), 0

    def write(self, data: bytes) -> None:
        """Append; nothing is written after :meth:`close`."""
        with self._lock:
            if self._closed:
                return
            try:
                view = memoryview(data)
                while view:
                    view = view[self._stream.write(view) :]
            except OSError as error:
                raise _disk_error(self.part, error) from error
            self.digests.update(data)
            self.length += len(data)

    def finish(self) -> str | None:
        """Put a file with the right content in place (None); a wrong one is deleted, and what was found returned."""
        with self._lock:
            self.sha256, git_id = self.digests.values()
            found = self._wanted.wrong(self.sha256, git_id)
            try:
                if found is None:
                    os.fsync(self._stream.fileno())
                self._closed = True
                self._stream.close()
                if found is None:
                    self.part.replace(self._target)
                else:
                    self.part.unlink()
            except OSError as error:
                raise _disk_error(self.part, error) from error
        return found

    def close(self) -> None:
        """Keep what is there."""
        with self._lock:
            if not self._closed:
                self._closed = True
                with suppress(OSError):
                    self._stream.close()


def _hashed_if_whole(target: Path, wanted: _Wanted) -> PinnedFile | None:
    """A file that an earlier run completed; None, and the file gone, if it is not what it should be."""
    try:
        if target.is_symlink() or not target.is_file():
            return None
        digests = _Digests(wanted.file.size)
        with target.open("rb") as stream:
            if stream.seek(0, os.SEEK_END) != wanted.file.size:
                return None
            stream.seek(0)
            while data := stream.read(CHUNK):
                digests.update(data)
        sha256, git_id = digests.values()
        if wanted.wrong(sha256, git_id) is None:
            return PinnedFile(wanted.file.size, sha256, wanted.file.identity)
        target.unlink()
    except OSError as error:
        raise storage_error("read", target, error) from error
    return None


async def _fill(
    session: aiohttp.ClientSession,
    hub: Hub,
    url: str,
    repository: str,
    sink: _Sink,
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
    session: aiohttp.ClientSession, hub: Hub, url: str, repository: str, sink: _Sink, meter: Meter
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


async def _take(reply: aiohttp.ClientResponse, sink: _Sink, meter: Meter) -> None:
    async for data in reply.content.iter_chunked(CHUNK):
        room = sink.file.size - sink.length
        await asyncio.to_thread(sink.write, data[:room])
        meter.at(sink.file.name, sink.length, received=len(data))
        if len(data) >= room:
            return  # more than announced is never read; the hash says whether it was the file


def _refuse_status(reply: aiohttp.ClientResponse, hub: Hub, repository: str, sink: _Sink) -> None:
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


def _goes_on(reply: aiohttp.ClientResponse, sink: _Sink) -> bool:
    """Whether a 206 begins where this file ends."""
    match = re.match(r"bytes (\d{1,20})-\d{1,20}/(\d{1,20}|\*)\Z", reply.headers.get("Content-Range", ""))
    return match is not None and int(match[1]) == sink.length and match[2] in ("*", str(sink.file.size))


def _disk_error(part: Path, error: OSError) -> StorageError:
    if error.errno in _FULL:
        return StorageError(
            f"The disk is full: {part.name} cannot grow ({error.strerror}). What has arrived is kept. Free some space "
            "and run the same command again to go on."
        )
    return storage_error("write", part, error)


def _escaped(name: str) -> str:
    """For glob."""
    return re.sub(r"([*?\[\]])", r"[\1]", name)
