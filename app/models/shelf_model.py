"""What the page *Models* keeps of the engine's words, and what it asks of it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from app.i18n import tr
from app.models.engine_words import from_engine
from app.models.library import size_words
from app.models.shelf import Progress
from engine.api import schema

_LIST, _PUBLISHERS, _HUB, _IMPORT = "shelf-list", "shelf-publishers", "shelf-hub", "shelf-import"
MOST_WAITING = 64
"""Requests whose reply has not come yet."""


class ShelfModel(QObject):
    """``send`` gives a request to the engine and says whether it went out."""

    changed = Signal()
    import_changed = Signal()
    details_changed = Signal(str)
    licence_read = Signal(str, object)
    """Of a model or a folder: the engine's ``LicenceText``, or in words why there is none to show."""

    def __init__(self, send: Callable[[schema.Request], bool]) -> None:
        super().__init__()
        self._send = send
        self.catalogue: schema.Catalogue | None = None
        self.publishers: tuple[schema.PublisherState, ...] = ()
        self.progress: dict[str, Progress] = {}
        """Newer than what the catalogue says, by model."""
        self.problems: dict[str, str] = {}
        """Why something was refused, by model or fingerprint."""
        self.problem = ""
        """Why there is no catalogue."""
        self.details: dict[str, schema.ModelDetails] = {}
        """What was asked for, by model."""
        self.freed = ""
        """What the last removal has freed, for people."""
        self.hub: tuple[schema.HubModel, ...] | None = None
        """What the hub has found; None: nobody has searched."""
        self.hub_problem = ""
        self.searching = False
        self.importing = False
        """A folder was given to the engine, which has not said yet whether it takes it."""
        self.import_problem = ""
        self._asked: dict[str, str] = {}
        self._licences: dict[str, str] = {}  # texts that are asked for: whose, by request
        self._count = 0
        self._looked = self._listing = self._again = False

    # What is asked.

    def look(self, on: bool) -> None:
        """Somebody begins or ends to look. Meanwhile everything is asked for again when it may be another."""
        self._looked = on
        self._refresh()

    def model(self, name: str) -> schema.CatalogueModel | None:
        """What is known of a model."""
        models = self.catalogue.models if self.catalogue is not None else ()
        return next((one for one in models if one.model == name), None)

    def fetch(self, model: str, terms: str = "") -> None:
        """Begin a download, or go on with it. ``terms``: those of the ``LicenceText`` that was accepted now."""
        self._ask(model, lambda ref: schema.DownloadModel(model=model, terms=terms, ref=ref))

    def pause(self, model: str) -> None:
        """Stop a download; what has arrived stays."""
        self._ask(model, lambda ref: schema.StopDownload(model=model, ref=ref))

    def discard(self, model: str) -> None:
        """Stop a download and delete what has arrived."""
        self._ask(model, lambda ref: schema.DiscardDownload(model=model, ref=ref))

    def remove(self, model: str, *, stop: bool = False) -> None:
        """Delete a model of this machine; ``stop``: which first answers others with it no more, if it does."""
        self._ask(model, lambda ref: schema.RemoveModel(model=model, stop=stop, ref=ref))

    def stop_import(self, model: str) -> None:
        """Stop an import; nothing of it stays."""
        self._ask(model, lambda ref: schema.StopImport(model=model, ref=ref))

    def trust(self, fingerprint: str, on: bool) -> None:
        """Serve a publisher's models from this machine, or no more."""
        self._ask(fingerprint, lambda ref: schema.TrustPublisher(fingerprint=fingerprint, on=on, ref=ref))

    def ask_details(self, model: str) -> None:
        """Everything about one model."""
        self._ask(model, lambda ref: schema.GetModelDetails(model=model, ref=ref))

    def ask_licence(self, model: str = "", folder: str = "") -> None:
        """The text of a licence, of a model or of a folder that is to be imported as that; ``licence_read`` follows."""
        self._count += 1
        ref = f"shelf-licence-{self._count}"
        self._licences[ref] = folder or model
        if not self._send(schema.GetLicence(model=model, folder=folder, ref=ref)):
            self._licence_came(ref, tr("The engine does not run yet. Try again in a moment."))

    def _licence_came(self, ref: str, found: schema.LicenceText | str) -> bool:
        """Whether somebody has asked for it."""
        named = self._licences.pop(ref, "")
        if named:
            self.licence_read.emit(named, found)
        return bool(named)

    def import_folder(self, folder: str, name: str, *, link: bool, terms: str = "") -> None:
        """Take a model that lies in a folder. ``terms``: those of the ``LicenceText`` that was accepted now."""
        sent = self._send(schema.ImportModel(folder=folder, name=name, link=link, terms=terms, ref=_IMPORT))
        self.importing = sent
        self.import_problem = "" if sent else tr("The engine does not run yet. Try again in a moment.")
        self.import_changed.emit()

    def search(self, words: str) -> None:
        """Ask the hub; "" forgets what it has found."""
        self.hub = None
        self.hub_problem = ""
        self.searching = bool(words) and self._send(schema.SearchHub(words=words[:200], ref=_HUB))
        self.changed.emit()

    # What the engine says.

    def receive(self, event: schema.Event) -> None:
        """An event of the engine."""
        match event:
            case schema.Welcome():
                self._begin()
            case schema.Catalogue(ref="shelf-list"):
                self.catalogue, self.problem = event, ""
                self.progress.clear()
                self.changed.emit()
                self._listed()
            case schema.CatalogueChanged():
                self._refresh()
            case schema.Publishers(ref="shelf-publishers"):
                self.publishers = event.publishers
                self.changed.emit()
            case schema.DownloadProgress() | schema.ImportProgress():
                self.progress[event.model] = event
                self.changed.emit()
            case schema.HubResults(ref="shelf-hub"):
                self.hub, self.searching = event.models, False
                self.changed.emit()
            case schema.ModelDetails() if event.ref in self._asked:
                self.details[self._asked.pop(event.ref)] = event
                self.details_changed.emit(event.model.model)
            case schema.LicenceText():
                self._licence_came(event.ref, event)
            case schema.ImportEnded() if event.code and event.code != "stopped":
                self.import_problem = from_engine(event)
                self.import_changed.emit()
            case schema.RequestFailed():
                self._refused(event)
            case schema.Accepted(ref="shelf-import"):
                self.importing = False
                self.import_changed.emit()
            case schema.Accepted() | schema.ModelRemoved():
                self._done(event)

    def _begin(self) -> None:
        """Another engine."""
        for ref in list(self._licences):
            self._licence_came(ref, tr("The engine was started anew. Try again."))
        self._asked.clear()
        self.progress.clear()
        self.details.clear()
        self.catalogue = None
        self.importing = self.searching = self._listing = False
        self._refresh()

    def _refresh(self) -> None:
        """One question at a time: answers could overtake each other, and the older would stay."""
        self._again = self._looked and self._listing
        if self._looked and not self._listing:
            self._listing = self._send(schema.GetCatalogue(ref=_LIST))
            self._send(schema.ListPublishers(ref=_PUBLISHERS))

    def _listed(self) -> None:
        self._listing = False
        if self._again:
            self._refresh()

    def _refused(self, event: schema.RequestFailed) -> None:
        if event.ref == _LIST:
            self.problem = from_engine(event)
            self._listed()
        elif event.ref == _HUB:
            self.hub_problem, self.searching = from_engine(event), False
        elif self._licence_came(event.ref, from_engine(event)):
            return
        elif event.ref == _IMPORT:
            self.import_problem, self.importing = from_engine(event), False
            self.import_changed.emit()
            return
        elif event.ref in self._asked:
            self.problems[self._asked.pop(event.ref)] = from_engine(event)
        else:
            return
        self.changed.emit()

    def _done(self, event: schema.Accepted | schema.ModelRemoved) -> None:
        if self._asked.pop(event.ref, None) is None:
            return
        if isinstance(event, schema.ModelRemoved):
            self.details.pop(event.model, None)
            self.freed = tr("Deleted. {size} are free again.", size=size_words(event.freed)) if event.freed else ""
        self.changed.emit()
        self._refresh()

    def _ask(self, name: str, make: Callable[[str], schema.Request]) -> None:
        self._count += 1
        ref = f"shelf-{self._count}"
        self.problems.pop(name, None)
        self.freed = ""
        if self._send(make(ref)):
            self._asked[ref] = name
            while len(self._asked) > MOST_WAITING:
                self._asked.pop(next(iter(self._asked)))
        else:
            self.problems[name] = tr("The engine does not run yet. Try again in a moment.")
        self.changed.emit()
