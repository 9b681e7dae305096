"""Files of a model folder: found, inside the folder, whole. Read as data, never run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from engine.errors import ModelFolderError

MAX_JSON = 64 * 1024 * 1024
"""Bytes; a longer configuration file is refused."""
_POINTER = b"version https://git-lfs"
_FETCH = "Download that file from the model's repository into the folder."


def checked_file(root: Path, path: Path) -> Path:
    """``path`` if it is a file of the folder ``root`` with content; :class:`ModelFolderError` says what is wrong.

    A link may lead out of the folder only as the hub's own cache has it, from ``snapshots/<revision>`` to ``blobs``.
    """
    try:
        inside = path.resolve().is_relative_to(root.resolve()) or _in_blobs(root, path)
        if not path.is_file():
            raise ModelFolderError(f"{path} is missing. {_FETCH}")
        if not inside:
            raise ModelFolderError(
                f"{path} is a link that leads out of the model's folder, to {path.resolve()}. Put the file "
                "itself there."
            )
        size = path.stat().st_size
        if size == 0:
            raise ModelFolderError(f"{path} is empty: a download was cut off. {_FETCH}")
        with path.open("rb") as stream:
            pointer = size < 1024 and stream.read(len(_POINTER)) == _POINTER
    except OSError as error:
        raise ModelFolderError(
            f"{path} cannot be read: {error.strerror}. Check its permissions and the disk."
        ) from error
    except ValueError as error:  # a name that no file can have
        raise ModelFolderError(f"{str(path)!r} is no name of a file ({error}). Download the model again.") from error
    if pointer:
        raise ModelFolderError(
            f"{path} holds only a Git LFS pointer, not the file itself. Run 'git lfs pull' in the folder, or download "
            "the model again."
        )
    return path


def read_json(root: Path, path: Path) -> dict[str, Any]:
    """The object in a configuration file; :class:`ModelFolderError`."""
    checked_file(root, path)
    try:
        if path.stat().st_size > MAX_JSON:
            raise ModelFolderError(f"{path} is larger than any configuration file. Download it again.")
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelFolderError(f"{path} is not a readable JSON file ({error}). Download it again.") from error
    if not isinstance(content, dict):
        raise ModelFolderError(f"{path} does not hold a JSON object. Download it again.")
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
