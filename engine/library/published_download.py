"""Fetches a published model: from the addresses of its manifest, every file as its publisher has signed it.

Interrupted at any moment it leaves what has arrived, and the same order goes on from there.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from engine.directory.manifests import Published
from engine.errors import ContentError, GenTorrentError, HubError, ManifestError, first_failure
from engine.inference.models.folder import ModelFolder, read_model_folder
from engine.inference.models.variants import variants
from engine.library.agreements import terms_of
from engine.library.download import PARALLEL
from engine.library.fetching import Patience, Transfer, connections, fetch
from engine.library.folders import ModelsFolder, link_or_copy, to_the_end
from engine.library.hub import Hub
from engine.library.manifests import check_manifest, parse_address
from engine.library.pins import Pin, PinnedFile
from engine.library.progress import Meter
from engine.library.room import promised
from engine.library.selection import HubFile
from engine.library.sources import FolderSource, HubSource, resolver_for
from engine.sentences import said_by, say
from engine.wire.manifests import ModelManifest


@dataclass(frozen=True, slots=True)
class Wanted:
    """A published model that is to be here. ``missing``: bytes that are not on the disk; ``present``: this version is
    here already."""

    model_id: str
    manifest: ModelManifest
    missing: int
    present: bool


@dataclass(slots=True)
class _Run:
    wanted: Wanted
    transfers: list[Transfer]
    staging: Path
    found: dict[str, PinnedFile] = field(default_factory=dict)


def plan(published: Published, models: ModelsFolder) -> Wanted:
    """What is to be fetched; :class:`ManifestError` if the manifest cannot be used. Reads the disk."""
    manifest = check_manifest(published)
    name = published.model_id
    pin = models.pins.get(name)
    pinned = pin.files if pin else {}
    place, staging = models.place(name), models.staging(name, manifest.digest.hex()[:16])
    missing = 0
    present = place.is_dir()
    for file in manifest.files:
        was = pinned.get(file.name)
        same = was is not None and was.sha256 == file.sha256.hex() and _size(place / file.name) == file.size
        present = present and same
        if not same:
            parts = [_size(staging / file.name), *(_size(one) for one in staging.glob(f"{file.name}.*.part"))]
            missing += file.size - min(file.size, max(parts))
    return Wanted(name, manifest, missing, present)


async def download_published(
    wanted: Wanted,
    models: ModelsFolder,
    meter: Meter,
    *,
    hub: Hub,
    allow_local: bool = False,
    patience: Patience | None = None,
) -> ModelFolder:
    """Carry it out; the installed model. :class:`HubError` (no address gives a file), :class:`ContentError` (a file is
    another one), :class:`ManifestError`, ``ModelFolderError`` (it cannot be used), ``StorageError`` (the disk),
    ``LicenceNeededError`` (this manifest has another licence than the owner has agreed to)."""
    manifest, name = wanted.manifest, wanted.model_id
    models.agreements.check(name, manifest.digest.hex(), terms_of(manifest))
    patience = patience or Patience()
    with models.locked(name):
        staging = models.staging(name, manifest.digest.hex()[:16])
        meter.stage("checking")
        with promised(models, name, wanted.missing):
            await asyncio.to_thread(_reuse, models, wanted, staging)
            meter.stage("downloading")
            async with connections(patience, PARALLEL, resolver_for(hub, allow_local=allow_local)) as session:
                sources = [source_of(text, hub, allow_local) for text in manifest.addresses]
                transfers = [Transfer(session, one, name, "", meter, patience) for one in sources]
                run = _Run(wanted, transfers, staging)
                await _fetch_all(run)
        meter.stage("reading")
        await asyncio.to_thread(_check, run)
        meter.stage("installing")
        # From here on to the end: a cancelled download is either not installed or installed and pinned.
        folder = await to_the_end(partial(_install, models, run))
        meter.stage("done")
        return folder


def source_of(text: str, hub: Hub, allow_local: bool) -> FolderSource | HubSource:
    """Who is asked for the files of one of a manifest's addresses."""
    address = parse_address(text)
    if address.repository:
        return HubSource(hub, address, allow_local=allow_local)
    return FolderSource(address, allow_local=allow_local)


def _reuse(models: ModelsFolder, wanted: Wanted, staging: Path) -> None:
    """Files that an older version has, too, are not fetched again; they are hashed like everything else."""
    pin = models.pins.get(wanted.model_id)
    place = models.place(wanted.model_id)
    for file in wanted.manifest.files:
        was = pin.files.get(file.name) if pin else None
        here = place / file.name
        if was is None or was.sha256 != file.sha256.hex() or _size(here) != file.size:
            continue
        if not (staging / file.name).exists():
            link_or_copy(here, staging / file.name)


async def _fetch_all(run: _Run) -> None:
    places = asyncio.Semaphore(PARALLEL)

    async def one(file: HubFile) -> None:
        async with places:
            run.found[file.name] = await _from_any(run, file)

    files = [HubFile(one.name, one.size, one.sha256.hex()) for one in run.wanted.manifest.files]
    for file in files:
        run.transfers[0].meter.begin(file.name, file.size)
    with first_failure(GenTorrentError):
        async with asyncio.TaskGroup() as tasks:
            for file in sorted(files, key=lambda file: file.size):
                tasks.create_task(one(file))


async def _from_any(run: _Run, file: HubFile) -> PinnedFile:
    """One address after the other; what it has that is wrong says more than that another one does not answer."""
    name = run.wanted.manifest.name
    changed = False
    last: HubError | None = None
    for transfer in run.transfers:
        try:
            return await fetch(transfer, file, run.staging / file.name)
        except ContentError as error:
            changed, last = True, error
        except HubError as error:
            last = error
    if changed:
        raise ContentError(say("manifest.changed", file=file.name, model=name)) from last
    why = said_by(last) if last is not None else ""
    raise HubError(say("manifest.unreachable", file=file.name, model=name, error=why)) from last


def _check(run: _Run) -> None:
    """Whether the engine can use what is there, by the same rules as any folder, and whether it is what was signed."""
    manifest = run.wanted.manifest
    folder = _read(run.wanted, run.staging, run.found)
    if (folder.digest, folder.tokenizer_digest) != (manifest.digest, manifest.tokenizer_digest):
        raise ManifestError(say("manifest.other_model", model=manifest.name))
    if folder.graph != run.staging / manifest.graph:
        raise ManifestError(say("manifest.other_model", model=manifest.name))


def _read(wanted: Wanted, folder: Path, found: dict[str, PinnedFile]) -> ModelFolder:
    def digest(path: Path) -> bytes:
        return bytes.fromhex(found[path.relative_to(folder).as_posix()].sha256)

    graph = folder / wanted.manifest.graph
    variant = next((one.name for one in variants(folder) if one.graph == graph), "")
    return read_model_folder(wanted.model_id, folder, digest, variant=variant)


def _install(models: ModelsFolder, run: _Run) -> ModelFolder:
    """In place and pinned; the pin comes first, as in ``engine.library.download``."""
    wanted = run.wanted
    place = models.place(wanted.model_id)
    models.pins.put(
        wanted.model_id,
        Pin(
            origin="publisher",
            repository=wanted.model_id.partition("/")[0],
            commit=str(wanted.manifest.version),
            licence=wanted.manifest.licence,
            files=run.found,
        ),
    )
    models.exchange(wanted.model_id, run.staging, run.found)
    models.catalogue().remember({place / name: bytes.fromhex(one.sha256) for name, one in run.found.items()})
    return _read(wanted, place, run.found)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
