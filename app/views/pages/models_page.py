"""The models that can be asked: where each is, and how soon and how fast it would answer."""

from __future__ import annotations

import functools

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.i18n import tr
from app.models.catalogue import ModelChoice, ModelEntry, model_entries
from app.models.library import LibraryModel
from app.models.status import StatusModel
from app.theme import Theme
from app.views.basics import PlainLabel
from app.views.cards import Card, EmptyState, Page
from app.views.icons import ThemeIcon
from app.views.model_offer_form import ModelOfferForm

_NARROW = 560
"""Below this width of a row its buttons stand under its words."""


class ModelsPage(Page):
    """One row for each model; emits which one to ask."""

    model_chosen = Signal(object)

    def __init__(self, theme: Theme, library: LibraryModel) -> None:
        super().__init__(theme, tr("Models"), tr("What can be asked now, on this machine and on the network."))
        self._shown: list[ModelEntry] | None = None
        self._card = Card(theme)
        self.column.addWidget(self._card)
        self.empty = EmptyState(
            theme,
            "models",
            tr("No models yet"),
            tr("The engine on this machine says what it has as soon as it runs."),
        )
        self.column.addWidget(self.empty)
        more = Card(theme, tr("The best for this machine"))
        more.column.addWidget(ModelOfferForm(theme, library))
        more.add_line()
        text = tr(
            "Others are downloaded on the command line: gentorrent models search lists them, gentorrent models "
            "download NAME fetches one, and it appears here within seconds."
        )
        label = PlainLabel(text, "quiet")
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        more.column.addWidget(label)
        self.column.addWidget(more)
        self.column.addStretch(1)
        self.rows: list[ModelRow] = []
        self._show([])

    def show_status(self, model: StatusModel) -> None:
        """Show the newest state."""
        self._show(model_entries(model.state.models) if model.state is not None else [])

    def _show(self, entries: list[ModelEntry]) -> None:
        if entries == self._shown:
            return
        same = self._shown is not None and [entry.id for entry in entries] == [entry.id for entry in self._shown]
        self._shown = entries
        if not same:
            self._build(entries)
        for row, entry in zip(self.rows, entries, strict=True):
            row.show_entry(entry)
        self._card.setVisible(bool(entries))
        self.empty.setVisible(not entries)

    def _build(self, entries: list[ModelEntry]) -> None:
        while (item := self._card.column.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self.rows = []
        for position, _ in enumerate(entries):
            if position:
                self._card.add_line()
            row = ModelRow(self._theme)
            row.chosen.connect(self.model_chosen)
            self._card.column.addWidget(row)
            self.rows.append(row)


class ModelRow(QWidget):
    """One model."""

    chosen = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(theme.medium)
        row = QHBoxLayout()
        row.setSpacing(theme.medium)
        self._row.addLayout(row, 1)
        mark = QLabel()
        mark.setFixedSize(24, 24)
        ThemeIcon(mark, theme, "models", "quiet", size=24)
        row.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(2)
        self.name = PlainLabel("", "rowTitle", elided=True)
        self.details = PlainLabel("", "quiet")
        words.addWidget(self.name)
        words.addWidget(self.details)
        row.addLayout(words, 1)
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(theme.small)
        self._buttons.addStretch(1)
        self._row.addLayout(self._buttons)
        self.buttons: list[QPushButton] = []
        self._choices: list[ModelChoice] = []

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < _NARROW
        self._row.setDirection(QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight)

    def show_entry(self, entry: ModelEntry) -> None:
        """Show ``entry``; buttons for the same choices stay."""
        self.name.show_text(entry.id)
        self.details.show_text(entry.details)
        if [choice.key for choice in entry.choices] == [choice.key for choice in self._choices]:
            return
        self._choices = list(entry.choices)
        for button in self.buttons:
            button.hide()
            button.deleteLater()
        self.buttons = []
        for choice in entry.choices:
            text = tr("Ask here") if choice.route == "local" else tr("Ask the network")
            button = QPushButton(text)
            button.setAccessibleName(tr("{action}: {model}", action=text, model=entry.id))
            button.clicked.connect(functools.partial(self.chosen.emit, choice))
            self._buttons.insertWidget(len(self.buttons), button)
            self.buttons.append(button)
