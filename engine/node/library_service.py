"""Models for the control API: those on this machine and those that could be, downloads, imports, removing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from engine.api.schema import (
    Accepted,
    Catalogue,
    CatalogueChanged,
    ConfirmModel,
    ControlEvent,
    DiscardDownload,
    DiskUse,
    DownloadModel,
    GetCatalogue,
    GetDiskUse,
    GetLicence,
    GetModelDetails,
    HubModel,
    HubResults,
    ImportModel,
    Library,
    LibraryModel,
    LibraryRequest,
    ListLibrary,
    ListPublishers,
    ModelRemoved,
    Publishers,
    RemoveModel,
    SearchHub,
    StopDownload,
    StopImport,
    TrustPublisher,
)
from engine.api.schema import CatalogueModel as CatalogueEntry
from engine.api.schema import ModelUse as ShownUse
from engine.clock import Clock
from engine.errors import GenTorrentError, LicenceNeededError, ModelInUseError, UnknownModelError
from engine.ids import is_publishers
from engine.inference.models.installed import BUILTIN_MODEL
from engine.library.agreements import terms_of
from engine.library.catalogue import CatalogueModel, find
from engine.library.disk_use import disk_use
from engine.library.download import Order, download, prepare
from engine.library.fit import Machine
from engine.library.folders import ModelsFolder
from engine.library.hub import hub_of
from engine.library.keeping import check_removable, remove
from engine.library.known import known_models
from engine.library.machine import look
from engine.library.names import folder_name, is_repository
from engine.library.progress import Meter
from engine.library.published import PublishedModels
from engine.library.published_download import download_published
from engine.library.published_download import plan as plan_published
from engine.library.room import check_room, room
from engine.library.sources import local_allowed
from engine.node.downloads import Downloads, Fetch
from engine.node.imports import Imports
from engine.node.licence_texts import LicenceTexts
from engine.node.model_catalogue import ModelCatalogue, ModelUse, Now, best_first, licence_of
from engine.node.published_library import confirm, publisher_states, trust
from engine.sentences import say

CHANGED_SECONDS = 1.0
"""Between two words about a catalogue that has changed."""
HUB_RESULTS = 40


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a request means: its ``name`` here, its licence by name, and the bytes to fetch as far as they are known.
    Of a published model also the digest of its ``weights``, and of the ``terms`` that it has now; of others the hub
    says that, when fetching begins."""

    name: str
    licence: str = ""
    missing: int = 0
    weights: str = ""
    terms: str = ""


