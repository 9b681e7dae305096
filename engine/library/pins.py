"""What earlier downloads were: commit, sizes and SHA-256 of every file, in ``models/.pins.json``.

A pin is made by the first download and compared from then on: neither the hub nor the disk can exchange a file
unnoticed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from engine.errors import StorageError
from engine.storage.file_lock import awaited_lock
from engine.storage.files import make_directory
from engine.storage.state import load_state, save_state

MAX_BYTES = 32 * 1024 * 1024
MAX_MODELS = 1000
MAX_FILES = 500
_Sha256 = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
_Text = Annotated[str, Meta(max_length=300)]


class PinnedFile(Struct, frozen=True):
    """Size in bytes and SHA-256 (hex) of a file's content; ``hub``: what the hub called it (``HubFile.identity``)."""

    size: Annotated[int, Meta(ge=0)]
    sha256: _Sha256
    hub: _Text = ""


class Pin(Struct, frozen=True):
    """Where a model on this machine came from, and what exactly came. ``repository`` is "" for imported folders, and of
    a published model the fingerprint of its publisher, with the version as ``commit``."""

    origin: Literal["hub", "import", "publisher"]
    repository: _Text = ""
    commit: _Text = ""
    licence: _Text = ""
    files: Annotated[dict[_Text, PinnedFile], Meta(max_length=MAX_FILES)] = {}
    linked: _Text = ""  # the folder that an imported model links to


_Pins = dict[_Text, Pin]


class Pins:
    """The pins of one models folder; every change is one atomic rewrite under a lock."""

    def __init__(self, models: Path) -> None:
        self._file = models / ".pins.json"

    def all(self) -> dict[str, Pin]:
        """Model name to pin; :class:`StorageError` if the file is damaged: pins are not lost silently."""
        return load_state(self._file, _Pins, most=MAX_BYTES, damaged="library.pins_damaged") or {}

    def get(self, name: str) -> Pin | None:
        """The pin of the model ``name``."""
        return self.all().get(name)

    def put(self, name: str, pin: Pin) -> None:
        """Keep or replace a pin."""
        make_directory(self._file.parent.parent)
        with self._changing() as pins:
            pins[name] = pin
            if len(pins) > MAX_MODELS:
                raise StorageError(f"{self._file} has more than {MAX_MODELS} models. Remove some of them.")

    def drop(self, name: str) -> None:
        """Forget a pin if there is one."""
        with self._changing() as pins:
            pins.pop(name, None)

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Pin]]:
        with awaited_lock(self._file.with_name(".pins.lock"), self._file):
            pins = self.all()
            yield pins
            save_state(self._file, pins)
