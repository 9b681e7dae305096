"""Who is asked: the list of models under the header, and what becomes of one that has to be downloaded first."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal

from app.i18n import tr
from app.models.catalogue import BUILTIN, ModelChoice
from app.models.chat_setup import ChatSetup
from app.models.library import LibraryModel
from app.models.picking import Entry, sections
from app.theme import Theme
from app.views.download_bar import DownloadBar
from app.views.header import Header
from app.views.link_dialog import LinkDialog
from app.views.model_picker import ModelPicker

UNTIL_KNOWN = ModelChoice(BUILTIN, "local", BUILTIN)
"""Who is asked while the engine still starts and has not said what it has: what every installation has."""


class ModelChoosing(QObject):
    """Opens the list on ``page`` when the header wants it."""

    chosen = Signal()
    """A model was chosen that can be asked now."""

    def __init__(
        self,
        theme: Theme,
        header: Header,
        downloads: DownloadBar,
        setup: ChatSetup,
        library: LibraryModel,
    ) -> None:
        super().__init__(header)
        self._theme = theme
        self._header = header
        self._downloads = downloads
        self._setup = setup
        self._library = library
        self.picker: ModelPicker | None = None
        header.models.opened.connect(self.open)
        library.changed.connect(self.refresh)
        setup.changed.connect(self.refresh)
        library.arrived.connect(self._choose_arrived)
        downloads.page_requested.connect(self._show_page)

    @property
    def choice(self) -> ModelChoice:
        """Who would be asked now."""
        return self._header.choice or UNTIL_KNOWN

    def open(self) -> None:
        """Open the list of models to choose from."""
        if self.picker is None:
            self.picker = ModelPicker(self._theme, self._header)
            self.picker.chosen.connect(self._picked)
            self.picker.words_changed.connect(self.refresh)
        self._library.refresh()
        self.picker.open_under(self._header.models)
        self.refresh()

    def refresh(self) -> None:
        """Show what there is now, if the list is open."""
        if self.picker is None or not self.picker.isVisible():
            return
        found = sections(
            self._setup.models,
            self._library.models,
            self._library.downloads,
            local_only=self._setup.settings.local_only,
            words=self.picker.search.text(),
            problem=self._library.problem,
        )
        self.picker.show_sections(found, self.choice.key)

    def _picked(self, entry: Entry) -> None:
        if entry.choice is not None:
            self._header.choose(entry.choice)
            self.chosen.emit()
        else:
            self._library.propose(entry.model)
            self._downloads.fetch.setFocus()

    def _choose_arrived(self, model: str) -> None:
        """A model that was wanted is here: it is asked from now on."""
        self._header.wish(model, "local")

    def _show_page(self, page: str, words: str) -> None:
        dialog = LinkDialog(self._theme, page, words, self._header, about=tr("This page is"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()
