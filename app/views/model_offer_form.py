"""The model that would be best on this machine, with the button that fetches it and how far that is."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from app.i18n import tr
from app.models.library import LibraryModel
from app.models.model_offer import ModelOffer
from app.models.shelf_model import ShelfModel
from app.theme import Theme
from app.views.basics import PlainLabel
from app.views.licence_first import LicenceFirst

STEPS = 1000


class ModelOfferForm(QWidget):
    """Shows what :class:`ModelOffer` says over ``library``."""

    def __init__(self, theme: Theme, library: LibraryModel, shelf: ShelfModel) -> None:
        super().__init__()
        self._model = ModelOffer(library)
        self._licence_first = LicenceFirst(theme, self, library, shelf)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.large)
        words = QVBoxLayout()
        words.setSpacing(theme.tiny)
        self.name = PlainLabel("", "rowTitle")
        self.text = PlainLabel("", "quiet")
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(6)
        self.progress.setRange(0, STEPS)
        self.progress.setAccessibleName(tr("Progress of the download"))
        for widget in (self.name, self.text, self.progress):
            words.addWidget(widget)
        row.addLayout(words, 1)
        self.button = QPushButton()
        self.button.clicked.connect(self._press)
        row.addWidget(self.button, 0, Qt.AlignmentFlag.AlignVCenter)
        self._model.changed.connect(self.refresh)
        self.refresh()
        library.refresh()

    def _press(self) -> None:
        model = self._model.wanted
        if model:
            self._licence_first.ask(model, lambda terms: self._model.fetch(model, terms))
        else:
            self._model.stop()

    def refresh(self) -> None:
        """Show the newest."""
        best = self._model.best
        self.name.show_text(best.title)
        self.text.show_text(best.text)
        self.progress.setVisible(best.share is not None)
        self.progress.setValue(round(STEPS * (best.share or 0)))
        self.button.setVisible(bool(best.action))
        self.button.setText(tr("Stop") if best.action == "stop" else tr("Fetch"))
        self.button.setAccessibleName(tr("{action}: {model}", action=self.button.text(), model=best.title))
        self.button.setAccessibleDescription(best.text)
