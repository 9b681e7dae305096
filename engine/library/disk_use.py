"""What the models take of the disk: each of them, what unfinished downloads have left, and what is free."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from engine.inference.models.installed import BUILTIN_MODEL
from engine.library.folders import RESERVE, ModelsFolder, size_of
from engine.storage.files import storage_error


@dataclass(frozen=True, slots=True)
class ModelUse:
    """Bytes of one model: ``files`` installed, ``unfinished`` from downloads that did not end. ``linked``: its files
    lie elsewhere and count as nothing here."""

    name: str
    files: int = 0
    unfinished: int = 0
    linked: bool = False


@dataclass(frozen=True, slots=True)
class DiskUse:
    """``models``: what takes most first. ``free``: bytes of the disk that downloads may still take; a reserve stays."""

    models: tuple[ModelUse, ...]
    total: int
    free: int


def disk_use(models: ModelsFolder) -> DiskUse:
    """Look at the disk; the model that comes with the program is left out. Blocks: call it from a thread."""
    try:
        folders = models.catalogue().folders()
        unfinished = models.all_interrupted()
        uses = [
            ModelUse(
                name,
                files=size_of(folders[name]) if name in folders and not folders[name].is_symlink() else 0,
                unfinished=sum(size_of(one) for one in unfinished.get(name, [])),
                linked=name in folders and folders[name].is_symlink(),
            )
            for name in {*folders, *unfinished} - {BUILTIN_MODEL}
        ]
        free = shutil.disk_usage(next(one for one in (models.path, *models.path.parents) if one.exists())).free
    except OSError as error:
        raise storage_error("look at the disk of", models.path, error) from error
    uses.sort(key=lambda one: (-one.files - one.unfinished, one.name))
    return DiskUse(tuple(uses), sum(one.files + one.unfinished for one in uses), max(0, free - RESERVE))
