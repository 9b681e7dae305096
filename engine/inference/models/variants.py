"""The variants of a model in one repository: what each is, which can be used, which is taken.

Repositories in the style of transformers.js keep them side by side (``onnx/model_q4.onnx``), those of the builder of
onnxruntime-genai in folders (``cpu_and_mobile/cpu-int4-rtn-block-32-acc-level-4/``). Nothing here loads a model.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.errors import ModelFolderError
from engine.inference.models.graph_file import BFLOAT16, FLOAT, FLOAT16, GraphOutline, read_outline
from engine.sentences import said_by, say

Precision = Literal["fp32", "fp16", "bf16", "int8", "int4", "int4-fp16", "nf4", "dynamic-int8"]
"""``int4-fp16``: weights of 4 bits, numbers between of 16. ``nf4``: 4 bits as bitsandbytes has them, slow here.
``dynamic-int8``: the numbers between are rounded too, by a scale for the whole tensor."""

MAX_GRAPHS = 200
MAX_DEPTH = 4
_PARTS = ("vision_encoder", "audio_encoder", "embed_tokens", "speech", "vision", "embedding", "encoder_model")
_SPLIT = ("decoder_model.onnx", "decoder_with_past_model.onnx")
_NAMES = {"": "fp32", "_quantized": "q8"}
_DYNAMIC = {"DynamicQuantizeLinear", "DynamicQuantizeMatMul", "MatMulIntegerToFloat"}
_RANKS: dict[str, tuple[Precision, ...]] = {
    "cpu": ("int4", "int8", "fp32", "int4-fp16", "fp16", "bf16", "nf4", "dynamic-int8"),
    "cuda": ("fp16", "bf16", "int4-fp16", "int4", "int8", "fp32", "nf4", "dynamic-int8"),
}
_SAFE = 1.1
"""Memory beside the weights that loading takes, as a factor."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One graph. ``size`` in bytes, weights in other files included. ``provider``: "cpu", "cuda", another name or ""
    (any). ``accuracy_level``: of the products with block-quantised weights (4 is the fast one). ``problem``: why it
    cannot be used, "" if it can."""

    name: str
    graph: Path
    precision: Precision
    size: int
    provider: str = ""
    accuracy_level: int = 0
    problem: str = ""


def variants(root: Path) -> list[Variant]:
    """Every variant below ``root``, in the order of their names; damaged and unusable ones say so."""
    graphs = _graphs(root)
    named = _named(root, _whole(graphs))
    return [_variant(root, name, path) for name, path in sorted(named.items())]


def choose(root: Path, name: str = "", provider: str = "cpu", memory: int | None = None) -> Variant:
    """The variant ``name``, or the best one for the provider ("cpu" or "cuda") that fits into ``memory`` bytes.

    On a processor weights of few bits are read fastest, on a GPU half precision is exact and fast. Variants made for
    another provider, and those with rounding over whole tensors, come last. Raises :class:`ModelFolderError`.
    """
    found = variants(root)
    if not found:
        raise ModelFolderError(_nothing(root))
    if name:
        chosen = next((one for one in found if one.name == name), None)
        if chosen is None:
            raise ModelFolderError(
                say("folder.no_variant", path=str(root), name=repr(name), names=", ".join(one.name for one in found))
            )
        if chosen.problem:
            raise ModelFolderError(chosen.problem)
        return chosen
    usable = [one for one in found if not one.problem]
    if not usable:
        raise ModelFolderError(found[0].problem)
    return preferred(usable, provider, memory)


def preferred(usable: Sequence[Variant], provider: str = "cpu", memory: int | None = None) -> Variant:
    """The best of these for the provider ("cpu" or "cuda") that fits into ``memory`` bytes."""
    rank = _RANKS.get(provider, _RANKS["cpu"])

    def place(one: Variant) -> tuple[bool, bool, bool, int, int, str]:
        dynamic = one.precision == "dynamic-int8"
        too_large = memory is not None and one.size * _SAFE > memory
        return (
            dynamic,
            one.provider not in ("", provider),
            too_large,
            rank.index(one.precision),
            -one.accuracy_level,
            one.name,
        )

    return min(usable, key=place)


def foreseen(files: Mapping[str, int]) -> list[Variant]:
    """The variants of a repository by the names and sizes of its files alone, before anything is there to read.

    ``files``: path in the repository to bytes. What a variant really is, its graph says (:func:`variants`).
    """
    root = Path()
    paths = [Path(name) for name in sorted(files) if name.endswith(".onnx") and name.count("/") <= MAX_DEPTH]
    return [
        Variant(
            name,
            path,
            _from_name(path.as_posix()),
            sum(size for other, size in files.items() if belongs(path.as_posix(), other)),
            _provider(path),
            4 if "acc-level-4" in path.as_posix() else 0,
        )
        for name, path in sorted(_named(root, _whole(paths)).items())
    ]


def belongs(graph: str, other: str) -> bool:
    """Whether the file ``other`` is the graph or, by its name, its weights (``model.onnx_data``, ``.data``)."""
    return other == graph or other.startswith((f"{graph}_data", f"{graph}.data"))


def unusable(graph: Path, outline: GraphOutline) -> str:
    """Why the engine cannot run this graph, or ""."""
    inputs, path = outline.inputs, str(graph)
    if "encoder_hidden_states" in inputs:
        return say("folder.decoder_part", path=path)
    if "inputs_embeds" in inputs or "pixel_values" in inputs:
        return say("folder.embeddings", path=path)
    if "use_cache_branch" in inputs:
        return say("folder.merged", path=path)
    if "logits" not in outline.outputs:
        return say("folder.no_logits", path=path)
    if "past_key_values.0.key" not in inputs or "present.0.key" not in outline.outputs:
        return say("folder.no_cache", path=path)
    if inputs["past_key_values.0.key"][0] not in (FLOAT, FLOAT16):
        return say("folder.cache_format", path=path)
    return ""


def precision(outline: GraphOutline) -> Precision:
    """What the weights are, from the graph itself."""
    if outline.operators & _DYNAMIC:
        return "dynamic-int8"
    element = outline.inputs.get("past_key_values.0.key", (FLOAT, ()))[0]
    if "MatMulBnb4" in outline.operators:
        return "nf4"
    if outline.bits:
        if outline.bits > 4:
            return "int8"
        return "int4" if element == FLOAT else "int4-fp16"
    return "fp32" if element == FLOAT else "bf16" if element == BFLOAT16 else "fp16"


def _variant(root: Path, name: str, path: Path) -> Variant:
    kind = _from_name(path.relative_to(root).as_posix())
    problem, level = "", 0
    try:
        outline = read_outline(path)
    except ModelFolderError as error:
        problem = say("folder.pointer", path=str(path)) if _is_pointer(path) else said_by(error)
    else:
        problem = unusable(path, outline)
        kind, level = precision(outline), outline.accuracy_level
    if name == "fp32" and kind != "fp32":
        name = "model"  # the only graph of a folder, whatever its weights
    return Variant(name, path, kind, _size(path), _provider(path.relative_to(root)), level, problem)


def _graphs(root: Path) -> list[Path]:
    """Every .onnx file, hidden folders and deeper ones left out."""
    found: list[Path] = []
    waiting = [(root, 0)]
    while waiting:
        folder, depth = waiting.pop()
        try:
            inside = sorted(folder.iterdir())
        except OSError as error:
            raise ModelFolderError(
                say("folder.unlisted", path=str(folder), reason=error.strerror or type(error).__name__)
            ) from error
        for path in inside:
            if path.name.startswith("."):
                continue
            if path.name.endswith(".onnx") and path.is_file():
                found.append(path)
            elif depth < MAX_DEPTH and path.is_dir() and not path.is_symlink():
                waiting.append((path, depth + 1))
        if len(found) > MAX_GRAPHS:
            raise ModelFolderError(say("folder.too_many_graphs", path=str(root), most=MAX_GRAPHS))
    return sorted(found)


def _whole(graphs: Sequence[Path]) -> list[Path]:
    """Those that are not parts of a model."""
    return [one for one in graphs if not one.name.startswith(_PARTS) and one.name not in _SPLIT]


def _named(root: Path, graphs: Sequence[Path]) -> dict[str, Path]:
    """Short names, with as much of the folder as makes them differ."""
    short: dict[str, list[Path]] = {}
    for path in graphs:
        short.setdefault(_short_name(root, path), []).append(path)
    named: dict[str, Path] = {}
    for name, paths in short.items():
        for path in paths:
            named[name if len(paths) == 1 else path.relative_to(root).with_suffix("").as_posix()] = path
    return named


def _short_name(root: Path, path: Path) -> str:
    """transformers.js's word (fp32, q4, q8 …) for a suffix of model.onnx; else the name of the folder or the file."""
    if path.parent not in (root, root / "onnx"):
        return path.parent.name
    match = re.fullmatch(r"(?:decoder_)?model(?:_merged)?(_\w+)?", path.stem)
    if match is None:
        return path.stem
    suffix = match[1] or ""
    return _NAMES.get(suffix, suffix.removeprefix("_"))


