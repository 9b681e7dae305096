"""A Qt loop for asyncio, an engine that answers as it is told behind the real control API, and the real engine."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

import pytest
from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app import engine_process
from app.appearance import dress
from app.desktop import Desktop
from app.engine_link import EngineLink
from app.engine_process import EngineProcess
from app.models.contribution import ContributionModel
from app.options import Options
from app.preferences import PreferenceStore, read_state
from engine.api.schema import (
    ContributingState,
    Contribution,
    ContributionRequest,
    ControlEvent,
    ModelState,
    NetworkState,
    PauseContributing,
    Privacy,
    RelayState,
    ResumeContributing,
    Rules,
    SetRules,
    State,
    WorkerState,
)
from engine.api.server import ApiServer
from engine.api.service import AnswerDelta, AnswerDone, AnswerEvent, AnswerRequest, AnswerStage
from engine.api.state_feed import StateFeed
from engine.chats.history import ChatHistory
from engine.clock import Clock, SystemClock
from engine.errors import GenTorrentError, NetworkNotReadyError
from engine.inference.text.answer_parts import Content
from engine.storage.data_directory import DataDirectory, EngineLock, acquire_lock
from tests.support.lifeline import ENVIRONMENT, lifeline
from tests.support.local_api import PlayedNetwork
from tests.support.played_hosting import PlayedHosting
from tests.support.played_library import PlayedLibrary

Result = TypeVar("Result")
Drive = Callable[[Coroutine[Any, Any, Result]], Result]


@pytest.fixture(autouse=True)
def qt_objects_end_between_tests() -> Iterator[None]:
    """Python's collector may run in any thread and in the middle of an event of Qt; cycles of widgets that an earlier
    test has left must end here, in Qt's thread and outside its events."""
    gc.disable()
    yield
    gc.enable()
    gc.collect()


@pytest.fixture
def drive(qapp: QApplication) -> Iterator[Drive]:
    """Run a coroutine on the window's kind of loop, and leave nothing behind."""
    from qasync import QEventLoop

    logging.getLogger("qasync").setLevel(logging.WARNING)
    dress(qapp)
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)  # what tests without a loop have left
    loop = QEventLoop(qapp)
    asyncio.set_event_loop(loop)
    try:
        yield loop.run_until_complete
    finally:
        # What the test left running is a mistake of the test or of the window.
        left = asyncio.all_tasks(loop)
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
        asyncio.set_event_loop(None)
        QApplication.closeAllWindows()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        assert not left


@pytest.fixture
def engines_end_with_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Engines that windows of this test start end with it, also when it is broken off or killed."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(engine_process, "ENGINE_INPUT", lifeline())


