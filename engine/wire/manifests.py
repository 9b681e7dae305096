"""Models that their own makers publish: manifests, withdrawals, and how servers show them (numbers 165 to 168).

Both records travel as ``engine.wire.records.Signed``. They are signed for no network (32 zero bytes in the place of its
id), as a publisher is the same everywhere. What makes them valid is ``engine.directory.manifests``'s to say.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from engine.wire.codec import Decoder, Key32, Message, Reason, ShortText, UInt8, UInt53
from engine.wire.records import Signed, Url

PublishedName = Annotated[str, Meta(min_length=1, max_length=64)]
MAX_FILES = 64
MAX_MANIFEST = 32_768
"""Bytes of one record."""
MAX_SHOWN = 64
"""Records in one page."""


class ManifestFile(Message, frozen=True, tag=165):
    """A file of a published model; ``name`` has forward slashes."""

    name: Annotated[str, Meta(min_length=1, max_length=240)]
    size: UInt53
    sha256: Key32


class ModelManifest(Message, frozen=True, tag=166):
    """A model as its publisher vouches for it; signed by ``publisher_key`` with purpose ``model-manifest``.

    Each of ``addresses`` has all files: ``hub:OWNER/NAME@COMMIT``, or a folder's address that ends with a slash.
    ``publisher`` is what the publisher calls itself; nobody checks that.
    """

    suite: UInt8
    publisher_key: Key32
    publisher: ShortText
    name: PublishedName
    version: UInt53
    created: UInt53  # seconds since 1970
    expires: UInt53
    digest: Key32  # of the model, as receipts name it
    tokenizer_digest: Key32
    context_length: Annotated[int, Meta(ge=1, le=100_000_000)]
    graph: Annotated[str, Meta(min_length=1, max_length=240)]  # which of the files is the graph
    files: Annotated[tuple[ManifestFile, ...], Meta(min_length=1, max_length=MAX_FILES)]
    addresses: Annotated[tuple[Url, ...], Meta(min_length=1, max_length=4)]
    licence: ShortText
    source: Url = ""  # a page about the model, with its licence
    note: Reason = ""


class ModelWithdrawal(Message, frozen=True, tag=167):
    """The publisher takes a model back: every version up to this one; signed with purpose ``model-withdrawal``."""

    suite: UInt8
    publisher_key: Key32
    publisher: ShortText
    name: PublishedName
    version: UInt53
    created: UInt53
    expires: UInt53
    reason: Reason = ""


class ManifestPage(Message, frozen=True, tag=168):
    """Records in the order in which a server took them: those after the number that was asked for, up to ``upto``;
    ``newest`` is the number of its newest one."""

    newest: UInt53
    upto: UInt53
    records: Annotated[tuple[Signed, ...], Meta(max_length=MAX_SHOWN)]


published_decoder: Decoder[ModelManifest | ModelWithdrawal] = Decoder(ModelManifest | ModelWithdrawal, MAX_MANIFEST)
MAX_PAGE = MAX_SHOWN * (MAX_MANIFEST + 256) + 256
manifest_page_decoder: Decoder[ManifestPage] = Decoder(ManifestPage, MAX_PAGE)