def _from_name(name: str) -> Precision:
    """What a damaged file would have been."""
    text = name.lower()
    if re.search(r"q4f16|int4.*fp16", text):
        return "int4-fp16"
    if "bnb4" in text:
        return "nf4"
    if re.search(r"q4|int4", text):
        return "int4"
    if re.search(r"quantized|int8|q8", text):
        return "dynamic-int8"
    return "fp16" if "fp16" in text else "fp32"


def _provider(path: Path) -> str:
    """Whom the folders' names say that a variant is for."""
    words = set(re.split(r"[^a-z0-9]+", path.parent.as_posix().lower()))
    for name, known in (
        ("directml", {"directml", "dml"}),
        ("webgpu", {"webgpu"}),
        ("npu", {"npu", "qnn", "openvino", "vitis"}),
        ("cuda", {"cuda", "gpu"}),
        ("cpu", {"cpu"}),
    ):
        if words & known:
            return name
    return ""


def _size(graph: Path) -> int:
    """Bytes of the graph and the files beside it that begin with its name."""
    try:
        beside = [one for one in graph.parent.iterdir() if one.name.startswith(graph.name) and one.is_file()]
        return sum(one.stat().st_size for one in beside if not one.name.endswith((".incomplete", ".lock", ".metadata")))
    except OSError:
        return 0


def _is_pointer(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(23) == b"version https://git-lfs"
    except OSError:
        return False


def _nothing(root: Path) -> str:
    graphs = _graphs(root)
    names = ", ".join(one.relative_to(root).as_posix() for one in graphs[:5])
    if any(one.name in _SPLIT for one in graphs):
        return say("folder.split", path=str(root), names=names)
    if graphs:
        return say("folder.parts_only", path=str(root), names=names)
    return say("folder.nothing", path=str(root))
