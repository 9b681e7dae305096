"""Above the question: a model that is offered, on its way, or could not be fetched."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout

from app.i18n import tr
from app.models.library import LibraryModel
from app.models.shelf_model import ShelfModel
from app.theme import Theme
from app.views.basics import LinkButton, PlainLabel
from app.views.licence_first import LicenceFirst

STEPS = 1000
_ONE_ROW = 480
"""Pixels in which words and buttons stand beside each other."""


class DownloadBar(QFrame):
    """Shows the offer of a :class:`LibraryModel`, and nothing where there is none."""

    page_requested = Signal(str, str)

    def __init__(self, theme: Theme, library: LibraryModel, shelf: ShelfModel) -> None:
        super().__init__()
        self.setObjectName("downloadBar")
        self._library = library
        self._licence_first = LicenceFirst(theme, self, library, shelf)
        self._page = ""
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.medium, theme.small, theme.medium, theme.small)
        column.setSpacing(theme.tiny)
        self._row = row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        row.setSpacing(theme.small)
        words = QVBoxLayout()
        words.setSpacing(2)
        self.title = PlainLabel("", "rowTitle")
        self.text = PlainLabel("", "caption")
        words.addWidget(self.title)
        words.addWidget(self.text)
        self.read = LinkButton(tr("Where it comes from"), tr("Where the model and its licence come from"))
        self.read.clicked.connect(lambda: self.page_requested.emit(self._page, tr("Where it comes from")))
        words.addWidget(self.read, 0, Qt.AlignmentFlag.AlignLeft)
        row.addLayout(words, 1)
        self.fetch = QPushButton(tr("Download"))
        self.fetch.setObjectName("primary")
        self.fetch.clicked.connect(self._fetch)
        self.away = QPushButton(tr("Not now"))
        self.away.clicked.connect(library.decline)
        self.stop = QPushButton(tr("Stop"))
        self.stop.clicked.connect(library.stop)
        buttons = QHBoxLayout()
        buttons.setSpacing(theme.small)
        for button in (self.fetch, self.away, self.stop):
            buttons.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)
        buttons.addStretch()
        row.addLayout(buttons)
        column.addLayout(row)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(6)
        column.addWidget(self.progress)
        library.offer_changed.connect(self.show_offer)
        self.show_offer()

    def show_offer(self) -> None:
        """Show what there is to say now."""
        offer = self._library.offer
        self.setVisible(offer is not None)
        if offer is None:
            return
        fetching = offer.state == "fetching"
        self._page = offer.page
        self.title.show_text(offer.title)
        self.text.show_text(offer.text)
        self.read.setVisible(bool(offer.page))
        self.fetch.setText(tr("Try again") if offer.state == "failed" else tr("Download"))
        self.fetch.setVisible(not fetching)
        self.away.setVisible(not fetching)
        self.stop.setVisible(fetching)
        for button in (self.fetch, self.away, self.stop):
            button.setAccessibleName(tr("{action}: {model}", action=button.text(), model=offer.model))
        self.progress.setVisible(fetching)
        self.progress.setRange(0, STEPS if offer.share is not None else 0)
        self.progress.setValue(round(STEPS * (offer.share or 0)))
        self.progress.setAccessibleName(tr("{action}: {model}", action=tr("Download"), model=offer.model))
        self.progress.setAccessibleDescription(offer.text)

    def _fetch(self) -> None:
        offer = self._library.offer
        if offer is None:
            return
        model = offer.model

        def download(terms: str) -> None:
            self._library.propose(model)  # another one may have come meanwhile
            self._library.download(terms)

        self._licence_first.ask(model, download)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        beside = self.width() >= _ONE_ROW
        self._row.setDirection(QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom)
