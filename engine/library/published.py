"""The published models that this machine knows, whose it serves, and which its owner has confirmed.

One file for each model in the folder ``published`` of the data directory, and ``choices.json`` for what the owner
decided. An engine and the command line may use it at the same time: each looks whether the folder has changed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from engine.clock import Clock
from engine.directory.manifests import (
    MAX_LIFE_SECONDS,
    Published,
    check_record,
    check_replaces,
    check_times,
    read_record,
)
from engine.errors import (
    LicenceNeededError,
    ManifestError,
    StorageError,
    UnknownModelError,
    UnreviewedModelError,
    UntrustedPublisherError,
    WireError,
)
from engine.ids import is_publishers
from engine.inference.models.installed import folder_of, model_of
from engine.library.agreements import Agreements, terms_of
from engine.library.manifests import check_manifest, withdrawn
from engine.library.shares import who_goes
from engine.sentences import Said, said_by, say, together
from engine.storage.file_lock import awaited_lock
from engine.storage.files import make_directory, read_limited, remove, write_atomically
from engine.storage.state import load_state, save_state
from engine.wire.codec import encode
from engine.wire.manifests import MAX_MANIFEST, ModelManifest
from engine.wire.records import Signed, signed_decoder

MAX_KNOWN = 4_000
"""Published models that are known here at most."""
MAX_FILE = MAX_MANIFEST + 256
CHOICES = "choices.json"
_RACY_SECONDS = 0.1
"""A folder that changed so lately may change again without a new time."""
_Fingerprint = Annotated[str, Meta(max_length=32)]
_log = logging.getLogger(__name__)


class Publisher(Struct, frozen=True):
    """``name``: what it called itself when it was trusted; ``since``: seconds since 1970."""

    name: str
    since: float


class Choices(Struct, frozen=True):
    """What the owner decided: by default nobody's models are served, and none is asked unconfirmed."""

    trusted: Annotated[dict[_Fingerprint, Publisher], Meta(max_length=1_000)] = {}
    confirmed: Annotated[tuple[str, ...], Meta(max_length=MAX_KNOWN)] = ()


Change = Callable[[Choices], Choices]


