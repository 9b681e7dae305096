"""Every model that is known here, for a page: what it is, where it is, whether it fits; importing, removing, searching.

Downloads themselves are in ``engine.api.schema.library``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from engine.api.schema.base import ControlEvent, ModelName, Worded
from engine.api.schema.library import DownloadProgress, LibraryRequest, Terms, Verdict

MOST_FILES = 500
"""Files that ``ModelDetails`` lists."""
FolderPath = Annotated[str, Meta(min_length=1, max_length=4096)]


class GetCatalogue(LibraryRequest, frozen=True, kw_only=True, tag="get_catalogue"):
    """Answered by ``Catalogue``. The first time a machine is measured for a second."""


class GetModelDetails(LibraryRequest, frozen=True, kw_only=True, tag="get_model_details"):
    """Answered by ``ModelDetails``."""

    model: ModelName


class GetLicence(LibraryRequest, frozen=True, kw_only=True, tag="get_licence"):
    """The text of a model's licence, to be read before its first use: of a ``folder`` that is to be imported as
    ``model``, or of a ``model``. Of one that is not here the hub, or an address of its publisher, is asked and thereby
    learns that. Answered by ``LicenceText``."""

    model: Annotated[str, Meta(max_length=200)] = ""
    folder: Annotated[str, Meta(max_length=4096)] = ""


class RemoveModel(LibraryRequest, frozen=True, kw_only=True, tag="remove_model"):
    """Delete a model from this machine with all that downloads of it have left, or one ``variant`` of it (with the last
    one, what lies here of the model). Answered by ``ModelRemoved``; refused with the codes "model_contributed" (this
    machine serves it to others, and ``stop`` does not say to end that first), "model_answers" (an answer of it is being
    made, or with ``stop`` any to the owner) and "model_stays" (it comes with the program). With ``stop`` answers to
    others go on at other machines, or are made first, as the owner's rules say; then another model is contributed, none
    where the settings name this one, or this one where another variant of it is left."""

    model: ModelName
    variant: Annotated[str, Meta(max_length=100)] = ""
    stop: bool = False


class ImportModel(LibraryRequest, frozen=True, kw_only=True, tag="import_model"):
    """Take the model in a ``folder`` of this machine under the ``name`` (the folder's own without one): a copy of its
    files (those of one ``variant``, the best one without it), or a ``link`` to the folder, which then has to stay where
    it is. Nothing of the folder is executed. Refused with the code "no_model", and a text that says exactly what is
    missing or that the folder holds more than a model, with "stopped" by ``StopImport``, or answered by ``Accepted``;
    then come ``ImportProgress`` and one ``ImportEnded``. ``ImportProgress`` comes before the answer, too. ``terms``:
    those of ``LicenceText`` that the owner has read and accepts now, which is remembered."""

    folder: FolderPath
    name: Annotated[str, Meta(max_length=100)] = ""
    variant: Annotated[str, Meta(max_length=100)] = ""
    link: bool = False
    terms: Terms = ""


class StopImport(LibraryRequest, frozen=True, kw_only=True, tag="stop_import"):
    """Stop an import; what was copied is deleted. Answered by ``Accepted``, also when none goes on."""

    model: ModelName


class SearchHub(LibraryRequest, frozen=True, kw_only=True, tag="search_hub"):
    """Ask the model hub, which thereby learns the words. Answered by ``HubResults``."""

    words: Annotated[str, Meta(min_length=1, max_length=200)]


AnyCatalogueRequest = GetCatalogue | GetModelDetails | GetLicence | RemoveModel | ImportModel | StopImport | SearchHub


class ModelFit(Struct, frozen=True, kw_only=True):
    """Whether a model fits this machine, with the numbers that say so; all in bytes, 0 while not known. ``memory`` of
    ``device`` is needed, ``memory_free`` of ``memory_total`` is there now; ``disk`` is still to be fetched, and
    downloads may take ``disk_free`` (what the disk and the owner's limit leave). ``tokens_per_s`` of one answer:
    "measured" on this machine, or "estimated" from the speed of its memory; "unknown": 0. ``context``: tokens of the
    answer that all this holds for."""

    verdict: Verdict = "unknown"
    device: Literal["processor", "gpu"] = "processor"
    memory: int = 0
    memory_free: int = 0
    memory_total: int = 0
    disk: int = 0
    disk_free: int = 0
    tokens_per_s: float = 0.0
    speed_known: Literal["measured", "estimated", "unknown"] = "unknown"
    context: int = 0


class CatalogueModel(Worded, frozen=True, kw_only=True):
    """One model. ``model`` is what requests call it; ``title`` is for people.

    ``source``: "program" (comes with it), "catalogue" (its facts were looked up), "hub" (found there by somebody),
    "publisher" or "folder" (imported). ``origin``: the repository of the hub, or the folder that is linked to.
    ``page``: where the licence can be read. ``publisher``, ``fingerprint``, ``reviewed``: as in ``LibraryModel``.

    ``state``: "here"; "broken" (here, but ``text`` says why it cannot be used); "importing"; of downloads "waiting"
    (others come first), "downloading", "paused" (by the owner, or because the disk is full: then ``code`` and ``text``
    say so) and "failed"; else "available". ``use``: "contributed" (this machine serves it to others), "loaded" (in
    memory), "" (neither). ``size``: bytes on the disk where it is here, else of the whole download; ``progress``: of a
    download or import that goes on. ``again``: the download can go on where it was, without its licence being asked
    for again. ``newer``: it is here, and its publisher has another version, which ``DownloadModel`` fetches; where that
    has the same files under another licence, the ``code`` is "licence_needed", and it is not used before.
    ``new_licence``: the licence of what ``DownloadModel`` would fetch, where it is another than was accepted.
    """

    model: str
    title: str
    source: Literal["program", "catalogue", "hub", "publisher", "folder"]
    state: Literal["here", "broken", "importing", "waiting", "downloading", "paused", "failed", "available"]
    use: Literal["", "loaded", "contributed"] = ""
    parameters: str = ""
    precision: str = ""
    variant: str = ""
    size: int = 0
    licence: str = ""
    page: str = ""
    origin: str = ""
    linked: bool = False
    publisher: str = ""
    fingerprint: str = ""
    reviewed: bool = True
    context: int = 0
    note: str = ""
    fit: ModelFit = ModelFit()
    progress: DownloadProgress | None = None
    done: int = 0  # bytes of a download that are here
    again: bool = False
    newer: bool = False
    new_licence: str | None = None
    code: str = ""
    text: str = ""


class Room(Struct, frozen=True, kw_only=True):
    """The disk, in bytes: what models take (``used``, with unfinished downloads), what the disk has ``free`` for more
    beside its reserve, and the owner's ``limit`` for all models (0: none); ``left``: what may still be taken."""

    used: int = 0
    free: int = 0
    limit: int = 0
    left: int = 0


class Catalogue(ControlEvent, frozen=True, kw_only=True, tag="catalogue"):
    """Every model that is known here: those on this machine first, then downloads in their order, then what fits
    best."""

    ref: str
    models: tuple[CatalogueModel, ...]
    room: Room = Room()


class CatalogueChanged(ControlEvent, frozen=True, kw_only=True, tag="catalogue_changed"):
    """``Catalogue`` would be another one now: models came or went, downloads began, waited or ended. Told to all
    clients, at most once a second; what ``DownloadProgress`` and ``ImportProgress`` say is no such change."""


class ModelFile(Struct, frozen=True, kw_only=True):
    """``sha256``: hex, "" where it is not known before the download."""

    name: str
    size: int
    sha256: str = ""


class ModelDetails(ControlEvent, Worded, frozen=True, kw_only=True, tag="model_details"):
    """All that is known of one model. ``digest``: of the model as it is served (hex, "" where it is not here);
    ``commit``: of the hub, or the publisher's version; ``variants`` on this machine, or those that could be fetched."""

    ref: str
    model: CatalogueModel
    digest: str = ""
    tokenizer_digest: str = ""
    folder: str = ""
    commit: str = ""
    variants: tuple[str, ...] = ()
    files: tuple[ModelFile, ...] = ()


class LicenceText(ControlEvent, frozen=True, kw_only=True, tag="licence_text"):
    """``name`` of the file, "" where the model has none. ``text``: as whoever made the model has written it, without
    control characters; "" where the file has more than 65,536 bytes. ``terms``: of all that is agreed to, for
    ``DownloadModel`` or ``ImportModel``; the ``licence`` by its name is "" for folders. ``accepted``: of a folder, the
    owner has accepted the same for that model before."""

    ref: str
    licence: str = ""
    name: str = ""
    text: str = ""
    terms: str = ""
    accepted: bool = False


class ModelRemoved(ControlEvent, frozen=True, kw_only=True, tag="model_removed"):
    """``variant``: as in ``RemoveModel``; ``freed``: bytes of the disk."""

    ref: str
    model: str
    variant: str = ""
    freed: int


class HubModel(Struct, frozen=True, kw_only=True):
    """What a search of the hub found; ``DownloadModel`` takes ``model``. ``gated``: only for accounts that have
    accepted its terms. Every text is that of whoever runs the repository."""

    model: str
    licence: str = ""
    page: str = ""
    downloads: int = 0
    gated: bool = False


class HubResults(ControlEvent, frozen=True, kw_only=True, tag="hub_results"):
    """Models with ONNX files whose names have the words, most downloaded first."""

    ref: str
    models: tuple[HubModel, ...]


class ImportProgress(ControlEvent, frozen=True, kw_only=True, tag="import_progress"):
    """How far an import is, in bytes. ``looked``: files that were seen while it is checked whether the folder is a
    model's. Told to all clients, and to those that connect meanwhile."""

    model: str
    stage: Literal["checking", "downloading", "copying", "reading", "installing", "done"]
    done: int = 0
    total: int = 0
    looked: int = 0


class ImportEnded(ControlEvent, Worded, frozen=True, kw_only=True, tag="import_ended"):
    """An import is over. ``code`` "": the model is on this machine; "stopped"; else why not, which ``text`` says."""

    model: str
    code: str = ""
    text: str = ""


AnyCatalogueEvent = (
    Catalogue | CatalogueChanged | ModelDetails | LicenceText | ModelRemoved | HubResults | ImportProgress | ImportEnded
)

__all__ = [
    "MOST_FILES",
    "AnyCatalogueEvent",
    "AnyCatalogueRequest",
    "Catalogue",
    "CatalogueChanged",
    "CatalogueModel",
    "FolderPath",
    "GetCatalogue",
    "GetLicence",
    "GetModelDetails",
    "HubModel",
    "HubResults",
    "ImportEnded",
    "ImportModel",
    "ImportProgress",
    "LicenceText",
    "ModelDetails",
    "ModelFile",
    "ModelFit",
    "ModelRemoved",
    "RemoveModel",
    "Room",
    "SearchHub",
    "StopImport",
]
