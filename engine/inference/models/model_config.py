"""The numbers of a model from its configuration files: config.json of transformers, genai_config.json of the builder.

Only numbers and names are read. Code that a repository brings along (``auto_map``) is ignored, never run.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import ModelFolderError
from engine.inference.models.files import nearest, read_json
from engine.sentences import say

_Json = dict[str, Any]
_TEXT_PARTS = ("text_config", "llm_config", "language_config")
_CONTEXT = ("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len", "seq_length")


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
class ModelConfig:
    """``files``: what was read; it decides the answers. ``context_length`` in tokens."""

    files: tuple[Path, ...]
    family: str
    context_length: int
    end_ids: frozenset[int]
    kv: KvLayout
    vocabulary: int


def read_model_config(root: Path, start: Path) -> ModelConfig:
    """From the files nearest to the graph's folder ``start``; :class:`ModelFolderError` names the file and the fix."""
    path, builder = nearest(root, start, "config.json"), nearest(root, start, "genai_config.json")
    if path is None and builder is None:
        raise ModelFolderError(say("folder.no_config", path=str(root / "config.json")))
    if path is not None and builder is not None and not _has_numbers(read_json(root, path)):
        path = None  # a repository with the builder's files may have a config.json with little more than a name
    generation = nearest(root, start, "generation_config.json")
    genai = read_json(root, builder) if builder else {}
    main = path or builder
    assert main is not None
    numbers = _Numbers(main, read_json(root, path) if path else _as_config(main, genai))
    numbers.refuse_other_architectures()
    ends = _end_ids(read_json(root, generation) if generation else {}, numbers, genai)
    if not ends:
        raise ModelFolderError(say("folder.no_end", path=str(main.parent)))
    vocabulary = numbers.positive("vocab_size")
    if max(ends) >= vocabulary:
        raise ModelFolderError(
            say(
                "folder.end_beyond",
                path=str(generation or main),
                token=str(max(ends)),
                main=str(main),
                tokens=vocabulary,
            )
        )
    layout = numbers.layout()
    if path is not None and builder is not None:
        _compare(path, layout, builder, genai)
    used = [one for one in (path, generation) if one] + ([builder] if builder else [])
    return ModelConfig(
        files=tuple(used),
        family=str(numbers.text.get("model_type") or numbers.content.get("model_type") or ""),
        context_length=min(numbers.context_length(), _genai_context(builder, genai)),
        end_ids=ends,
        kv=layout,
        vocabulary=vocabulary,
    )


def _has_numbers(content: _Json) -> bool:
    parts = [content, *(content[name] for name in _TEXT_PARTS if isinstance(content.get(name), dict))]
    return any(part.get(name) is not None for part in parts for name in ("num_hidden_layers", "n_layer"))


