"""Behind a click below an answer: the badge in words, and who could know what."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QPushButton, QVBoxLayout, QWidget

from app.i18n import tr
from app.models import words
from app.models.doubts import may_be_doubted, why_not_checked
from app.models.turns import KeptAnswer
from app.theme import Theme
from app.views.basics import PlainLabel
from app.views.flow_layout import FlowLayout
from engine.api import schema


class AnswerDetails(QFrame):
    """A table of who could know what about one answer, and its receipt to be saved."""

    receipt_wanted = Signal()
    check_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("details")
        self._theme = theme
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(theme.medium, theme.medium, theme.medium, theme.medium)
        self._grid.setHorizontalSpacing(theme.large)
        self._grid.setVerticalSpacing(theme.small)
        self._grid.setColumnMinimumWidth(0, 110)
        self._grid.setColumnStretch(1, 1)
        self.receipt: QPushButton | None = None
        self.check: QPushButton | None = None
        self._done: object = None
        self.hide()

    def show_answer(self, done: schema.ChatDone) -> None:
        """Fill in; the panel stays as open or closed as it is."""
        if done is self._done:
            return
        self._done = done
        while (item := self._grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        known_rows = [*words.knowledge(done), *words.about(done)]
        for row, known in enumerate(known_rows):
            self._grid.addWidget(_selectable(known.who, "heading"), row, 0, Qt.AlignmentFlag.AlignTop)
            cell = QWidget()
            layout = QVBoxLayout(cell)
            layout.setContentsMargins(0, 0, 0, 0)
            layout.setSpacing(1)
            layout.addWidget(_selectable(known.what, ""))
            if known.nodes:
                layout.addWidget(_selectable(known.nodes, "caption"))
            self._grid.addWidget(cell, row, 1, Qt.AlignmentFlag.AlignTop)
        self._offer_acts(done, len(known_rows))

    def _offer_acts(self, done: schema.ChatDone, row: int) -> None:
        """What can be done with the receipt; why not stands below, as what is disabled is not told to everybody."""
        beside = FlowLayout(space=self._theme.small)
        self.receipt = self.check = None
        if isinstance(done, KeptAnswer) and done.has_receipt:
            self.receipt = QPushButton(tr("Save the receipt…"))
            self.receipt.setToolTip(tr("A file that anybody can check, without a network"))
            self.receipt.clicked.connect(self.receipt_wanted)
            beside.addWidget(self.receipt)
        if may_be_doubted(done):
            why_not = why_not_checked(done)
            self.check = QPushButton(tr("Have the machine checked…"))
            self.check.setToolTip(why_not or tr("Verifiers may check sooner who gave an answer that you doubt"))
            self.check.setAccessibleDescription(self.check.toolTip())
            self.check.setEnabled(not why_not)
            self.check.clicked.connect(self.check_wanted)
            beside.addWidget(self.check)
            if why_not:
                self._grid.addWidget(_selectable(why_not, "caption"), row + 1, 1)
        if beside.count():
            acts = QWidget()
            acts.setLayout(beside)
            self._grid.addWidget(acts, row, 1)


def _selectable(text: str, name: str) -> PlainLabel:
    label = PlainLabel(text, name)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
