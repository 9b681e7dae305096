"""Downloads that the owner wants: some go on at a time, the others wait in their order.

All of them are kept, so that an engine that was killed goes on with them at its next start.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct, structs

from engine.api import error_reply
from engine.api.schema import ControlEvent, DownloadEnded, DownloadProgress
from engine.clock import Clock
from engine.errors import (
    DiskFullError,
    GenTorrentError,
    OverloadedError,
    StorageError,
)
from engine.library.progress import Meter, Progress
from engine.sentences import Sentence, said_again, said_by, say
from engine.storage.files import set_aside
from engine.storage.state import load_state, save_state

AT_A_TIME = 2
"""More would only share the same line."""
MOST = 100
"""That go on, wait, are paused or have failed."""
TELL_SECONDS = 0.5
"""Between two words about one download."""
Fetch = Callable[[Meter], Awaitable[None]]
_log = logging.getLogger(__name__)


class Kept(Struct, frozen=True):
    """``name``: what the model is called here; ``asked``: what was asked for, which says where it comes from. ``code``
    and ``text``: why it does not go on."""

    name: Annotated[str, Meta(max_length=200)]
    asked: Annotated[str, Meta(max_length=200)]
    state: Literal["wanted", "paused", "failed"] = "wanted"
    code: str = ""
    text: str = ""
    words: tuple[Sentence, ...] = ()

    @property
    def why(self) -> str:
        """``text`` with what it is made of."""
        return said_again(self.text, self.words)


class _File(Struct, frozen=True):
    downloads: Annotated[tuple[Kept, ...], Meta(max_length=MOST)] = ()


@dataclass(slots=True)
class _Entry:
    kept: Kept
    progress: DownloadProgress | None = None
    task: asyncio.Task[DownloadEnded] | None = None


class Downloads:
    """``resolve`` says how what was asked for is fetched, in a thread; ``tell`` hears of
    progress and ends, ``changed`` of everything else."""

    def __init__(
        self,
        file: Path,
        clock: Clock,
        resolve: Callable[[str], Fetch],
        tell: Callable[[ControlEvent], None],
        changed: Callable[[], None],
    ) -> None:
        self._file = file
        self._clock = clock
        self._resolve = resolve
        self._tell = tell
        self._changed = changed
        self._tasks: asyncio.TaskGroup | None = None
        self._entries: dict[str, _Entry] = {}
        self._stopping: set[str] = set()
        self._dirty = asyncio.Event()
        self._saving = asyncio.Lock()

    # What there is

    def __iter__(self) -> Iterator[tuple[Kept, DownloadProgress | None]]:
        """All in their order, with how far those are that go on."""
        return iter([(entry.kept, entry.progress) for entry in self._entries.values()])

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    @property
    def progress(self) -> tuple[DownloadProgress, ...]:
        """How far those are that go on."""
        return tuple(entry.progress for entry in self._entries.values() if entry.progress is not None)

    # What is done

    async def begin(self, tasks: asyncio.TaskGroup) -> None:
        """Go on with what an earlier engine had not ended; from now on downloads are among ``tasks``."""
        for kept in await asyncio.to_thread(self._load):
            self._entries.setdefault(kept.name, _Entry(kept))
        self._tasks = tasks
        self._pump()

    async def run(self) -> None:
        """Keep what is wanted, until cancelled."""
        while True:
            await self._dirty.wait()
            await self._save()

    def end(self) -> None:
        """Nothing more is begun."""
        self._tasks = None

    async def start(self, name: str, asked: str) -> None:
        """Fetch a model, or go on with it; behind others that were wanted before."""
        if self._tasks is None:
            raise OverloadedError(say("library.ending"))
        entry = self._entries.get(name)
        if entry is None and len(self._entries) >= MOST:
            raise OverloadedError(say("library.most", most=MOST))
        if entry is None or entry.kept.state != "wanted":
            self._entries.pop(name, None)  # to the end of the line
            self._entries[name] = _Entry(Kept(name, asked))
            self._pump()
            await self._save()

    async def stop(self, name: str) -> None:
        """Pause; what has arrived is kept."""
        entry = self._entries.get(name)
        if entry is None or entry.kept.state != "wanted":
            return
        if entry.task is None:
            self._end(entry, _stopped(name))
        else:
            self._stopping.add(name)
            entry.task.cancel()
            await asyncio.wait([entry.task])
        await self._save()

    async def forget(self, name: str) -> None:
        """Stop, and want it no more."""
        await self.stop(name)
        if self._entries.pop(name, None) is not None:
            self._change()
            await self._save()

    def _pump(self) -> None:
        """As many as may go on at a time do."""
        for name, entry in self._entries.items():
            running = sum(one.task is not None for one in self._entries.values())
            if self._tasks is not None and running < AT_A_TIME and entry.task is None and entry.kept.state == "wanted":
                entry.task = self._tasks.create_task(self._download(entry.kept))
                entry.task.add_done_callback(partial(self._over, entry))  # also of one that is stopped before it begins
                self._show(entry, DownloadProgress(model=name, stage="checking"))
        self._change()

    async def _download(self, kept: Kept) -> DownloadEnded:
        name = kept.name
        try:
            fetch = await asyncio.to_thread(self._resolve, kept.asked)
            await fetch(self._meter(name))
        except (GenTorrentError, OSError) as error:
            _log.warning("%s was not downloaded: %s", name, error)
            return DownloadEnded(model=name, code=error_reply.code_of(error), text=said_by(error))
        except Exception:
            _log.exception("a download failed unexpectedly")
            return DownloadEnded(model=name, code="internal_error", text=say("chat.request_mistake"))
        return DownloadEnded(model=name)

    def _over(self, entry: _Entry, task: asyncio.Task[DownloadEnded]) -> None:
        entry.task, entry.progress = None, None
        name = entry.kept.name
        if not task.cancelled():
            self._stopping.discard(name)
            self._end(entry, task.result())
        elif name in self._stopping:
            self._stopping.discard(name)
            self._end(entry, _stopped(name))
        else:
            return  # the engine ends, and goes on at its next start
        self._pump()

    def _end(self, entry: _Entry, ended: DownloadEnded) -> None:
        name, code = entry.kept.name, ended.code
        if not code:
            self._entries.pop(name, None)
        else:
            words = ended.words.get("text", ())
            paused = code in ("stopped", DiskFullError.code)
            entry.kept = structs.replace(
                entry.kept,
                state="paused" if paused else "failed",
                code="" if code == "stopped" else code,
                text="" if code == "stopped" else ended.text,
                words=() if code == "stopped" else words,
            )
        self._tell(ended)
        self._change()

    # What is told and kept

    def _meter(self, name: str) -> Meter:
        loop = asyncio.get_running_loop()

        def told(progress: DownloadProgress) -> None:
            entry = self._entries.get(name)
            if entry is not None and entry.task is not None:
                self._show(entry, progress)

        def heard(progress: Progress) -> None:  # in any thread
            loop.call_soon_threadsafe(
                told,
                DownloadProgress(
                    model=name,
                    stage=progress.stage,
                    done=progress.done,
                    total=progress.total,
                    speed=progress.speed,
                ),
            )

        return Meter(heard, self._clock.monotonic, TELL_SECONDS)

    def _show(self, entry: _Entry, progress: DownloadProgress) -> None:
        entry.progress = progress
        self._tell(progress)

    def _change(self) -> None:
        self._dirty.set()
        self._changed()

    def _load(self) -> tuple[Kept, ...]:
        try:
            return (load_state(self._file, _File) or _File()).downloads
        except StorageError as error:
            _log.warning("%s Downloads that had not ended have to be asked for again.", error)
            set_aside(self._file)
            return ()

    async def _save(self) -> None:
        """A disk that refuses costs the order of the downloads at the next start, and nothing else."""
        async with self._saving:
            self._dirty.clear()
            kept = _File(tuple(entry.kept for entry in self._entries.values()))
            try:
                await asyncio.to_thread(save_state, self._file, kept)
            except StorageError as error:
                _log.warning("the list of downloads is not kept: %s", error)


def _stopped(name: str) -> DownloadEnded:
    return DownloadEnded(model=name, code="stopped", text=say("library.stopped"))
