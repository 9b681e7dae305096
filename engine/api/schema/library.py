"""Models that could be on this machine: what is known of them, and downloading them."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from engine.api.schema.base import ControlEvent, ControlRequest, ModelName, Worded

Verdict = Literal["fits", "tight", "does_not_fit", "unknown"]
Terms = Annotated[str, Meta(pattern=r"\A([0-9a-f]{64})?\Z")]
"""Those of a ``LicenceText``; "": none."""


class LibraryModel(Struct, frozen=True, kw_only=True):
    """A model of the catalogue that is not on this machine, in the ``variant`` that suits it best ("" while its files
    are not known). ``size``: bytes to fetch; ``memory``: bytes that it needs; both 0 while not known, as are
    ``context``, in tokens, and ``tokens_per_s``, an estimate. ``page``: where the licence can be read. ``publisher``:
    the name that whoever published it takes for itself, with the ``fingerprint`` of its key, which nobody else has;
    both "" for a model of the catalogue. Nobody but its publisher has looked at one that is not ``reviewed``."""

    model: str
    variant: str = ""
    licence: str = ""
    page: str = ""
    context: int = 0
    size: int = 0
    memory: int = 0
    verdict: Verdict = "unknown"
    tokens_per_s: float = 0.0
    note: str = ""
    publisher: str = ""
    fingerprint: str = ""
    reviewed: bool = True


class LibraryRequest(ControlRequest, frozen=True, kw_only=True):
    """Base of requests about models that could be here. Each has one reply with its ``ref``."""

    ref: Annotated[str, Meta(max_length=64)] = ""


class ListLibrary(LibraryRequest, frozen=True, kw_only=True, tag="list_library"):
    """Answered by ``Library``. The first time a machine is measured for a second."""


class DownloadModel(LibraryRequest, frozen=True, kw_only=True, tag="download_model"):
    """Fetch a model of the catalogue, of a publisher, or a repository of the hub (OWNER/NAME); one whose download was
    stopped goes on where it was. Some go on at a time, the others wait in the order in which they were asked for; an
    engine that starts goes on with those that it had not ended. ``terms``: those of ``LicenceText``, which the owner
    has read and accepts; needed once, and again when the licence is another one: refused, or ended before anything is
    fetched, with the code "licence_needed". Answered by ``Accepted``; then come ``DownloadProgress`` and one
    ``DownloadEnded``. Refused before it begins with the code "disk_limit" where it would take more than the owner's
    limit for models leaves."""

    model: ModelName
    terms: Terms = ""


class StopDownload(LibraryRequest, frozen=True, kw_only=True, tag="stop_download"):
    """Stop a download; what has arrived is kept. Answered by ``Accepted``, also when none goes on."""

    model: ModelName


class DiscardDownload(LibraryRequest, frozen=True, kw_only=True, tag="discard_download"):
    """Stop a download, if it goes on, and delete what has arrived. Answered by ``Accepted``, also when there is
    nothing."""

    model: ModelName


class GetDiskUse(LibraryRequest, frozen=True, kw_only=True, tag="get_disk_use"):
    """Answered by ``DiskUse``."""


class ConfirmModel(LibraryRequest, frozen=True, kw_only=True, tag="confirm_model"):
    """The owner wants to ask a model that nobody but its publisher has looked at; once for each. Before, questions to
    it fail with the code "unreviewed_model". Answered by ``Accepted``."""

    model: ModelName


class ListPublishers(LibraryRequest, frozen=True, kw_only=True, tag="list_publishers"):
    """Answered by ``Publishers``."""


class TrustPublisher(LibraryRequest, frozen=True, kw_only=True, tag="trust_publisher"):
    """Serve this publisher's models from this machine, or (``on`` false) no more. Answered by ``Accepted``."""

    fingerprint: Annotated[str, Meta(min_length=32, max_length=32)]
    on: bool = True


AnyLibraryRequest = (
    ListLibrary
    | DownloadModel
    | StopDownload
    | DiscardDownload
    | GetDiskUse
    | ConfirmModel
    | ListPublishers
    | TrustPublisher
)


class DownloadProgress(ControlEvent, frozen=True, kw_only=True, tag="download_progress"):
    """How far a download is, in bytes; ``speed`` in bytes per second. Told to all clients, and to those that connect
    meanwhile."""

    model: str
    stage: Literal["checking", "downloading", "copying", "reading", "installing", "done"]
    done: int = 0
    total: int = 0
    speed: float = 0.0


class DownloadEnded(ControlEvent, Worded, frozen=True, kw_only=True, tag="download_ended"):
    """A download is over. ``code`` "": the model is on this machine; "stopped"; else why not, which ``text`` says for
    people: "hub_unreachable", "hub_gated" (its terms have to be accepted there first), "hub_not_found", "cut_off" (the
    connection broke off again and again), "wrong_content" (``text`` names the file), "disk_full" (how much is missing;
    what has arrived is kept), "disk_limit" (the owner's), "no_model" (what came cannot be used), "model_busy",
    "manifest_refused", "licence_needed" (it is another one than was accepted), "hub_failed", "storage_failed"."""

    model: str
    code: str = ""
    text: str = ""


class Library(ControlEvent, frozen=True, kw_only=True, tag="library"):
    """What could be downloaded, what fits best first, and the downloads that go on."""

    ref: str
    models: tuple[LibraryModel, ...]
    downloads: tuple[DownloadProgress, ...] = ()


class ModelUse(Struct, frozen=True, kw_only=True):
    """Bytes of one model on the disk: ``files`` installed, ``unfinished`` of downloads that did not end. ``linked``:
    its files lie elsewhere and count as nothing."""

    model: str
    files: int = 0
    unfinished: int = 0
    linked: bool = False


class DiskUse(ControlEvent, frozen=True, kw_only=True, tag="disk_use"):
    """What the models take of the disk, what takes most first, and how many bytes are ``free`` for more."""

    ref: str
    models: tuple[ModelUse, ...]
    total: int
    free: int


class PublisherState(Struct, frozen=True, kw_only=True):
    """Whoever has published ``models`` (ids): the ``name`` it takes for itself, and the ``fingerprint`` that nobody
    else has. ``trusted``: its models may be served from this machine."""

    fingerprint: str
    name: str
    models: tuple[str, ...] = ()
    trusted: bool = False


class Publishers(ControlEvent, frozen=True, kw_only=True, tag="publishers"):
    """Every publisher that is known here, and those that are trusted."""

    ref: str
    publishers: tuple[PublisherState, ...] = ()


AnyLibraryEvent = DownloadProgress | DownloadEnded | Library | DiskUse | Publishers

__all__ = [
    "AnyLibraryEvent",
    "AnyLibraryRequest",
    "ConfirmModel",
    "DiscardDownload",
    "DiskUse",
    "DownloadEnded",
    "DownloadModel",
    "DownloadProgress",
    "GetDiskUse",
    "Library",
    "LibraryModel",
    "LibraryRequest",
    "ListLibrary",
    "ListPublishers",
    "ModelUse",
    "PublisherState",
    "Publishers",
    "StopDownload",
    "TrustPublisher",
    "Verdict",
]
