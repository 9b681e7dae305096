"""Files of a model folder: found, inside the folder, whole. Read as data, never run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from engine.errors import ModelFolderError
from engine.sentences import say

MAX_JSON = 64 * 1024 * 1024
"""Bytes; a longer configuration file is refused."""
_POINTER = b"version https://git-lfs"


def checked_file(root: Path, path: Path) -> Path:
    """``path`` if it is a file of the folder ``root`` with content; :class:`ModelFolderError` says what is wrong.

    A link may lead out of the folder only as the hub's own cache has it, from ``snapshots/<revision>`` to ``blobs``.
    """
    try:
        if not path.is_file():  # nor a link that leads in a circle, which cannot be resolved
            raise ModelFolderError(say("folder.missing", path=str(path)))
        inside = path.resolve().is_relative_to(root.resolve()) or _in_blobs(root, path)
        if not inside:
            raise ModelFolderError(say("folder.leads_out", path=str(path), target=str(path.resolve())))
        size = path.stat().st_size
        if size == 0:
            raise ModelFolderError(say("folder.empty", path=str(path)))
        with path.open("rb") as stream:
            pointer = size < 1024 and stream.read(len(_POINTER)) == _POINTER
    except OSError as error:
        raise ModelFolderError(
            say("folder.unreadable", path=str(path), reason=error.strerror or type(error).__name__)
        ) from error
    except ValueError as error:  # a name that no file can have
        raise ModelFolderError(say("folder.no_name", path=repr(str(path)), reason=str(error))) from error
    if pointer:
        raise ModelFolderError(say("folder.pointer", path=str(path)))
    return path


def read_json(root: Path, path: Path) -> dict[str, Any]:
    """The object in a configuration file; :class:`ModelFolderError`."""
    checked_file(root, path)
    try:
        if path.stat().st_size > MAX_JSON:
            raise ModelFolderError(say("folder.json_too_large", path=str(path)))
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelFolderError(say("folder.no_json", path=str(path), reason=str(error))) from error
    if not isinstance(content, dict):
        raise ModelFolderError(say("folder.no_object", path=str(path)))
    return content


def nearest(root: Path, start: Path, name: str) -> Path | None:
    """The file ``name`` in ``start`` or the closest folder above it, up to ``root``."""
    folder = start
    while True:
        if (folder / name).is_file():
            return folder / name
        if folder == root or root not in folder.parents:
            return None
        folder = folder.parent


def _in_blobs(root: Path, path: Path) -> bool:
    if root.parent.name != "snapshots":
        return False
    return path.resolve().is_relative_to((root.parent.parent / "blobs").resolve())
