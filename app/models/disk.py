"""What models take of the disk, in numbers and words."""

from __future__ import annotations

from dataclasses import dataclass

from app.i18n import tr
from app.models.facts import Figure
from app.models.library import size_words
from app.models.model_words import short, title_of
from engine.api import schema

MOST = 4
"""Models that are named; the others are one part."""


@dataclass(frozen=True, slots=True)
class Share:
    """A part of what models take and may take, 0 to 1."""

    name: str
    size: int
    share: float


def disk_figures(room: schema.Room) -> list[Figure]:
    """How much is taken, and how much more may be."""
    figures = [
        Figure(size_words(room.used), tr("taken by models")),
        Figure(size_words(room.free), tr("free on the disk")),
    ]
    if room.limit:
        figures.append(Figure(size_words(room.limit), tr("your limit for models")))
        figures.append(Figure(size_words(room.left), tr("left of it")))
    return figures


def disk_shares(catalogue: schema.Catalogue) -> list[Share]:
    """What each model takes, the largest first."""
    room = catalogue.room
    whole = room.used + room.left
    taken = [(title_of(one), _taken(one)) for one in catalogue.models if _taken(one)]
    taken.sort(key=lambda one: -one[1])
    shown = taken[:MOST]
    if len(taken) > MOST:
        shown.append((tr("%Ln other(s)", "", len(taken) - MOST), sum(size for _, size in taken[MOST:])))
    return [Share(name, size, min(1.0, size / whole)) for name, size in shown] if whole else []


def disk_words(shares: list[Share]) -> str:
    """The same for who sees nothing."""
    return " · ".join(f"{short(one.name, 40)} {size_words(one.size)}" for one in shares)


def _taken(model: schema.CatalogueModel) -> int:
    if model.linked or model.source == "program":
        return 0
    return model.size if model.state in ("here", "broken") else model.done
