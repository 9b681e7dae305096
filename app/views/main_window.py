"""The window: pages with their bar at the left, the status line below, keys for everything."""

from __future__ import annotations

import functools
from collections.abc import Callable

from PySide6.QtCore import QByteArray, QEvent, QSize, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QGuiApplication, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QApplication, QHBoxLayout, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from app.models.catalogue import ModelChoice
from app.models.chat_setup import ChatSetup
from app.models.chats import ChatsModel
from app.models.library import LibraryModel
from app.models.limits import Hardware
from app.models.status import StatusModel
from app.models.topology import TopologyModel
from app.models.transcript import ChatTranscript
from app.preferences import Preferences
from app.theme import Theme
from app.views.basics import room_on_screen
from app.views.dressing import Dressing
from app.views.icons import icon
from app.views.keys_dialog import keys_dialog
from app.views.navigation import PAGES, Navigation, PageName
from app.views.pages.chat_page import ChatPage
from app.views.pages.contribute_page import ContributePage
from app.views.pages.first_run_page import FirstRunPage
from app.views.pages.models_page import ModelsPage
from app.views.pages.network_page import NetworkPage
from app.views.pages.settings_page import SettingsPage
from app.views.status_bar import StatusBar

_SLIM = 700
"""Below this width of the window the bar at the left shows icons alone."""
SCREEN_MILLISECONDS = 250
"""When a screen is taken away the system moves windows first; after so long this one looks where it is."""
StatusPage = ContributePage | ModelsPage | NetworkPage | SettingsPage


