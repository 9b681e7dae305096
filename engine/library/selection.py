"""Which files of a repository make up one variant of its model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from engine.errors import ContentError, HubError
from engine.inference.models.files import MAX_JSON
from engine.inference.models.folder import TEMPLATES, TOKENIZER_FILES
from engine.inference.models.variants import MAX_GRAPHS, Variant, belongs, foreseen, preferred
from engine.library.names import MAX_LICENCE, is_needed_kind, licence_among, problem_of

MAX_FILE = 1 << 40
"""Bytes of one file."""
CONFIGURATION = ("config.json", "genai_config.json", "generation_config.json", *TOKENIZER_FILES)


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file as the hub lists it. ``sha256`` of its content where it is stored as a large file, else ``git_id`` (SHA-1
    of git's blob); both are lower-case hex, "" if the hub does not say."""

    name: str
    size: int
    sha256: str = ""
    git_id: str = ""

    @property
    def identity(self) -> str:
        """What the hub calls the content: equal for equal content."""
        return self.sha256 or self.git_id


@dataclass(frozen=True, slots=True)
class Repository:
    """What a hub says of a model's repository at one commit."""

    name: str
    commit: str
    files: tuple[HubFile, ...]
    licence: str = ""


@dataclass(frozen=True, slots=True)
class Selection:
    """``graph``: path of the variant's graph in the repository. ``files``: all that is needed, the graph included."""

    variant: str
    graph: str
    files: tuple[HubFile, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(one.size for one in self.files)


def offered(repository: Repository) -> list[Variant]:
    """The variants by the names of the files alone; those made for other hardware included. :class:`HubError` for more
    graphs than any model has."""
    graphs = sum(one.name.endswith(".onnx") for one in repository.files)
    if graphs > MAX_GRAPHS:
        raise HubError(
            f"{repository.name} has {graphs} ONNX files. It is not the repository of one model: choose another."
        )
    return foreseen({one.name: one.size for one in repository.files})


def select(repository: Repository, variant: str = "", *, known: str = "") -> Selection:
    """The files of ``variant``, or of the one that a processor would take.

    ``known``: the graph that the catalogue names for this variant. :class:`HubError` if there is no such variant,
    :class:`ContentError` if a file that is needed has a name or size that is not accepted.
    """
    found = offered(repository)
    if not found:
        raise HubError(
            f"{repository.name} holds no ONNX model for text ({len(repository.files)} files). Choose a repository with "
            "an ONNX export, for instance with: gentorrent models search --hub TEXT"
        )
    if variant:
        chosen = next((one for one in found if known and one.graph.as_posix() == known), None)
        chosen = chosen or next((one for one in found if one.name == variant), None)
        if chosen is None:
            raise HubError(
                f"{repository.name} has no variant {variant[:100]!r}. It has: {', '.join(one.name for one in found)}."
            )
    else:
        chosen = preferred(found)
    graph = chosen.graph.as_posix()
    needed = tuple(_checked(repository, one) for one in _needed(repository, graph))
    licence = licence_file(repository)
    return Selection(chosen.name, graph, (*needed, licence) if licence is not None else needed)


def licence_file(repository: Repository) -> HubFile | None:
    """The text of its licence, which comes with the model and can be shown before; None: none of a usual size."""
    name = licence_among(one.name for one in repository.files)
    return next((one for one in repository.files if one.name == name and 0 < one.size <= MAX_LICENCE), None)


def also(repository: Repository, selection: Selection, names: Iterable[str]) -> Selection:
    """``selection`` with further files of the graph's folder that the graph itself names."""
    folder = PurePosixPath(selection.graph).parent
    by_name = {one.name: one for one in repository.files}
    have = {one.name for one in selection.files}
    wanted = [(folder / name).as_posix() for name in sorted(names)]
    more = [_checked(repository, by_name[name]) for name in wanted if name in by_name and name not in have]
    return Selection(selection.variant, selection.graph, (*selection.files, *more))


def _needed(repository: Repository, graph: str) -> list[HubFile]:
    """The graph, its weights, and what lies beside it or above it for tokenizer and configuration."""
    above = {parent.as_posix() for parent in PurePosixPath(graph).parents}
    found = []
    for one in repository.files:
        path = PurePosixPath(one.name)
        place = path.parent.as_posix()
        template = path.parent.name == TEMPLATES and path.suffix == ".jinja" and path.parent.parent.as_posix() in above
        if belongs(graph, one.name) or (place in above and path.name in CONFIGURATION) or template:
            found.append(one)
    return found


def _checked(repository: Repository, one: HubFile) -> HubFile:
    problem = problem_of(one.name)
    if not problem and not is_needed_kind(one.name):
        problem = "it is not of a kind that a model needs"
    limit = MAX_JSON if one.name.endswith((".json", ".jinja", ".txt", ".model")) else MAX_FILE
    if not problem and not 0 <= one.size <= limit:
        problem = f"its size of {one.size} bytes is not accepted"
    if problem:
        raise ContentError(
            f"The file {one.name[:200]!r} of {repository.name} is not downloaded: {problem}. The repository is damaged "
            "or hostile: choose another one."
        )
    return one
