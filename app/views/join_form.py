"""A place to paste what somebody was given to join a network: an invitation or an address."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.i18n import tr
from app.models.status import StatusModel
from app.theme import Theme
from app.views.basics import PlainLabel


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
        own = tr(
            "To open one of your own, run gentorrent bootstrap --init once and then gentorrent bootstrap: it prints "
            "the address to give to others."
        )
        self.own = PlainLabel(own, "caption")
        self.own.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column.addWidget(self.own)
        status.network_kept.connect(self._kept)
        status.network_refused.connect(self._say)

    def _join(self) -> None:
        if self.entry.text().strip() and not self._status.join_network(self.entry.text()):
            self._say(tr("The engine does not run yet. Try again in a moment."))

    def _changed(self, text: str) -> None:
        self.join.setEnabled(bool(text.strip()))

    def _kept(self, address: str) -> None:
        if address:
            self.entry.clear()
            self._say(tr("Joining {address}", address=address.partition("#")[0]))

    def _say(self, text: str) -> None:
        self.said.show_text(text)
        self.said.setVisible(bool(text))