class _Numbers:
    """config.json, with the part of the language model where a multimodal model keeps it."""

    def __init__(self, path: Path, content: _Json) -> None:
        self.path = path
        self.content = content
        parts = [content[name] for name in _TEXT_PARTS if isinstance(content.get(name), dict)]
        self.text: _Json = parts[0] if parts else content

    def refuse_other_architectures(self) -> None:
        """Only what turns text into text, token by token."""
        names = self.content.get("architectures")
        names = [str(one) for one in names] if isinstance(names, list) else []
        said = ", ".join(names) or str(self.content.get("model_type", ""))
        if self.content.get("is_encoder_decoder") is True:
            raise ModelFolderError(say("folder.encoder_decoder", path=str(self.path), kind=said))
        if names and not any(one.endswith(("ForCausalLM", "LMHeadModel", "ForConditionalGeneration")) for one in names):
            raise ModelFolderError(say("folder.no_generation", path=str(self.path), kind=said))

    def positive(self, *names: str) -> int:
        """The first of these that is there, a number above zero."""
        value = next((self.text[name] for name in names if self.text.get(name) is not None), None)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 1 << 31:
            raise ModelFolderError(
                say("folder.no_number", path=str(self.path), name=names[0], value=_short(value), file=self.path.name)
            )
        return value

    def context_length(self) -> int:
        """Tokens. With two sets of rotary factors (longrope) only the range of the shorter set counts: the keys of a
        sequence that grows beyond it would have to be computed anew."""
        length = self.positive(*_CONTEXT)
        rotary = self.text.get("rope_scaling") or self.text.get("rope_parameters")
        rotary = rotary if isinstance(rotary, dict) else {}
        if (rotary.get("rope_type") or rotary.get("type")) not in ("longrope", "su"):
            return length
        original = self.text.get("original_max_position_embeddings") or rotary.get("original_max_position_embeddings")
        if not isinstance(original, int) or isinstance(original, bool) or not original > 0:
            raise ModelFolderError(
                say("folder.longrope", path=str(self.path), value=_short(original), file=self.path.name)
            )
        return min(length, original)

    def layout(self) -> KvLayout:
        """Layers and heads of the key-value cache."""
        heads = self.positive("num_attention_heads", "n_head")
        kv_heads = heads
        if self.text.get("num_key_value_heads") is not None:
            kv_heads = self.positive("num_key_value_heads")
        elif self.text.get("multi_query") is True:
            kv_heads = 1
        if heads % kv_heads:
            raise ModelFolderError(
                say("folder.heads", path=str(self.path), heads=heads, kv_heads=kv_heads, file=self.path.name)
            )
        if self.text.get("head_dim") is not None:
            return KvLayout(self._layers(), kv_heads, self.positive("head_dim"))
        hidden = self.positive("hidden_size", "n_embd")
        if hidden % heads:
            raise ModelFolderError(
                say("folder.head_dim", path=str(self.path), hidden=hidden, heads=heads, file=self.path.name)
            )
        return KvLayout(self._layers(), kv_heads, hidden // heads)

    def _layers(self) -> int:
        return self.positive("num_hidden_layers", "n_layer")


def _as_config(path: Path, genai: _Json) -> _Json:
    """genai_config.json in the words of config.json, where a repository has only the former."""
    model = genai.get("model")
    decoder = model.get("decoder") if isinstance(model, dict) else None
    if not isinstance(model, dict) or not isinstance(decoder, dict):
        raise ModelFolderError(say("folder.no_decoder", path=str(path)))
    same = ("hidden_size", "num_attention_heads", "num_key_value_heads", "num_hidden_layers")
    return {
        **{name: decoder[name] for name in same if name in decoder},
        "head_dim": decoder.get("head_size"),
        "vocab_size": model.get("vocab_size"),
        "max_position_embeddings": model.get("context_length"),
        "eos_token_id": model.get("eos_token_id"),
        "model_type": model.get("type"),
    }


def _compare(path: Path, layout: KvLayout, builder: Path, genai: _Json) -> None:
    """Both files describe the same cache."""
    model = genai.get("model")
    decoder = model.get("decoder") if isinstance(model, dict) else None
    for name, value in (
        ("num_hidden_layers", layout.layers),
        ("num_key_value_heads", layout.kv_heads),
        ("head_size", layout.head_dim),
    ):
        other = decoder.get(name, value) if isinstance(decoder, dict) else value
        if other != value:
            raise ModelFolderError(
                say(
                    "folder.configs_differ",
                    path=str(builder),
                    name=name,
                    value=_short(other),
                    other=str(path),
                    expected=value,
                )
            )


def _genai_context(path: Path | None, genai: _Json) -> int:
    """What the graph was built for, or no limit."""
    model = genai.get("model")
    value = model.get("context_length") if isinstance(model, dict) else None
    if value is None:
        return 1 << 31
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ModelFolderError(
            say(
                "folder.no_number", path=str(path), name="context_length", value=_short(value), file="genai_config.json"
            )
        )
    return value


def _end_ids(generation: _Json, numbers: _Numbers, genai: _Json) -> frozenset[int]:
    """All that any of the files calls an end: repositories often complete one in the other."""
    model = genai.get("model")
    places = [generation, numbers.text, numbers.content, model if isinstance(model, dict) else {}]
    found: set[int] = set()
    for place in places:
        value = place.get("eos_token_id")
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, int) and not isinstance(one, bool) and one >= 0:
                found.add(one)
    return frozenset(found)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
