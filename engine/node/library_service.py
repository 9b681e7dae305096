"""Models that could be on this machine, for the control API: the catalogue judged for this machine, and downloads."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Literal

from msgspec import UnsetType

from engine.api import error_reply
from engine.api.schema import (
    Accepted,
    ConfirmModel,
    ControlEvent,
    DiscardDownload,
    DiskUse,
    DownloadEnded,
    DownloadModel,
    DownloadProgress,
    GetDiskUse,
    Library,
    LibraryModel,
    LibraryRequest,
    ListLibrary,
    ListPublishers,
    ModelUse,
    Publishers,
    RequestFailed,
    StopDownload,
    TrustPublisher,
)
from engine.clock import Clock
from engine.errors import (
    GenTorrentError,
    HubError,
    InvalidRequestError,
    ManifestError,
    OverloadedError,
    StorageError,
    UnknownModelError,
)
from engine.ids import is_publishers
from engine.library.candidates import foreseen_variants
from engine.library.catalogue import CatalogueModel, find
from engine.library.disk_use import disk_use
from engine.library.download import Order, download, prepare
from engine.library.fit import DEFAULT_CONTEXT, Machine, Verdict, recommended
from engine.library.folders import ModelsFolder
from engine.library.hub import hub_of
from engine.library.known import known_models
from engine.library.machine import look
from engine.library.progress import Meter, Progress
from engine.library.published import PublishedModels
from engine.library.published_download import download_published
from engine.library.published_download import plan as plan_published
from engine.library.sources import local_allowed
from engine.node.published_library import confirm, published_to_download, publisher_states, trust
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
Fetch = Callable[[Meter], Awaitable[None]]
_logger = logging.getLogger(__name__)


class LibraryService:
    """``run()`` until cancelled, which ends all downloads; what has arrived is kept."""

    def __init__(
        self,
        data_directory: Path,
        models: Path,
        clock: Clock,
        environment: Mapping[str, str],
        published: PublishedModels | None = None,
        look_again: Callable[[], None] = lambda: None,
    ) -> None:
        """``look_again``: somebody wants to see what is published now."""
        self._published = published or PublishedModels(data_directory / "published", clock)
        self._look_again = look_again
        self._data_directory = data_directory
        self._models = ModelsFolder(models)
        self._clock = clock
        self._environment = environment
        self._tasks: asyncio.TaskGroup | None = None
        self._downloads: dict[str, asyncio.Task[DownloadEnded]] = {}
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
                    self._look_again()
                    models = await asyncio.to_thread(self._list)
                    return Library(ref=request.ref, models=models, downloads=tuple(self._progress.values()))
                case DownloadModel():
                    await self._start(request)
                case StopDownload():
                    await self._stop(request.model)
                case DiscardDownload():
                    await self._stop(request.model)
                    await asyncio.to_thread(self._discard, request.model)
                case GetDiskUse():
                    return await asyncio.to_thread(self._disk_use, request.ref)
                case ListPublishers():
                    self._look_again()
                    states = await asyncio.to_thread(publisher_states, self._published)
                    return Publishers(ref=request.ref, publishers=states)
                case ConfirmModel():
                    await asyncio.to_thread(confirm, self._published, request.model)
                case TrustPublisher():
                    await asyncio.to_thread(trust, self._published, request.fingerprint, on=request.on)
                case _:
                    return RequestFailed(request=tag, code="not_served", text="Not served yet.", ref=request.ref)
            return Accepted(ref=request.ref, request=tag)
        except GenTorrentError as error:
            return RequestFailed(request=tag, code=_code(error), text=said_by(error), ref=request.ref)

    # The list.

    def _list(self) -> tuple[LibraryModel, ...]:
        machine = self._machine()
        here = self._models.catalogue().folders()
        found = [_judged(entry, machine) for entry in known_models(self._data_directory) if entry.id not in here]
        found += published_to_download(self._published, here, machine)
        found.sort(key=lambda one: (_ORDER.index(one.verdict), -one.memory))
        return tuple(found)

    def _machine(self) -> Machine:
        return look(self._models.path / ".machine.json", self._clock.monotonic)

    # Downloads.

    async def _start(self, request: DownloadModel) -> None:
        name, licence, fetch = await asyncio.to_thread(self._wanted, request.model)
        if name in self._downloads:
            return  # asked again
        if not request.accept_licence:
            raise InvalidRequestError(
                say("library.licence", model=name, licence=licence or "not stated"),
                "accept_licence",
            )
        if self._tasks is None:
            raise OverloadedError(say("library.ending"))
        if len(self._downloads) >= MAX_DOWNLOADS:
            raise OverloadedError(say("library.most", most=MAX_DOWNLOADS))
        task = self._downloads[name] = self._tasks.create_task(self._download(name, fetch))
        task.add_done_callback(partial(self._over, name))  # also of one that was stopped before it began
        self._tell_progress(DownloadProgress(model=name, stage="checking"))

    def _wanted(self, model: str) -> tuple[str, str, Fetch]:
        """What is meant: its id, its licence, and how it is fetched."""
        if is_publishers(model):
            manifest = self._published.manifest(model)
            return model, manifest.licence, partial(self._fetch_published, model)
        entry = find(known_models(self._data_directory), model)
        if entry is None:
            raise UnknownModelError(say("library.unknown", model=model[:100]))
        return entry.id, _licence(entry), partial(self._fetch, entry)

    async def _stop(self, model: str) -> None:
        task = self._downloads.get(model)
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    def _discard(self, model: str) -> None:
        self._models.place(model)  # no path of somebody's making
        with self._models.locked(model):
            self._models.abandon(model)

    def _disk_use(self, ref: str) -> DiskUse:
        use = disk_use(self._models)
        models = tuple(
            ModelUse(model=one.name, files=one.files, unfinished=one.unfinished, linked=one.linked)
            for one in use.models
        )
        return DiskUse(ref=ref, models=models, total=use.total, free=use.free)

    async def _download(self, name: str, fetch: Fetch) -> DownloadEnded:
        try:
            await fetch(self._meter(name))
        except (GenTorrentError, OSError) as error:
            _logger.warning("%s was not downloaded: %s", name, error)
            return DownloadEnded(model=name, code=_code(error), text=said_by(error))
        except Exception:
            _logger.exception("a download failed unexpectedly")
            return DownloadEnded(model=name, code="internal_error", text=say("chat.request_mistake"))
        return DownloadEnded(model=name)

    def _over(self, name: str, task: asyncio.Task[DownloadEnded]) -> None:
        self._downloads.pop(name, None)
        self._progress.pop(name, None)
        stopped = DownloadEnded(model=name, code="stopped", text=say("library.stopped"))
        self._tell(stopped if task.cancelled() else task.result())

    def _meter(self, name: str) -> Meter:
        loop = asyncio.get_running_loop()

        def heard(progress: Progress) -> None:  # in any thread
            told = DownloadProgress(
                model=name,
                stage=progress.stage,
                done=progress.done,
                total=progress.total,
                speed=progress.speed,
            )
            loop.call_soon_threadsafe(self._tell_progress, told)

        return Meter(heard, self._clock.monotonic, TELL_SECONDS)

    async def _fetch(self, entry: CatalogueModel, meter: Meter) -> None:
        hub = hub_of(self._environment)
        order = Order(
            repository=entry.repository.value,
            name=entry.id,
            machine=await asyncio.to_thread(self._machine),
            kv=entry.kv,
            licence=_licence(entry),
        )
        plan = await prepare(order, hub, self._models)
        await download(plan, hub, self._models, meter)

    async def _fetch_published(self, model: str, meter: Meter) -> None:
        published = self._published.get(model)
        if published is None:
            raise UnknownModelError(say("library.unknown", model=model[:100]))
        wanted = await asyncio.to_thread(plan_published, published, self._models)
        local = local_allowed(self._environment)
        await download_published(wanted, self._models, meter, hub=hub_of(self._environment), allow_local=local)

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
    if isinstance(error, ManifestError):
        return "manifest_refused"
    if isinstance(error, StorageError | OSError):
        return "storage_failed"
    return error_reply.code_of(error)
