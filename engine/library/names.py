"""Which names from a hub become files here. Whoever runs a repository chose them, so they are checked like a peer's."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

MAX_NAME = 240
MAX_PART = 120
MAX_DEPTH = 6
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9 ._+=@~-]*\Z")
_DEVICE = re.compile(r"(?i)(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?\Z")
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}(?:/[A-Za-z0-9][A-Za-z0-9._-]{0,95})?\Z")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}\Z")
_KINDS = re.compile(
    r"(?:\.onnx|\.onnx_data(?:_[0-9]+)?|\.onnx\.data(?:_[0-9]+)?|\.data|\.json|\.jinja|\.model|\.txt)\Z"
)
_LICENCE = re.compile(r"(?i)(?:licen[cs]e|copying)(?:-[a-z0-9.]{1,20})?(?:\.(?:txt|md|rst))?\Z")
MAX_LICENCE = 65_536
"""Bytes of a licence's text that is shown, and fetched with a model."""


def problem_of(name: str) -> str:
    """Why no file may be called so, on any of the three systems; "" if it may. ``name`` has forward slashes."""
    if not name or len(name) > MAX_NAME:
        return "it is empty or too long"
    parts = name.split("/")
    if len(parts) > MAX_DEPTH:
        return "it lies too deep"
    for part in parts:
        if part in ("", ".", ".."):
            return "it leads out of its folder"
        if len(part) > MAX_PART:
            return "a part of it is too long"
        if not _PART.match(part):
            return "it has characters that a file's name must not have, or is hidden"
        if part.endswith((".", " ")) or _DEVICE.match(part):
            return "Windows keeps this name for itself"
    return ""


def is_needed_kind(name: str) -> bool:
    """Whether the reader of model folders could have use for such a file (graphs, weights, tokenizer, settings), or who
    uses it: its licence."""
    return bool(_KINDS.search(name)) or bool(_LICENCE.match(name))


def licence_among(names: Iterable[str]) -> str:
    """The file with the licence of a model among those of its folder, the plainest name first; "" if there is none."""
    return min((one for one in names if _LICENCE.match(one)), key=lambda one: (len(one), one), default="")


def is_repository(text: str) -> bool:
    """Whether a hub could have a repository of this id (``owner/name``)."""
    return bool(_REPOSITORY.match(text)) and ".." not in text and "--" not in text


def is_revision(text: str) -> bool:
    """Whether this could be a branch, a tag or a commit."""
    return bool(_REVISION.match(text)) and ".." not in text


def folder_name(repository: str) -> str:
    """What the model of a repository is called here."""
    return PurePosixPath(repository).name
