"""The tray icon and its menu. The menu exists also where no tray does; the window then has the same switch."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from app.i18n import number, tr
from app.models.safe_text import visible
from app.models.status import PAUSE_SECONDS, ContributeLine, StatusModel
from app.views.icons import icon

_WITHOUT_TRAY = ("offscreen", "minimal")
"""Qt platforms that never get a tray; waiting for one there makes Qt complain."""
_LONGEST = 80
"""Characters of one line of the menu."""


class Tray(QObject):
    """Contributing on and off, its state and reason, what has been done, open chat, quit."""

    open_requested = Signal()
    message_clicked = Signal()
    quit_requested = Signal()

    def __init__(self, status: StatusModel) -> None:
        super().__init__()
        self._status = status
        self.menu = QMenu()
        self.menu.setAccessibleName("GenTorrent")
        self.state = QAction(self.menu)
        self.state.setEnabled(False)
        self.done = QAction(self.menu)
        self.done.setEnabled(False)
        self.contribute = QAction(self.menu)
        self.contribute.setCheckable(True)
        self.contribute.triggered.connect(self._switch)
        self.pause_hour = QAction(self.menu)
        self.pause_hour.triggered.connect(lambda: status.pause(PAUSE_SECONDS))
        self.pause_start = QAction(self.menu)
        self.pause_start.triggered.connect(lambda: status.pause(None))
        self.resume = QAction(self.menu)
        self.resume.triggered.connect(status.resume)
        self.open = QAction(self.menu)
        self.open.triggered.connect(self.open_requested)
        self.quit = QAction(self.menu)
        self.quit.triggered.connect(self.quit_requested)
        self.menu.addActions([self.contribute, self.state, self.done, self.resume, self.pause_hour, self.pause_start])
        self.menu.addSeparator()
        self.menu.addActions([self.open, self.quit])
        self.icon = QSystemTrayIcon(self)
        self.icon.setContextMenu(self.menu)
        self.icon.activated.connect(self._activated)
        self.icon.messageClicked.connect(self.message_clicked)
        status.changed.connect(self.refresh)
        self.refresh()

    @property
    def usable(self) -> bool:
        """Whether a tray shows the icon now."""
        return QSystemTrayIcon.isSystemTrayAvailable() and self.icon.isVisible()

    def show(self) -> None:
        """Show the icon, now or as soon as a tray appears."""
        if QGuiApplication.platformName() not in _WITHOUT_TRAY:
            self.icon.show()

    def close(self) -> None:
        """Take the icon away."""
        self.icon.hide()

    def tell(self, title: str, text: str) -> bool:
        """Show a notification; False where none can be shown."""
        if not self.usable or not QSystemTrayIcon.supportsMessages():
            return False
        self.icon.showMessage(title, text, icon("app"))
        return True

    def refresh(self) -> None:
        """Show the newest state, in the language in use."""
        line = self._status.contribute()
        self.contribute.setText(tr("Contribute"))
        self.pause_hour.setText(tr("Pause for an hour"))
        self.pause_start.setText(tr("Pause until the next start"))
        self.resume.setText(tr("Go on now"))
        self.open.setText(tr("Open chat"))
        self.quit.setText(tr("Quit"))
        self.contribute.setChecked(line.checked)
        self.contribute.setEnabled(line.enabled)
        self.state.setText(_menu_text(tr("Contributing: {state}", state=visible(line.sentence))))
        state = self._status.state
        can_pause = self._status.can_pause and line.checked
        self.pause_hour.setVisible(can_pause)
        self.pause_start.setVisible(can_pause)
        self.resume.setVisible(self._status.can_resume)
        tokens = state.contributing.tokens_today if state is not None else 0
        self.done.setVisible(tokens > 0)
        self.done.setText(_menu_text(tr("{tokens} tokens for others today", tokens=number(tokens))))
        self.icon.setIcon(icon(_icon_name(line)))
        self.icon.setToolTip(_tooltip(line))

    def _switch(self, on: bool) -> None:
        self._status.set_contributing(on)
        self.refresh()  # what is checked is what the engine was told, not what was clicked

    def _activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason in (QSystemTrayIcon.ActivationReason.Trigger, QSystemTrayIcon.ActivationReason.DoubleClick):
            self.open_requested.emit()


def _menu_text(text: str) -> str:
    """One line of a menu, in which & would underline the next letter."""
    cut = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    return cut.replace("&", "&&")


def _tooltip(line: ContributeLine) -> str:
    if line.tone == "good":
        return tr("GenTorrent: contributing")
    if line.tone in ("warning", "error"):
        return tr("GenTorrent: {state}", state=visible(line.sentence)[:_LONGEST])
    return "GenTorrent"


def _icon_name(line: ContributeLine) -> str:
    if line.tone in ("warning", "error"):
        return "tray-problem"
    return "tray-on" if line.checked and line.enabled else "tray-off"
