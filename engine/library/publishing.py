"""The publisher's side: a manifest of a folder's files, signed, and kept until a network's server has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from engine.crypto.identity import Identity
from engine.directory.manifests import Published, fingerprint_of, make_withdrawal, sign_record
from engine.errors import ConfigurationError, HubError, ManifestError, ModelFolderError, WireError
from engine.inference.models.folder import ModelFolder, read_model_folder
from engine.inference.models.installed import folder_of
from engine.library.extent import check_extent, check_no_disk
from engine.library.hub import Hub
from engine.library.keeping import files_with_licence
from engine.library.manifests import make_manifest, parse_address
from engine.library.part_file import copy_hashed, git_id_of
from engine.library.pins import PinnedFile
from engine.library.progress import Meter
from engine.library.published import MAX_FILE, PublishedModels
from engine.sentences import say
from engine.storage.files import make_directory, read_limited, remove, write_atomically
from engine.wire.codec import encode
from engine.wire.manifests import ManifestFile
from engine.wire.records import Signed, signed_decoder

KEY_NAME = "publisher"
"""Of the identity in the key file of a publisher."""
OUTGOING = "outgoing"
"""In the folder of published models: what a network's server is still to be told."""
MAX_OUTGOING = 64


@dataclass(frozen=True, slots=True)
class Terms:
    """What a publisher says of a model. ``version`` 0: the one after the last."""

    name: str
    publisher: str
    addresses: Sequence[str]
    licence: str
    source: str = ""
    note: str = ""
    days: int = 365
    version: int = 0


@dataclass(frozen=True, slots=True)
class Hashed:
    """A folder that was read and found usable, with size and SHA-256 of each file that the model is made of."""

    folder: ModelFolder
    files: dict[str, PinnedFile]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(one.size for one in self.files.values())


def hash_folder(source: Path, meter: Meter, variant: str = "") -> Hashed:
    """Read and check a folder as an import does, and hash the files of one variant; ``ModelFolderError``."""
    source = source.absolute()
    check_no_disk(source)
    if source.is_dir():
        check_extent(source, meter)
    model = read_model_folder(source.name, source, lambda _: b"", variant=variant)  # cheap: whether it is one at all
    wanted = files_with_licence(model)
    for one in wanted:
        if one.resolve() != (source.resolve() / one.relative_to(source)):
            raise ModelFolderError(say("folder.link", path=str(one)))
        meter.begin(one.relative_to(source).as_posix(), one.stat().st_size)
    meter.stage("reading")
    files = {
        name: copy_hashed(source / name, None, partial(meter.at, name))
        for name in sorted(one.relative_to(source).as_posix() for one in wanted)
    }

    def digest(path: Path) -> bytes:
        return bytes.fromhex(files[path.relative_to(source).as_posix()].sha256)

    return Hashed(read_model_folder(source.name, source, digest, variant=model.variant), files)


def next_version(published: PublishedModels, public_key: bytes, name: str) -> int:
    """One more than the newest record that is known of a publisher's model."""
    known = published.get(f"{fingerprint_of(public_key)}/{name}")
    return known.record.version + 1 if known is not None else 1


def publish(identity: Identity, hashed: Hashed, terms: Terms, published: PublishedModels, now: float) -> Published:
    """Sign a manifest and keep it here; ``ConfigurationError`` or :class:`ManifestError` for what no reader takes."""
    if not terms.addresses:
        raise ConfigurationError("Say where others can fetch the files: with --hub OWNER/NAME, or --url https://…/.")
    folder = hashed.folder
    manifest = make_manifest(
        public_key=identity.public_key,
        publisher=terms.publisher,
        name=terms.name,
        version=terms.version or next_version(published, identity.public_key, terms.name),
        now=now,
        days=terms.days,
        digests=(folder.digest, folder.tokenizer_digest),
        context_length=folder.context_length,
        graph=folder.graph.relative_to(folder.path).as_posix(),
        files=[ManifestFile(name, one.size, bytes.fromhex(one.sha256)) for name, one in hashed.files.items()],
        addresses=terms.addresses,
        licence=terms.licence,
        source=terms.source,
        note=terms.note,
    )
    return published.add(sign_record(identity, manifest))[0]


def withdraw(
    identity: Identity, publisher: str, name: str, reason: str, published: PublishedModels, now: float
) -> Published:
    """Take a model back; the record of it."""
    model_id = f"{fingerprint_of(identity.public_key)}/{name}"
    known = published.get(model_id)
    if known is None:
        raise ManifestError(f"You have published nothing called {name[:100]} that is known here.")
    said = publisher or known.record.publisher
    version = known.record.version + 1
    return published.add(make_withdrawal(identity, said, name, version, now, reason))[0]


async def hub_address(hub: Hub, text: str, hashed: Hashed) -> str:
    """``hub:OWNER/NAME@COMMIT`` for ``OWNER/NAME[@REVISION]``, if the hub has the very files; :class:`HubError`."""
    name, _, revision = text.partition("@")
    repository = await hub.repository(name, revision or "main")
    there = {one.name: one for one in repository.files}
    for path, file in hashed.files.items():
        one = there.get(path)
        if one is None:
            raise HubError(f"{name} on {hub.endpoint} has no file {path}. Upload it first, then publish.")
        same = one.size == file.size and one.sha256 in ("", file.sha256)
        if same and one.git_id and not one.sha256:
            same = git_id_of(hashed.folder.path / path) == one.git_id
        if not same:
            raise HubError(
                f"{path} in {name} on {hub.endpoint} is another file than the one in {hashed.folder.path}. Upload that "
                "one first, then publish."
            )
    address = f"hub:{name}@{repository.commit}"
    parse_address(address)
    return address


class Outgoing:
    """Records that a network's server is still to be told, in a folder, until it has them or refuses them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / OUTGOING

    def put(self, published: Published) -> None:
        """Bring it as soon as the network can be reached; what was to be told of the model before is replaced."""
        make_directory(self._folder.parent)
        make_directory(self._folder)
        write_atomically(self._folder / folder_of(published.model_id), encode(published.signed))

    def all(self) -> list[tuple[Path, Signed]]:
        """What waits. Files that cannot be read are removed."""
        found = []
        for path in sorted(self._folder.glob("*@*"))[:MAX_OUTGOING] if self._folder.is_dir() else []:
            try:
                found.append((path, signed_decoder.decode(read_limited(path, MAX_FILE) or b"")))
            except WireError:
                remove(path)
        return found

    def done(self, path: Path, signed: Signed) -> None:
        """The server has it, or will not have it."""
        if read_limited(path, MAX_FILE) == encode(signed):  # not a newer one meanwhile
            remove(path)
