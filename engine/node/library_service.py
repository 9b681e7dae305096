"""Models that could be on this machine, for the control API: the catalogue judged for this machine, and downloads."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from msgspec import UnsetType

from engine.api import error_reply
from engine.api.schema import (
    Accepted,
    ControlEvent,
    DownloadEnded,
    DownloadModel,
    DownloadProgress,
    Library,
    LibraryModel,
    LibraryRequest,
    ListLibrary,
    RequestFailed,
    StopDownload,
)
from engine.clock import Clock
from engine.errors import (
    GenTorrentError,
    HubError,
    InvalidRequestError,
    OverloadedError,
    StorageError,
    UnknownModelError,
)
from engine.library.candidates import foreseen_variants
from engine.library.catalogue import CatalogueModel, find
from engine.library.download import Order, download, prepare
from engine.library.fit import DEFAULT_CONTEXT, Machine, Verdict, recommended
from engine.library.folders import ModelsFolder
from engine.library.hub import Hub, hub_of
from engine.library.known import known_models
from engine.library.machine import look
from engine.library.progress import Meter, Progress
from engine.sentences import said_by, say

MAX_DOWNLOADS = 4
"""At a time."""
TELL_SECONDS = 0.5
"""Between two words about one download."""
_ORDER = ("fits", "tight", "unknown", "does_not_fit")
_VERDICTS: dict[Verdict, Literal["fits", "tight", "does_not_fit", "unknown"]] = {
    "fits": "fits",
    "tight": "tight",
    "does not fit": "does_not_fit",
    "unknown": "unknown",
}
_logger = logging.getLogger(__name__)


class LibraryService:
    """``run()`` until cancelled, which ends all downloads; what has arrived is kept."""

    def __init__(self, data_directory: Path, models: Path, clock: Clock, environment: Mapping[str, str]) -> None:
        self._data_directory = data_directory
        self._models = ModelsFolder(models)
        self._clock = clock
        self._environment = environment
        self._tasks: asyncio.TaskGroup | None = None
        self._downloads: dict[str, asyncio.Task[None]] = {}
        self._progress: dict[str, DownloadProgress] = {}
        self._listeners: set[Callable[[ControlEvent], None]] = set()

    async def run(self) -> None:
        """Take requests until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                await asyncio.Event().wait()
            finally:
                self._tasks = None

    def attach(self, tell: Callable[[ControlEvent], None]) -> None:
        """A client has connected; ``tell`` never raises."""
        self._listeners.add(tell)
        for progress in self._progress.values():
            tell(progress)

    def detach(self, tell: Callable[[ControlEvent], None]) -> None:
        """A client is gone; downloads go on."""
        self._listeners.discard(tell)

    async def handle(self, request: LibraryRequest) -> ControlEvent:
        """Do what is asked; the reply."""
        tag = str(type(request).__struct_config__.tag)
        try:
            match request:
                case ListLibrary():
                    models = await asyncio.to_thread(self._list)
                    return Library(ref=request.ref, models=models, downloads=tuple(self._progress.values()))
                case DownloadModel():
                    await self._start(request)
                case StopDownload():
                    await self._stop(request.model)
            return Accepted(ref=request.ref, request=tag)
        except GenTorrentError as error:
            return RequestFailed(request=tag, code=_code(error), text=said_by(error), ref=request.ref)

    # The list.

    def _list(self) -> tuple[LibraryModel, ...]:
        machine = self._machine()
        here = self._models.catalogue().folders()
        found = [_judged(entry, machine) for entry in known_models(self._data_directory) if entry.id not in here]
        found.sort(key=lambda one: (_ORDER.index(one.verdict), -one.memory))
        return tuple(found)

    def _machine(self) -> Machine:
        return look(self._models.path / ".machine.json", self._clock.monotonic)

    # Downloads.

    async def _start(self, request: DownloadModel) -> None:
        entry = find(await asyncio.to_thread(known_models, self._data_directory), request.model)
        if entry is None:
            raise UnknownModelError(say("library.unknown", model=request.model[:100]))
        if entry.id in self._downloads:
            return  # asked again
        licence = _licence(entry)
        if not request.accept_licence:
            raise InvalidRequestError(
                say("library.licence", model=entry.id, licence=licence or "not stated"),
                "accept_licence",
            )
        if self._tasks is None:
            raise OverloadedError(say("library.ending"))
        if len(self._downloads) >= MAX_DOWNLOADS:
            raise OverloadedError(say("library.most", most=MAX_DOWNLOADS))
        self._downloads[entry.id] = self._tasks.create_task(self._download(entry))
        self._tell_progress(DownloadProgress(model=entry.id, stage="checking"))

    async def _stop(self, model: str) -> None:
        task = self._downloads.get(model)
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def _download(self, entry: CatalogueModel) -> None:
        ended = DownloadEnded(model=entry.id)
        try:
            await self._fetch(entry, hub_of(self._environment))
        except asyncio.CancelledError:
            ended = DownloadEnded(model=entry.id, code="stopped", text=say("library.stopped"))
        except (GenTorrentError, OSError) as error:
            _logger.warning("%s was not downloaded: %s", entry.id, error)
            ended = DownloadEnded(model=entry.id, code=_code(error), text=said_by(error))
        except Exception:
            _logger.exception("a download failed unexpectedly")
            text = say("chat.request_mistake")
            ended = DownloadEnded(model=entry.id, code="internal_error", text=text)
        finally:
            self._downloads.pop(entry.id, None)
            self._progress.pop(entry.id, None)
            self._tell(ended)

    async def _fetch(self, entry: CatalogueModel, hub: Hub) -> None:
        loop = asyncio.get_running_loop()

        def heard(progress: Progress) -> None:  # in any thread
            told = DownloadProgress(
                model=entry.id,
                stage=progress.stage,
                done=progress.done,
                total=progress.total,
                speed=progress.speed,
            )
            loop.call_soon_threadsafe(self._tell_progress, told)

        order = Order(
            repository=entry.repository.value,
            name=entry.id,
            machine=await asyncio.to_thread(self._machine),
            kv=entry.kv,
            licence=_licence(entry),
        )
        plan = await prepare(order, hub, self._models)
        await download(plan, hub, self._models, Meter(heard, self._clock.monotonic, TELL_SECONDS))

    def _tell_progress(self, progress: DownloadProgress) -> None:
        if progress.model in self._downloads:
            self._progress[progress.model] = progress
            self._tell(progress)

    def _tell(self, event: ControlEvent) -> None:
        for tell in tuple(self._listeners):
            tell(event)


def _judged(entry: CatalogueModel, machine: Machine) -> LibraryModel:
    context = 0 if isinstance(entry.context, UnsetType) else entry.context.value
    room = min(DEFAULT_CONTEXT, context) if context else DEFAULT_CONTEXT
    best = recommended(foreseen_variants(entry), entry.kv, room, machine)
    return LibraryModel(
        model=entry.id,
        variant=best.variant if best else "",
        licence=_licence(entry),
        page=entry.repository.source,
        context=context,
        size=best.weights if best else 0,
        memory=(best.memory or 0) if best else 0,
        verdict=_VERDICTS[best.verdict if best else "unknown"],
        tokens_per_s=best.tokens_per_s if best else 0.0,
        note=entry.note,
    )


def _licence(entry: CatalogueModel) -> str:
    return "" if isinstance(entry.licence, UnsetType) else entry.licence.value


def _code(error: GenTorrentError | OSError) -> str:
    if isinstance(error, HubError):
        return "hub_failed"
    if isinstance(error, StorageError | OSError):
        return "storage_failed"
    return error_reply.code_of(error)
