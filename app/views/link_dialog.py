"""Before a link opens: where it really leads, and what is odd about it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.i18n import mark, tr
from app.markdown.links import destination, may_open
from app.theme import Theme
from app.views.basics import PlainLabel, copy_text
from app.views.text_view import TextView

WARNINGS = {
    "homograph": mark("This name uses letters that can be taken for other ones. It may not be the site it looks like."),
    "user": mark("The part before the @ is not the site. The link leads to {host}."),
    "address": mark("The link leads to a machine by its number instead of a name."),
    "plain": mark("The connection is not encrypted."),
    "misnamed": mark("The text of the link names another site than the one it leads to."),
}


class LinkDialog(QDialog):
    """Shows ``address`` in full; ``open_address`` is called when the reader wants to go there. ``about``: what stands
    over it, for links that no model wrote."""

    def __init__(
        self,
        theme: Theme,
        address: str,
        words: str,
        parent: QWidget,
        open_address: Callable[[str], object] | None = None,
        about: str = "",
    ) -> None:
        super().__init__(parent)
        self._address = address
        self._open = open_address or open_in_browser
        found = destination(address, words)
        self.setWindowTitle(tr("Open this link?"))
        self.setModal(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.large, theme.large, theme.large, theme.large)
        layout.setSpacing(theme.small)
        layout.addWidget(PlainLabel(about or tr("A link in an answer leads to"), "quiet"))
        self.host = PlainLabel(found.host or address, "linkHost")
        layout.addWidget(self.host)
        if found.reads_as:
            layout.addWidget(PlainLabel(tr("In letters it reads {letters}", letters=found.reads_as), "quiet"))
        self.address = TextView(theme, tr("The full address: {address}", address=address))
        self.address.add(address)
        frame = QFrame()
        frame.setObjectName("linkAddress")
        inner = QVBoxLayout(frame)
        inner.setContentsMargins(theme.small, theme.tiny, theme.small, theme.tiny)
        inner.addWidget(self.address)
        layout.addWidget(frame)
        said = [tr(WARNINGS[name], host=found.host) for name in found.warnings]
        self.warnings = [PlainLabel(text, "linkWarning") for text in said]
        for warning in self.warnings:
            layout.addWidget(warning)
        layout.addSpacing(theme.small)
        layout.addLayout(self._buttons(theme))
        self.setFixedWidth(480)
        self.cancel.setFocus()

    def _buttons(self, theme: Theme) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(theme.small)
        self.copy = QPushButton(tr("Copy the address"))
        self.copy.clicked.connect(self._copy)
        self.cancel = QPushButton(tr("Cancel"))
        self.cancel.clicked.connect(self.reject)
        self.go = QPushButton(tr("Open"))
        self.go.setObjectName("primary")
        self.go.setAccessibleName(tr("Open the link in the web browser"))
        self.go.clicked.connect(self._go)
        row.addWidget(self.copy)
        row.addStretch(1)
        row.addWidget(self.cancel)
        row.addWidget(self.go)
        self.cancel.setDefault(True)
        return row

    def _copy(self) -> None:
        copy_text(self._address)
        self.accept()

    def _go(self) -> None:
        self.accept()
        if may_open(self._address):
            self._open(self._address)


def open_in_browser(address: str) -> bool:
    """Let the system open ``address``, which :func:`may_open`."""
    return QDesktopServices.openUrl(QUrl(address, QUrl.ParsingMode.StrictMode))
