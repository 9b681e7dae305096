"""The page *Models* of a real window, as somebody looks at it and presses what is there."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QWidget

from app.views.basics import PlainLabel
from app.views.pages.models_page import ModelsPage
from app.views.shelf.licence_dialog import LicenceDialog
from app.views.shelf.model_row import ModelRow
from tests.ui.conftest import Window, until

MODEL = "SmolLM2-135M-Instruct"
"""Of the catalogue; what is meant where nothing else is named."""


class Looked:
    """The page, by place and model."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self.page = self.open()

    def open(self) -> ModelsPage:
        """Go there; the page may be another one after others were looked at."""
        self._window.window.open_page("models")
        page = self._window.window.page_widget("models")
        assert isinstance(page, ModelsPage)
        self.page = page
        return page

    def row(self, place: str, model: str = MODEL) -> ModelRow | None:
        """The line of a model in one place, if it is there."""
        card = next((card for card in self.page.cards.values() if card.place == place), None)
        return card.rows.get(model) if card is not None and card.isVisible() else None

    async def come(self, place: str, model: str = MODEL) -> ModelRow:
        """Wait until it is there."""
        await until(lambda: self.row(place, model) is not None)
        row = self.row(place, model)
        assert row is not None
        return row

    async def fetch(self, place: str = "catalogue", model: str = MODEL, licence: str = "apache-2.0") -> list[str]:
        """By keys, the licence with it; what the dialog says."""
        row = await self.come(place, model)
        await until(lambda: "fetch" in row.buttons)
        QTest.keyClick(row.buttons["fetch"], Qt.Key.Key_Space)
        said = await self.accept_licence()
        assert any(licence in text for text in said)
        return said

    async def accept_licence(self) -> list[str]:
        """Read what there is to read, and accept it by a key; what the dialog says, the text of the licence last."""
        dialog = self.dialog()
        assert isinstance(dialog, LicenceDialog)
        await until(dialog.accept_button.isEnabled)
        said = [*texts(dialog), dialog.text.toPlainText()]
        QTest.keyClick(dialog.accept_button, Qt.Key.Key_Space)
        return said

    async def delete(self, model: str) -> list[str]:
        """Open what is known of a model here, and delete it; what the dialog says."""
        row = await self.come("here", model)
        if row.panel is None or not row.panel.isVisible():
            row.more.click()
        await until(lambda: row.panel is not None and row.panel.buttons["remove"].isVisible())
        assert row.panel is not None
        row.panel.buttons["remove"].click()
        dialog = self.dialog()
        said = texts(dialog)
        dialog.accept()
        return said

    def dialog(self) -> QDialog:
        """The one that was opened last."""
        return self.page.findChildren(QDialog)[-1]


def texts(widget: QWidget) -> list[str]:
    """All words that it shows."""
    return [label.whole_text for label in widget.findChildren(PlainLabel)]
