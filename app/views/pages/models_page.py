"""The models: on this machine, being downloaded, on the network now, to download, and from publishers."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QHideEvent, QShowEvent

from app.i18n import tr
from app.models.model_details import detail_acts, detail_facts
from app.models.shelf import Known, Place, ShelfSection, sections
from app.models.shelf_model import ShelfModel
from app.models.status import StatusModel
from app.theme import Theme
from app.views.cards import Card, EmptyState, Page
from app.views.folding_card import FoldingCard
from app.views.loop_time import LoopTime
from app.views.shelf.disk_card import DiskCard
from app.views.shelf.find_bar import FindBar
from app.views.shelf.import_form import ImportForm
from app.views.shelf.model_acts import ModelActs
from app.views.shelf.publishers_card import PublishersCard
from app.views.shelf.section_card import SectionCard
from engine.api import schema

SLICE = 0.006
"""Seconds in which rows are made in a turn of the loop; after that they are laid out and drawn."""


class ModelsPage(Page):
    """Shows what :class:`StatusModel` and its :class:`ShelfModel` say; emits what the owner wants elsewhere."""

    model_chosen = Signal(object)
    contribute_requested = Signal(str)

    def __init__(self, theme: Theme, shelf: ShelfModel) -> None:
        about = tr("What can be asked, here and on the network, and what this machine could fetch.")
        super().__init__(theme, tr("Models"), about)
        self._shelf = shelf
        self._status: StatusModel | None = None
        self.acts = ModelActs(theme, self, shelf)
        self.acts.model_chosen.connect(self.model_chosen)
        self.acts.contribute_requested.connect(self.contribute_requested)
        self.finder = FindBar(theme)
        self.finder.changed.connect(self._show)
        self.finder.searched.connect(shelf.search)
        self.disk = DiskCard(theme)
        self.empty = EmptyState(
            theme,
            "models",
            tr("No models yet"),
            tr("The engine on this machine says what it has as soon as it runs."),
        )
        self.nothing = EmptyState(
            theme,
            "models",
            tr("Nothing found"),
            tr("No model here has all of these words. The model hub may know more."),
        )
        self.publishers = PublishersCard(theme)
        self.publishers.wanted.connect(self.acts.trust)
        self.importing = FoldingCard(theme, tr("Import a model"), self._fill_import)
        self.importing.show_summary(tr("That lies in a folder of this machine"))
        self.cards: dict[Place, SectionCard] = {}
        self._found: list[ShelfSection] = []
        self._changed = True  # what is known
        self._time = LoopTime(self, SLICE)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(0)
        self._later.timeout.connect(self._go_on)
        for widget in (self.finder, self.disk, self.empty, self.nothing):
            self.column.addWidget(widget)
        self._at = self.column.count()
        self.column.addWidget(self.publishers)
        self.column.addWidget(self.importing)
        self.column.addStretch(1)
        shelf.changed.connect(self._show)
        shelf.details_changed.connect(self._show_details)
        shelf.import_changed.connect(self._import_changed)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._shelf.look(True)
        self._changed = True
        self._go_on()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._later.stop()
        self._shelf.look(False)

    def show_status(self, model: StatusModel) -> None:
        """Show the newest state."""
        self._status = model
        self._show()

    # What is shown.

    def _models(self) -> tuple[schema.ModelState, ...]:
        state = self._status.state if self._status is not None else None
        return state.models if state is not None else ()

    def _show(self) -> None:
        """In the next turn of the loop, with whatever else comes in this one; while it is hidden, when it is opened."""
        self._changed = True
        if self.isVisible():
            self._later.start()

    def _show_all(self) -> None:
        self._changed = False
        there = self._status is not None and self._status.state is not None
        shelf, catalogue = self._shelf, self._shelf.catalogue
        known = Known(
            self._models(),
            catalogue.models if catalogue is not None else None,
            shelf.progress,
            shelf.problems,
            shelf.problem,
            shelf.hub,
        )
        words = self.finder.words.text()
        found = sections(known, words, fitting=self.finder.fitting.isChecked()) if there else []
        self.empty.setVisible(not there)
        self.finder.setVisible(there)
        self.finder.show_search(shelf.hub_problem, searching=shelf.searching)
        self.nothing.setVisible(there and not found)
        plain = there and not words
        self.disk.setVisible(plain and catalogue is not None)
        if catalogue is not None:
            self.disk.show_room(catalogue, shelf.freed)
        self.importing.setVisible(plain)
        self.publishers.show_publishers(shelf.publishers if plain else (), shelf.problems)
        self._found = found

    @property
    def busy(self) -> bool:
        """Whether something is still to be shown."""
        return self._later.isActive()

    def _go_on(self) -> None:
        self._time.renew()
        self._time.begin()
        if self._changed:
            self._show_all()
        self._show_sections()

    def _show_sections(self) -> None:
        """From above, until whatever else waits should have its turn."""
        shown: list[Place] = []
        whole = True
        for section in self._found:
            card = self.cards.get(section.place) or (self._make_card(section) if whole else None)
            if card is None:
                continue
            whole &= card.show_section(section, lambda: self._time.over)
            if card.rows or not section.rows:
                shown.append(section.place)
        self._later.stop() if whole and not self._changed else self._later.start()
        for place, card in self.cards.items():
            card.setVisible(place in shown)
        if [place for place in self.cards if place in shown] != shown:
            self._order(shown)

    def _make_card(self, section: ShelfSection) -> SectionCard:
        card = self.cards[section.place] = SectionCard(self._theme, section)
        card.pressed.connect(self.acts.press)
        card.opened.connect(self._open)
        self.column.insertWidget(self._at + len(self.cards) - 1, card)
        return card

    def _order(self, shown: list[Place]) -> None:
        rest = [place for place in self.cards if place not in shown]
        self.cards = {place: self.cards[place] for place in (*shown, *rest)}
        for offset, card in enumerate(self.cards.values()):
            self.column.removeWidget(card)
            self.column.insertWidget(self._at + offset, card)

    # Details and importing.

    def _open(self, model: str) -> None:
        self._show_details(model)
        self._shelf.ask_details(model)

    def _show_details(self, model: str) -> None:
        details = self._shelf.details.get(model)
        if details is None:
            return
        trusted = any(one.fingerprint == details.model.fingerprint and one.trusted for one in self._shelf.publishers)
        for card in self.cards.values():
            if model in card.rows:
                card.rows[model].show_details(detail_facts(details, trusted=trusted), detail_acts(details))

    def _fill_import(self, card: Card) -> None:
        self.form = ImportForm(self._theme, self._shelf)
        card.column.addWidget(self.form)

    def _import_changed(self) -> None:
        if self._shelf.import_problem:
            self.importing.open()
