"""Puts the window together: engine link, view-models, widgets, and the rules of leaving."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from app import hardware, i18n
from app.appearance import Appearance
from app.autostart import Autostart, for_this_system, start_command
from app.engine_link import EngineLink, EngineStatus
from app.i18n import tr
from app.models.chat_setup import ChatSetup
from app.models.chats import ChatsModel
from app.models.library import LibraryModel
from app.models.limits import Hardware
from app.models.status import StatusModel
from app.models.topology import TopologyModel
from app.models.transcript import ChatTranscript
from app.notifications import Notifier
from app.options import Options
from app.preferences import (
    MAX_COLLAPSED,
    Preferences,
    PreferenceStore,
    WindowState,
    engine_options,
    read_state,
    write_state,
)
from app.unsent_file import UnsentFile
from app.views.confirm_dialog import ConfirmDialog, quit_dialog
from app.views.main_window import MainWindow
from app.views.pages.first_run_page import FirstChoices
from app.views.tray import Tray
from engine.api import schema

TRAY_MILLISECONDS = 10_000
"""A desktop that has just started gets so long to bring its tray, before a window that should stay hidden is shown
minimised instead."""
LOOK_MILLISECONDS = 250
_log = logging.getLogger(__name__)


class Desktop:
    """The window with everything behind it. :meth:`show`, then ``await run()``."""

    def __init__(
        self,
        options: Options,
        link: EngineLink | None = None,
        preferences: PreferenceStore | None = None,
        autostart: Autostart | None = None,
    ) -> None:
        self._options = options
        self.preferences = preferences or PreferenceStore(options.data_directory)
        self._autostart = autostart or for_this_system()
        now = self.preferences.now
        i18n.use(now.language or i18n.system_language())
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        self.appearance = Appearance(application, now.look)
        self.link = link or EngineLink(options)
        self.link.use_options(engine_options(now, options.engine_options))
        self.chat = ChatTranscript(self.link.send)
        self.chats = ChatsModel(self.link.send)
        self.unsent = UnsentFile(options.data_directory, self.chat)
        self.setup = ChatSetup(self.chat, self.chats.names.send)
        self.library = LibraryModel(self.link.send)
        self.status = StatusModel(self.link.send)
        self.unsent.failed.connect(self.status.cannot_keep)
        self.topology = TopologyModel(self.link.send)
        self.hardware = Hardware(os.cpu_count() or 1, 0)
        self.tray = Tray(self.status)
        self.window = self._make_window()
        self._changing: Generator[None, None, None] | None = None  # to a window in another language
        self._change_windows = QTimer()
        self._change_windows.setInterval(0)
        self._change_windows.timeout.connect(self._go_on_changing)
        self.notifier = Notifier(
            self.tray, self.chat, self.chats, self.status, lambda: self.window, lambda: self.preferences.now
        )
        self._leaving = asyncio.Event()
        self._kept_chat = ""
        self._stop_engine = False
        self._asked: ConfirmDialog | None = None  # whether to quit
        self._restore_contributing = False
        self.tray.open_requested.connect(self.open)
        self.tray.message_clicked.connect(self._open_told)
        self.tray.quit_requested.connect(self.ask_to_quit)
        self.link.status_changed.connect(self._engine_changed)
        self.link.event_received.connect(self._receive)
        self.status.contributing_wished.connect(lambda on: self.preferences.change(contribute=on))
        self.status.network_kept.connect(self._network_kept)
        self.preferences.changed.connect(self._preferences_changed)
        self.chat.chat_changed.connect(self._chat_changed)
        self.status.intends = now.contribute
        self._restore()

    # ----------------------------------------------------------------------------------------------------- the window

    def show(self) -> None:
        """Show window and tray icon; after a start by the system only the icon, if that was chosen."""
        self.tray.show()
        now = self.preferences.now
        if self._options.autostarted and now.start_hidden and now.welcomed:
            self._show_later(TRAY_MILLISECONDS)
        else:
            self.window.show()

    def open(self) -> None:
        """Bring the window to the front, wherever it is."""
        self.window.bring_to_front()

    def _open_told(self) -> None:
        """Show what the last notification was about."""
        self.open()
        if self.notifier.chat:
            self.window.open_chat(self.notifier.chat)

    def _make_window(self, *, dressed: bool = True) -> MainWindow:
        now, theme = self.preferences.now, self.appearance.theme
        window = MainWindow(
            theme,
            self.chat,
            self.chats,
            self.setup,
            self.library,
            self.status,
            now,
            self.hardware,
            str(self._options.data_directory),
            self.topology,
            dressed=dressed,
        )
        window.may_close = self._may_close
        window.quit_requested.connect(self.ask_to_quit)
        window.engine_retry_requested.connect(self.link.try_now)
        window.setting_changed.connect(lambda name, value: self.preferences.change(**{name: value}))
        window.autostart_requested.connect(self._set_autostart)
        window.settings_opened.connect(self._show_system_settings)
        window.first_choices_made.connect(self._first_choices)
        return window

    def _restore(self) -> None:
        state = read_state(self._options.data_directory)
        self.chats.folders.collapse(state.collapsed)
        self.chats.folders.folded.connect(self._keep_place)
        if state.chat:
            self._kept_chat = state.chat
            self.chat.open_chat(state.chat)
        self.window.restore_geometry(state.geometry)
        if self.preferences.now.welcomed:
            self.window.open_page(state.page)
        else:
            self.window.show_first_run()

    def _make_anew(self) -> None:
        """The window in another language, piece by piece between which the loop turns."""
        if self._changing is not None:
            self._changing.close()
        self._changing = self._pieces_of_change()
        self._change_windows.start()

    def _go_on_changing(self) -> None:
        if self._changing is not None and next(self._changing, True):
            self._changing = None
            self._change_windows.stop()

    def _pieces_of_change(self) -> Generator[None, None, None]:
        """The old window shows, and is used, until the other one is whole."""
        leaving = new = self._make_window(dressed=False)
        try:
            yield  # the list of chats is filled
            yield
            new.dress()
            while new.page != self.window.page:
                yield
                new.open_page(self.window.page)
            yield
            leaving, self.window = self.window, new
            self._move_in(leaving)
            yield
            while leaving.delete_page():
                yield
        finally:  # also where the language changes again before this is done
            leaving.deleteLater()

    def _move_in(self, old: MainWindow) -> None:
        """Everything where it was in the ``old`` window."""
        self.window.restore_geometry(old.saved_geometry())
        self.window.composer.input.setPlainText(old.composer.input.toPlainText())
        self.window.composer.show_running(self.chat.running)
        if old.header.choice is not None:  # what was to be asked on this machine must not go anywhere else
            self.window.header.choose(old.header.choice)
        if old.first_run is not None:
            self.window.show_first_run()
        focused = QApplication.focusWidget()
        self.window.open_page(old.page)
        self._show_preferences(self.preferences.now)
        if old.isVisible():
            self.window.show()
        if focused is not None and focused.objectName().startswith("setting-"):
            self.window.focus_on(focused.objectName())
        old.hide()
        self.tray.refresh()

    def _show_later(self, left: int) -> None:
        if self.tray.usable or self._leaving.is_set():
            return
        if left <= 0:
            self.window.showMinimized()
        else:
            QTimer.singleShot(LOOK_MILLISECONDS, lambda: self._show_later(left - LOOK_MILLISECONDS))

    # -------------------------------------------------------------------------------------------------------- leaving

    async def run(self) -> None:
        """Until the user leaves; then stop the engine if that is what leaving means."""
        async with asyncio.TaskGroup() as group:
            linked = group.create_task(self.link.run())
            looked = group.create_task(self._look_at_hardware())
            await self._leaving.wait()
            self._keep_state()
            self._change_windows.stop()
            self.window.hide()
            self.tray.close()
            if self._stop_engine:
                await self.link.stop_engine()
            await self.link.sent()  # else the last words of a draft may never leave
            linked.cancel()
            looked.cancel()
        self.chat.connection_lost()  # what was not confirmed may not have arrived
        self.unsent.keep()

    def quit(self) -> None:
        """Leave, and stop the engine if a window started it. One that somebody else started is left running."""
        self._leave(self._may_stop_engine)

    def ask_to_quit(self) -> None:
        """Leave as :meth:`quit` does; what would be lost by that is said before."""
        self._leave_unless_asked(self._may_stop_engine)

    @property
    def _may_stop_engine(self) -> bool:
        status = self.link.status
        return status.owned or status.phase != "connected"

    def _may_close(self) -> bool:
        """The window is closed: with a tray it only hides, unless the owner wants it to quit. Without one the program
        ends; an engine that a window started goes on only while other people use it."""
        self._keep_state()
        if not self.tray.usable:
            return self._leave_unless_asked(self._may_stop_engine and not self.status.serves_others)
        if self.preferences.now.on_close == "hide":
            self.window.hide()
            return False
        return self._leave_unless_asked(self._may_stop_engine)

    def _leave_unless_asked(self, stop_engine: bool) -> bool:
        """Leave; False: the owner is asked first, because something would be lost with the engine."""
        loss = self.status.loss(self.chats.names.count) if stop_engine else self.status.not_kept
        if not loss:
            self._leave(stop_engine)
            return True
        self.open()
        if self._asked is None:
            self._asked = quit_dialog(self.window.dialog_owner, self.appearance.theme, loss)
            self._asked.accepted.connect(lambda: self._leave(stop_engine))
            self._asked.finished.connect(self._answered)
            self._asked.open()
        return False

    def _answered(self) -> None:
        self._asked = None

    def _leave(self, stop_engine: bool) -> None:
        if not self._leaving.is_set():
            _log.info("leaving; the engine %s", "is stopped" if stop_engine else "is left running")
            self._stop_engine = stop_engine
            self._leaving.set()

    def _keep_state(self) -> None:
        self.window.keep_draft()
        self._keep_place()

    def _chat_changed(self) -> None:
        """Another chat is open: also a window that is killed comes back to it."""
        if self.chat.kept_chat != self._kept_chat:
            self._kept_chat = self.chat.kept_chat
            self._keep_place()

    def _keep_place(self) -> None:
        state = WindowState(
            geometry=self.window.saved_geometry(),
            page=self.window.page,
            chat=self.chat.kept_chat,
            collapsed=self.chats.folders.collapsed[:MAX_COLLAPSED],
        )
        write_state(self._options.data_directory, state)

    # ----------------------------------------------------------------------------------------------------- the engine

    def _receive(self, event: schema.Event) -> None:
        self.status.receive(event)
        self.chats.receive(event)
        self.setup.receive(event)
        self.library.receive(event)
        self.topology.receive(event)
        self.chat.receive(event)
        if isinstance(event, schema.State) and self._restore_contributing and event.network.status != "none":
            self._restore_contributing = False
            self.status.restore_contributing()

    def _engine_changed(self, status: EngineStatus) -> None:
        if status.phase == "connected":
            # An engine begins with its own options; the switch of the window was the owner's last word.
            self._restore_contributing = self.preferences.now.contribute and not status.adopted
            self.status.engine_connected(self._note(status))
            self.chats.connected()
            self.chat.connected()
        else:
            self.status.engine_away(status.text, failed=status.phase == "failed")
            self.chat.connection_lost()
            if status.phase == "failed":
                self.chat.engine_failed(status.text)

    def _note(self, status: EngineStatus) -> str:
        if not (status.other_options and self._options.engine_options):
            return ""
        given = " ".join(self._options.engine_options)
        return tr(
            "An engine was running already and keeps its own settings, so these options have no effect: {given}. "
            "Quit GenTorrent, end that engine and start again to use them.",
            given=given,
        )

    # ---------------------------------------------------------------------------------------------------- preferences

    def _preferences_changed(self, now: Preferences) -> None:
        self.appearance.choose(now.look)
        self.status.intends = now.contribute
        self.link.use_options(engine_options(now, self._options.engine_options))
        language = now.language or i18n.system_language()
        if language != i18n.current():
            i18n.use(language)
            self._make_anew()
        self._show_preferences(now)

    def _show_preferences(self, now: Preferences) -> None:
        self.window.show_preferences(now)
        if self.window.page == "settings":
            self._show_system_settings()

    def _first_choices(self, choices: FirstChoices) -> None:
        self.preferences.change(
            welcomed=True,
            contribute=choices.contribute,
            threads=choices.threads,
        )
        self.status.contribution.change(relay=choices.relay, relay_rate=choices.relay_rate)
        if choices.autostart:
            self._set_autostart(True)
        if choices.contribute and self.status.state is not None and self.status.state.network.status != "none":
            self.status.set_contributing(True)
        self.window.end_first_run()

    def _network_kept(self, address: str) -> None:
        """The engine is to be in another network: it starts anew, if it is this window's."""
        if not self.link.start_anew():
            text = tr("The engine was not started by this window. Start it anew, and it is in effect.")
            self.status.network_refused.emit(text)

    def _set_autostart(self, on: bool) -> None:
        directory = self._options.data_directory if self._options.own_directory else None
        problem = ""
        try:
            if on:
                self._autostart.enable(start_command(directory))
            else:
                self._autostart.disable()
        except OSError as error:
            problem = tr("The system refused: {reason}", reason=error.strerror or error)
        if self.window.page == "settings":
            self._show_system_settings(problem)

    def _show_system_settings(self, problem: str = "") -> None:
        page = self.window.settings
        page.show_autostart(self._autostart.enabled(), problem)
        page.show_tray(self.tray.usable)
        kept = self.preferences.problem
        text = tr("These choices cannot be kept: {reason}. They hold until you quit.", reason=kept) if kept else ""
        page.show_problem(text)

    async def _look_at_hardware(self) -> None:
        with ThreadPoolExecutor(1) as executor:
            self.hardware = await asyncio.get_running_loop().run_in_executor(executor, hardware.find)
        if self.window.first_run is not None:
            self.window.first_run.show_hardware(self.hardware)
