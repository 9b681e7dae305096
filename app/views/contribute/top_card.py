"""The switch: state, reason and until when, and the ways to pause."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from app.i18n import tr
from app.models.status import PAUSE_SECONDS, ContributeLine
from app.theme import Theme
from app.views.basics import Switch
from app.views.cards import Card, StatusRow
from app.views.flow_layout import FlowLayout


class TopCard(Card):
    """``pause_requested`` with seconds, or None for until the next start."""

    contributing_requested = Signal(bool)
    pause_requested = Signal(object)
    resume_requested = Signal()
    models_requested = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        row = QHBoxLayout()
        row.setSpacing(theme.large)
        self.status = StatusRow(theme)
        row.addWidget(self.status, 1)
        self.contribute = Switch(theme, tr("Contribute: answer other people's questions on this machine"))
        self.contribute.clicked.connect(self.contributing_requested)
        row.addWidget(self.contribute)
        self.column.addLayout(row)
        self._buttons = QWidget()
        flow = FlowLayout(self._buttons, theme.small)
        self.pause_hour = QPushButton(tr("Pause for an hour"))
        self.pause_hour.clicked.connect(lambda: self.pause_requested.emit(PAUSE_SECONDS))
        self.pause_start = QPushButton(tr("Pause until the next start"))
        self.pause_start.clicked.connect(lambda: self.pause_requested.emit(None))
        self.resume = QPushButton(tr("Go on now"))
        self.resume.setObjectName("primary")
        self.resume.clicked.connect(self.resume_requested)
        self.models = QPushButton(tr("Models"))
        self.models.clicked.connect(self.models_requested)
        for button in (self.resume, self.models, self.pause_hour, self.pause_start):
            flow.addWidget(button)
        self.column.addWidget(self._buttons)

    def show_line(
        self, line: ContributeLine, words: str, *, can_pause: bool, can_resume: bool, wants_model: bool
    ) -> None:
        """How it stands, and what can be done about it; ``wants_model``: get another one, or this one anew."""
        self.contribute.setEnabled(line.enabled)
        self.contribute.setChecked(line.checked)
        self.contribute.setAccessibleDescription(line.sentence)
        self.status.show_status(line.tone, line.text, words)
        self.pause_hour.setVisible(can_pause and not wants_model)
        self.pause_start.setVisible(can_pause and not wants_model)
        self.resume.setVisible(can_resume)
        self.models.setVisible(wants_model)
        self._buttons.setVisible(can_pause or can_resume or wants_model)
        self._buttons.updateGeometry()
