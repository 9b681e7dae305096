"""The models that can be asked, as entries of one list: each with the place where it would answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.i18n import number, tr
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
    parts = []
    if model.nodes > 0:
        parts.append(tr("%Ln node(s)", "", model.nodes))
    if model.tokens_per_s > 0:
        parts.append(tr("{speed} tokens/s", speed=number(model.tokens_per_s)))
    if model.wait >= 1:
        parts.append(tr("{seconds} s wait", seconds=number(model.wait)))
    return f", {', '.join(parts)}" if parts else ""


def sampling_for(model: str) -> schema.SamplingChoice:
    """The built-in model states facts and is asked greedily; other models get the usual middle way."""
    if model == BUILTIN:
        return schema.SamplingChoice(temperature=0.0)
    return schema.SamplingChoice(temperature=0.7, top_p=0.95)
