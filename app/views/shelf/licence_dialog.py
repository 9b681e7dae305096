"""Before a model is fetched for the first time: its licence, with the page that shows it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.i18n import tr
from app.models.facts import Fact
from app.theme import Theme
from app.views.basics import LinkButton, PlainLabel
from app.views.cards import Facts
from app.views.link_dialog import LinkDialog


class LicenceDialog(QDialog):
    """Emits ``accepted`` when the owner takes it. ``warning``: what else there is to know; ``page``: where the licence
    can be read."""

    def __init__(
        self, theme: Theme, parent: QWidget, title: str, facts: list[Fact], page: str = "", warning: str = ""
    ) -> None:
        super().__init__(parent)
        self._theme, self._page = theme, page
        self.setWindowTitle(tr("Before the download"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.large, theme.large, theme.large, theme.large)
        column.setSpacing(theme.medium)
        column.addWidget(PlainLabel(tr("Download {model}?", model=title), "cardTitle"))
        shown = Facts(theme)
        shown.show_facts(facts)
        column.addWidget(shown)
        self.read = LinkButton(tr("Read the licence where the model comes from"))
        self.read.clicked.connect(self._read)
        self.read.setVisible(bool(page))
        column.addWidget(self.read, 0, Qt.AlignmentFlag.AlignLeft)
        about = tr("Its licence says what the model may be used for. You are asked once for each model.")
        column.addWidget(PlainLabel(about, "quiet"))
        if warning:
            column.addWidget(PlainLabel(warning, "linkWarning"))
        column.addSpacing(theme.small)
        column.addLayout(self._buttons(theme))
        self.setFixedWidth(480)
        self.accept_button.setFocus()

    def _buttons(self, theme: Theme) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(theme.small)
        row.addStretch(1)
        cancel = QPushButton(tr("Cancel"))
        cancel.setAutoDefault(False)
        cancel.clicked.connect(self.reject)
        self.accept_button = QPushButton(tr("Accept and download"))
        self.accept_button.setObjectName("primary")
        self.accept_button.setDefault(True)
        self.accept_button.clicked.connect(self.accept)
        row.addWidget(cancel)
        row.addWidget(self.accept_button)
        return row

    def _read(self) -> None:
        dialog = LinkDialog(self._theme, self._page, self.read.text(), self, about=tr("This page is"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()
