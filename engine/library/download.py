"""Downloads one variant of a model: looked up, compared with what is known, fetched, read, put in place, pinned.

Interrupted at any moment (cancelled, killed, disk full, connection lost) it leaves what has arrived, and the same order
goes on from there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from engine.errors import ContentError, GenTorrentError, HubError, ModelFolderError, first_failure
from engine.inference.models.folder import ModelFolder, read_model_folder
from engine.inference.models.graph_file import read_outline
from engine.inference.models.model_config import KvLayout
from engine.inference.models.variants import variants
from engine.library.agreements import LicenceTerms, terms_on
from engine.library.fetching import Patience, Transfer, connections, fetch
from engine.library.fit import DEFAULT_CONTEXT, Machine, recommended
from engine.library.folders import ModelsFolder, link_or_copy, to_the_end
from engine.library.hub import Hub
from engine.library.names import folder_name
from engine.library.pins import Pin, PinnedFile
from engine.library.progress import Meter
from engine.library.room import promised
from engine.library.selection import HubFile, Repository, Selection, also, offered, select
from engine.sentences import say

PARALLEL = 4
"""Files at once."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted. ``variant``: "" for what suits ``machine`` (``kv`` helps to judge that). ``graph``: the variant's
    graph as the catalogue knows it. ``name``: what the model is called here. ``repin``: accept changed files.
    ``licence``: what the catalogue says, for hubs that say nothing."""

    repository: str
    variant: str = ""
    revision: str = "main"
    name: str = ""
    graph: str = ""
    machine: Machine | None = None
    kv: KvLayout | None = None
    licence: str = ""
    repin: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What a download will do; nothing has been fetched. ``missing``: bytes that are not on the disk yet."""

    name: str
    repository: Repository
    selection: Selection
    pinned: dict[str, PinnedFile]
    missing: int
    terms: LicenceTerms

    @property
    def licence(self) -> str:
        """By its name; "" where nobody says."""
        return self.terms.licence


@dataclass(slots=True)
class _Run:
    """One download while it goes on."""

    plan: Plan
    hub: Hub
    meter: Meter
    patience: Patience
    staging: Path
    found: dict[str, PinnedFile] = field(default_factory=dict)


async def prepare(order: Order, hub: Hub, models: ModelsFolder) -> Plan:
    """Ask the hub and compare with pins and disk. :class:`HubError`, :class:`ContentError`, ``StorageError``."""
    name = order.name or folder_name(order.repository)
    place = models.place(name)
    pin = await asyncio.to_thread(models.pins.get, name)
    _check_name(name, order, pin, place)
    repository = await hub.repository(order.repository, order.revision)
    selection = select(repository, order.variant or _suitable(repository, order), known=order.graph)
    pinned = dict(pin.files) if pin and not order.repin else {}
    _compare(repository, selection, pinned, order)
    missing = await asyncio.to_thread(_missing, models, name, selection, pinned)
    return Plan(name, repository, selection, pinned, missing, terms_on(repository, order.licence))


async def download(
    plan: Plan, hub: Hub, models: ModelsFolder, meter: Meter, patience: Patience | None = None
) -> ModelFolder:
    """Carry out a plan; the installed model. Errors as for :func:`prepare`, and :class:`ModelFolderError` if what was
    fetched cannot be used; ``LicenceNeededError`` for another licence than the owner has agreed to."""
    models.agreements.check(plan.name, "", plan.terms)
    with models.locked(plan.name):
        staging = models.staging(plan.name, plan.selection.graph)
        run = _Run(plan, hub, meter, patience or Patience(), staging)
        meter.stage("checking")
        with promised(models, plan.name, plan.missing):
            await asyncio.to_thread(_reuse, models.place(plan.name), staging, plan)
            meter.stage("downloading")
            selection = await _fetch_all(run)
        meter.stage("reading")
        await asyncio.to_thread(_read, plan.name, staging, selection.graph, run.found)
        meter.stage("installing")
        # From here on to the end: a cancelled download is either not installed or installed and pinned.
        folder = await to_the_end(partial(_install, models, run, selection))
        meter.stage("done")
        return folder


def _suitable(repository: Repository, order: Order) -> str:
    best = recommended(offered(repository), order.kv, DEFAULT_CONTEXT, order.machine) if order.machine else None
    return best.variant if best else ""


