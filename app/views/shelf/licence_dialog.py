"""Before a model is fetched or imported: its licence, as text where it has one, and the page that shows it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from app.i18n import tr
from app.models.facts import Fact
from app.models.model_words import short
from app.models.safe_text import short_lines
from app.models.shelf_model import ShelfModel
from app.theme import Theme
from app.views.basics import LinkButton, PlainLabel
from app.views.cards import Facts
from app.views.link_dialog import LinkDialog
from engine.api import schema

WIDTH = 560
TEXT_HEIGHT = 240


class LicenceDialog(QDialog):
    """Emits ``accepted`` when the owner takes it, which can be done once :meth:`show_licence` was told what there is to
    read; ``terms``: what is accepted then. ``warning``: what else there is to know; ``page``: where the licence can be
    read; ``importing``: the model lies in a folder already."""

    def __init__(
        self,
        theme: Theme,
        parent: QWidget,
        title: str,
        facts: list[Fact],
        page: str = "",
        warning: str = "",
        *,
        importing: bool = False,
    ) -> None:
        super().__init__(parent)
        self._theme, self._page = theme, page
        self.terms = ""
        self.setWindowTitle(tr("Before the import") if importing else tr("Before the download"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.large, theme.large, theme.large, theme.large)
        column.setSpacing(theme.medium)
        asked = tr("Import {model}?", model=title) if importing else tr("Download {model}?", model=title)
        column.addWidget(PlainLabel(asked, "cardTitle"))
        shown = Facts(theme)
        shown.show_facts(facts)
        shown.setVisible(bool(facts))
        column.addWidget(shown)
        self.about_text = PlainLabel(tr("Looking for the text of its licence …"), "caption")
        column.addWidget(self.about_text)
        self.text = self._make_text()
        column.addWidget(self.text)
        self.read = LinkButton(tr("Read the licence where the model comes from"))
        self.read.clicked.connect(self._read)
        self.read.setVisible(bool(page))
        column.addWidget(self.read, 0, Qt.AlignmentFlag.AlignLeft)
        about = tr(
            "Its licence says what the model may be used for. You are asked once for each model, and again when its "
            "licence changes."
        )
        column.addWidget(PlainLabel(about, "quiet"))
        if warning:
            column.addWidget(PlainLabel(warning, "linkWarning"))
        column.addSpacing(theme.small)
        column.addLayout(self._buttons(theme, importing=importing))
        self.setFixedWidth(WIDTH)
        self.accept_button.setEnabled(False)

    def show_licence(self, found: schema.LicenceText | str) -> None:
        """Show the text. A string says why there is nothing to show; then there is nothing to accept."""
        if isinstance(found, str):
            self.about_text.show_text(tr("Its licence cannot be shown now. {why}", why=found))
            self.adjustSize()
            return
        self.terms, text = found.terms, found.text
        if not found.name:
            about = tr("No text of a licence comes with it.")
        elif not text:
            about = tr("The text of its licence, {file}, is too long to be shown here.", file=short(found.name, 60))
        else:
            about = short(found.name, 60)
        self.about_text.show_text(about)
        self.text.setPlainText("\n".join(short_lines(text)))
        self.text.setVisible(bool(text))
        self.accept_button.setEnabled(True)
        self.accept_button.setFocus()
        self.adjustSize()

    def _make_text(self) -> QPlainTextEdit:
        text = QPlainTextEdit()
        text.setObjectName("licenceText")
        text.setReadOnly(True)
        text.setTabChangesFocus(True)
        text.setAccessibleName(tr("Text of the licence"))
        text.setFixedHeight(TEXT_HEIGHT)
        text.hide()
        return text

    def _buttons(self, theme: Theme, *, importing: bool) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(theme.small)
        row.addStretch(1)
        cancel = QPushButton(tr("Cancel"))
        cancel.setAutoDefault(False)
        cancel.clicked.connect(self.reject)
        self.accept_button = QPushButton(tr("Accept and import") if importing else tr("Accept and download"))
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


def unreviewed_words() -> str:
    """Of a model that somebody has published."""
    return tr("Nobody but its publisher has looked at this model. It may be no good, or answer badly on purpose.")


def ask_licence(dialog: LicenceDialog, shelf: ShelfModel, *, model: str) -> None:
    """Have ``dialog`` show what the engine finds of the licence of ``model``."""

    def heard(named: str, found: schema.LicenceText | str) -> None:
        if named == model:
            dialog.show_licence(found)

    listening = shelf.licence_read.connect(heard)
    dialog.finished.connect(lambda: shelf.licence_read.disconnect(listening))
    shelf.ask_licence(model)
