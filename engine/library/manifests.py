"""What a manifest may name, and making one of a folder's files. Whoever published it chose the names, sizes and
addresses, so they are checked like a peer's."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from engine.directory.manifests import Published
from engine.errors import ConfigurationError, ManifestError
from engine.ids import is_published_name
from engine.inference.models.files import MAX_JSON
from engine.inference.models.variants import belongs
from engine.library.names import is_needed_kind, is_repository, problem_of
from engine.library.selection import MAX_FILE
from engine.sentences import say
from engine.wire import SUITE_ED25519
from engine.wire.manifests import MAX_FILES, ManifestFile, ModelManifest

_HUB = re.compile(r"hub:(?P<repository>[A-Za-z0-9][A-Za-z0-9._/-]{0,191})@(?P<commit>[0-9a-f]{40})\Z")
_SMALL = (".json", ".jinja", ".txt", ".model")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Address:
    """Where all files of a model lie: in a hub's ``repository`` at a ``commit``, or below ``url``."""

    text: str
    repository: str = ""
    commit: str = ""
    url: str = ""

    def of(self, name: str) -> str:
        """The address of a file below ``url``."""
        return self.url + quote(name)


def parse_address(text: str) -> Address:
    """``hub:OWNER/NAME@COMMIT``, or the address of a folder; ``ValueError`` with the reason.

    ``http`` passes for addresses of this machine and of local networks alone, which are asked only where the owner
    allows it (``engine.library.sources``).
    """
    match = _HUB.match(text)
    if match:
        if not is_repository(match["repository"]):
            raise ValueError("it names no repository of a hub")
        return Address(text, match["repository"], match["commit"])
    if text.startswith("hub:"):
        raise ValueError("an address on a hub is written hub:OWNER/NAME@COMMIT, the commit with all its 40 digits")
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("it has characters that no address has")
    try:
        parts = urlsplit(text)
        fine = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        raise ValueError("it is no address") from None
    if not fine or parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ValueError("it has no host, or has a name, a password, a question or a fragment")
    if not text.endswith("/"):
        raise ValueError("the address of a folder ends with a slash")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_local(parts.hostname or "")):
        raise ValueError("it is not encrypted; only https is")
    return Address(text, url=text)


def is_local(host: str) -> bool:
    """Whether a host is written as an address that is not one of the public internet; names other than localhost are
    looked up when they are asked."""
    if host.rstrip(".").lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    meant = _meant(address)
    return not meant.is_global or meant.is_multicast


