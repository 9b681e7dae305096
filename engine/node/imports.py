"""Imports of models that lie in folders of this machine, for the control API."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Event

from engine.api import error_reply
from engine.api.schema import ControlEvent, ImportEnded, ImportModel, ImportProgress
from engine.clock import Clock
from engine.errors import GenTorrentError, InvalidRequestError, ModelBusyError, OverloadedError, StoppedError
from engine.library.folders import ModelsFolder
from engine.library.keeping import check_importable, import_folder
from engine.library.progress import Meter, Progress
from engine.node.downloads import TELL_SECONDS
from engine.sentences import said_by, say

MOST = 8
"""At a time."""
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Import:
    progress: ImportProgress
    stopped: Event = field(default_factory=Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Imports:
    """``tell`` hears of progress and ends, ``changed`` that one began or ended."""

    def __init__(
        self, models: ModelsFolder, clock: Clock, tell: Callable[[ControlEvent], None], changed: Callable[[], None]
    ) -> None:
        self._models = models
        self._clock = clock
        self._tell = tell
        self._changed = changed
        self._tasks: asyncio.TaskGroup | None = None
        self._running: dict[str, _Import] = {}

    @property
    def progress(self) -> dict[str, ImportProgress]:
        """How far those are that go on."""
        return {name: one.progress for name, one in self._running.items()}

    def begin(self, tasks: asyncio.TaskGroup) -> None:
        """From now on imports are among ``tasks``."""
        self._tasks = tasks

    def end(self) -> None:
        """Nothing more is begun, and what goes on ends."""
        self._tasks = None
        for one in self._running.values():
            one.stopped.set()

    async def start(self, request: ImportModel) -> None:
        """Look at the folder and begin; ``GenTorrentError`` says what it lacks."""
        folder = Path(request.folder)
        if not folder.is_absolute():
            raise InvalidRequestError(say("import.relative", folder=request.folder[:200]), "folder")
        name = request.name or folder.name
        if self._tasks is None:
            raise OverloadedError(say("library.ending"))
        if name in self._running:
            raise ModelBusyError(say("library.busy", model=name))
        if len(self._running) >= MOST:
            raise OverloadedError(say("import.most", most=MOST))
        one = self._running[name] = _Import(ImportProgress(model=name, stage="checking"))
        self._changed()
        try:
            await asyncio.to_thread(check_importable, folder, self._models, name, self._meter(one), request.variant)
            if request.terms:
                await asyncio.to_thread(self._models.agreements.agree, name, "", request.terms)
            if self._tasks is None:  # by now
                raise OverloadedError(say("library.ending"))
        except BaseException:
            one.stopped.set()  # the thread goes on where whoever waits for it goes away
            self._over(one)
            raise
        self._tasks.create_task(self._import(request, folder, name, one))

    async def stop(self, name: str) -> None:
        """Nothing stays of what was copied."""
        one = self._running.get(name)
        if one is not None:
            one.stopped.set()
            await one.over.wait()

    async def _import(self, request: ImportModel, folder: Path, name: str, one: _Import) -> None:
        try:
            how = {"name": name, "variant": request.variant}
            await asyncio.to_thread(import_folder, folder, self._models, self._meter(one), **how, link=request.link)
            ended = ImportEnded(model=name)
        except StoppedError as error:
            ended = ImportEnded(model=name, code=error.code, text=said_by(error))
        except (GenTorrentError, OSError) as error:
            _log.warning("%s was not imported: %s", folder, error)
            ended = ImportEnded(model=name, code=error_reply.code_of(error), text=said_by(error))
        except Exception:
            _log.exception("an import failed unexpectedly")
            ended = ImportEnded(model=name, code="internal_error", text=say("chat.request_mistake"))
        finally:
            self._over(one)
        self._tell(ended)

    def _over(self, one: _Import) -> None:
        del self._running[one.progress.model]
        one.over.set()
        self._changed()

    def _meter(self, one: _Import) -> Meter:
        return Meter(partial(self._heard, asyncio.get_running_loop(), one), self._clock.monotonic, TELL_SECONDS)

    def _heard(self, loop: asyncio.AbstractEventLoop, one: _Import, progress: Progress) -> None:
        """In the thread of the import, which ends here where it is to be stopped; what is done is done."""
        if one.stopped.is_set() and progress.stage != "done":
            raise StoppedError(say("import.stopped"))
        stage, name = progress.stage, one.progress.model
        told = ImportProgress(model=name, stage=stage, done=progress.done, total=progress.total, looked=progress.looked)
        loop.call_soon_threadsafe(self._show, one, told)

    def _show(self, one: _Import, progress: ImportProgress) -> None:
        if self._running.get(progress.model) is one:
            one.progress = progress
            self._tell(progress)
