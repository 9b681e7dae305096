"""What a repository's files say about special tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.inference.models.files import read_json
from engine.inference.models.folder import ModelFolder


@dataclass(frozen=True, slots=True)
class SpecialTokens:
    """``named``: by the names under which chat templates know them ("bos_token", "eos_token", ...). ``add_bos``:
    whether plain text begins with the first of these; None: as tokenizer.json has it."""

    named: Mapping[str, str] = field(default_factory=dict)
    add_bos: bool | None = None


def read_special_tokens(folder: ModelFolder) -> SpecialTokens:
    """From ``tokenizer_config.json``, else from ``special_tokens_map.json``; :class:`ModelFolderError`."""
    named: dict[str, str] = {}
    config: dict[str, Any] = {}
    for name in ("special_tokens_map.json", "tokenizer_config.json"):
        path = folder.tokenizer_path / name
        if path.is_file():
            config = read_json(folder.path, path)
            named |= {key: text for key, value in config.items() if key.endswith("_token") and (text := _text(value))}
            for key, value in config.items():  # null takes back what the older file says
                if key.endswith("_token") and value is None:
                    named.pop(key, None)
    add_bos = config.get("add_bos_token")
    return SpecialTokens(named, add_bos if isinstance(add_bos, bool) else None)


def _text(value: object) -> str:
    """A token is written as its text, or as an object with its properties."""
    content = value.get("content") if isinstance(value, dict) else value
    return content if isinstance(content, str) else ""
