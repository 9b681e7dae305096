"""Puts the window together: engine link, view-models, widgets, and the rules of leaving."""

from __future__ import annotations

import asyncio
import logging

from PySide6.QtWidgets import QApplication

from app.engine_link import EngineLink, EngineStatus
from app.i18n import tr
from app.models.status import StatusModel
from app.models.transcript import ChatTranscript
from app.options import Options
from app.theme import LIGHT, Theme, stylesheet
from app.views.icons import icon, icon_path
from app.views.main_window import MainWindow
from app.views.tray import Tray
from engine.api import schema

_log = logging.getLogger(__name__)


def dress(application: QApplication, theme: Theme = LIGHT) -> None:
    """Give the application its name, its icon and its look."""
    application.setApplicationName("GenTorrent")
    application.setApplicationDisplayName("GenTorrent")
    application.setDesktopFileName("gentorrent")
    application.setQuitOnLastWindowClosed(False)
    application.setStyle("Fusion")
    application.setWindowIcon(icon("app"))
    application.setStyleSheet(stylesheet(theme, icon_path("chevron-down")))


class Desktop:
    """The window with everything behind it. :meth:`show`, then ``await run()``."""

    def __init__(self, options: Options, link: EngineLink | None = None, theme: Theme = LIGHT) -> None:
        self._options = options
        self.link = link or EngineLink(options)
        self.chat = ChatTranscript(self.link.send)
        self.status = StatusModel(self.link.send)
        self.window = MainWindow(theme, self.chat, self.status)
        self.tray = Tray(self.status)
        self._leaving = asyncio.Event()
        self._stop_engine = False
        self.window.may_close = self._may_close
        self.window.quit_requested.connect(self.quit)
        self.window.engine_retry_requested.connect(self.link.try_now)
        self.tray.open_requested.connect(self.window.bring_to_front)
        self.tray.quit_requested.connect(self.quit)
        self.link.status_changed.connect(self._engine_changed)
        self.link.event_received.connect(self._receive)

    def show(self) -> None:
        """Show window and tray icon."""
        self.tray.show()
        self.window.show()

    async def run(self) -> None:
        """Until the user leaves; then stop the engine if that is what leaving means."""
        async with asyncio.TaskGroup() as group:
            linked = group.create_task(self.link.run())
            await self._leaving.wait()
            self.window.hide()
            self.tray.close()
            if self._stop_engine:
                await self.link.stop_engine()
            linked.cancel()

    def quit(self) -> None:
        """Leave, and stop the engine if a window started it. One that somebody else started is left running."""
        status = self.link.status
        self._leave(stop_engine=status.owned or status.phase != "connected")

    def _may_close(self) -> bool:
        """The window is closed: with a tray it only hides. Without one the program ends; an engine that a window
        started goes on only while other people use it."""
        if self.tray.usable:
            return False
        status = self.link.status
        owned = status.owned or status.phase != "connected"
        self._leave(stop_engine=owned and not self.status.serves_others)
        return True

    def _leave(self, stop_engine: bool) -> None:
        if not self._leaving.is_set():
            _log.info("leaving; the engine %s", "is stopped" if stop_engine else "is left running")
            self._stop_engine = stop_engine
            self._leaving.set()

    def _receive(self, event: schema.Event) -> None:
        self.status.receive(event)
        self.chat.receive(event)

    def _engine_changed(self, status: EngineStatus) -> None:
        if status.phase == "connected":
            self.status.engine_connected(self._note(status))
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
