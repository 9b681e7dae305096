"""What the buttons of the page *Models* do: dialogs before what matters, then the engine is asked."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QWidget

from app.i18n import tr
from app.models.catalogue import ModelChoice
from app.models.facts import Fact
from app.models.library import size_words
from app.models.model_details import removal_words
from app.models.model_words import fingerprint_words, fit_badge, licence_words, publisher_words, short, title_of
from app.models.shelf_model import ShelfModel
from app.theme import Theme
from app.views.confirm_dialog import confirm_dialog
from app.views.link_dialog import LinkDialog
from app.views.shelf.licence_dialog import LicenceDialog, ask_licence, unreviewed_words
from engine.api import schema


class ModelActs(QObject):
    """Dialogs open over ``parent``."""

    model_chosen = Signal(object)
    contribute_requested = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget, shelf: ShelfModel) -> None:
        super().__init__(parent)
        self._theme, self._parent, self._shelf = theme, parent, shelf

    def press(self, act: str, model: str) -> None:
        """Do ``act`` (of :data:`app.models.shelf.Act`, or "page" or "remove") with ``model``."""
        match act:
            case "chat" | "ask":
                self.model_chosen.emit(ModelChoice(model, "local" if act == "chat" else "network", model))
            case "contribute":
                self.contribute_requested.emit(model)
            case "fetch" | "update" | "licence" | "resume" | "retry":
                self._fetch(model)
            case "pause":
                self._shelf.pause(model)
            case "stop":
                self._shelf.stop_import(model)
            case "discard":
                self._discard(model)
            case "remove":
                self._remove(model)
            case "page":
                self._show_page(model)

    def trust(self, fingerprint: str, name: str, on: bool) -> None:
        """Trust a publisher, once the owner is sure, or no more."""
        if not on:
            self._shelf.trust(fingerprint, on=False)
            return
        text = tr(
            "This machine may then answer strangers with its models. Is {fingerprint} the fingerprint that the "
            "publisher gave you?",
            fingerprint=fingerprint_words(fingerprint),
        )
        title = tr("Trust {name}?", name=name)
        dialog = confirm_dialog(self._parent, self._theme, title, text, tr("Trust"), loses=False)
        dialog.accepted.connect(lambda: self._shelf.trust(fingerprint, on=True))
        dialog.rejected.connect(self._shelf.changed)
        dialog.open()

    def _fetch(self, name: str) -> None:
        model = self._shelf.model(name)
        found = next((one for one in self._shelf.hub or () if one.model == name), None)
        if model is not None and (model.again or (model.newer and model.new_licence is None)):
            self._shelf.fetch(name)
        elif model is not None:
            self._ask_licence(name, title_of(model), _licence_facts(model), model.page, _warning(model))
        elif found is not None:
            warning = tr("Nobody has looked at this model for you. It may be no good, or not run here.")
            self._ask_licence(
                name, short(name), [Fact(tr("Licence"), licence_words(found.licence))], found.page, warning
            )

    def _ask_licence(self, name: str, title: str, facts: list[Fact], page: str, warning: str) -> None:
        dialog = LicenceDialog(self._theme, self._parent, title, facts, page, warning)
        dialog.accepted.connect(lambda: self._shelf.fetch(name, dialog.terms))
        ask_licence(dialog, self._shelf, model=name)
        dialog.open()

    def _discard(self, name: str) -> None:
        model = self._shelf.model(name)
        if model is None or not model.done:
            self._shelf.discard(name)
            return
        text = tr("What has arrived, {size}, is deleted. A later download begins anew.", size=size_words(model.done))
        title = tr("Discard the download of {model}?", model=title_of(model))
        dialog = confirm_dialog(self._parent, self._theme, title, text, tr("Discard"))
        dialog.accepted.connect(lambda: self._shelf.discard(name))
        dialog.open()

    def _remove(self, name: str) -> None:
        model = self._shelf.model(name)
        if model is None:
            return
        title = tr("Delete {model} from this machine?", model=title_of(model))
        serves = model.use == "contributed"
        action = tr("Stop and delete") if serves else tr("Delete")
        dialog = confirm_dialog(self._parent, self._theme, title, removal_words(model), action)
        dialog.accepted.connect(lambda: self._shelf.remove(name, stop=serves))
        dialog.open()

    def _show_page(self, name: str) -> None:
        model = self._shelf.model(name)
        if model is not None and model.page:
            words = tr("Where it comes from")
            dialog = LinkDialog(self._theme, model.page, words, self._parent, about=tr("This page is"))
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.open()


def _licence_facts(model: schema.CatalogueModel) -> list[Fact]:
    facts = [
        Fact(tr("Licence"), licence_words(model.licence if model.new_licence is None else model.new_licence)),
        Fact(tr("Size"), size_words(model.size) if model.size else ""),
        Fact(tr("This machine"), fit_badge(model.fit).text),
        Fact(tr("Publisher"), publisher_words(model.publisher, model.fingerprint)),
        Fact(tr("Note"), short(model.note, 300)),
    ]
    return [one for one in facts if one.value]


def _warning(model: schema.CatalogueModel) -> str:
    changed = (
        tr("This is another licence than the one that you have accepted.") if model.new_licence is not None else ""
    )
    return " ".join(filter(None, (changed, unreviewed_words() if model.fingerprint else "")))