def _meant(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The address that a packet ends up at: IPv6 has several ways to write one of IPv4."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


def check_manifest(published: Published) -> ModelManifest:
    """The manifest, if its files and addresses may be used here; :class:`ManifestError` says why not."""
    manifest = published.manifest
    model = published.record.name
    if manifest is None:
        raise ManifestError(withdrawn(published))
    seen: set[str] = set()
    for file in manifest.files:
        problem = _file_problem(file)
        if problem:
            raise ManifestError(say("manifest.file", model=model, file=_shown(file.name), problem=problem))
        if file.name.lower() in seen:  # one file on Windows and macOS
            raise ManifestError(say("manifest.twice", model=model, file=file.name))
        seen.add(file.name.lower())
    _check_folders(manifest, seen)
    if not manifest.graph.endswith(".onnx") or all(file.name != manifest.graph for file in manifest.files):
        raise ManifestError(say("manifest.graph", model=model))
    for text in manifest.addresses:
        try:
            parse_address(text)
        except ValueError as error:
            raise ManifestError(
                say("manifest.address", model=model, address=_shown(text), problem=str(error))
            ) from error
    if manifest.source and not _is_page(manifest.source):
        problem = "it is no https address of a page"
        raise ManifestError(say("manifest.address", model=model, address=_shown(manifest.source), problem=problem))
    return manifest


def withdrawn(published: Published) -> str:
    """What is said of a model that its publisher has withdrawn."""
    record = published.record
    return say("manifest.withdrawn", publisher=record.publisher, model=record.name, when=record.created)


def total_size(manifest: ModelManifest) -> int:
    """Bytes of all files."""
    return sum(one.size for one in manifest.files)


def weights_size(manifest: ModelManifest) -> int:
    """Bytes of the graph and its weights."""
    return sum(one.size for one in manifest.files if one.name == manifest.graph or belongs(manifest.graph, one.name))


def make_manifest(
    *,
    public_key: bytes,
    publisher: str,
    name: str,
    version: int,
    now: float,
    days: int,
    digests: tuple[bytes, bytes],
    context_length: int,
    graph: str,
    files: Sequence[ManifestFile],
    addresses: Sequence[str],
    licence: str,
    source: str = "",
    note: str = "",
) -> ModelManifest:
    """A manifest of these files; ``digests`` of the model and of its tokenizer. :class:`ConfigurationError` for what no
    reader would take."""
    check_said(name=name, publisher=publisher, licence=licence, source=source, note=note, addresses=addresses)
    if len(files) > MAX_FILES:
        raise ConfigurationError(f"The model has {len(files)} files, and a manifest names at most {MAX_FILES}.")
    return ModelManifest(
        suite=SUITE_ED25519,
        publisher_key=public_key,
        publisher=publisher,
        name=name,
        version=version,
        created=int(now),
        expires=int(now) + days * DAY_SECONDS,
        digest=digests[0],
        tokenizer_digest=digests[1],
        context_length=context_length,
        graph=graph,
        files=tuple(sorted(files, key=lambda one: one.name)),
        addresses=tuple(addresses),
        licence=licence,
        source=source,
        note=note,
    )


def check_said(
    *, name: str, publisher: str, licence: str, source: str, note: str, addresses: Sequence[str] = ()
) -> None:
    """What a publisher says of a model; :class:`ConfigurationError` for what no reader would take."""
    if not is_published_name(name):
        raise ConfigurationError(
            f"A model cannot be published as {name[:100]!r}: small letters, digits and . _ - only, at most 64, a "
            "letter or digit first and last. Choose another name with --name."
        )
    check_line("--publisher", publisher, 100)
    check_line("--licence", licence, 100)
    check_line("--source", source, 300)
    check_line("--note", note, 300)
    if not publisher.strip() or not licence.strip():
        raise ConfigurationError("A publisher has a name (--publisher), and a model a licence (--licence).")
    if source and not _is_page(source):
        raise ConfigurationError(f"--source is the https address of a page about the model, not {source[:100]!r}.")
    for text in addresses:
        try:
            parse_address(text)
        except ValueError as error:
            raise ConfigurationError(f"The address {text[:200]!r} cannot stand in a manifest: {error}.") from error


def check_line(option: str, text: str, most: int) -> None:
    """:class:`ConfigurationError` for what is no line of ``most`` characters that everybody can see."""
    hidden = next((one for one in text if not one.isprintable()), "")
    if hidden:
        called = " ".join(filter(None, (f"U+{ord(hidden):04X}", unicodedata.name(hidden, ""))))
        raise ConfigurationError(
            f"{option} is one line of at most {most} characters that can be seen; character {text.index(hidden) + 1} "
            f"of what was given, {called}, cannot."
        )
    if len(text) > most:
        raise ConfigurationError(f"{option} is one line of at most {most} characters, and {len(text)} were given.")


def _is_page(text: str) -> bool:
    """Whether a browser may be sent there."""
    try:
        parts = urlsplit(text)
        fine = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    return fine and parts.scheme == "https" and parts.username is None and text.isprintable() and " " not in text


def _file_problem(file: ManifestFile) -> str:
    problem = problem_of(file.name)
    if not problem and not is_needed_kind(file.name):
        problem = "it is not of a kind that a model needs"
    limit = MAX_JSON if file.name.endswith(_SMALL) else MAX_FILE
    if not problem and file.size > limit:
        problem = f"its size of {file.size} bytes is more than the {limit} that are taken"
    return problem


def _check_folders(manifest: ModelManifest, names: set[str]) -> None:
    """No file is also the folder of another one."""
    for name in names:
        parts = name.split("/")
        for end in range(1, len(parts)):
            if "/".join(parts[:end]) in names:
                raise ManifestError(say("manifest.twice", model=manifest.name, file="/".join(parts[:end])))


def _shown(text: str) -> str:
    return "".join(one if one.isprintable() else "?" for one in text[:200])
