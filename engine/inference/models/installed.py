"""Which models lie on this machine: the built-in one and the folders that were downloaded."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from engine.config import is_model_id
from engine.errors import ModelFolderError, ResourceMissingError, UnknownModelError
from engine.ids import is_published
from engine.inference.models.folder import ModelFolder, read_model_folder, sha256_file, variants
from engine.resources import resource_path
from engine.sentences import said_by, say

BUILTIN_MODEL = "gentorrent-builtin"
"""The model id of the small model that comes with the program."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_log = logging.getLogger(__name__)


def folder_of(model_id: str) -> str:
    """What the folder of a model is called: its id, where the ``/`` behind a publisher's fingerprint becomes ``@``."""
    return model_id.replace("/", "@", 1) if is_published(model_id) else model_id


def model_of(folder: str) -> str:
    """The id of the model in the folder of this name; "" where the name is that of no model."""
    published = folder.replace("@", "/", 1)
    if "@" in folder:
        return published if is_published(published) and folder_of(published) == folder else ""
    return folder if _NAME.fullmatch(folder) else ""


class Catalogue:
    """The models of one data directory. Methods read the disk: call them from a thread when folders are large.

    ``models``: folder with one folder for every downloaded model, named by its model id, or None.
    ``builtin``: folder of the built-in model; None takes the one that comes with the program. ``provider`` ("cpu" or
    "cuda") and ``memory`` (bytes, of a GPU): which of a model's variants is the best here.
    """

    def __init__(
        self, models: Path | None, builtin: Path | None = None, *, provider: str = "cpu", memory: int | None = None
    ) -> None:
        self._models = models
        self._builtin = builtin
        self.provider = provider
        self.memory = memory
        self._digests = _DigestCache(models / ".digests.json" if models else None)

    def folders(self) -> dict[str, Path]:
        """Every model id with its folder, the built-in model first; folders are not checked."""
        found: dict[str, Path] = {}
        builtin = self._builtin_folder()
        if builtin is not None:
            found[BUILTIN_MODEL] = builtin
        try:
            if self._models is not None and self._models.is_dir():
                for folder in sorted(self._models.iterdir()):
                    name = model_of(folder.name)
                    if folder.is_dir() and name and name != BUILTIN_MODEL:
                        found[name] = folder
        except OSError as error:
            _log.warning("the models in %s are left out (%s): make the folder readable", self._models, error.strerror)
        return found

    def open(self, model_id: str) -> ModelFolder:
        """The checked folder of a model; :class:`UnknownModelError` or :class:`ModelFolderError`.

        ``model_id`` may name a variant: ``Llama-3.2-1B-Instruct:q4``.
        """
        folders = self.folders()
        name, colon, variant = model_id.partition(":")
        folder = folders.get(name)
        if folder is None or (colon and not variant):
            raise UnknownModelError(
                f"There is no model {model_id[:200]!r} on this machine. It has: {', '.join(folders) or 'none'}. "
                "Choose one of these or download the model first."
            )
        return read_model_folder(
            model_id, folder, self._digests.digest, variant=variant, provider=self.provider, memory=self.memory
        )

    def remember(self, digests: Mapping[Path, bytes]) -> None:
        """SHA-256 of files as they are now, by somebody who has just computed them: they are not read again."""
        self._digests.remember(digests)

    def usable(self) -> dict[str, ModelFolder]:
        """Every model whose folder is complete, and where it has several variants each of them as NAME:VARIANT; the
        others are named in the log."""
        found: dict[str, ModelFolder] = {}
        for name, folder in self.folders().items():
            self._add(found, name)
            if name in found:
                for variant in _choices(folder):
                    self._add(found, f"{name}:{variant}")
        return found

    def _add(self, found: dict[str, ModelFolder], model_id: str) -> None:
        try:
            found[model_id] = self.open(model_id)
        except (ModelFolderError, OSError, UnicodeError) as error:  # or nobody can read it
            _log.warning("the model %s is left out: %s", model_id, error)

    def why_not(self, model_id: str) -> UnknownModelError:
        """What to tell those who ask for a model that is not among the usable ones."""
        try:
            self.open(model_id)
        except UnknownModelError as error:
            return error
        except (ModelFolderError, OSError, UnicodeError) as error:
            return UnknownModelError(say("load.unusable", model=model_id[:200], problem=said_by(error)))
        return UnknownModelError(say("load.unread", model=model_id[:200]))

    def _builtin_folder(self) -> Path | None:
        if self._builtin is not None:
            return self._builtin
        try:
            return resource_path("engine/builtin/model")
        except ResourceMissingError:
            return None


def _choices(folder: Path) -> list[str]:
    """The variants that one can ask for by name; none if there is no choice."""
    usable = [one.name for one in variants(folder) if not one.problem]
    return [name for name in usable if is_model_id(name)] if len(usable) > 1 else []


class _Entry(msgspec.Struct, frozen=True, array_like=True):
    size: int
    modified: int  # nanoseconds
    changed: int  # nanoseconds; not set back by programs that keep times when they copy (Windows: when it was made)
    digest: bytes

    @classmethod
    def of(cls, path: Path, digest: bytes) -> _Entry:
        """What the file is now."""
        status = path.stat()
        return cls(status.st_size, status.st_mtime_ns, status.st_ctime_ns, digest)


class _DigestCache:
    """Digests of files by path, size and times, kept over restarts: hashing 20 GB takes half a minute."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._entries: dict[str, _Entry] | None = None

    def digest(self, path: Path) -> bytes:
        """SHA-256 of the file, read only if it changed since the last time."""
        entries = self._load()
        entry = entries.get(str(path))
        if entry and entry == _Entry.of(path, entry.digest):
            return entry.digest
        now = _Entry.of(path, b"")  # before it is read: what changes meanwhile is read again
        digest = sha256_file(path)
        entries[str(path)] = msgspec.structs.replace(now, digest=digest)
        if now.size >= 1 << 24:
            self._save(entries)
        return digest

    def remember(self, digests: Mapping[Path, bytes]) -> None:
        """Keep digests that were computed elsewhere."""
        entries = self._load()
        for path, digest in digests.items():
            entries[str(path)] = _Entry.of(path, digest)
        self._save(entries)

    def _load(self) -> dict[str, _Entry]:
        if self._entries is None:
            self._entries = {}
            if self._file is not None and self._file.is_file():
                try:
                    self._entries = msgspec.json.decode(self._file.read_bytes(), type=dict[str, _Entry])
                except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                    _log.info("the stored digests of models are computed anew: %s", error)
        return self._entries

    def _save(self, entries: dict[str, _Entry]) -> None:
        """Keep what still exists; a cache that cannot be written costs time only."""
        if self._file is None:
            return
        kept = {name: entry for name, entry in list(entries.items()) if Path(name).is_file()}
        try:
            temporary = self._file.with_suffix(".new")
            temporary.write_bytes(msgspec.json.encode(kept))
            temporary.replace(self._file)
        except OSError as error:
            _log.info("digests of models cannot be stored: %s", error)
