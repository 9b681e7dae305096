"""Models to judge: those on this machine with what their files say, those of the catalogue with what pages showed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from msgspec import UnsetType

from engine.errors import GenTorrentError
from engine.inference.models.folder import read_model_folder
from engine.inference.models.model_config import KvLayout
from engine.inference.models.variants import Variant, foreseen, variants
from engine.library.catalogue import CatalogueModel, find
from engine.library.folders import ModelsFolder


@dataclass(frozen=True, slots=True)
class Candidate:
    """``context``: tokens at most, 0 if not known. ``variants`` is empty where no page showed the files."""

    name: str
    variants: tuple[Variant, ...]
    kv: KvLayout | None
    context: int


def candidates(known: Iterable[CatalogueModel], models: ModelsFolder, name: str = "") -> list[Candidate]:
    """All, or the one called ``name``; what is installed comes first and stands for its entry of the catalogue."""
    found = {}
    entries = list(known)
    wanted = find(entries, name) if name else None
    names = {name, wanted.id if wanted else name}
    for installed, folder in models.catalogue().folders().items():
        if not name or installed in names:
            one = _installed(installed, folder)
            if one is not None:
                found[installed] = one
    for entry in entries:
        if (not name or entry is wanted) and entry.id not in found:
            found[entry.id] = _of_catalogue(entry)
    return list(found.values())


def foreseen_variants(entry: CatalogueModel) -> list[Variant]:
    """The variants of an entry, with its names for them."""
    by_graph = {one.graph: one.name for one in entry.variants}
    sizes = {file.name: file.size for one in entry.variants for file in one.files}
    return [
        Variant(by_graph[one.graph.as_posix()], one.graph, one.precision, one.size, one.provider, one.accuracy_level)
        for one in foreseen(sizes)
    ]


def _of_catalogue(entry: CatalogueModel) -> Candidate:
    context = 0 if isinstance(entry.context, UnsetType) else entry.context.value
    return Candidate(entry.id, tuple(foreseen_variants(entry)), entry.kv, context)


def _installed(name: str, folder: Path) -> Candidate | None:
    """None for a folder that cannot be read: ``models list`` says why."""
    try:
        model = read_model_folder(name, folder, lambda _: b"")  # digests are not asked for
        return Candidate(name, tuple(variants(folder)), model.kv, model.context_length)
    except (GenTorrentError, OSError, UnicodeError):
        return None
