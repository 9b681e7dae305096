"""A model hub on loopback that speaks what huggingface_hub and the downloads use, well or badly.

Repositories are folders. Large files are redirected to ``/cdn``, as the real hub does. ``faults`` says what goes wrong:
a file's name to a list of faults, the first of which the next request for the file's bytes uses up.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from aiohttp import web

COMMIT = "1234567890abcdef1234567890abcdef12345678"
LARGE = 20_000
"""Bytes from which on a file is stored as a large one."""
Fault = Literal["cut", "wrong", "stall", "503", "403", "404", "no-range", "other-range", "416", "http", "long", "gzip"]


@dataclass
class HubRepository:
    """``listed``: more entries of the file list, as they are sent. ``status``: of every answer about it."""

    folder: Path
    commit: str = COMMIT
    licence: str = "apache-2.0"
    status: int = 200
    error_code: str = ""
    listed: list[dict[str, Any]] = field(default_factory=list)
    hidden: frozenset[str] = frozenset()
    hashes: bool = True  # mirrors may leave them out


@dataclass
class LoopbackHub:
    """``requests``: (path, Range, Authorization) of everything that was asked."""

    repositories: dict[str, HubRepository] = field(default_factory=dict)
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    found: list[dict[str, Any]] = field(default_factory=list)
    endpoint: str = ""
    pace: float = 0.0  # seconds between pieces of 4 KiB
    redirect_to: str = ""  # where every file is redirected to
    answers: Literal["", "endless", "slow", "compressed", "page"] = ""  # to questions about a repository
    store: str = ""  # the address of another hub whose /cdn has the bytes

    def asked(self, name: str) -> list[str]:
        """The Range headers of the requests for a file's bytes."""
        return [span for path, span, _ in self.requests if path.startswith("/cdn/") and path.endswith(name)]

    async def _info(self, request: web.Request) -> web.StreamResponse:
        self._note(request)
        if self.answers == "page":
            return web.Response(text="<html>Please log in to this network</html>", content_type="text/html")
        if self.answers:
            return await self._without_end(request)
        repository = self.repositories.get(request.match_info["name"])
        if repository is None:
            return web.json_response({"error": "x"}, status=404, headers={"X-Error-Code": "RepoNotFound"})
        if repository.status != 200:
            headers = {"X-Error-Code": repository.error_code} if repository.error_code else {}
            return web.json_response({"error": "x"}, status=repository.status, headers=headers)
        revision = request.match_info.get("revision", "main")
        if revision not in ("main", repository.commit):
            return web.json_response({"error": "x"}, status=404, headers={"X-Error-Code": "RevisionNotFound"})
        files = [
            _listed(repository.folder, one, repository.hashes)
            for one in sorted(repository.folder.rglob("*"))
            if one.is_file() and one.relative_to(repository.folder).as_posix() not in repository.hidden
        ]
        return web.json_response(
            {
                "id": request.match_info["name"],
                "sha": repository.commit,
                "siblings": files + repository.listed,
                "tags": [f"license:{repository.licence}"] if repository.licence else [],
                "private": False,
                "downloads": 5,
            }
        )

    async def _without_end(self, request: web.Request) -> web.StreamResponse:
        headers = {"Content-Encoding": "gzip"} if self.answers == "compressed" else {}
        reply = web.StreamResponse(headers=headers | {"Content-Type": "application/json"})
        reply.enable_chunked_encoding()
        await reply.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                await reply.write(b" " if self.answers == "slow" else b" " * 65_536)
                await asyncio.sleep(0.05 if self.answers == "slow" else 0)
        return reply

    async def _search(self, request: web.Request) -> web.StreamResponse:
        self._note(request)
        return web.json_response(self.found)

    async def _resolve(self, request: web.Request) -> web.StreamResponse:
        self._note(request)
        name = request.match_info["file"]
        repository = self.repositories[request.match_info["name"]]
        path = repository.folder / name
        headers = {"X-Repo-Commit": repository.commit, "ETag": f'"{git_id(path)}"'}
        if path.stat().st_size >= LARGE:
            headers |= {"X-Linked-Size": str(path.stat().st_size), "X-Linked-ETag": f'"{sha256(path)}"'}
        place = f"{self.store}/cdn/{request.match_info['name']}/{name}"
        raise web.HTTPFound(self.redirect_to or place, headers=headers)

    async def _bytes(self, request: web.Request) -> web.StreamResponse:
        self._note(request)
        name = request.match_info["file"]
        owner, repository, _, rest = (*name.split("/", 2)[:2], "", name.split("/", 2)[2])
        data = (self.repositories[f"{owner}/{repository}"].folder / rest).read_bytes()
        faults = self.faults.get(rest, [])
        fault = faults.pop(0) if faults else ""
        if fault in ("503", "403", "404"):
            return web.Response(status=int(fault), headers={"Retry-After": "0"})
        if fault == "http":
            raise web.HTTPFound("http://models.example.com/file")
        first = 0
        span = request.headers.get("Range", "")
        if fault == "416" and span:
            return web.Response(status=416)
        if span and fault != "no-range":
            first = int(span.removeprefix("bytes=").removesuffix("-"))
        body = data[first:]
        headers = {"Content-Length": str(len(body)), "Accept-Ranges": "bytes"}
        if span and fault != "no-range":
            shown = first + 7 if fault == "other-range" else first
            headers["Content-Range"] = f"bytes {shown}-{len(data) - 1}/{len(data)}"
        if fault == "wrong":
            body = bytes(255 - one for one in body[:64]) + body[64:]
        if fault == "long":
            body += b"more" * 1000
            headers["Content-Length"] = str(len(body))
        if fault == "gzip":
            headers["Content-Encoding"] = "gzip"
        reply = web.StreamResponse(status=206 if "Content-Range" in headers else 200, headers=headers)
        await reply.prepare(request)
        await self._send(request, reply, body, fault)
        return reply

    async def _send(self, request: web.Request, reply: web.StreamResponse, body: bytes, fault: str) -> None:
        with contextlib.suppress(ConnectionError):
            if fault in ("cut", "stall"):
                await reply.write(body[: len(body) // 2])
                if fault == "stall":
                    await asyncio.sleep(3600)
                assert request.transport is not None
                request.transport.abort()
                return
            step = 4096 if self.pace else len(body) or 1
            for place in range(0, len(body), step):
                await reply.write(body[place : place + step])
                await asyncio.sleep(self.pace)

    def _note(self, request: web.Request) -> None:
        self.requests.append((request.path, request.headers.get("Range", ""), request.headers.get("Authorization", "")))

    def application(self) -> web.Application:
        """What is served."""
        made = web.Application()
        made.router.add_get("/api/models", self._search)
        made.router.add_get(r"/api/models/{name:[^/]+/[^/]+}/revision/{revision}", self._info)
        made.router.add_get(r"/api/models/{name:[^/]+/[^/]+}", self._info)
        made.router.add_get(r"/cdn/{file:.+}", self._bytes)
        made.router.add_get(r"/{name:[^/]+/[^/]+}/resolve/{revision}/{file:.+}", self._resolve)
        return made


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def git_id(path: Path) -> str:
    """What git calls the content of a file."""
    data = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def _listed(root: Path, path: Path, hashes: bool) -> dict[str, Any]:
    size = path.stat().st_size
    entry: dict[str, Any] = {"rfilename": path.relative_to(root).as_posix(), "size": size}
    if hashes:
        entry["blobId"] = git_id(path)
    if hashes and size >= LARGE:
        entry["lfs"] = {"size": size, "sha256": sha256(path), "pointerSize": 134}
    return entry


@contextlib.contextmanager
def loopback_hub() -> Iterator[LoopbackHub]:
    """A hub in a thread of its own, so that blocking clients can use it."""
    hub = LoopbackHub()
    loop = asyncio.new_event_loop()
    started = threading.Event()
    runner = web.AppRunner(hub.application(), access_log=None, shutdown_timeout=0.1)

    async def start() -> None:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        hub.endpoint = f"http://127.0.0.1:{runner.addresses[0][1]}"
        started.set()

    def serve() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(start())
        loop.run_forever()

    thread = threading.Thread(target=serve, name="loopback hub")
    thread.start()
    assert started.wait(60)
    try:
        yield hub
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
