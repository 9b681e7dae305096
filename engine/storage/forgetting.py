"""Another machine from now on: the keys of this one, and all that it knows of its networks, are destroyed.

An engine that runs holds its keys in memory and writes what it knows when it ends. So the wish is a file, and it is
fulfilled when the engine has ended, or before the next one begins.
"""

from __future__ import annotations

import os
from pathlib import Path

from engine.storage.data_directory import DataDirectory
from engine.storage.files import overwrite_and_remove, remove, storage_error, write_atomically
from engine.storage.key_store import destroy_keys

NAME = "forget-keys"


def wish(directory: DataDirectory) -> None:
    """Destroy the keys as soon as no engine has them; ``StorageError`` when that cannot be noted."""
    write_atomically(directory.path / NAME, b"")


def fulfil(directory: DataDirectory) -> bool:
    """Destroy them if that was wished; whether it was. ``StorageError`` if something of them cannot be removed."""
    note = directory.path / NAME
    if not note.exists():
        return False
    destroy_keys(directory.keys)
    destroy_keys(directory.publisher_keys)
    for folder in (directory.networks, directory.receipts, directory.published):
        _destroy_folder(folder)
    for file in (directory.api_token, directory.path / "served.json"):
        overwrite_and_remove(file)
    remove(note)
    return True


def _destroy_folder(folder: Path) -> None:
    try:
        for at, folders, files in os.walk(folder, topdown=False):
            for name in files:
                overwrite_and_remove(Path(at) / name)
            for name in folders:
                (Path(at) / name).rmdir()
        if folder.exists():
            folder.rmdir()
    except OSError as error:
        raise storage_error("delete", folder, error) from error
