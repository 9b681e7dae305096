"""The model that would be best on this machine: which it is, and how far its download is, in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QObject, Signal

from app.i18n import number, tr
from app.models.library import LibraryModel, progress_words, size_words
from app.models.safe_text import visible
from engine.api import schema

READING_SPEED = 8.0
"""Tokens per second that people read at."""
LINE_BYTES = 6.25e6
"""Per second: a usual connection of 50 Mbit/s, for an estimate before a download."""
Action = Literal["", "fetch", "stop"]


def best_of(models: Iterable[schema.LibraryModel]) -> schema.LibraryModel | None:
    """The largest that fits with room to spare and answers as fast as one reads; None where none does."""
    good = [one for one in models if one.verdict == "fits" and one.size and one.tokens_per_s >= READING_SPEED]
    return max(good, key=lambda one: one.size, default=None)


@dataclass(frozen=True, slots=True)
class BestModel:
    """What to show. ``share``: of the download, None without one. ``action``: what the button does."""

    title: str
    text: str
    action: Action = ""
    share: float | None = None


class ModelOffer(QObject):
    """Over what the engine says of models that could be here; ``changed`` after each word of it that matters."""

    changed = Signal()

    def __init__(self, library: LibraryModel) -> None:
        super().__init__()
        self._library = library
        self._arrived = ""
        library.changed.connect(self.changed)
        library.offer_changed.connect(self.changed)
        library.arrived.connect(self._has_arrived)

    @property
    def wanted(self) -> str:
        """The model that the button would fetch; "" where it fetches none."""
        best = best_of(self._library.models)
        return best.model if self.best.action == "fetch" and best is not None else ""

    def fetch(self, model: str, terms: str) -> None:
        """Fetch a model, whose licence with these ``terms`` is accepted."""
        self._arrived = ""
        self._library.propose(model)
        self._library.download(terms)

    def stop(self) -> None:
        """Stop the download."""
        self._library.stop()

    @property
    def best(self) -> BestModel:
        """What to show now."""
        offer, best = self._library.offer, best_of(self._library.models)
        if self._library.downloads:
            now = self._library.downloads[0]
            share = now.done / now.total if now.total else 0.0
            return BestModel(visible(now.model), progress_words(now), "stop", share)
        if offer is not None and offer.state == "failed":
            return BestModel(offer.title, offer.text, "fetch" if best is not None else "")
        if self._arrived:
            return BestModel(visible(self._arrived), tr("It is on this machine. Choose it above a chat."))
        if best is not None:
            return BestModel(visible(best.model), _words(best), "fetch")
        if self._library.problem or self._library.models:
            none = tr("No model of the catalogue would be better on this machine.")
            return BestModel(tr("A larger model"), self._library.problem or none)
        return BestModel(tr("A larger model"), tr("Looking which one would be best on this machine."))

    def _has_arrived(self, model: str) -> None:
        self._arrived = model
        self.changed.emit()


def _words(best: schema.LibraryModel) -> str:
    minutes = max(1, round(best.size / LINE_BYTES / 60))
    size = tr("{size}, about %Ln minute(s) at 50 Mbit/s.", "", minutes, size=size_words(best.size))
    speed = tr("About {speed} tokens/s here.", speed=number(best.tokens_per_s))
    licence = visible(best.licence) or tr("not stated by the hub", "licence")
    return " ".join((size, speed, tr("Its licence: {licence}.", licence=licence)))
