"""Room for models: what the disk has, what the owner allows, and what downloads that go on have been promised."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from engine.errors import DiskFullError, DiskLimitError
from engine.library.disk_use import DiskUse, disk_use
from engine.library.folders import RESERVE, ModelsFolder
from engine.library.sizes import gigabytes
from engine.sentences import say


@dataclass(frozen=True, slots=True)
class Room:
    """Bytes: ``used`` by models with their unfinished downloads, ``free`` on the disk beside its reserve, the owner's
    ``limit`` for all models (None: none). ``left``: what one more model may take, after what others were promised."""

    used: int
    free: int
    limit: int | None
    left: int


def room(models: ModelsFolder) -> Room:
    """Look at the disk. Blocks: call it from a thread."""
    return _room(models, disk_use(models), "")


@contextmanager
def promised(models: ModelsFolder, name: str, missing: int) -> Iterator[None]:
    """The model ``name`` may take ``missing`` more bytes meanwhile, and others that ask are told so.
    :class:`DiskLimitError` or :class:`DiskFullError`, with numbers, if that is too much."""
    with models.promising:
        use = disk_use(models)
        check_room(_room(models, use, name), name, missing)
        whole = next((one.files + one.unfinished for one in use.models if one.name == name), 0) + missing
        models.promised[name] = whole
    try:
        yield
    finally:
        models.promised.pop(name, None)


def check_room(there: Room, name: str, missing: int) -> None:
    """:class:`DiskLimitError` or :class:`DiskFullError` unless ``missing`` more bytes for ``name`` are left."""
    if missing <= there.left:
        return
    needed, left, more = gigabytes(missing), gigabytes(there.left), gigabytes(missing - there.left)
    if there.limit is not None and there.limit - there.used < there.free:
        limit, used = gigabytes(there.limit), gigabytes(there.used)
        said = say("library.disk_limit", model=name, needed=needed, left=left, more=more, limit=limit, used=used)
        raise DiskLimitError(said)
    reserve = gigabytes(RESERVE)
    raise DiskFullError(say("library.no_room", model=name, needed=needed, left=left, more=more, reserve=reserve))


def _room(models: ModelsFolder, use: DiskUse, name: str) -> Room:
    sizes = {one.name: one.files + one.unfinished for one in use.models}
    waited = sum(max(0, whole - sizes.get(other, 0)) for other, whole in models.promised.items() if other != name)
    limit = models.limit()
    allowed = use.free if limit is None else min(use.free, limit - use.total)
    return Room(use.total, use.free, limit, max(0, allowed - waited))
