"""The models: on this machine, being downloaded, on the network now, to download, and from publishers."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QHideEvent, QShowEvent

from app.i18n import tr
from app.models.catalogue import ModelChoice, choices
from app.models.facts import Fact
from app.models.library import LibraryModel, size_words
from app.models.shelf import Known, Place, fit_badge, licence_words, publisher_words, sections, title_of
from app.models.status import StatusModel
from app.theme import Theme
from app.views.cards import EmptyState, Page
from app.views.confirm_dialog import confirm_dialog
from app.views.shelf.find_bar import FindBar
from app.views.shelf.licence_dialog import LicenceDialog
from app.views.shelf.section_card import SectionCard


class ModelsPage(Page):
    """Shows what :class:`StatusModel` and :class:`LibraryModel` say; emits what the owner wants elsewhere."""

    model_chosen = Signal(object)
    contribute_requested = Signal(str)

    def __init__(self, theme: Theme, library: LibraryModel) -> None:
        about = tr("What can be asked, here and on the network, and what this machine could fetch.")
        super().__init__(theme, tr("Models"), about)
        self._library = library
        self._shelf = library.shelf
        self._status: StatusModel | None = None
        self.finder = FindBar(theme)
        self.finder.changed.connect(self._show)
        self.column.addWidget(self.finder)
        self.empty = EmptyState(
            theme,
            "models",
            tr("No models yet"),
            tr("The engine on this machine says what it has as soon as it runs."),
        )
        self.nothing = EmptyState(theme, "models", tr("Nothing found"), tr("No model has all of these words."))
        self.column.addWidget(self.empty)
        self.column.addWidget(self.nothing)
        self._at = self.column.count()
        self.column.addStretch(1)
        self.cards: dict[Place, SectionCard] = {}
        library.changed.connect(self._show)
        library.offer_changed.connect(self._show)
        self._shelf.changed.connect(self._show)
        self._show()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._shelf.look(True)
        self._show()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._shelf.look(False)

    def show_status(self, model: StatusModel) -> None:
        """Show the newest state."""
        self._status = model
        self._show()

    # What is shown.

    def _known(self) -> Known | None:
        state = self._status.state if self._status is not None else None
        if state is None:
            return None
        now = state.contributing
        return Known(
            state.models,
            self._library.models,
            self._library.downloads,
            self._shelf.use,
            self._shelf.failed,
            self._shelf.problems,
            now.model if now.on else "",
            self._library.problem,
        )

    def _show(self) -> None:
        known = self._known()
        found = sections(known, self.finder.words.text(), fitting=self.finder.fitting.isChecked()) if known else []
        self.empty.setVisible(known is None)
        self.finder.setVisible(known is not None)
        self.nothing.setVisible(known is not None and not found)
        for section in found:
            if section.place not in self.cards:
                card = self.cards[section.place] = SectionCard(self._theme, section)
                card.pressed.connect(self._press)
                self.column.insertWidget(self._at + len(self.cards) - 1, card)
            self.cards[section.place].show_section(section)
        shown = [section.place for section in found]
        for place, card in self.cards.items():
            card.setVisible(place in shown)
        if [place for place in self.cards if place in shown] != shown:
            self._order(shown)

    def _order(self, shown: list[Place]) -> None:
        rest = [place for place in self.cards if place not in shown]
        self.cards = {place: self.cards[place] for place in (*shown, *rest)}
        for offset, card in enumerate(self.cards.values()):
            self.column.removeWidget(card)
            self.column.insertWidget(self._at + offset, card)

    # What is wanted.

    def _press(self, act: str, model: str) -> None:
        match act:
            case "chat" | "ask":
                choice = self._choice(model, "local" if act == "chat" else "network")
                if choice is not None:
                    self.model_chosen.emit(choice)
            case "contribute":
                self.contribute_requested.emit(model)
            case "fetch":
                self._fetch(model)
            case "resume":
                self._shelf.fetch(model)
            case "pause":
                self._shelf.pause(model)
            case "discard":
                self._discard(model)

    def _choice(self, model: str, route: str) -> ModelChoice | None:
        models = self._status.state.models if self._status is not None and self._status.state is not None else ()
        there = [one for one in models if one.id == model]
        return next((choice for choice in choices(there) if choice.route == route), None)

    def _fetch(self, model: str) -> None:
        known = self._library.model(model)
        if known is None or self._shelf.accepted(model):
            self._shelf.fetch(model)
            return
        facts = [Fact(tr("Licence"), licence_words(known.licence))]
        if known.size:
            facts.append(Fact(tr("Size"), size_words(known.size)))
        facts.append(Fact(tr("This machine"), fit_badge(known).text))
        warning = ""
        if not known.reviewed:
            facts.append(Fact(tr("Publisher"), publisher_words(known)))
            warning = tr(
                "Nobody but its publisher has looked at this model. It may be no good, or answer badly on purpose."
            )
        dialog = LicenceDialog(self._theme, self, title_of(model), facts, known.page, warning)
        dialog.accepted.connect(lambda: self._shelf.fetch(model))
        dialog.open()

    def _discard(self, model: str) -> None:
        text = tr("What has arrived of it is deleted. A later download begins anew.")
        title = tr("Discard the download of {model}?", model=title_of(model))
        dialog = confirm_dialog(self, self._theme, title, text, tr("Discard"))
        dialog.accepted.connect(lambda: self._shelf.discard(model))
        dialog.open()
