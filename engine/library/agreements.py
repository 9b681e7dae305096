"""Which licences the owner has agreed to, in ``models/.agreed.json``.

What was shown is bound by a digest of all that it consisted of (:class:`LicenceTerms`): neither a publisher nor a hub
can put another licence in its place afterwards, not even for files that stay the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from engine.errors import LicenceNeededError, StorageError
from engine.library.names import licence_among
from engine.library.selection import Repository
from engine.sentences import say
from engine.storage.file_lock import awaited_lock
from engine.storage.files import make_directory
from engine.storage.state import load_state, save_state
from engine.wire.manifests import ModelManifest

MAX_BYTES = 4 * 1024 * 1024
MAX_MODELS = 1000
MAX_VERSIONS = 16
"""Of one model, the newest ones."""
_Digest = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
_Text = Annotated[str, Meta(max_length=300)]
_Agreed = dict[_Text, dict[_Text, _Digest]]


class LicenceTerms(Struct, frozen=True):
    """What is agreed to: the ``licence`` by its name, the ``file`` with its text and what identifies that (both ""
    where there is none), and the ``source``: the repository, or the publisher's page about it."""

    licence: str
    file: str
    identity: str
    source: str

    @property
    def digest(self) -> str:
        """SHA-256, in hex, of all of it."""
        return hashlib.sha256(msgspec.json.encode(("gentorrent licence", msgspec.structs.astuple(self)))).hexdigest()


def terms_of(manifest: ModelManifest) -> LicenceTerms:
    """Of a published model."""
    files = {one.name: one.sha256.hex() for one in manifest.files}
    file = licence_among(files)
    return LicenceTerms(manifest.licence, file, files.get(file, ""), manifest.source)


def terms_on(repository: Repository, said: str = "") -> LicenceTerms:
    """Of a repository of the hub; ``said``: what a catalogue says, for hubs that say nothing."""
    files = {one.name: one.identity for one in repository.files}
    file = licence_among(files)
    return LicenceTerms(repository.licence or said, file, files.get(file, ""), repository.name)


class Agreements:
    """Those of one models folder; every change is one atomic rewrite under a lock. ``weights``: the digest of a
    published model, "" for others. ``terms``: the digest of :class:`LicenceTerms`. ``StorageError`` if the file is
    damaged: what was agreed to is not lost silently."""

    def __init__(self, models: Path) -> None:
        self._file = models / ".agreed.json"

    def known(self, model: str, terms: str) -> bool:
        """Whether the owner has agreed to these for some version of the model: another version needs no other word."""
        return terms in self._all().get(model, {}).values()

    def any(self, model: str) -> bool:
        """Whether the owner has agreed to anything for this model."""
        return model in self._all()

    def models(self) -> frozenset[str]:
        """Those for which the owner has agreed to something."""
        return frozenset(self._all())

    def hold(self, model: str, weights: str, terms: str) -> bool:
        """Whether these very files may be used under these terms: not where they were taken under other ones alone."""
        versions = self._all().get(model, {})
        return weights not in versions or terms in versions.values()

    def agree(self, model: str, weights: str, terms: str) -> None:
        """The owner has agreed."""
        with self._changing() as agreed:
            versions = agreed.setdefault(model, {})
            versions.pop(weights, None)
            versions[weights] = terms
            while len(versions) > MAX_VERSIONS:
                versions.pop(next(iter(versions)))
            if len(agreed) > MAX_MODELS:
                raise StorageError(f"{self._file} has more than {MAX_MODELS} models. Remove some of them.")

    def check(self, model: str, weights: str, terms: LicenceTerms) -> None:
        """Before anything is fetched: ``LicenceNeededError`` unless the owner has agreed to these terms."""
        if not self.known(model, terms.digest):
            code = "library.other_licence" if self.any(model) else "library.licence"
            raise LicenceNeededError(say(code, model=model, licence=terms.licence or "not stated"))
        if self._all()[model].get(weights) != terms.digest:
            self.agree(model, weights, terms.digest)

    def drop(self, model: str) -> None:
        """The model is gone: whoever takes it again is asked again."""
        if self.any(model):
            with self._changing() as agreed:
                agreed.pop(model, None)

    def _all(self) -> _Agreed:
        return load_state(self._file, _Agreed, most=MAX_BYTES, damaged="library.agreed_damaged") or {}

    @contextmanager
    def _changing(self) -> Iterator[_Agreed]:
        make_directory(self._file.parent.parent)
        make_directory(self._file.parent)
        with awaited_lock(self._file.with_name(".agreed.lock"), self._file):
            agreed = self._all()
            yield agreed
            save_state(self._file, agreed)
