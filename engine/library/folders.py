"""The models folder of a data directory: names, locks, what is being made, what is installed, what was put there."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from stat import S_ISREG
from threading import Lock
from typing import TypeVar

from engine.errors import ModelBusyError, StorageError, UnknownModelError
from engine.ids import is_published
from engine.inference.models.installed import BUILTIN_MODEL, Catalogue, folder_of, model_of
from engine.library.agreements import Agreements
from engine.library.pins import Pins
from engine.sentences import say
from engine.storage.file_lock import held_lock
from engine.storage.files import make_directory, storage_error

RESERVE = 512 * 1024 * 1024
"""Bytes of the disk that stay free: keys, state and the rest of the system need some, too."""
Made = TypeVar("Made")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")


class ModelsFolder:
    """``path``: the folder ``models`` of a data directory; made on need. ``limit``: bytes that the owner allows for all
    models, None: as many as the disk has."""

    def __init__(self, path: Path, limit: Callable[[], int | None] = lambda: None) -> None:
        self.path = path
        self.limit = limit
        self.pins = Pins(path)
        self.agreements = Agreements(path)
        self.promised: dict[str, int] = {}
        """See :func:`engine.library.room.promised`: bytes of each model when it is whole."""
        self.promising = Lock()

    def place(self, name: str) -> Path:
        """Where the model ``name`` lies or will; :class:`StorageError` for a name that no model may have."""
        if is_published(name):
            return self.path / folder_of(name)
        if not _NAME.match(name) or name == BUILTIN_MODEL or name.endswith("."):
            raise StorageError(
                f"No model can be called {name[:100]!r} here: letters, digits and . _ - only, at most 100, and not "
                f"{BUILTIN_MODEL}. Choose another name with --as."
            )
        return self.path / name

    def catalogue(self) -> Catalogue:
        """What is installed."""
        return Catalogue(self.path)

    def folder(self, name: str) -> Path:
        """The folder of an installed model; :class:`UnknownModelError`."""
        place = self.place(name)
        if not place.is_dir():
            have = ", ".join(one for one in self.catalogue().folders() if one != BUILTIN_MODEL)
            raise UnknownModelError(
                f"There is no model {name!r} in {self.path}. It has: {have or 'none'}. See: gentorrent models list"
            )
        return place

    def staging(self, name: str, variant: str) -> Path:
        """Where a variant is put together. It stays when that is interrupted, and the next attempt goes on there."""
        return self._incomplete / f"{folder_of(name)}+{re.sub(r'[^A-Za-z0-9._-]', '+', variant)[:80]}"

    @contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """Nobody else downloads, imports or removes this model meanwhile; :class:`ModelBusyError`."""
        self._make()
        with held_lock(self._incomplete / f"{folder_of(name)}.lock") as mine:
            if not mine:
                raise ModelBusyError(say("library.busy", model=name))
            yield

    def install(self, name: str, staging: Path, files: Iterable[str]) -> None:
        """Move a complete staging folder into place; with a folder there already, file by file, graphs last.

        After a crash at any moment the model folder holds no half file, and no new graph without its weights.
        """
        wanted, place = set(files), self.place(name)
        try:
            for stray in [one for one in staging.rglob("*") if one.is_file() or one.is_symlink()]:
                if stray.relative_to(staging).as_posix() not in wanted:
                    stray.unlink()
            if not place.exists():
                staging.replace(place)
                return
            for one in sorted(wanted, key=lambda file: (file.endswith(".onnx"), file)):
                (place / one).parent.mkdir(parents=True, exist_ok=True)
                (staging / one).replace(place / one)
            shutil.rmtree(staging, ignore_errors=True)
            os.utime(self.path)  # a running engine looks at this time (engine.node.model_watch)
        except OSError as error:
            raise in_use(place, error) from error

    def exchange(self, name: str, staging: Path, files: Iterable[str]) -> None:
        """Put a complete staging folder in the place of all that is there: another version of a whole model. Where the
        system refuses, what was there stays."""
        wanted, place = set(files), self.place(name)
        before = self._incomplete / f"{place.name}.before"
        try:
            for stray in [one for one in staging.rglob("*") if one.is_file() or one.is_symlink()]:
                if stray.relative_to(staging).as_posix() not in wanted:
                    stray.unlink()
            shutil.rmtree(before, ignore_errors=True)
            if place.exists():
                place.replace(before)
            try:
                staging.replace(place)
            except OSError:
                if before.exists():
                    before.replace(place)
                raise
        except OSError as error:
            raise in_use(place, error) from error
        shutil.rmtree(before, ignore_errors=True)

    def delete(self, folder: Path) -> int:
        """Delete a model's folder, or only the link to one; the bytes that became free."""
        try:
            if folder.is_symlink():
                folder.unlink()
                return 0
            gone = self._incomplete / f"{folder.name}.removed"
            shutil.rmtree(gone, ignore_errors=True)
            make_directory(self._incomplete)
            folder.replace(gone)  # gone at once, whatever happens while the files are deleted
            freed = size_of(gone)
            shutil.rmtree(gone)
        except OSError as error:
            raise in_use(folder, error) from error
        return freed

    def interrupted(self, name: str) -> list[Path]:
        """Folders that interrupted downloads of ``name`` have left."""
        return [one for one in self._incomplete.glob(f"{folder_of(name)}+*") if one.is_dir()]

    def all_interrupted(self) -> dict[str, list[Path]]:
        """Every model that interrupted downloads have left folders of."""
        found: dict[str, list[Path]] = {}
        for one in sorted(self._incomplete.glob("*+*")):
            name = model_of(one.name.partition("+")[0])
            if name and one.is_dir():
                found.setdefault(name, []).append(one)
        return found

    def abandon(self, name: str) -> int:
        """Delete what interrupted downloads of ``name`` have left; the bytes that became free."""
        left = self.interrupted(name)
        freed = sum(size_of(one) for one in left)
        for one in left:
            shutil.rmtree(one, ignore_errors=True)
        return freed

    def _make(self) -> None:
        """Both folders for their owner alone: the engine keeps its keys beside the models."""
        make_directory(self.path.parent)
        make_directory(self.path)

    @property
    def _incomplete(self) -> Path:
        return self.path / ".incomplete"


def size_of(folder: Path) -> int:
    """Bytes of all files in a folder, of which some may go meanwhile."""
    size = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                found = Path(place, name).lstat()
                size += found.st_size if S_ISREG(found.st_mode) else 0
    return size


def link_or_copy(source: Path, target: Path) -> None:
    """The same file under a second name, or a copy where the disk has no hard links; :class:`StorageError`."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        try:
            os.link(source, target)
        except OSError:
            shutil.copyfile(source, target)
    except OSError as error:
        with suppress(OSError):
            target.unlink(missing_ok=True)  # half a file would stand in the way of another attempt
        raise storage_error("copy to", target, error) from error


def in_use(path: Path, error: OSError) -> StorageError:
    """What the user is told when a model's files cannot be moved or deleted."""
    if os.name == "nt" and isinstance(error, PermissionError):
        return StorageError(f"{path} is in use: a model that is loaded cannot be changed. Stop the engine, try again.")
    return storage_error("change", path, error)


async def to_the_end(work: Callable[[], Made]) -> Made:
    """Done in a thread, to its end: who is cancelled meanwhile is so only then, with what it has locked until then."""
    doing = asyncio.get_running_loop().run_in_executor(None, work)
    try:
        return await asyncio.shield(doing)
    except asyncio.CancelledError:
        await asyncio.wait([doing])
        if not doing.cancelled():
            doing.exception()  # heard
        raise
