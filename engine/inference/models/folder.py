"""A model folder as repositories on the hub lay it out: what it must hold, and the identity of what it holds."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

from engine.errors import ModelFolderError
from engine.inference.models.files import checked_file, nearest, read_json
from engine.inference.models.graph_file import GraphOutline, read_outline
from engine.inference.models.model_config import KvLayout, ModelConfig, read_model_config
from engine.inference.models.variants import Precision, Variant, choose, precision, unusable, variants
from engine.sentences import say

TOKENIZER_FILES = (
    "added_tokens.json",
    "chat_template.jinja",
    "chat_template.json",
    "merges.txt",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "vocab.json",
)
TEMPLATES = "additional_chat_templates"
CACHE = "past_key_values."

FileDigest = Callable[[Path], bytes]

__all__ = ["KvLayout", "ModelFolder", "Precision", "Variant", "read_model_folder", "sha256_file", "variants"]


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A folder that was read and found complete. Digests are SHA-256 over sorted names and file digests."""

    model_id: str
    path: Path
    graph: Path
    digest: bytes  # 32 bytes: everything that decides the answers
    tokenizer_digest: bytes  # 32 bytes: tokenizer and chat template
    context_length: int
    end_ids: frozenset[int]
    kv: KvLayout
    vocabulary: int
    tokenizer_path: Path  # the folder with tokenizer.json and the chat template: `path` or the variant's own folder
    variant: str
    precision: Precision
    family: str  # model_type
    size: int  # bytes of the graph and its weights
    exact_rows: bool  # a row of a batch, or a chunk of a prompt, gives the same numbers whatever is beside it
    files: tuple[Path, ...]  # all that decides the answers


def read_model_folder(
    model_id: str,
    path: Path,
    file_digest: FileDigest | None = None,
    *,
    variant: str = "",
    provider: str = "cpu",
    memory: int | None = None,
) -> ModelFolder:
    """Read and check a folder; raises :class:`ModelFolderError` naming the file and the fix.

    ``variant``: which of several graphs (see :func:`variants`); "" takes the best for ``provider`` ("cpu" or "cuda")
    within ``memory`` bytes. Nothing of the folder is executed.
    """
    digest_of = file_digest or sha256_file
    if not path.is_dir():
        raise ModelFolderError(say("folder.gone", path=str(path)))
    chosen = choose(path, variant, provider, memory)
    config = read_model_config(path, chosen.graph.parent)
    tokenizer_path, tokenizer_files = _tokenizer(path, chosen.graph.parent)
    checked_file(path, chosen.graph)
    outline = read_outline(chosen.graph)
    problem = unusable(chosen.graph, outline)
    if problem:
        raise ModelFolderError(problem)
    _check_outline(chosen.graph, outline, config)
    graph_files = [chosen.graph, *_external(path, chosen.graph, outline)]
    files = [*tokenizer_files, *config.files, *graph_files]
    kind = precision(outline)
    return ModelFolder(
        model_id=model_id,
        path=path,
        graph=chosen.graph,
        digest=_digest(path, files, digest_of),
        tokenizer_digest=_digest(path, tokenizer_files, digest_of),
        context_length=config.context_length,
        end_ids=config.end_ids,
        kv=config.kv,
        vocabulary=config.vocabulary,
        tokenizer_path=tokenizer_path,
        variant=chosen.name,
        precision=kind,
        family=config.family,
        size=sum(one.stat().st_size for one in graph_files),
        exact_rows=kind != "dynamic-int8",
        files=tuple(sorted(files)),
    )


def sha256_file(path: Path) -> bytes:
    """SHA-256 of a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()


def _digest(root: Path, files: Iterable[Path], digest_of: FileDigest) -> bytes:
    """SHA-256 over (length of name u16, name, digest of the file) for every name in sorted order."""
    total = hashlib.sha256()
    for name in sorted(one.relative_to(root).as_posix() for one in files):
        try:
            content = digest_of(root / name)
            encoded = name.encode()
        except OSError as error:
            raise ModelFolderError(
                say("folder.unreadable", path=str(root / name), reason=error.strerror or type(error).__name__)
            ) from error
        except UnicodeEncodeError as error:
            raise ModelFolderError(say("folder.no_utf8", path=repr(str(root / name)))) from error
        total.update(len(encoded).to_bytes(2, "big") + encoded + content)
    return total.digest()


def _tokenizer(root: Path, start: Path) -> tuple[Path, list[Path]]:
    """The folder of the tokenizer and its files, the closest to the graph first."""
    place = nearest(root, start, "tokenizer.json")
    if place is None:
        only = nearest(root, start, "tokenizer.model")
        path = str(root / "tokenizer.json")
        if only is not None:
            raise ModelFolderError(say("folder.other_tokenizer", path=path, only=str(only)))
        raise ModelFolderError(say("folder.no_tokenizer", path=path))
    folder = place.parent
    checked_file(root, place)
    read_json(root, folder / "tokenizer_config.json")
    found = [folder / name for name in TOKENIZER_FILES if (folder / name).is_file()]
    found += sorted((folder / TEMPLATES).glob("*.jinja")) if (folder / TEMPLATES).is_dir() else []
    for one in found:
        if one.stat().st_size or one.suffix == ".json":  # merges.txt of a tokenizer without merges is empty
            checked_file(root, one)
    return folder, found


def _external(root: Path, graph: Path, outline: GraphOutline) -> list[Path]:
    """The files that the graph's weights lie in, each long enough; the graph itself names them."""
    found = []
    for location, needed in sorted(outline.external.items()):
        place, other = Path(location), PureWindowsPath(location)
        if place.is_absolute() or other.drive or other.root or ".." in other.parts or ".." in place.parts:
            raise ModelFolderError(say("folder.outside", path=str(graph), place=repr(location)))
        path = checked_file(root, graph.parent / place)
        if path.resolve() == graph.resolve():
            raise ModelFolderError(say("folder.itself", path=str(graph)))
        size = path.stat().st_size
        if size < needed:
            raise ModelFolderError(say("folder.too_short", path=str(path), size=size, graph=graph.name, needed=needed))
        found.append(path)
    return found


def _check_outline(graph: Path, outline: GraphOutline, config: ModelConfig) -> None:
    """What the graph and the configuration both say must be the same."""
    main = config.files[0]
    layers = {name.removeprefix(CACHE).partition(".")[0] for name in outline.inputs if name.startswith(CACHE)}
    if len(layers) != config.kv.layers:
        raise ModelFolderError(
            say("folder.layers_differ", path=str(graph), layers=len(layers), main=str(main), expected=config.kv.layers)
        )
    # Later layers may differ from the first, whose numbers are those of the configuration.
    for name in (f"{CACHE}0.key", f"{CACHE}0.value"):
        _, shape = outline.inputs.get(name, (0, ()))
        wanted = (config.kv.kv_heads, config.kv.head_dim)
        numbers = shape[1::2] if len(shape) == 4 else ()
        if len(numbers) != 2 or any(isinstance(a, int) and a != b for a, b in zip(numbers, wanted, strict=True)):
            raise ModelFolderError(
                say(
                    "folder.shapes_differ",
                    path=str(graph),
                    name=name,
                    shape=str(shape),
                    main=str(main),
                    heads=wanted[0],
                    numbers=wanted[1],
                )
            )
    _, shape = outline.outputs["logits"]
    if shape and isinstance(shape[-1], int) and shape[-1] != config.vocabulary:
        raise ModelFolderError(
            say("folder.logits_differ", path=str(graph), tokens=shape[-1], main=str(main), expected=config.vocabulary)
        )
