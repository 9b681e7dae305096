"""The text of a model's licence, as its folder, its repository on the hub or its manifest has it. Strangers wrote it:
it is shown as plain text and nothing else."""

from __future__ import annotations

import tempfile
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from aiohttp.abc import AbstractResolver

from engine.errors import StorageError
from engine.library.fetching import Patience, Source, Transfer, connections, fetch
from engine.library.hub import Hub
from engine.library.names import MAX_LICENCE, licence_among
from engine.library.progress import Meter
from engine.library.published_download import source_of
from engine.library.selection import HubFile, licence_file
from engine.library.sources import resolver_for
from engine.storage.files import read_limited
from engine.wire.manifests import ModelManifest

_PATIENCE = Patience(connect=10.0, silence=10.0, attempts=2)


@dataclass(frozen=True, slots=True)
class Licence:
    """``name`` of the file, "" where there is none; ``text``: harmless to show, "" if it is too long for that."""

    name: str = ""
    text: str = ""


def licence_in(folder: Path) -> Licence:
    """What lies in a folder of this machine. ``StorageError`` if it cannot be read."""
    try:
        sizes = {one.name: one.stat().st_size for one in folder.iterdir() if one.is_file()}
    except OSError as error:
        raise StorageError(f"{folder} cannot be read ({error.strerror}).") from error
    name = licence_among(sizes)
    if not name or sizes[name] > MAX_LICENCE:
        return Licence(name)
    return Licence(name, shown(read_limited(folder / name, MAX_LICENCE) or b""))


async def licence_on(hub: Hub, repository: str) -> Licence:
    """What a repository of the hub has now; :class:`HubError`."""
    found = await hub.repository(repository)
    name = licence_among(one.name for one in found.files)
    file = licence_file(found)
    if file is None:
        return Licence(name)
    return Licence(name, await _fetched(hub, found.name, found.commit, file))


async def licence_of_manifest(manifest: ModelManifest, hub: Hub, *, allow_local: bool) -> Licence:
    """What a publisher has signed with a model, from the first of its addresses; :class:`HubError`."""
    sizes = {one.name: one for one in manifest.files}
    name = licence_among(sizes)
    if not name or not 0 < sizes[name].size <= MAX_LICENCE:
        return Licence(name)
    source = source_of(manifest.addresses[0], hub, allow_local)
    file = HubFile(name, sizes[name].size, sizes[name].sha256.hex())
    return Licence(name, await _fetched(source, manifest.name, "", file, resolver_for(hub, allow_local=allow_local)))


async def _fetched(
    source: Source, repository: str, commit: str, file: HubFile, resolver: AbstractResolver | None = None
) -> str:
    """Checked by its hash like every other file."""
    with tempfile.TemporaryDirectory(prefix="gentorrent-licence-") as folder:
        async with connections(_PATIENCE, 1, resolver) as session:
            meter = Meter(lambda _: None, lambda: 0.0)
            transfer = Transfer(session, source, repository, commit, meter, _PATIENCE)
            place = Path(folder) / "licence"
            await fetch(transfer, file, place)
        return shown(read_limited(place, MAX_LICENCE) or b"")


def shown(data: bytes) -> str:
    """Its text without anything that acts: no control characters but ends of lines and tabs, and none that change the
    direction of what follows."""
    text = data.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n")
    kept = (one for one in text if one in "\n\t" or not unicodedata.category(one).startswith("C"))
    return "".join(kept).strip("\n")
