"""The tray icon and its menu. The menu exists also where no tray does; the window then has the same switch."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from app.i18n import tr
from app.models.safe_text import visible
from app.models.status import ContributeLine, StatusModel
from app.views.icons import icon

_WITHOUT_TRAY = ("offscreen", "minimal")
"""Qt platforms that never get a tray; waiting for one there makes Qt complain."""
_LONGEST = 80
"""Characters of one line of the menu."""


class Tray(QObject):
    """Contributing on and off, its state and reason, open chat, quit."""

    open_requested = Signal()
    quit_requested = Signal()

    def __init__(self, status: StatusModel) -> None:
        super().__init__()
        self._status = status
        self.menu = QMenu()
        self.menu.setAccessibleName("GenTorrent")
        self.state = QAction(self.menu)
        self.state.setEnabled(False)
        self.contribute = QAction(tr("Contribute"), self.menu)
        self.contribute.setCheckable(True)
        self.contribute.triggered.connect(self._switch)
        self.open = QAction(tr("Open chat"), self.menu)
        self.open.triggered.connect(self.open_requested)
        self.quit = QAction(tr("Quit"), self.menu)
        self.quit.triggered.connect(self.quit_requested)
        self.menu.addAction(self.contribute)
        self.menu.addAction(self.state)
        self.menu.addSeparator()
        self.menu.addActions([self.open, self.quit])
        self.icon = QSystemTrayIcon(self)
        self.icon.setContextMenu(self.menu)
        self.icon.activated.connect(self._activated)
        status.changed.connect(self._show)
        self._show()

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

    def _switch(self, on: bool) -> None:
        self._status.set_contributing(on)
        self._show()  # what is checked is what the engine was told, not what was clicked

    def _show(self) -> None:
        line = self._status.contribute()
        text = tr("Contributing: {state}", state=visible(line.sentence))
        if len(text) > _LONGEST:
            text = f"{text[: _LONGEST - 1]}…"
        self.contribute.setChecked(line.checked)
        self.contribute.setEnabled(line.enabled)
        self.state.setText(text.replace("&", "&&"))
        self.icon.setIcon(icon(_icon_name(line)))
        self.icon.setToolTip(tr("GenTorrent: contributing") if line.tone == "good" else "GenTorrent")

    def _activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason in (QSystemTrayIcon.ActivationReason.Trigger, QSystemTrayIcon.ActivationReason.DoubleClick):
            self.open_requested.emit()


def _icon_name(line: ContributeLine) -> str:
    if line.tone in ("warning", "error"):
        return "tray-problem"
    return "tray-on" if line.checked and line.enabled else "tray-off"
