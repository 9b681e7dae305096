"""The models that stories are told about, by name."""

from __future__ import annotations

from pathlib import Path

from engine.inference.runtime.calls import Batching
from engine.inference.runtime.runner import QUERY_LENGTHS_SINCE
from engine.inference.runtime.session import runtime_version
from engine.resources import resource_path
from tests.families.export.families import FAMILIES

FOLDER = Path(__file__).parents[1] / "families" / "models"
BUILTIN = "builtin"
GROUPED = (*(f"{family}-gqa" for family in FAMILIES), "llama-positions")
CONCATENATED = tuple(f"{family}-concat" for family in FAMILIES)
MODELS = (BUILTIN, *GROUPED, *CONCATENATED)
PADDING_HIDDEN_FROM = ("gemma2-concat", "gemma3-concat")
"""Exports whose attention looks at padding, whatever the mask says: their rows are computed one by one."""


def folder_of(name: str) -> Path:
    """Where the model lies."""
    return resource_path("engine/builtin/model") if name == BUILTIN else FOLDER / name


def expected_batching(name: str) -> Batching:
    """How rows are put together with the ONNX Runtime that runs here."""
    if name in PADDING_HIDDEN_FROM:
        return "single"
    newer = runtime_version() >= QUERY_LENGTHS_SINCE
    return "ragged" if newer and name not in CONCATENATED else "two calls"