@pytest.fixture
def network(tmp_path: Path) -> Iterator[str]:
    """The address that nodes join with, of a network of this machine whose bootstrap server runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    command = [sys.executable, "-m", "engine.cli", "bootstrap", "--data", str(tmp_path / "server"), "--port", port]
    made = subprocess.run(
        [*command, "--init", "--one-machine"], capture_output=True, timeout=180, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    server = subprocess.Popen(command, stdin=lifeline(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert server.stdout is not None
    with server.stdout:
        try:
            yield server.stdout.readline().split("--bootstrap")[1].split()[0]
        finally:
            server.terminate()
            server.wait(60)


async def until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait until ``condition()`` holds; TimeoutError otherwise."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


def wait_until_told(contribution: ContributionModel) -> None:
    """Wait until the engine was told of every change of the rules: it is a moment after the last one."""
    (settling,) = contribution.findChildren(QTimer)
    while settling.isActive():
        QTest.qWait(10)


@dataclass
class PlayedEngine(PlayedNetwork):
    """Answers with ``pieces``; counts what is asked and cancelled."""

    pieces: list[str] = field(default_factory=lambda: ["Relays ", "carry ", "sealed data."])
    pause: float = 0.0
    hold: asyncio.Event | None = None
    failure: GenTorrentError | None = None
    refuse_contributing: bool = False
    contributing: bool = False
    network: str = "none"
    stopped: bool = False
    tokens_today: int = 0
    paused: str = ""
    served_by: str = "local"
    privacy: Privacy | None = None
    requests: list[AnswerRequest] = field(default_factory=list)
    cancelled: int = 0
    warnings: list[str] = field(default_factory=list)
    rules: Rules = Rules()
    hosting: PlayedHosting = field(default_factory=PlayedHosting)
    library: PlayedLibrary = field(default_factory=PlayedLibrary)

    def __post_init__(self) -> None:
        self.feed = StateFeed(self.state)

    def models(self) -> list[ModelState]:
        return [
            ModelState(id="gentorrent-builtin", where="both", nodes=3, context_length=4096),
            ModelState(id="someone/Model-7B", where="network", nodes=1),
        ]

    async def answer(self, request: AnswerRequest) -> AsyncGenerator[AnswerEvent, None]:
        self.requests.append(request)
        try:
            yield AnswerStage(stage="queued", place=2, text="Waiting behind others")
            for position, piece in enumerate(self.pieces):
                await asyncio.sleep(self.pause)
                yield AnswerDelta((position,), piece, (Content(piece),))
            if self.hold is not None:
                await self.hold.wait()
            if self.failure is not None:
                raise self.failure
            local = self.served_by == "local"
            yield AnswerDone(
                finish_reason="stop",
                prompt_tokens=7,
                completion_tokens=len(self.pieces),
                served_by=self.served_by,
                paths=()
                if local
                else (("guard-one", "middle-one", "proxy-one"), ("guard-two", "middle-two", "proxy-two")),
                privacy=self.privacy,
                n=0 if local else 4,
                k=0 if local else 3,
                ttft_ms=120.0,
                tokens_per_s=31.0,
                receipt="none" if local else "verified",
            )
        except (GeneratorExit, asyncio.CancelledError):
            self.cancelled += 1
            raise

    def state(self) -> State:
        on = self.contributing
        status: Literal["off", "on", "paused"] = "paused" if on and self.paused else "on" if on else "off"
        return State(
            engine_version="0.1.0",
            api_address="http://127.0.0.1:1/v1",
            data_directory="/nowhere",
            started=1.0,
            network=NetworkState(status=self.network, relays=16, nodes=19, paths=4, paths_wanted=4),
            contributing=ContributingState(
                on=on, status=status, reason=self.paused, by_owner=bool(self.paused), tokens_today=self.tokens_today
            ),
            relay=RelayState(on=True),
            worker=WorkerState(status="ready"),
            models=tuple(self.models()),
            warnings=tuple(self.warnings),
        )

    def changes(self) -> AsyncGenerator[State, None]:
        return self.feed.changes()

    async def set_contributing(self, on: bool, *, by_owner: bool = True) -> None:
        if self.refuse_contributing:
            raise NetworkNotReadyError("There is no network to contribute to. Join one first.")
        self.contributing, self.paused = on, "" if by_owner else self.paused
        self.feed.notify()

    def handle(self, request: ContributionRequest, tell: object) -> ControlEvent:
        """As the service of the control API: a pause of the owner, and rules until it ends."""
        if isinstance(request, PauseContributing):
            self.paused = "You have paused it." if request.seconds else "You have paused it until the next start."
        elif isinstance(request, ResumeContributing):
            self.paused = ""
        elif isinstance(request, SetRules):
            self.rules = request.rules
        self.feed.notify()
        reasons = (self.paused,) if self.paused else ()
        return Contribution(ref=request.ref, rules=self.rules, paused=bool(reasons), reasons=reasons)

    def detach(self, tell: object) -> None:
        """The client is gone."""

    def notice(self, text: str) -> None:
        self.warnings.append(text)
        self.feed.notify()

    def shutdown(self, *, when_idle: bool = False) -> None:
        self.stopped = True
        self.feed.close()


class RememberedAutostart:
    """In place of the system's list of what to start."""

    def __init__(self) -> None:
        self.command: list[str] = []

    def enabled(self) -> bool:
        return bool(self.command)

    def enable(self, command: Sequence[str]) -> None:
        self.command = list(command)

    def disable(self) -> None:
        self.command = []


