"""The models that can be asked, as entries of one list: each with the place where it would answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.i18n import mark, number, tr
from engine.api import schema

BUILTIN = "gentorrent-builtin"


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """One entry. ``route`` never widens: "on this machine" does not leave it."""

    model: str
    route: schema.Route
    label: str

    @property
    def key(self) -> tuple[str, str]:
        """What identifies the entry while numbers in its label change."""
        return self.model, self.route


def choices(models: Sequence[schema.ModelState]) -> list[ModelChoice]:
    """The entries in the engine's order; a model that is here and out there gives two, the own machine first."""
    entries = []
    for model in models:
        if model.where in ("local", "both"):
            entries.append(ModelChoice(model.id, "local", tr("{model} · on this machine", model=model.id)))
        if model.where in ("network", "both"):
            entries.append(
                ModelChoice(
                    model.id,
                    "network",
                    tr("{model} · on the network", model=model.id) + _details(model),
                )
            )
    return entries


def _details(model: schema.ModelState) -> str:
    parts = number_words(model)
    return f", {', '.join(parts)}" if parts else ""


def number_words(model: schema.ModelState) -> list[str]:
    """How many nodes have a model, how fast they are, and how long one waits, as far as that is known."""
    parts = []
    if model.nodes > 0:
        parts.append(tr("%Ln node(s)", "", model.nodes))
    if model.tokens_per_s > 0:
        parts.append(tr("{speed} tokens/s", speed=number(model.tokens_per_s)))
    if model.wait >= 1:
        parts.append(tr("{seconds} s wait", seconds=number(model.wait)))
    return parts


_PROVIDERS = {
    "CPUExecutionProvider": mark("the processor"),
    "CUDAExecutionProvider": mark("the graphics card (CUDA)"),
    "TensorrtExecutionProvider": mark("the graphics card (TensorRT)"),
    "DmlExecutionProvider": mark("the graphics card (DirectML)"),
    "CoreMLExecutionProvider": mark("Apple's chip (Core ML)"),
    "ROCMExecutionProvider": mark("the graphics card (ROCm)"),
}


def provider_words(provider: str) -> str:
    """What an execution provider of ONNX Runtime computes on, for people."""
    return tr(_PROVIDERS.get(provider, provider.removesuffix("ExecutionProvider")))


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A model with everything that is known of it, for a list. ``choices``: the ways to ask it."""

    id: str
    details: str
    choices: tuple[ModelChoice, ...]


def model_entries(models: Sequence[schema.ModelState]) -> list[ModelEntry]:
    """The models in the engine's order."""
    return [ModelEntry(model.id, _entry_details(model), tuple(choices([model]))) for model in models]


def _entry_details(model: schema.ModelState) -> str:
    where = {
        "local": tr("On this machine"),
        "network": tr("On the network"),
        "both": tr("On this machine and on the network"),
    }[model.where]
    parts = [where, *number_words(model)]
    if model.context_length > 0:
        parts.append(tr("{tokens} tokens of context", tokens=number(model.context_length)))
    if model.provider:
        parts.append(tr("computes on {device}", device=provider_words(model.provider)))
    return " · ".join(parts)
