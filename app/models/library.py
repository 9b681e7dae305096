"""Models that could be on this machine, and the one that is offered, fetched, or was fetched for the open chat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QObject, Signal

from app.i18n import mark, number, tr
from app.models.engine_words import from_engine
from engine.api import schema
from engine.errors import LicenceNeededError

GIGABYTE, MEGABYTE = 1e9, 1e6
_REF = "library"
_VERDICTS = {
    "fits": mark("fits this machine"),
    "tight": mark("tight: close other programs first"),
    "does_not_fit": mark("does not fit this machine"),
    "unknown": mark("size not known yet"),
}
_STAGES = {
    "checking": mark("Asking the model hub"),
    "downloading": mark("Downloading"),
    "copying": mark("Copying"),
    "reading": mark("Checking what has arrived"),
    "installing": mark("Putting it in place"),
    "done": mark("Putting it in place"),
}


def size_words(size: float) -> str:
    """Bytes for people."""
    if size >= GIGABYTE:
        return tr("{size} GB", size=number(size / GIGABYTE, 1))
    return tr("{size} MB", size=number(max(1.0, size / MEGABYTE)))


def model_words(model: schema.LibraryModel) -> str:
    """Who vouches for it, size, fit and speed in one line."""
    parts = [*review_words(model), *([size_words(model.size)] if model.size else [])]
    parts.append(tr(_VERDICTS[model.verdict]))
    if model.tokens_per_s >= 1 and model.verdict != "does_not_fit":
        parts.append(tr("about {speed} tokens/s", speed=number(model.tokens_per_s)))
    if model.context:
        parts.append(tr("{tokens} tokens of context", tokens=number(model.context)))
    return " · ".join(parts)


def review_words(model: schema.ModelState | schema.LibraryModel) -> list[str]:
    """Who vouches for a model that nobody has reviewed; nothing for one that somebody has. The whole fingerprint stands
    in its id."""
    if model.reviewed:
        return []
    if not model.publisher:
        return [tr("unreviewed")]
    return [tr("unreviewed · by {name} ({fingerprint}…)", name=model.publisher, fingerprint=model.fingerprint[:8])]


@dataclass(frozen=True, slots=True)
class Offer:
    """What a bar above the question says of a model. ``share``: how much of it is here, 0 to 1; None: not known."""

    model: str
    state: Literal["offered", "fetching", "failed"]
    title: str
    text: str
    page: str = ""
    share: float | None = None


class LibraryModel(QObject):
    """``send`` gives a request to the engine and says whether it went out."""

    changed = Signal()
    offer_changed = Signal()
    arrived = Signal(str)
    """A model that was offered here is on this machine now."""

    def __init__(self, send: Callable[[schema.Request], bool]) -> None:
        super().__init__()
        self._send = send
        self.models: tuple[schema.LibraryModel, ...] = ()
        self.problem = ""
        """Why the list is not there."""
        self._downloads: dict[str, schema.DownloadProgress] = {}
        self._offered = ""
        self._failed = ""
        self._wanted = False
        self._accepted: dict[str, str] = {}  # terms, by model

    def refresh(self) -> None:
        """Ask what could be here, now or as soon as the engine runs."""
        self._wanted = not self._send(schema.ListLibrary(ref=_REF))

    def model(self, name: str) -> schema.LibraryModel | None:
        """What is known of a model that is not here."""
        return next((one for one in self.models if one.model == name), None)

    @property
    def downloads(self) -> tuple[schema.DownloadProgress, ...]:
        """How far those are that go on."""
        return tuple(self._downloads.values())

    @property
    def offer(self) -> Offer | None:
        """What is to be said of the model that was chosen; None: nothing."""
        name = self._offered or next(iter(self._downloads), "")
        if not name:
            return None
        progress, known = self._downloads.get(name), self.model(name)
        if progress is not None:
            share = progress.done / progress.total if progress.total and progress.stage == "downloading" else None
            return Offer(
                name, "fetching", tr("{model} is on its way", model=name), progress_words(progress), share=share
            )
        if self._failed:
            return Offer(name, "failed", tr("{model} was not downloaded", model=name), self._failed)
        licence = (known.licence if known is not None else "") or tr("not stated by the hub", "licence")
        words = model_words(known) if known is not None else ""
        text = tr("{facts}. Its licence: {licence}.", facts=words, licence=licence)
        page = known.page if known is not None else ""
        return Offer(name, "offered", tr("Download {model}?", model=name), text, page)

    def propose(self, name: str) -> None:
        """Offer to download a model."""
        self._offered, self._failed = name, ""
        self.offer_changed.emit()

    def accepted(self, model: str) -> str:
        """The terms that were accepted here since the window was opened; "" where none were, or they have changed."""
        return self._accepted.get(model, "")

    def download(self, terms: str) -> None:
        """Fetch the model that is offered, whose licence with these ``terms`` is accepted."""
        self._accepted[self._offered] = terms
        if self._offered and self._send(schema.DownloadModel(model=self._offered, terms=terms, ref=_REF)):
            self._failed = ""
            self.offer_changed.emit()

    def stop(self) -> None:
        """Stop the download that shows; it can go on later."""
        offer = self.offer
        if offer is not None:
            self._send(schema.StopDownload(model=offer.model, ref=_REF))

    def confirm(self, model: str) -> None:
        """The owner wants to ask a model although nobody has reviewed it."""
        self._send(schema.ConfirmModel(model=model, ref=_REF))

    def decline(self) -> None:
        """Say no more of the model that is offered."""
        self._offered = self._failed = ""
        self.offer_changed.emit()

    def receive(self, event: schema.Event) -> None:
        """An event of the engine."""
        match event:
            case schema.Library():
                self.models, self.problem = event.models, ""
                self._downloads = {one.model: one for one in event.downloads}
                self.changed.emit()
            case schema.RequestFailed(ref="library", request="list_library"):
                self.problem = from_engine(event)
                self.changed.emit()
            case schema.RequestFailed(ref="library"):
                self._failed = from_engine(event)
                self._ask_again(event.code, self._offered)
            case schema.DownloadProgress():
                self._downloads[event.model] = event
            case schema.DownloadEnded():
                self._ended(event)
            case schema.Welcome():
                self._downloads = {}  # those that go on are told
                if self._wanted:
                    self.refresh()
            case _:
                return
        self.offer_changed.emit()

    def _ask_again(self, code: str, model: str) -> None:
        """Its licence is another one than was accepted."""
        if code == LicenceNeededError.code:
            self._accepted.pop(model, None)

    def _ended(self, event: schema.DownloadEnded) -> None:
        self._downloads.pop(event.model, None)
        self._ask_again(event.code, event.model)
        if not event.code:
            self.models = tuple(one for one in self.models if one.model != event.model)
            if event.model == self._offered:
                self._offered = ""
                self.arrived.emit(event.model)
            self.changed.emit()
        elif event.model == self._offered:
            self._failed = from_engine(event)
        elif event.code != "stopped":
            self._offered, self._failed = event.model, from_engine(event)


def progress_words(progress: schema.DownloadProgress) -> str:
    """How far a download is, and how long it will take about."""
    if progress.stage != "downloading" or not progress.total:
        return tr(_STAGES[progress.stage])
    parts = [tr("{done} of {total}", done=size_words(progress.done), total=size_words(progress.total))]
    if progress.speed > 0:
        parts.append(tr("{speed} a second", speed=size_words(progress.speed)))
        parts.append(_left_words((progress.total - progress.done) / progress.speed))
    return " · ".join(parts)


def _left_words(seconds: float) -> str:
    if seconds < 60:
        return tr("less than a minute left")
    minutes = round(seconds / 60)
    return tr("about %Ln minute(s) left", "", minutes)
