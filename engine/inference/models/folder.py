"""A model folder as repositories on the hub lay it out: what it must hold, and the identity of what it holds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import ModelFolderError

TOKENIZER_FILES = (
    "added_tokens.json",
    "chat_template.jinja",
    "merges.txt",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "vocab.json",
)
CONFIG_FILES = ("config.json", "generation_config.json")
GRAPH_PLACES = ("model.onnx", "onnx/model.onnx")
MAX_JSON = 64 * 1024 * 1024
"""Bytes; a longer configuration file is refused."""

FileDigest = Callable[[Path], bytes]


@dataclass(frozen=True, slots=True)
class KvLayout:
    """Shape of the key-value cache: per layer two tensors [batch, kv_heads, length, head_dim]."""

    layers: int
    kv_heads: int
    head_dim: int

    def bytes_per_token(self, item_size: int) -> int:
        """Memory of one token with ``item_size`` bytes per number."""
        return 2 * self.layers * self.kv_heads * self.head_dim * item_size


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


def read_model_folder(model_id: str, path: Path, file_digest: FileDigest | None = None) -> ModelFolder:
    """Read and check a folder; raises :class:`ModelFolderError` naming the file and the fix."""
    digest_of = file_digest or sha256_file
    if not path.is_dir():
        raise ModelFolderError(f"The model folder {path} does not exist. Download the model again.")
    config = _json(path / "config.json")
    generation = _json(path / "generation_config.json") if (path / "generation_config.json").exists() else {}
    graph = _graph(path)
    if not (path / "tokenizer.json").is_file():
        raise ModelFolderError(
            f"{path / 'tokenizer.json'} is missing, so text cannot be turned into tokens. Download that file from the "
            "model's repository into the folder."
        )
    _json(path / "tokenizer_config.json")
    names = [name for name in TOKENIZER_FILES if (path / name).is_file()]
    tokenizer_digest = _digest(path, names, digest_of)
    names += [name for name in CONFIG_FILES if (path / name).is_file()]
    names += [one.relative_to(path).as_posix() for one in _graph_files(graph)]
    return ModelFolder(
        model_id=model_id,
        path=path,
        graph=graph,
        digest=_digest(path, names, digest_of),
        tokenizer_digest=tokenizer_digest,
        context_length=_context_length(path, config),
        end_ids=_end_ids(path, config, generation),
        kv=_layout(path, config),
        vocabulary=_positive(path, config, "vocab_size"),
    )


def sha256_file(path: Path) -> bytes:
    """SHA-256 of a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()


def _digest(root: Path, names: list[str], digest_of: FileDigest) -> bytes:
    """SHA-256 over (length of name u16, name, digest of the file) for every name in sorted order."""
    total = hashlib.sha256()
    for name in sorted(names):
        try:
            content = digest_of(root / name)
        except OSError as error:
            raise ModelFolderError(f"{root / name} cannot be read: {error.strerror}. Check the disk.") from error
        encoded = name.encode()
        total.update(len(encoded).to_bytes(2, "big") + encoded + content)
    return total.digest()


def _json(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_JSON:
            raise ModelFolderError(f"{path} is larger than any configuration file. Download it again.")
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelFolderError(
            f"{path} is missing. Download that file from the model's repository into the folder."
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise ModelFolderError(f"{path} is not a readable JSON file ({error}). Download it again.") from error
    if not isinstance(content, dict):
        raise ModelFolderError(f"{path} does not hold a JSON object. Download it again.")
    return content


def _graph(path: Path) -> Path:
    for place in GRAPH_PLACES:
        if (path / place).is_file():
            return path / place
    raise ModelFolderError(
        f"{path} holds neither model.onnx nor onnx/model.onnx. Choose a repository with an ONNX export, or export the "
        "model to ONNX."
    )


def _graph_files(graph: Path) -> list[Path]:
    """The graph and its external data: files beside it whose names begin with the graph's."""
    beside = (one for one in graph.parent.iterdir() if one.name.startswith(graph.name) and one.is_file())
    return sorted(one for one in beside if not one.name.endswith((".md", ".txt", ".incomplete", ".lock")))


def _text_part(config: dict[str, Any]) -> dict[str, Any]:
    """Multimodal configurations keep the language model's under ``text_config``."""
    part = config.get("text_config")
    return part if isinstance(part, dict) else config


def _positive(path: Path, config: dict[str, Any], name: str) -> int:
    value = _text_part(config).get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 1 << 31:
        raise ModelFolderError(
            f"{path / 'config.json'} has no usable {name} ({value!r}). Take config.json from the model's repository."
        )
    return value


def _context_length(path: Path, config: dict[str, Any]) -> int:
    return _positive(path, config, "max_position_embeddings")


def _end_ids(path: Path, config: dict[str, Any], generation: dict[str, Any]) -> frozenset[int]:
    value = generation.get("eos_token_id", _text_part(config).get("eos_token_id"))
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(one, int) and not isinstance(one, bool) and one >= 0 for one in values):
        raise ModelFolderError(
            f"Neither generation_config.json nor config.json in {path} names the end-of-turn token (eos_token_id). "
            "Take generation_config.json from the model's repository."
        )
    return frozenset(values)


def _layout(path: Path, config: dict[str, Any]) -> KvLayout:
    heads = _positive(path, config, "num_attention_heads")
    part = _text_part(config)
    kv_heads = _positive(path, config, "num_key_value_heads") if part.get("num_key_value_heads") else heads
    head_dim = part.get("head_dim")
    if head_dim is None:
        head_dim = _positive(path, config, "hidden_size") // heads
    else:
        head_dim = _positive(path, config, "head_dim")
    return KvLayout(_positive(path, config, "num_hidden_layers"), kv_heads, head_dim)