def _check_name(name: str, order: Order, pin: Pin | None, place: Path) -> None:
    if pin is None and not place.is_dir():
        return
    if pin is None or pin.origin != "hub" or pin.repository != order.repository:
        source = f"comes from {pin.repository or 'an imported folder'}" if pin else "was not downloaded"
        raise HubError(
            f"There is another model called {name} on this machine; it {source}. Give this one another name with --as, "
            f"or remove that one with: gentorrent models remove {name}"
        )


def _compare(repository: Repository, selection: Selection, pinned: dict[str, PinnedFile], order: Order) -> None:
    """A file that was downloaded once must not become another one unnoticed."""
    changed = []
    for one in selection.files:
        was = pinned.get(one.name)
        if was is not None and was.hub and one.identity and was.hub != one.identity:
            changed.append(f"{one.name} was {was.hub[:16]}…, is {one.identity[:16]}…")
    if changed:
        raise ContentError(
            f"{repository.name} at {order.revision} has changed since it was downloaded: {'; '.join(changed[:5])}"
            f"{' and more' if len(changed) > 5 else ''}. If that is expected, accept the new files with --repin; to "
            "stay with the old ones name their commit with --revision."
        )


def _missing(models: ModelsFolder, name: str, selection: Selection, pinned: dict[str, PinnedFile]) -> int:
    """Bytes to fetch, as far as names and sizes tell."""
    staging, place = models.staging(name, selection.graph), models.place(name)
    missing = 0
    for one in selection.files:
        have = [_size(staging / one.name), *(_size(part) for part in _parts(staging / one.name))]
        if one.name in pinned and pinned[one.name].size == one.size:
            have.append(_size(place / one.name))
        missing += one.size - min(one.size, max(have))
    return missing


def _parts(target: Path) -> Iterable[Path]:
    return [one for one in target.parent.glob("*.part") if one.name.startswith(f"{target.name}.")]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _reuse(place: Path, staging: Path, plan: Plan) -> None:
    """What is installed already is not fetched again; it is hashed like everything else."""
    for one in plan.selection.files:
        there = place / one.name
        if one.name in plan.pinned and not (staging / one.name).exists() and _size(there) == one.size:
            link_or_copy(there, staging / one.name)


async def _fetch_all(run: _Run) -> Selection:
    """Every file of the variant, and then what the graph names for its weights beyond them."""
    selection = run.plan.selection
    async with connections(run.patience, PARALLEL) as session:
        transfer = Transfer(
            session, run.hub, run.plan.repository.name, run.plan.repository.commit, run.meter, run.patience
        )

        async def one(file: HubFile, places: asyncio.Semaphore) -> None:
            async with places:
                pinned = run.plan.pinned.get(file.name)
                run.found[file.name] = await fetch(transfer, file, run.staging / file.name, pinned)

        async def several(files: Iterable[HubFile]) -> None:
            places = asyncio.Semaphore(PARALLEL)
            with first_failure(GenTorrentError):
                async with asyncio.TaskGroup() as tasks:
                    for file in sorted(files, key=lambda file: file.size):
                        tasks.create_task(one(file, places))

        await several(selection.files)
        outline = await asyncio.to_thread(read_outline, run.staging / selection.graph)
        complete = also(run.plan.repository, selection, outline.external)
        await several(complete.files[len(selection.files) :])
    return complete


def _read(name: str, folder: Path, graph: str, known: dict[str, PinnedFile]) -> ModelFolder:
    """Whether the engine can use what is there; digests that are known are not computed again."""

    def digest(path: Path) -> bytes:
        return bytes.fromhex(known[path.relative_to(folder).as_posix()].sha256)

    found = next((one for one in variants(folder) if one.graph == folder / graph), None)
    if found is None:
        raise ModelFolderError(say("folder.not_for_text", path=str(folder / graph)))
    return read_model_folder(name, folder, digest, variant=found.name)


def _install(models: ModelsFolder, run: _Run, selection: Selection) -> ModelFolder:
    """In place and pinned. The pin comes first: files without a pin would look like somebody else's."""
    name, repository = run.plan.name, run.plan.repository
    before = models.pins.get(name)
    files = {**(before.files if before else {}), **run.found}
    models.pins.put(
        name,
        Pin(
            origin="hub",
            repository=repository.name,
            commit=repository.commit,
            licence=run.plan.licence,
            files=files,
        ),
    )
    models.install(name, run.staging, run.found)
    models.catalogue().remember(
        {models.place(name) / file: bytes.fromhex(one.sha256) for file, one in run.found.items()}
    )
    return _read(name, models.place(name), selection.graph, files)
