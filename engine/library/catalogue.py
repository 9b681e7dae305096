"""The catalogue: open models with ONNX exports that this engine can read, each fact with the page that shows it.

``resources/engine/catalogue.json`` comes with the program; a file ``catalogue.json`` in the data directory adds to it
or replaces entries by their id. What no page showed is left out and is "not pinned" until the first download.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Generic, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from engine.errors import ConfigurationError
from engine.inference.models.model_config import KvLayout
from engine.library.names import is_repository, problem_of

MAX_BYTES = 4 * 1024 * 1024
MAX_MODELS = 1000
Source = Annotated[str, Meta(pattern=r"\Ahttps://[^\s\x00-\x20]+\Z", max_length=500)]
_Name = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")]
_Text = Annotated[str, Meta(max_length=300)]
_Count = Annotated[int, Meta(ge=1, le=1 << 40)]
_T = TypeVar("_T")
Family = Literal["llama", "qwen2", "qwen3", "mistral", "gemma2", "gemma3_text", "phi3"]
"""``model_type`` of the families that are tested (docs/inference.md)."""


class Cited(Struct, Generic[_T], frozen=True, forbid_unknown_fields=True):
    """A fact and the public page that shows it."""

    value: _T
    source: Source


class Layout(Struct, frozen=True, forbid_unknown_fields=True):
    """Of the key-value cache, which decides what context costs."""

    layers: _Count
    kv_heads: _Count
    head_dim: _Count


class CatalogueFile(Struct, frozen=True, forbid_unknown_fields=True):
    """``size``: bytes as the page shows them, rounded to three digits."""

    name: _Text
    size: _Count


class CatalogueVariant(Struct, frozen=True, forbid_unknown_fields=True):
    """One graph with its weights; ``files`` begin with the graph."""

    name: _Text
    files: Annotated[tuple[CatalogueFile, ...], Meta(min_length=1, max_length=100)]
    source: Source

    @property
    def graph(self) -> str:
        """Path of the graph in the repository."""
        return self.files[0].name

    @property
    def size(self) -> int:
        """Bytes of graph and weights, rounded."""
        return sum(one.size for one in self.files)


class CatalogueModel(Struct, frozen=True, forbid_unknown_fields=True):
    """One model. Facts that no page showed are unset. ``context``: tokens as they can be used here, which is the
    original range where a model has two sets of rotary factors."""

    id: _Name
    repository: Cited[_Text]
    family: Cited[Family]
    parameters: Cited[_Text] | UnsetType = UNSET
    licence: Cited[_Text] | UnsetType = UNSET
    context: Cited[_Count] | UnsetType = UNSET
    layout: Cited[Layout] | UnsetType = UNSET
    variants: tuple[CatalogueVariant, ...] = ()
    hardware: Cited[_Text] | UnsetType = UNSET
    note: _Text = ""

    @property
    def kv(self) -> KvLayout | None:
        """Layout of the key-value cache, None if no page showed it."""
        if isinstance(self.layout, UnsetType):
            return None
        return KvLayout(self.layout.value.layers, self.layout.value.kv_heads, self.layout.value.head_dim)

    def variant(self, name: str) -> CatalogueVariant | None:
        """The variant ``name``."""
        return next((one for one in self.variants if one.name == name), None)


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    models: Annotated[tuple[CatalogueModel, ...], Meta(max_length=MAX_MODELS)]
    about: _Text = ""


def read_catalogue(data: bytes, origin: str) -> tuple[CatalogueModel, ...]:
    """Parse and check; :class:`ConfigurationError` names ``origin`` and what is wrong there."""
    try:
        if len(data) > MAX_BYTES:
            raise ConfigurationError(f"The catalogue {origin} is longer than {MAX_BYTES} bytes. Shorten it.")
        models = msgspec.json.decode(data, type=_File).models
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigurationError(
            f"The catalogue {origin} cannot be used: {error}. Correct it, or move it away."
        ) from error
    seen: set[str] = set()
    for model in models:
        problem = _problem(model, seen)
        if problem:
            raise ConfigurationError(f"The catalogue {origin} cannot be used: the model {model.id} {problem}.")
        seen.add(model.id.lower())
    return models


def _problem(model: CatalogueModel, seen: set[str]) -> str:
    if model.id.lower() in seen:
        return "stands there twice"
    if not is_repository(model.repository.value):
        return f"has the repository {model.repository.value[:100]!r}, which is not written as OWNER/NAME"
    names = [one.name for one in model.variants]
    if len(set(names)) != len(names):
        return "has two variants of the same name"
    for one in (file for variant in model.variants for file in variant.files):
        wrong = problem_of(one.name)
        if wrong:
            return f"has the file name {one.name[:100]!r}: {wrong}"
    if any(not one.graph.endswith(".onnx") for one in model.variants):
        return "has a variant whose first file is no .onnx file"
    return ""


def merged(first: Iterable[CatalogueModel], more: Iterable[CatalogueModel]) -> tuple[CatalogueModel, ...]:
    """Both, where an entry of ``more`` replaces one of the same id."""
    found = {model.id.lower(): model for model in first}
    found.update({model.id.lower(): model for model in more})
    return tuple(found.values())


def find(models: Iterable[CatalogueModel], name: str) -> CatalogueModel | None:
    """The entry with this id or repository, whatever the case of letters."""
    wanted = name.lower()
    return next((one for one in models if wanted in (one.id.lower(), one.repository.value.lower())), None)


def matching(models: Iterable[CatalogueModel], text: str) -> list[CatalogueModel]:
    """Entries that hold every word of ``text`` in id, repository, family, licence or note."""
    words = text.lower().split()
    found = []
    for model in models:
        licence = "" if isinstance(model.licence, UnsetType) else model.licence.value
        about = f"{model.id} {model.repository.value} {model.family.value} {licence} {model.note}".lower()
        if all(word in about for word in words):
            found.append(model)
    return found
