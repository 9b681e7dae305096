"""Keeps the window connected to an engine: adopts the one that runs, else starts one, and starts again what dies."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import time
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QObject, Signal

from app.engine_address import LOG_NAME, note_started, read_address, read_note
from app.engine_client import Closed, EngineClient, EngineRefusedError, EngineUnreachableError
from app.engine_process import EngineProcess, engine_command
from app.i18n import tr
from app.models.engine_words import in_words
from app.options import Options
from engine.api import schema

START_SECONDS = 60.0
"""Within which a started engine must open its local API."""
LOOK_SECONDS = 0.05
"""Between two looks at the lock file of an engine that starts."""
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
HEALTHY_SECONDS = 20.0
"""A connection that lasted so long starts the pauses over."""
STOP_SECONDS = 8.0
"""For an engine that was asked to stop."""
SENT_SECONDS = 1.0
"""For what a window that leaves has still to say."""
_LEAVE = "leave"
FREE_PORT_OPTION = ("--api-port", "0")
_log = logging.getLogger(__name__)

Phase = Literal["starting", "connected", "restarting", "failed", "stopped"]


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """What the window knows about the engine process. ``text`` is for people; ``owned``: a window started it."""

    phase: Phase
    text: str
    owned: bool = False
    adopted: bool = False  # it was running before this window looked for it
    other_options: bool = False  # and was not started with those of this window


class EngineLink(QObject):
    """``run()`` until cancelled. Emits every event of the engine, and every change of its own status."""

    status_changed = Signal(object)
    event_received = Signal(object)

    def __init__(self, options: Options, process: EngineProcess | None = None) -> None:
        super().__init__()
        self._directory = options.data_directory
        self._options = self._given = options.engine_options
        log = self._directory / "logs" / LOG_NAME
        self._process = process or EngineProcess(engine_command(self._directory, options.engine_options), log)
        self._client: EngineClient | None = None
        self._status = EngineStatus("starting", tr("Starting the engine on this machine"))
        self._woken = asyncio.Event()
        self._pause = FIRST_PAUSE
        self._ending = False
        self._stays = False  # the engine, for another window
        self._welcomed = False
        self._extra: tuple[str, ...] = ()
        self._port_is_chosen = "--api-port" in options.engine_options

        self._anew = False
        self._started_with = self._options

    @property
    def status(self) -> EngineStatus:
        return self._status

    def send(self, request: schema.Request) -> bool:
        """False when there is no connection (or it takes nothing): ask again once connected."""
        return self._client is not None and self._status.phase == "connected" and self._client.send(request)

    async def sent(self) -> None:
        """Wait until the engine has been told everything, such as a draft on leaving; a moment at most."""
        if self._client is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SENT_SECONDS):
                    await self._client.sent()

    def try_now(self) -> None:
        """Do not wait for the pause between two attempts to end."""
        self._woken.set()

    def use_options(self, options: tuple[str, ...]) -> None:
        """Start engines with these options from now on. One that a window started is started anew, unless it has them
        already; one that somebody else started keeps its own."""
        if options == self._options:
            return
        self._options = options
        self._port_is_chosen = "--api-port" in options
        self._process.use_command(engine_command(self._directory, options))
        self.start_anew()

    def start_anew(self) -> bool:
        """Let an engine that a window started end as soon as the answers that it writes are done, and start another
        one at once; False, and nothing happens, where the engine is somebody else's or not connected."""
        self._anew = self._status.owned and self.send(schema.Shutdown(when_idle=True))
        return self._anew

    async def run(self) -> None:
        """Find or start, connect, serve, and again, until cancelled or the engine was stopped on purpose."""
        while not self._ending:
            address = await self._find()
            if address is not None and await self._serve(address):
                continue
            if not self._ending:
                await self._start()
        self._tell(EngineStatus("stopped", tr("The engine is stopped")))

    async def stop_engine(self) -> None:
        """Stop the engine, whoever started it, and do not start it again; while another window uses it, it goes on.
        Takes no longer than some seconds."""
        self._ending = True
        self._woken.set()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                if self.send(schema.Shutdown(unless_another=True, ref=_LEAVE)):
                    while not self._stays and (self._client is not None or self._process.pid is not None):  # noqa: ASYNC110
                        await asyncio.sleep(LOOK_SECONDS)
        except TimeoutError:
            _log.warning("the engine did not stop in time")
        if self._stays:
            _log.info("the engine goes on: another window uses it")
        else:
            await self._process.stop()

    async def _find(self) -> schema.EngineAddress | None:
        """The address of a running engine; waits a moment for one that is just starting."""
        for _ in range(40):
            address = read_address(self._directory)
            if address is None or address.port:
                return address
            await asyncio.sleep(LOOK_SECONDS)
        return None

    async def _serve(self, address: schema.EngineAddress) -> bool:
        """One connection. False when no engine is there."""
        child = self._process.pid
        # A virtual environment on Windows starts the real interpreter as a child of the one that was asked for.
        mine = child is not None and (child == address.pid or sys.platform == "win32")
        if mine:
            note_started(self._directory, address, self._started_with)
        note = read_note(self._directory, address)
        connected = EngineStatus(
            "connected",
            tr("The engine is running"),
            owned=mine or note is not None,
            adopted=not mine,
            other_options=not mine and (note is None or note.options[: len(self._given)] != self._given),
        )
        self._welcomed = self._anew = False
        self._client = EngineClient(address, lambda event: self._receive(event, connected))
        began = time.monotonic()
        try:
            closed = await self._client.run()
        except EngineUnreachableError as error:
            _log.info("no engine at port %d: %s", address.port, error)
            return False
        except EngineRefusedError as error:
            await self._rest("failed", tr("The engine that runs does not talk to this window: {reason}.", reason=error))
            return True
        finally:
            self._client = None
        if self._ending:
            return True
        if time.monotonic() - began > HEALTHY_SECONDS:
            self._pause = FIRST_PAUSE
        await self._lost(closed, address)
        return True

    def _receive(self, event: schema.Event, connected: EngineStatus) -> None:
        if not self._welcomed:
            self._welcomed = True
            self._tell(connected)
            if not connected.adopted and self._started_with != self._options:  # they were chosen while it started
                self.start_anew()
        if isinstance(event, schema.Accepted) and (event.request, event.ref) == ("shutdown", _LEAVE):
            self._stays = True
        self.event_received.emit(event)

    async def _lost(self, closed: Closed, address: schema.EngineAddress) -> None:
        if closed.code == schema.CLOSE_STOPPING and self._anew:
            self._tell(EngineStatus("restarting", tr("The engine starts anew with what you have chosen.")))
            await self._until_gone(address)
            return
        if closed.code == schema.CLOSE_STOPPING:
            what = tr("The engine was stopped. It is being started again.")
        elif closed.code == schema.CLOSE_TOO_SLOW:
            what = tr("The engine cut the connection because the window was too slow. Connecting again.")
        else:
            what = tr("The engine ended unexpectedly. It is being started again.")
        await self._rest("restarting", what)

    async def _until_gone(self, address: schema.EngineAddress) -> None:
        """Wait, some seconds at most, until an engine that stops has left the data directory."""
        for _ in range(int(STOP_SECONDS / LOOK_SECONDS)):
            if self._process.pid is None and read_address(self._directory) != address:
                return
            await asyncio.sleep(LOOK_SECONDS)

    async def _start(self) -> None:
        """Start an engine and wait until it can be connected to, or rest with the reason why not."""
        if self._process.pid is not None:  # it runs and cannot be reached: it hangs
            await self._process.stop()
        if self._status.phase != "restarting":
            self._tell(EngineStatus("starting", tr("Starting the engine on this machine")))
        before = read_address(self._directory)
        try:
            self._started_with = self._options
            self._process.start(*self._extra)
        except OSError as error:
            await self._rest("failed", _not_started(error.strerror or str(error)))
            return
        try:
            async with asyncio.timeout(START_SECONDS):
                while self._process.pid is not None and not self._ending:
                    address = read_address(self._directory)
                    if address is not None and address.port and address != before:
                        return
                    await asyncio.sleep(LOOK_SECONDS)
        except TimeoutError:
            await self._process.stop()
        if not self._ending:
            await self._failed_start()

    async def _failed_start(self) -> None:
        reason = self._process.last_words()
        if "--api-port" in reason and not self._extra and not self._port_is_chosen:
            # Other programs look for the API at its usual port; the window alone needs no certain one.
            self._extra = FREE_PORT_OPTION
            return
        if reason:
            await self._rest("failed", _not_started(in_words(reason)))
        else:
            await self._rest("failed", tr("The engine ended while it started, without a word."))

    async def _rest(self, phase: Phase, text: str) -> None:
        """Show ``text`` and wait before the next attempt, longer each time, or until :meth:`try_now`."""
        self._tell(EngineStatus(phase, text))
        self._woken.clear()
        try:
            async with asyncio.timeout(self._pause):
                await self._woken.wait()
        except TimeoutError:
            pass
        self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def _tell(self, status: EngineStatus) -> None:
        if status != self._status:
            self._status = status
            self.status_changed.emit(status)


def _not_started(reason: str) -> str:
    return tr("The engine cannot be started: {reason}", reason=reason if reason.endswith((".", "?")) else f"{reason}.")
