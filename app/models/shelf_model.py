"""What the page *Models* keeps of the engine's words, and what it asks of it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from app.i18n import tr
from app.models.engine_words import from_engine
from engine.api import schema

_USE, _PUBLISHERS = "shelf-use", "shelf-publishers"
MOST_WAITING = 64
"""Requests whose reply has not come yet."""


class ShelfModel(QObject):
    """``send`` gives a request to the engine and says whether it went out."""

    changed = Signal()
    list_wanted = Signal()
    """What could be downloaded is another now."""

    def __init__(self, send: Callable[[schema.Request], bool]) -> None:
        super().__init__()
        self._send = send
        self.use: schema.DiskUse | None = None
        self.publishers: tuple[schema.PublisherState, ...] = ()
        self.failed: dict[str, str] = {}
        """Why downloads ended, by model."""
        self.problems: dict[str, str] = {}
        """Why something else was refused, by model."""
        self._accepted: set[str] = set()
        self._asked: dict[str, str] = {}
        self._count = 0
        self._looked = False

    def look(self, on: bool) -> None:
        """Somebody begins or ends to look. Meanwhile everything is asked for again where it may be another."""
        self._looked = on
        if on:
            self._refresh()

    def _refresh(self) -> None:
        if not self._looked:
            return
        self._send(schema.GetDiskUse(ref=_USE))
        self._send(schema.ListPublishers(ref=_PUBLISHERS))
        self.list_wanted.emit()

    def accepted(self, model: str) -> bool:
        """Whether the licence of a model was accepted already: what has begun to arrive was."""
        begun = self.use is not None and any(one.model == model and one.unfinished for one in self.use.models)
        return begun or model in self._accepted

    def fetch(self, model: str) -> None:
        """Begin a download, or go on with it. The licence was accepted."""
        self._accepted.add(model)
        self._ask(model, lambda ref: schema.DownloadModel(model=model, accept_licence=True, ref=ref))

    def pause(self, model: str) -> None:
        """Stop a download; what has arrived stays."""
        self._ask(model, lambda ref: schema.StopDownload(model=model, ref=ref))

    def discard(self, model: str) -> None:
        """Stop a download and delete what has arrived."""
        self._accepted.discard(model)
        self.failed.pop(model, None)
        self._ask(model, lambda ref: schema.DiscardDownload(model=model, ref=ref))

    def trust(self, fingerprint: str, *, on: bool) -> None:
        """Serve a publisher's models from this machine, or no more."""
        self._ask(fingerprint, lambda ref: schema.TrustPublisher(fingerprint=fingerprint, on=on, ref=ref))

    def receive(self, event: schema.Event) -> None:
        """An event of the engine."""
        match event:
            case schema.Welcome():
                self._asked.clear()
                self._refresh()
            case schema.DiskUse(ref="shelf-use"):
                self.use = event
                self.changed.emit()
            case schema.Publishers(ref="shelf-publishers"):
                self.publishers = event.publishers
                self.changed.emit()
            case schema.DownloadEnded():
                self._ended(event)
            case schema.Accepted() if event.ref in self._asked:
                self._asked.pop(event.ref)
                self._refresh()
            case schema.RequestFailed() if event.ref in self._asked:
                self.problems[self._asked.pop(event.ref)] = from_engine(event)
                self.changed.emit()

    def _ended(self, event: schema.DownloadEnded) -> None:
        self.failed.pop(event.model, None)
        if event.code and event.code != "stopped":
            self.failed[event.model] = from_engine(event)
            self.changed.emit()
        self._refresh()

    def _ask(self, name: str, make: Callable[[str], schema.Request]) -> None:
        self._count += 1
        ref = f"shelf-{self._count}"
        self.problems.pop(name, None)
        if self._send(make(ref)):
            self._asked[ref] = name
            while len(self._asked) > MOST_WAITING:
                self._asked.pop(next(iter(self._asked)))
        else:
            self.problems[name] = tr("The engine does not run yet. Try again in a moment.")
        self.changed.emit()
