"""The text of a model's licence, as its folder, its repository on the hub or its manifest has it. Strangers wrote it:
it is shown as plain text and nothing else."""

from __future__ import annotations

import asyncio
import os
import tempfile
import unicodedata
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from aiohttp.abc import AbstractResolver

from engine.errors import HubError, HubUnreachableError, StorageError
from engine.inference.models.folder import sha256_file
from engine.library.agreements import LicenceTerms, terms_of, terms_on
from engine.library.extent import MOST_FILES
from engine.library.fetching import Patience, Source, Transfer, connections, fetch
from engine.library.hub import Hub
from engine.library.names import MAX_LICENCE, licence_among
from engine.library.progress import Meter
from engine.library.published_download import source_of
from engine.library.selection import HubFile, Repository, licence_file
from engine.library.sources import resolver_for
from engine.sentences import say
from engine.storage.files import read_limited, storage_error
from engine.wire.manifests import ModelManifest

LONGEST_SECONDS = 30.0
"""So long somebody waits for a text in all, also where it comes byte by byte."""
_PATIENCE = Patience(connect=10.0, silence=10.0, attempts=2)


@dataclass(frozen=True, slots=True)
class Licence:
    """``name`` of the file, "" where there is none; ``text``: harmless to show, "" if it is too long for that.
    ``terms``: what is agreed to by whoever reads it, as far as that is known."""

    name: str = ""
    text: str = ""
    terms: LicenceTerms | None = None


def licence_in(folder: Path) -> Licence:
    """What lies in a folder of this machine. ``StorageError`` if it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            names = [one.name for one in islice(entries, MOST_FILES) if licence_among([one.name]) and one.is_file()]
        name = licence_among(names)
        size = (folder / name).stat().st_size
    except OSError as error:
        raise storage_error("read", folder, error) from error
    except ValueError as error:  # a name that no file can have
        raise StorageError(f"{str(folder)!a} cannot be read ({error}).") from error
    if not name or size > MAX_LICENCE:
        return Licence(name)
    return Licence(name, shown(read_limited(folder / name, MAX_LICENCE) or b""))


def terms_in(folder: Path, found: Licence) -> LicenceTerms:
    """Of a model that comes in a folder: what :func:`licence_in` has ``found`` there. ``StorageError`` if it cannot be
    read."""
    try:
        return LicenceTerms("", found.name, sha256_file(folder / found.name).hex(), str(folder))
    except OSError as error:
        raise storage_error("read", folder / found.name, error) from error


async def licence_on(hub: Hub, found: Repository, said: str = "") -> Licence:
    """What a repository of the hub has; :class:`HubError`. ``said``: as for ``terms_on``."""
    terms, file = terms_on(found, said), licence_file(found)
    if file is None:
        return Licence(terms.file, terms=terms)
    return Licence(terms.file, await _fetched(hub, found.name, found.commit, file), terms)


async def licence_of_manifest(manifest: ModelManifest, hub: Hub, *, allow_local: bool) -> Licence:
    """What a publisher has signed with a model, from the first of its addresses that gives it; :class:`HubError`."""
    sizes = {one.name: one for one in manifest.files}
    terms = terms_of(manifest)
    name = terms.file
    if not name or not 0 < sizes[name].size <= MAX_LICENCE:
        return Licence(name, terms=terms)
    file = HubFile(name, sizes[name].size, sizes[name].sha256.hex())
    last: HubError | None = None
    for address in manifest.addresses:
        resolver = resolver_for(hub, allow_local=allow_local)
        try:
            source = source_of(address, hub, allow_local)
            return Licence(name, await _fetched(source, manifest.name, "", file, resolver), terms)
        except HubError as error:
            last = error
    assert last is not None  # a manifest has an address
    raise last


async def _fetched(
    source: Source, repository: str, commit: str, file: HubFile, resolver: AbstractResolver | None = None
) -> str:
    """Checked by its hash like every other file."""
    with _scratch() as folder:
        place = Path(folder) / "licence"
        try:
            async with asyncio.timeout(LONGEST_SECONDS), connections(_PATIENCE, 1, resolver) as session:
                meter = Meter(lambda _: None, lambda: 0.0)
                await fetch(Transfer(session, source, repository, commit, meter, _PATIENCE), file, place)
        except TimeoutError:
            why = f"nothing whole has come within {LONGEST_SECONDS:.0f} s"
            raise HubUnreachableError(say("hub.unreachable", hub=source.endpoint, reason=why)) from None
        return shown(read_limited(place, MAX_LICENCE) or b"")


def _scratch() -> tempfile.TemporaryDirectory[str]:
    """A folder that is gone afterwards; ``StorageError`` where there is no room for one."""
    try:
        return tempfile.TemporaryDirectory(prefix="gentorrent-licence-", ignore_cleanup_errors=True)
    except OSError as error:
        raise storage_error("make the folder", Path(error.filename or "gentorrent-licence"), error) from error


def shown(data: bytes) -> str:
    """Its text without anything that acts: no control characters but ends of lines and tabs, and none that change the
    direction of what follows."""
    text = data.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n")
    kept = (one for one in text if one in "\n\t" or not unicodedata.category(one).startswith("C"))
    return "".join(kept).strip("\n")