class PublishedModels:
    """``folder``: ``DataDirectory.published``, made on need; ``agreements``: which licences the owner has accepted.
    Methods read the disk, a little; those that change something raise ``StorageError``, may wait for another process,
    and belong in a thread."""

    def __init__(self, folder: Path, clock: Clock, agreements: Agreements | None = None) -> None:
        self._folder = folder
        self._clock = clock
        self._agreements = agreements
        self._seen: tuple[int, int] | None = None
        self._known: dict[str, Published] = {}
        self._read: dict[str, tuple[tuple[int, int], Published | None]] = {}
        self._choices = Choices()
        self._reading = Lock()

    # What is known

    def all(self) -> dict[str, Published]:
        """Every model by its id, withdrawn and expired ones included."""
        self._look()
        return dict(self._known)

    def get(self, model_id: str) -> Published | None:
        """What its publisher said last of a model."""
        self._look()
        return self._known.get(model_id)

    def usable(self) -> dict[str, ModelManifest]:
        """The manifests that hold now, by model id."""
        found = {}
        for model_id in self.all():
            with suppress(ManifestError):
                found[model_id] = self.manifest(model_id)
        return found

    def manifest(self, model_id: str) -> ModelManifest:
        """The manifest that holds for a model now; :class:`ManifestError` says why there is none."""
        published = self.get(model_id)
        if published is None:
            raise ManifestError(say("manifest.unknown", model=model_id))
        if published.manifest is None:
            raise ManifestError(_withdrawal(published))
        check_times(published, self._clock.wall())
        return published.manifest

    def usable_manifest(self, model_id: str) -> ModelManifest | None:
        """The manifest that holds for a model now, if there is one."""
        try:
            return self.manifest(model_id)
        except ManifestError:
            return None

    def add(self, signed: Signed) -> tuple[Published, bool]:
        """Take a record from wherever it comes, and whether it is news; :class:`ManifestError` says why not."""
        published = check_record(signed, self._clock.wall())
        if published.manifest is not None:
            check_manifest(published)
        with self._changing():
            known = self.get(published.model_id)
            if not check_replaces(published, known):
                return published, False
            if known is None and len(self._known) >= MAX_KNOWN:
                self._make_room(published.fingerprint)
            write_atomically(self._folder / folder_of(published.model_id), encode(signed))
        return published, True

    def _make_room(self, publisher: str) -> None:
        """Forget a model for a new one of ``publisher``, by :func:`who_goes`; :class:`ManifestError` if none may go.
        What the owner asks, has here or trusts stays, so nobody can bring back an older version of it by a flood."""
        kept = {*self._choices.confirmed, *(self._agreements.models() if self._agreements is not None else ())}
        taken = {model_id: float(self._read[model_id][0][0]) for model_id in self._known}
        gone = who_goes(taken, publisher, kept=kept, trusted=self._choices.trusted)
        if gone is None:
            raise ManifestError(say("manifest.most", most=MAX_KNOWN))
        remove(self._folder / folder_of(gone))

    def forget_old(self, keep: Iterable[str]) -> None:
        """Delete what expired so long ago that no older version of it can still hold; not what is kept here."""
        kept = set(keep)
        for model_id, published in self.all().items():
            over = published.record.expires + MAX_LIFE_SECONDS < self._clock.wall()
            if over and model_id not in kept and model_id not in self._choices.confirmed:
                remove(self._folder / folder_of(model_id))
                self._seen = None

    # What the owner decided

    def trusted(self) -> dict[str, Publisher]:
        """The publishers whose models this machine may serve, by fingerprint."""
        self._look()
        return dict(self._choices.trusted)

    def trust(self, fingerprint: str) -> str:
        """Serve this publisher's models from now on; its name. :class:`ManifestError` if nothing of it is known."""
        name = self.name_of(fingerprint)
        if not name:
            raise ManifestError(say("manifest.unknown_publisher", fingerprint=fingerprint[:64]))
        publisher = Publisher(name, self._clock.wall())
        self._decide(lambda now: msgspec.structs.replace(now, trusted={**now.trusted, fingerprint: publisher}))
        return name

    def distrust(self, fingerprint: str) -> bool:
        """Serve its models no more; False if they were not served."""
        was = fingerprint in self.trusted()
        self._decide(
            lambda now: msgspec.structs.replace(
                now, trusted={one: what for one, what in now.trusted.items() if one != fingerprint}
            )
        )
        return was

    def confirm(self, model_id: str) -> Published:
        """The owner wants to ask this model although nobody has reviewed it; :class:`ManifestError` if nothing is known
        of it."""
        published = self.get(model_id)
        if published is None:
            raise ManifestError(say("manifest.unknown", model=model_id[:200]))
        if not self.is_confirmed(model_id):
            self._decide(lambda now: msgspec.structs.replace(now, confirmed=(*now.confirmed, model_id)[-MAX_KNOWN:]))
        return published

    def is_confirmed(self, model_id: str) -> bool:
        """Whether the owner has done so; true of what needs no word."""
        self._look()
        return not is_publishers(model_id) or model_id in self._choices.confirmed

    def name_of(self, fingerprint: str) -> str:
        """What a publisher calls itself in its newest record; "" if nothing of it is known."""
        of_it = [one.record for one in self.all().values() if one.fingerprint == fingerprint]
        return max(of_it, key=lambda one: one.created).publisher if of_it else ""

    # The two gates

    def check_asking(self, model_id: str, *, here: bool) -> bytes | None:
        """The digest that an answer must be made with, None for a model of no publisher and for one that is asked
        ``here``, on this machine. ``UnknownModelError``, ``UnreviewedModelError`` or ``LicenceNeededError`` if it is
        not asked."""
        if not is_publishers(model_id):
            return None
        published = self.get(model_id)
        if published is None:
            raise UnknownModelError(say("manifest.unknown", model=model_id), "model")
        if not self.is_confirmed(model_id):
            raise UnreviewedModelError(_about("model.unreviewed", published), "model")
        if not here:
            return self._now(model_id).digest
        self._check_licence(published)
        return None

    def check_serving(self, model_id: str, digest: bytes | None = None) -> None:
        """``UntrustedPublisherError``, ``UnknownModelError`` or ``LicenceNeededError`` if this machine does not serve
        the model to others; ``digest`` of what lies here, where that is known."""
        if not is_publishers(model_id):
            return
        manifest = self._now(model_id)
        published = self.get(model_id)
        if published is not None and published.fingerprint not in self.trusted():
            raise UntrustedPublisherError(_about("publisher.untrusted", published))
        if digest is not None and digest != manifest.digest:
            raise UnknownModelError(say("manifest.newer", model=model_id, version=manifest.version), "model")
        if published is not None:
            self._check_licence(published)

    def _check_licence(self, published: Published) -> None:
        """The same files under another licence than the owner has taken them under: they wait until it is accepted."""
        manifest = published.manifest
        if manifest is None or self._agreements is None:
            return
        terms = terms_of(manifest).digest
        if not self._agreements.hold(published.model_id, manifest.digest.hex(), terms):
            said = say("model.other_licence", model=published.model_id, licence=manifest.licence)
            raise LicenceNeededError(said, "model")

    def unverifiable(self, model_id: str) -> str:
        """Why nobody can vouch for answers of this model; "" for models of no publisher."""
        published = self.get(model_id) if is_publishers(model_id) else None
        return _about("badge.published", published) if published is not None else ""

    def _now(self, model_id: str) -> ModelManifest:
        try:
            return self.manifest(model_id)
        except ManifestError as error:
            raise UnknownModelError(said_by(error), "model") from error

    # The disk

    def stamp(self) -> tuple[int, int]:
        """Another value whenever the folder has changed."""
        return _stamp(self._folder), _stamp(self._folder / CHOICES)

    def _look(self) -> None:
        with self._reading:
            stamp = self.stamp()
            if stamp == self._seen:
                return
            self._load_choices()
            self._load_records()
            lately = self._clock.wall() - max(stamp) / 1e9 < _RACY_SECONDS
            self._seen = None if lately else stamp

    def _load_choices(self) -> None:
        try:
            self._choices = load_state(self._folder / CHOICES, Choices) or Choices()
        except StorageError as error:
            _log.warning("%s Nobody's models are served, and none is asked, until then.", error)
            self._choices = Choices()

    def _load_records(self) -> None:
        """Files that did not change are not checked again."""
        found: dict[str, tuple[tuple[int, int], Published | None]] = {}
        try:
            paths = sorted(self._folder.iterdir()) if self._folder.is_dir() else []
        except OSError as error:
            _log.warning("the published models in %s are left out (%s)", self._folder, error.strerror)
            paths = []
        for path in paths:
            model_id = model_of(path.name) if "@" in path.name else ""
            if not model_id or path.is_symlink():
                continue
            with suppress(OSError):
                status = path.stat()
                mark = (status.st_mtime_ns, status.st_ino)
                before = self._read.get(model_id)
                found[model_id] = before if before and before[0] == mark else (mark, _record(path, model_id))
        self._read = found
        self._known = {model_id: one for model_id, (_, one) in found.items() if one is not None}

    def _decide(self, change: Change) -> None:
        with self._changing():
            self._look()
            save_state(self._folder / CHOICES, change(self._choices))

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Nobody else changes the folder meanwhile; what is known before and after is what lies there."""
        make_directory(self._folder.parent)
        make_directory(self._folder)
        with awaited_lock(self._folder / ".lock", self._folder):
            self._seen = None
            yield
            self._seen = None


def _record(path: Path, model_id: str) -> Published | None:
    """What a file holds; None, with a warning, for one that was changed by other hands."""
    try:
        data = read_limited(path, MAX_FILE)
        published = read_record(signed_decoder.decode(data or b""))
        if published.manifest is not None:
            check_manifest(published)
    except (StorageError, WireError, ManifestError) as error:
        _log.warning("%s is left out: %s", path, error)
        return None
    if published.model_id != model_id:
        _log.warning("%s is left out: it is the manifest of %s", path, published.model_id)
        return None
    return published


def _about(code: str, published: Published) -> Said:
    publisher, fingerprint = published.record.publisher, published.fingerprint
    return say(code, model=published.model_id, publisher=publisher, fingerprint=fingerprint)


def _withdrawal(published: Published) -> Said:
    said = withdrawn(published)
    reason = getattr(published.record, "reason", "")
    shown = "".join(one if one.isprintable() else " " for one in reason)
    return together(said, say("manifest.withdrawn_reason", reason=shown) if shown.strip() else "")


def _stamp(path: Path) -> int:
    try:
        status = path.stat()
    except OSError:
        return 0
    return status.st_mtime_ns