class LibraryService:
    """``run()`` until cancelled, which ends all downloads; what has arrived is kept, and gone on with at the next
    start."""

    def __init__(
        self,
        data_directory: Path,
        models: Path,
        clock: Clock,
        environment: Mapping[str, str],
        published: PublishedModels | None = None,
        look_again: Callable[[], None] = lambda: None,
        *,
        limit: Callable[[], int | None] = lambda: None,
        uses: Callable[[], Mapping[str, ModelUse]] = dict,
        let_go: Callable[[str], AbstractAsyncContextManager[None]] = lambda _: nullcontext(),
    ) -> None:
        """``look_again``: somebody wants to see what is published now. ``limit``: bytes that the owner allows for all
        models. ``uses``: what this machine does with each model now; ``let_go``: it does no more with one, while it is
        being removed."""
        self._published = published or PublishedModels(
            data_directory / "published", clock, ModelsFolder(models).agreements
        )
        self._look_again = look_again
        self._data_directory = data_directory
        self._models = ModelsFolder(models, limit)
        self._clock = clock
        self._environment = environment
        self._uses, self._let_go = uses, let_go
        self._listeners: set[Callable[[ControlEvent], None]] = set()
        self._news = asyncio.Event()
        self._ready = asyncio.Event()
        self._downloads = Downloads(data_directory / "downloads.json", clock, self._fetching, self._tell, self.changed)
        self._imports = Imports(self._models, clock, self._tell, self.changed)
        self._catalogue = ModelCatalogue(data_directory, self._models, self._published, self._machine)
        self._licences = LicenceTexts(data_directory, self._models, self._published, environment)

    async def run(self) -> None:
        """Take requests until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._downloads.run())
            self._imports.begin(tasks)
            await self._downloads.begin(tasks)
            self._ready.set()
            try:
                while True:
                    await self._news.wait()
                    self._news.clear()
                    self._tell(CatalogueChanged())
                    await asyncio.sleep(CHANGED_SECONDS)
            finally:
                self._downloads.end()
                self._imports.end()

    def attach(self, tell: Callable[[ControlEvent], None]) -> None:
        """A client has connected; ``tell`` never raises."""
        self._listeners.add(tell)
        for progress in (*self._downloads.progress, *self._imports.progress.values()):
            tell(progress)

    def detach(self, tell: Callable[[ControlEvent], None]) -> None:
        """A client is gone; downloads go on."""
        self._listeners.discard(tell)

    def changed(self) -> None:
        """The catalogue is another one now: models came or went, or are used otherwise."""
        self._news.set()

    async def handle(self, request: LibraryRequest) -> ControlEvent:
        """Do what is asked; the reply. Raises the reason where it cannot be done."""
        tag = str(type(request).__struct_config__.tag)
        await self._ready.wait()
        return await self._asked(request) or await self._done(request) or Accepted(ref=request.ref, request=tag)

    async def _asked(self, request: LibraryRequest) -> ControlEvent | None:
        """What is to be told; None for requests to do something."""
        ref = request.ref
        match request:
            case ListLibrary():
                self._look_again()
                models = await asyncio.to_thread(self._list)
                return Library(ref=ref, models=models, downloads=self._downloads.progress)
            case GetCatalogue():
                self._look_again()
                shown, there = await asyncio.to_thread(self._catalogue.all, self._now())
                return Catalogue(ref=ref, models=shown, room=there)
            case GetModelDetails():
                return await asyncio.to_thread(self._catalogue.details, request.model, self._now(), ref)
            case GetLicence():
                return await self._licences.reply(request)
            case GetDiskUse():
                return await asyncio.to_thread(self._disk_use, ref)
            case SearchHub():
                return await self._search(request)
            case ListPublishers():
                self._look_again()
                states = await asyncio.to_thread(publisher_states, self._published)
                return Publishers(ref=ref, publishers=states)
        return None

    async def _done(self, request: LibraryRequest) -> ControlEvent | None:
        """Do it; None where there is nothing to tell but that."""
        match request:
            case DownloadModel():
                await self._start(request)
            case StopDownload():
                await self._downloads.stop(self._name(request.model))
            case DiscardDownload():
                await self._discard(self._name(request.model))
            case RemoveModel():
                return await self._remove(request)
            case ImportModel():
                await self._imports.start(request)
            case StopImport():
                await self._imports.stop(request.model)
            case ConfirmModel():
                await asyncio.to_thread(confirm, self._published, request.model)
            case TrustPublisher():
                await asyncio.to_thread(trust, self._published, request.fingerprint, on=request.on)
                self.changed()
        return None

    # What is known

    def _now(self) -> Now:
        return Now(self._uses(), tuple(self._downloads), self._imports.progress)

    def _list(self) -> tuple[LibraryModel, ...]:
        found = [one for one in self._catalogue.all(Now())[0] if one.state in ("available", "paused")]
        return tuple(_could_be(one) for one in best_first(found))

    def _machine(self) -> Machine:
        return look(self._models.path / ".machine.json", self._clock.monotonic)

    def _disk_use(self, ref: str) -> DiskUse:
        use = disk_use(self._models)
        models = tuple(
            ShownUse(model=one.name, files=one.files, unfinished=one.unfinished, linked=one.linked)
            for one in use.models
        )
        return DiskUse(ref=ref, models=models, total=use.total, free=use.free)

    async def _search(self, request: SearchHub) -> HubResults:
        hub = hub_of(self._environment)
        found = tuple(
            HubModel(
                model=one.repository,
                licence=one.licence,
                page=f"{hub.endpoint}/{one.repository}",
                downloads=one.downloads,
                gated=one.gated,
            )
            for one in await hub.search(request.words, HUB_RESULTS)
        )
        return HubResults(ref=request.ref, models=found)

    # Downloads

    async def _start(self, request: DownloadModel) -> None:
        wanted = await asyncio.to_thread(self._wanted, request.model)
        name = wanted.name
        begun = name in self._downloads or bool(await asyncio.to_thread(self._models.interrupted, name))
        await asyncio.to_thread(self._agree, wanted, request.terms)
        if not begun:
            await asyncio.to_thread(lambda: check_room(room(self._models), name, wanted.missing))
        await self._downloads.start(name, request.model)

    def _agree(self, wanted: _Wanted, given: str) -> None:
        """Keep what the owner agrees to with this request; ``LicenceNeededError`` where that, or what was agreed to
        before, is not what there is now. Fetching compares again."""
        agreements, name = self._models.agreements, wanted.name
        if given and wanted.terms in ("", given):
            agreements.agree(name, wanted.weights, given)
        elif given or not (agreements.known(name, wanted.terms) if wanted.terms else agreements.any(name)):
            code = "library.other_licence" if given or agreements.any(name) else "library.licence"
            raise LicenceNeededError(say(code, model=name, licence=wanted.licence or "not stated"))

    def _name(self, model: str) -> str:
        """What a model is called here that may be named by its repository."""
        try:
            return self._wanted(model).name
        except GenTorrentError:
            return model  # of no catalogue any more

    def _wanted(self, model: str) -> _Wanted:
        if is_publishers(model):
            published = self._published.get(model)
            manifest = self._published.manifest(model)
            missing = plan_published(published, self._models).missing if published is not None else 0
            return _Wanted(model, manifest.licence, missing, manifest.digest.hex(), terms_of(manifest).digest)
        entry = self._entry(model)
        if entry is None:
            return _Wanted(folder_name(model))
        shown = self._catalogue.one(entry.id, Now())
        return _Wanted(entry.id, licence_of(entry), 0 if shown.state == "here" else shown.size)

    def _entry(self, model: str) -> CatalogueModel | None:
        """Of the catalogue; None for another repository of the hub; :class:`UnknownModelError` for neither."""
        entry = find(known_models(self._data_directory), model)
        if entry is None and ("/" not in model or not is_repository(model)):
            raise UnknownModelError(say("library.unknown", model=model[:100]))
        return entry

    def _fetching(self, model: str) -> Fetch:
        """How a model is fetched."""
        if is_publishers(model):
            return partial(self._fetch_published, model)
        entry = self._entry(model)
        if entry is None:
            order = Order(repository=model, name=folder_name(model), machine=self._machine())
        else:
            order = Order(
                repository=entry.repository.value,
                name=entry.id,
                machine=self._machine(),
                kv=entry.kv,
                licence=licence_of(entry),
            )
        return partial(self._fetch, order)

    async def _fetch(self, order: Order, meter: Meter) -> None:
        hub = hub_of(self._environment)
        plan = await prepare(order, hub, self._models)
        await download(plan, hub, self._models, meter)

    async def _fetch_published(self, model: str, meter: Meter) -> None:
        published = self._published.get(model)
        if published is None:
            raise UnknownModelError(say("library.unknown", model=model[:100]))
        wanted = await asyncio.to_thread(plan_published, published, self._models)
        local = local_allowed(self._environment)
        await download_published(wanted, self._models, meter, hub=hub_of(self._environment), allow_local=local)

    async def _discard(self, name: str) -> None:
        self._models.place(name)  # no path of somebody's making
        await self._downloads.forget(name)

        def abandon() -> None:
            with self._models.locked(name):
                self._models.abandon(name)
                if not self._models.place(name).exists():
                    self._models.agreements.drop(name)

        await asyncio.to_thread(abandon)
        self.changed()

    # Removing

    async def _remove(self, request: RemoveModel) -> ModelRemoved:
        name = request.model
        if name == BUILTIN_MODEL:
            raise ModelInUseError(say("remove.stays", model=name))
        self._models.place(name)  # no path of somebody's making
        use = self._uses().get(name, ModelUse())
        if use.contributed and not request.stop:
            raise ModelInUseError(say("remove.contributed", model=name), "model_contributed")
        if use.answering and not use.contributed:
            raise ModelInUseError(say("remove.answers", model=name, answers=use.answering), "model_answers")
        if use.contributed:
            await asyncio.to_thread(check_removable, self._models, name, request.variant)
        async with self._let_go(name) if use.contributed else nullcontext():
            if not request.variant:
                await self._downloads.forget(name)
            freed = await asyncio.to_thread(remove, self._models, name, request.variant)
        self.changed()
        return ModelRemoved(ref=request.ref, model=name, variant=request.variant, freed=freed)

    def _tell(self, event: ControlEvent) -> None:
        for tell in tuple(self._listeners):
            tell(event)


def _could_be(one: CatalogueEntry) -> LibraryModel:
    """The same for clients that only offer models."""
    return LibraryModel(
        model=one.model,
        variant=one.variant,
        licence=one.licence,
        page=one.page,
        context=one.context,
        size=one.size,
        memory=one.fit.memory,
        verdict=one.fit.verdict,
        tokens_per_s=one.fit.tokens_per_s,
        note=one.note,
        publisher=one.publisher,
        fingerprint=one.fingerprint,
        reviewed=one.reviewed,
    )
