"""The bootstrap server that this engine hosts: a child process, started while it is wanted and ended with the engine.

It hangs on a pipe of the engine, so that none is left behind, however the engine ends; the next engine starts it again.
A server that somebody else runs on the same folder is left alone and used.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import IO, Literal

from engine.bootstrap.run import LOCK_FILE
from engine.errors import ConfigurationError, StorageError
from engine.lifeline import VARIABLE
from engine.programs import module_command
from engine.sentences import say
from engine.storage.data_directory import read_lock
from engine.storage.files import PRIVATE_FILE, make_directory

ServerStatus = Literal["off", "starting", "running", "elsewhere", "failed"]
START_SECONDS = 60.0
STOP_SECONDS = 5.0
"""For a clean end; then it is killed."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
HEALTHY_SECONDS = 30.0
"""A server that ran so long is started again at once."""
LOOK_SECONDS = 1.0
"""Between two looks at a server that somebody else runs."""
MAX_LAST_WORDS = 4096
_logger = logging.getLogger(__name__)


class HostedServer:
    """``run()`` until cancelled. ``data``: the server's folder, in which a network has been made; ``log``: of its
    output. ``changed`` is called after each change of ``status`` and ``reason`` (in plain words)."""

    def __init__(self, data: Path, log: Path, environment: Mapping[str, str], changed: Callable[[], None]) -> None:
        self._data = data
        self._log = log
        self._environment = environment
        self._changed = changed
        self._wanted: tuple[str, int] | None = None
        self._turn = asyncio.Event()
        self._told = asyncio.Event()
        self.status: ServerStatus = "off"
        self.reason = ""

    @property
    def wanted(self) -> bool:
        """Whether a server is to run."""
        return self._wanted is not None

    def served(self) -> bool:
        """Whether some process serves the folder now."""
        return read_lock(self._data / LOCK_FILE) is not None

    def want(self, host: str, port: int) -> None:
        """Run it, listening there; one that listens elsewhere is started anew."""
        self._decide((host, port))

    def unwant(self) -> None:
        """Run none."""
        self._decide(None)

    async def settled(self) -> None:
        """Until it is clear what comes of the newest wish: it runs, it cannot, or it has ended."""
        while self.status == "starting" or (self._wanted is None) != (self.status == "off"):
            self._told.clear()
            await self._told.wait()

    async def run(self) -> None:
        """Until cancelled, which ends the server."""
        pause = FIRST_PAUSE
        while True:
            self._turn.clear()
            if self._wanted is None:
                self._tell("off")
                await self._turn.wait()
                pause = FIRST_PAUSE
                continue
            if self.served():
                self._tell("elsewhere", say("hosting.elsewhere"))
                await self._wait(LOOK_SECONDS)
                continue
            began = asyncio.get_running_loop().time()
            self._tell("starting")
            problem = await self._serve(*self._wanted)
            if self._turn.is_set():
                continue
            if asyncio.get_running_loop().time() - began > HEALTHY_SECONDS:
                pause = FIRST_PAUSE
            _logger.warning("the hosted bootstrap server ended: %s", problem)
            self._tell("failed", problem)
            await self._wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _decide(self, wanted: tuple[str, int] | None) -> None:
        if wanted != self._wanted:
            self._wanted = wanted
            self._turn.set()
            if wanted is not None:
                self._tell("starting")

    def _tell(self, status: ServerStatus, reason: str = "") -> None:
        if (status, reason) != (self.status, self.reason):
            self.status, self.reason = status, reason
            self._changed()
        self._told.set()

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._turn.wait()

    async def _serve(self, host: str, port: int) -> str:
        """One server from its start to its end; why it ended."""
        try:
            check_port(host, port)
            async with self._child(host, port) as child:
                return await self._follow(child)
        except ConfigurationError as error:
            return error.args[0] if error.args else ""
        except (OSError, StorageError) as error:
            return say("hosting.ended", problem=str(error))

    async def _follow(self, child: asyncio.subprocess.Process) -> str:
        """Until the child ends or the owner decides otherwise."""
        async with asyncio.TaskGroup() as tasks:
            turned = tasks.create_task(self._turn.wait())
            ended = tasks.create_task(child.wait())
            ready = tasks.create_task(_ready(child))
            await asyncio.wait([turned, ended, ready], timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if ready.done() and ready.result():
                self._tell("running")
                await asyncio.wait([turned, ended], return_when=asyncio.FIRST_COMPLETED)
            elif not turned.done():
                await asyncio.wait([turned, ended], timeout=STOP_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            for task in (turned, ended, ready):
                task.cancel()
        return say("hosting.ended", problem=self._last_words())

    @contextlib.asynccontextmanager
    async def _child(self, host: str, port: int) -> AsyncIterator[asyncio.subprocess.Process]:
        command = module_command(
            "engine.cli", "bootstrap", "--data", str(self._data), "--host", host, "--port", str(port)
        )
        environment = {
            name: value
            for name, value in self._environment.items()
            if not name.startswith("GENTORRENT_BOOTSTRAP")  # the owner's choice here is another
        }
        with self._open_log() as log:
            child = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env=environment | {VARIABLE: "1"},
                start_new_session=sys.platform != "win32",
            )
        try:
            yield child
        finally:
            await _end(child)

    def _open_log(self) -> IO[bytes]:
        make_directory(self._log.parent)
        return open(self._log, "wb", opener=_private)

    def _last_words(self) -> str:
        """The last line that the child wrote."""
        with contextlib.suppress(OSError), self._log.open("rb") as file:
            file.seek(max(0, self._log.stat().st_size - MAX_LAST_WORDS))
            lines = file.read(MAX_LAST_WORDS).decode("utf-8", "replace").strip().splitlines()
            return lines[-1][:300] if lines else ""
        return ""


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, PRIVATE_FILE)


async def _ready(child: asyncio.subprocess.Process) -> bool:
    """Whether it says that nodes can join, before it ends; what it prints later is read and forgotten."""
    assert child.stdout is not None
    return bool(await child.stdout.readline())


async def _end(child: asyncio.subprocess.Process) -> None:
    """Politely by closing its pipe, then by force; shielded, as it must also happen when the engine is cancelled."""
    assert child.stdin is not None
    child.stdin.close()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await child.wait()
    except BaseException as error:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        if not isinstance(error, TimeoutError):
            raise
        await child.wait()


def check_port(host: str, port: int) -> None:
    """``ConfigurationError`` if a server cannot listen there now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise ConfigurationError(say("hosting.port_in_use", port=str(port))) from error
            raise ConfigurationError(
                say("hosting.port_refused", port=str(port), error=error.strerror or str(error))
            ) from error