class MainWindow(QMainWindow):
    """Shows one chat and the state of the engine. ``may_close`` says whether the window may close now, and does what
    happens instead. Pages other than the chat are made when they are first opened. Without ``dressed``
    it wears no look until :meth:`dress`, for who shows it later."""

    engine_retry_requested = Signal()
    quit_requested = Signal()
    setting_changed = Signal(str, object)
    autostart_requested = Signal(bool)
    first_choices_made = Signal(object)
    settings_opened = Signal()
    activated = Signal()

    def __init__(
        self,
        theme: Theme,
        chat: ChatTranscript,
        chats: ChatsModel,
        setup: ChatSetup,
        library: LibraryModel,
        status: StatusModel,
        preferences: Preferences | None = None,
        hardware: Hardware | None = None,
        data_directory: str = "",
        topology: TopologyModel | None = None,
        *,
        dressed: bool = True,
    ) -> None:
        super().__init__()
        self._theme = theme
        self._chat = chat
        self._status = status
        self._topology = topology or TopologyModel(lambda _: False)
        self._preferences = preferences or Preferences()
        self._hardware = hardware or Hardware(1, 0)
        self._data_directory = data_directory
        self.may_close: Callable[[], bool] = lambda: True
        self.setWindowTitle("GenTorrent")
        self.setWindowIcon(icon("app"))
        room = room_on_screen(self)
        self.setMinimumSize(QSize(480, 420).boundedTo(room))
        self.resize(QSize(1080, 760).boundedTo(room))
        self.navigation = Navigation(theme)
        self._library = library
        self.chat_page = ChatPage(theme, chat, chats, setup, library, status.shelf)
        self.header, self.transcript, self.composer = (
            self.chat_page.header,
            self.chat_page.transcript,
            self.chat_page.composer,
        )
        self.status_bar = StatusBar(theme)
        self.first_run: FirstRunPage | None = None
        self._screens_settle = QTimer(self)
        self._screens_settle.setSingleShot(True)
        self._screens_settle.setInterval(SCREEN_MILLISECONDS)
        self._made: dict[PageName, StatusPage] = {}
        self._open: PageName = "chat"
        self.dressing = Dressing(self, theme, lambda: self.transcript.old_look)
        if dressed:
            self.dress()
        self._lay_out()
        self._connect()
        self._add_shortcuts()
        self._show_status()
        self.composer.setFocus()

    # ----------------------------------------------------------------------------------------------------------- chat

    @property
    def choice(self) -> ModelChoice:
        """Who would be asked now."""
        return self.chat_page.choice

    def ask(self, question: str) -> None:
        """Ask, as if it had been typed and sent."""
        self.chat_page.ask(question)

    def open_chat(self, chat: str) -> None:
        """Show a chat of the list."""
        self.chat_page.open_chat(chat)
        self.open_page("chat")

    def keep_draft(self) -> None:
        """Keep what is being written."""
        self.chat_page.keep_draft()

    @property
    def dialog_owner(self) -> QWidget:
        """To which dialogs belong that no other part opens: they wear what it wears."""
        return self.status_bar

    # ---------------------------------------------------------------------------------------------------------- pages

    @property
    def page(self) -> PageName:
        """The page that is open."""
        return self._open

    def page_widget(self, name: PageName) -> QWidget:
        """The page ``name``, made now if it is not there yet."""
        if name == "chat":
            return self.chat_page
        if name not in self._made:
            self._made[name] = self._make_page(name)
            self._stack.addWidget(self._made[name])
            self.dressing.add(self._made[name])
            self._made[name].show_status(self._status)
        return self._made[name]

    def dress(self) -> None:
        """Put the look on all but the pages that are made later."""
        self.dressing.add(self.navigation, *self.chat_page.parts, self.status_bar)

    def delete_page(self) -> bool:
        """One of the pages other than the chat ends, of a window that shows no more; whether there was one."""
        if not self._made:
            return False
        _, page = self._made.popitem()
        self.dressing.drop(page)
        page.deleteLater()
        return True

    def open_page(self, name: PageName) -> None:
        """Show the page ``name``."""
        if self.first_run is not None:
            return
        self._open = name
        self._topology.look_at(self._chat.chat)
        widget = self.page_widget(name)
        self._stack.setCurrentWidget(widget)
        self.navigation.show_page(name)
        if name == "chat":
            self.composer.setFocus()
            return
        widget.setFocus()
        if name == "settings":
            self.settings_opened.emit()

    @property
    def settings(self) -> SettingsPage:
        """The page of that name."""
        page = self.page_widget("settings")
        assert isinstance(page, SettingsPage)
        return page

    def show_preferences(self, preferences: Preferences) -> None:
        """Show what is chosen now."""
        self._preferences = preferences
        if "settings" in self._made:
            self.settings.show_preferences(preferences)

    def show_first_run(self) -> FirstRunPage:
        """Begin with the page of the first start; the others come when it is left."""
        page = FirstRunPage(self._theme, self._preferences, self._hardware, self._status, self._library)
        page.done.connect(self.first_choices_made)
        self.first_run = page
        self.navigation.hide()
        self._stack.addWidget(page)
        self.dressing.add(page)
        self._stack.setCurrentWidget(page)
        page.begin.setFocus()
        return page

    def end_first_run(self) -> None:
        """On to the chat."""
        if self.first_run is not None:
            self._stack.removeWidget(self.first_run)
            self.dressing.drop(self.first_run)
            self.first_run.deleteLater()
            self.first_run = None
        self.navigation.show()
        self.open_page("chat")

    # --------------------------------------------------------------------------------------------------------- window

    def bring_to_front(self) -> None:
        """Show the window, wherever it is."""
        if self.isMinimized():
            self.showNormal()
        self.show()
        self.raise_()
        self.activateWindow()

    def focus_on(self, name: str) -> None:
        """Give the focus to the control of that object name."""
        control = self.findChild(QWidget, name)
        if isinstance(control, QWidget):
            control.setFocus()

    def saved_geometry(self) -> str:
        """Where the window is, for :meth:`restore_geometry`."""
        return bytes(self.saveGeometry().toBase64().data()).decode("ascii")

    def restore_geometry(self, saved: str) -> None:
        """Put the window where it was; one whose screen is gone comes to a screen that is there."""
        if saved and not self.restoreGeometry(QByteArray.fromBase64(saved.encode("ascii", "replace"))):
            return
        self.stay_visible()

    def stay_visible(self) -> None:
        """Come to a screen that is there, if the window is on none of them."""
        if not any(screen.availableGeometry().intersects(self.frameGeometry()) for screen in QGuiApplication.screens()):
            screen = QGuiApplication.primaryScreen().availableGeometry()
            self.resize(self.size().boundedTo(screen.size()))
            self.move(screen.center() - self.rect().center())

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.may_close():
            event.accept()
        else:
            event.ignore()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.ActivationChange and self.isActiveWindow():
            self.activated.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.navigation.set_slim(self.width() < _SLIM)

    def _lay_out(self) -> None:
        self._stack = QStackedWidget()
        self._stack.addWidget(self.chat_page)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._stack, 1)
        column.addWidget(self.status_bar)
        whole = QWidget()
        whole.setObjectName("page")
        row = QHBoxLayout(whole)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.navigation)
        row.addWidget(right, 1)
        self.setCentralWidget(whole)

    def _make_page(self, name: PageName) -> StatusPage:
        if name == "contribute":
            contribute = ContributePage(self._theme, self._status.contribution)
            contribute.contributing_requested.connect(self._status.set_contributing)
            contribute.models_requested.connect(lambda: self.open_page("models"))
            return contribute
        if name == "models":
            models = ModelsPage(self._theme, self._status.shelf)
            models.model_chosen.connect(self._ask_model)
            models.contribute_requested.connect(self._contribute_model)
            return models
        if name == "network":
            self._topology.look_at(self._chat.chat)
            return NetworkPage(self._theme, self._status, self._topology)
        settings = SettingsPage(self._theme, self._preferences, self._hardware, self._data_directory)
        settings.changed.connect(self.setting_changed)
        settings.rules_requested.connect(self._open_relay_rules)
        settings.autostart_requested.connect(self.autostart_requested)
        settings.deletion_requested.connect(self._delete_all)
        self._status.data_deleted.connect(settings.show_deletion)
        settings.sharing_requested.connect(self._status.sharing.choose)
        self._status.sharing.look()
        return settings

    def _connect(self) -> None:
        self.navigation.page_chosen.connect(self.open_page)
        self.header.contributing_requested.connect(self._status.set_contributing)
        self.status_bar.retry_requested.connect(self.engine_retry_requested)
        self._status.changed.connect(self._show_status)
        self._theme.changed.connect(self.transcript.repaint_all)
        QApplication.instance().screenRemoved.connect(self._screens_settle.start)  # type: ignore[union-attr]
        self._screens_settle.timeout.connect(self.stay_visible)

    def _add_shortcuts(self) -> None:
        actions: list[tuple[QKeySequence, Callable[[], object]]] = [
            (QKeySequence(QKeySequence.StandardKey.New), self._new_chat),
            (QKeySequence("Ctrl+Shift+N"), functools.partial(self._new_chat, True)),
            (QKeySequence("Ctrl+F"), self._search),
            (QKeySequence("Ctrl+B"), self.chat_page.toggle_chats),
            (QKeySequence("Ctrl+I"), self._toggle_setup),
            (QKeySequence("Ctrl+Q"), self.quit_requested.emit),
            (QKeySequence("Ctrl+W"), self.close),
            (QKeySequence("Ctrl+L"), self._to_composer),
            (QKeySequence("Ctrl+O"), functools.partial(self._in_chat, self.composer.choose_files)),
            (QKeySequence("Ctrl+E"), functools.partial(self._in_chat, self.transcript.edit_last)),
            (QKeySequence("Ctrl+R"), functools.partial(self._in_chat, self.transcript.ask_last_again)),
            (QKeySequence("Esc"), self._chat.stop),
            (QKeySequence("Ctrl+,"), lambda: self.open_page("settings")),
            (QKeySequence(QKeySequence.StandardKey.HelpContents), self._show_keys),
        ]
        for position, name in enumerate(PAGES):
            actions.append((QKeySequence(f"Ctrl+{position + 1}"), functools.partial(self.open_page, name)))
        for keys, action in actions:
            QShortcut(keys, self).activated.connect(action)

    def _in_chat(self, action: Callable[[], None]) -> None:
        self.open_page("chat")
        action()

    def _to_composer(self) -> None:
        self.open_page("chat")

    def _new_chat(self, temporary: bool = False) -> None:
        self.chat_page.new_chat(temporary)
        self.open_page("chat")

    def _toggle_setup(self) -> None:
        self.open_page("chat")
        self.chat_page.toggle_setup()

    def _search(self) -> None:
        self.open_page("chat")
        self.chat_page.show_chats()
        self.chat_page.chats.focus_search()

    def _ask_model(self, choice: ModelChoice) -> None:
        self.header.wish(choice.model, choice.route)  # one that has just arrived is in the list a moment later
        self.open_page("chat")

    def _contribute_model(self, model: str) -> None:
        """Answer others with it from now on; the page that opens says what that means, and why not if so."""
        self._status.contribution.change(model=model)
        self._status.set_contributing(True)
        self.open_page("contribute")

    def _open_relay_rules(self) -> None:
        self.open_page("contribute")
        page = self.page_widget("contribute")
        if isinstance(page, ContributePage):
            page.open_section("relay")

    def _delete_all(self, keys: bool) -> None:
        self._chat.new_chat()
        self.composer.input.clear()
        self._status.delete_all_data(keys)

    def _show_keys(self) -> None:
        keys_dialog(self.dialog_owner, self._theme).open()

    def _show_status(self) -> None:
        self.header.show_models(self._status.models)
        self.header.show_contribute(self._status.contribute())
        self.status_bar.show_line(self._status.line())
        self.status_bar.show_notes(self._status.notes())
        for page in self._made.values():
            page.show_status(self._status)