class NoProcess(EngineProcess):
    """In place of a child: the engine is in the test. Notes that it was asked to start one."""

    def __init__(self) -> None:
        super().__init__([], Path())
        self.starts: list[tuple[str, ...]] = []
        self.words = "gentorrent cannot start in this test"

    def start(self, *extra: str) -> None:
        self.starts.append(extra)

    def last_words(self) -> str:
        return self.words


@dataclass
class Window:
    """A desktop under test."""

    desktop: Desktop
    task: asyncio.Task[None]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.desktop, name)

    @property
    def answer(self) -> str:
        """The last answer, as it is shown."""
        turn = self.desktop.window.transcript.turns[-1]
        turn.finish()
        return turn.answer.toPlainText()

    @property
    def autostart(self) -> Any:
        """What was asked of the system."""
        return self.desktop._autostart

    @property
    def turn(self) -> Any:
        return self.desktop.chat.turns[-1]

    @property
    def view(self) -> Any:
        return self.desktop.window.transcript.turns[-1]


@contextlib.asynccontextmanager
async def open_window(
    directory: Path,
    process: EngineProcess | None = None,
    *options: str,
    first: bool = False,
    autostarted: bool = False,
    **preferences: object,
) -> AsyncIterator[Window]:
    """The whole window on ``directory`` with ``preferences``; leaves it as the user does. ``first``: the first start,
    with the page that belongs to it."""
    chosen = Options(directory, options, autostarted, own_directory=True)
    store = PreferenceStore(directory)
    store.change(**{"welcomed": not first, "language": store.now.language or "en", **preferences})
    desktop = Desktop(chosen, EngineLink(chosen, process), store, RememberedAutostart())
    if not read_state(directory).geometry:
        desktop.window.resize(1080, 760)  # as on a usual screen: that of "offscreen" is smaller
    desktop.show()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(desktop.run())
        try:
            yield Window(desktop, task)
        finally:
            desktop.quit()
    QObject.deleteLater(desktop.window)


@dataclass
class Played:
    """A played engine that serves, with its lock file."""

    engine: PlayedEngine
    server: ApiServer
    lock: EngineLock
    task: asyncio.Task[None]
    chats: ChatHistory

    async def kill(self) -> None:
        """As if the process were gone: no goodbye, and the lock file stays."""
        self.task.cancel()
        await asyncio.wait([self.task])


async def nobody_counts(request: AnswerRequest) -> int | None:
    """Tokens are estimated."""
    return None


async def _serve(server: ApiServer, chats: ChatHistory) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(chats.run())
        group.create_task(server.run())


@contextlib.asynccontextmanager
async def played_engine(directory: Path, engine: PlayedEngine, clock: Clock | None = None) -> AsyncIterator[Played]:
    """``engine`` behind the real API server, found through a real lock file in ``directory``."""
    lock = acquire_lock(DataDirectory(directory).lock)
    clock = clock or SystemClock()
    chats = ChatHistory(DataDirectory(directory).chats, engine, nobody_counts, clock, os.urandom, engine.notice)
    server = ApiServer(
        engine,
        api_token="a" * 40,
        control_token=lock.control_token,
        port=0,
        clock=clock,
        chats=chats,
        library=engine.library,
        contribution=engine,
        network=engine.hosting,
    )
    lock.set_port(server.bind())
    async with asyncio.TaskGroup() as group:
        task = group.create_task(_serve(server, chats))
        try:
            yield Played(engine, server, lock, task, chats)
        finally:
            task.cancel()
            lock.release()
