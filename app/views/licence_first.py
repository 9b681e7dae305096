"""Before a model is downloaded that is offered outside the page *Models*: its licence is shown and accepted."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from app.i18n import tr
from app.models.facts import Fact
from app.models.library import LibraryModel, size_words
from app.models.model_words import licence_words, publisher_words, short
from app.models.shelf_model import ShelfModel
from app.theme import Theme
from app.views.shelf.licence_dialog import LicenceDialog, ask_licence, unreviewed_words


class LicenceFirst:
    """``shelf`` asks the engine for the text. Dialogs open over ``parent``."""

    def __init__(self, theme: Theme, parent: QWidget, library: LibraryModel, shelf: ShelfModel) -> None:
        self._theme, self._parent, self._library, self._shelf = theme, parent, library, shelf

    def ask(self, model: str, then: Callable[[str], None]) -> None:
        """``then`` gets the terms of the licence of ``model`` once the owner has accepted them: at once where that was
        before."""
        terms = self._library.accepted(model)
        if terms:
            then(terms)
            return
        known = self._library.model(model)
        facts, page, warning = [], "", ""
        if known is not None:
            told = [
                Fact(tr("Licence"), licence_words(known.licence)),
                Fact(tr("Size"), size_words(known.size) if known.size else ""),
                Fact(tr("Publisher"), publisher_words(known.publisher, known.fingerprint)),
            ]
            facts, page = [one for one in told if one.value], known.page
            warning = unreviewed_words() if known.fingerprint else ""
        dialog = LicenceDialog(self._theme, self._parent, short(model), facts, page, warning)
        dialog.accepted.connect(lambda: then(dialog.terms))
        ask_licence(dialog, self._shelf, model=model)
        dialog.open()
