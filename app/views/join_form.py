"""A place to paste what somebody was given to join a network: an invitation or an address."""

from __future__ import annotations

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.i18n import tr
from app.models.status import StatusModel
from app.theme import Theme
from app.views.basics import LinkButton, PlainLabel


class JoinForm(QWidget):
    """Tells ``status`` what was pasted, and shows what came of it."""

    def __init__(self, theme: Theme, status: StatusModel) -> None:
        super().__init__()
        self._status = status
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.small)
        about = tr("To join one, paste the invitation or the address that its operator gave you.")
        column.addWidget(PlainLabel(about, "quiet"))
        row = QHBoxLayout()
        row.setSpacing(theme.small)
        self.entry = QLineEdit()
        self.entry.setPlaceholderText(tr("gentorrent-invite-… or https://…"))
        self.entry.setAccessibleName(tr("Invitation or address of a network"))
        self.entry.setMaxLength(10_000)
        self.entry.returnPressed.connect(self._join)
        self.entry.textChanged.connect(self._changed)
        row.addWidget(self.entry, 1)
        self.join = QPushButton(tr("Join"))
        self.join.setEnabled(False)
        self.join.clicked.connect(self._join)
        row.addWidget(self.join)
        column.addLayout(row)
        self.said = PlainLabel("", "quiet")
        self.said.hide()
        column.addWidget(self.said)
        about = tr("For an invitation that is good for this machine alone, its operator needs the two ids of it.")
        self.ids = QWidget()
        ids = QHBoxLayout(self.ids)
        ids.setContentsMargins(0, 0, 0, 0)
        ids.addWidget(PlainLabel(about, "caption"), 1)
        self.copy = LinkButton(tr("Copy the ids"))
        self.copy.clicked.connect(self._copy)
        ids.addWidget(self.copy)
        self.ids.hide()
        column.addWidget(self.ids)
        status.hosting.changed.connect(self._show_ids)
        self._show_ids()
        status.network_kept.connect(self._kept)
        status.network_refused.connect(self._say)

    def _join(self) -> None:
        if self.entry.text().strip() and not self._status.join_network(self.entry.text()):
            self._say(tr("The engine does not run yet. Try again in a moment."))

    def _show_ids(self) -> None:
        self.ids.setVisible(bool(self._status.hosting.ids))

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._status.hosting.ids)
        self.copy.setText(tr("Copied"))

    def _changed(self, text: str) -> None:
        self.join.setEnabled(bool(text.strip()))

    def _kept(self, address: str) -> None:
        if address:
            self.entry.clear()
            self._say(tr("Joining {address}", address=address.partition("#")[0]))

    def _say(self, text: str) -> None:
        self.said.show_text(text)
        self.said.setVisible(bool(text))
