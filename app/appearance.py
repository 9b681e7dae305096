"""Light or dark: what the owner chose, or what the system is in, now and whenever it changes."""

from __future__ import annotations

import functools
from typing import Literal

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QWidget

from app.style_sheet import stylesheet
from app.theme import DARK, LIGHT, Theme
from app.views.icons import icon, icon_path

Look = Literal["system", "light", "dark"]


class Appearance(QObject):
    """Owns the one :class:`Theme` of a window and dresses the application in it."""

    def __init__(self, application: QApplication, look: Look = "system") -> None:
        super().__init__()
        self._application = application
        self._look = look
        self.theme = Theme(LIGHT)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._follow)
        self.choose(look)

    def choose(self, look: Look) -> None:
        """Wear ``look`` from now on."""
        self._look = look
        hints = QGuiApplication.styleHints()
        # Qt passes it on to what the system draws: frames of windows, file dialogs.
        if look == "system":
            hints.unsetColorScheme()
        else:
            hints.setColorScheme(Qt.ColorScheme.Dark if look == "dark" else Qt.ColorScheme.Light)
        self._follow()

    def _follow(self) -> None:
        of_system = QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
        dark = of_system if self._look == "system" else self._look == "dark"
        if self.theme.dark != dark:
            self.theme.become(DARK if dark else LIGHT)
        wear_palette(self._application, self.theme)


def dress(application: QApplication, theme: Theme = LIGHT) -> None:
    """Give the application its name, its icon and its look, all but the style sheet, which each window wears itself: Qt
    takes five times as long to put one on an application as on its windows."""
    application.setApplicationName("GenTorrent")
    application.setApplicationDisplayName("GenTorrent")
    application.setDesktopFileName("gentorrent")
    application.setQuitOnLastWindowClosed(False)
    application.setStyle("Fusion")
    application.setWindowIcon(icon("app"))
    wear_palette(application, theme)


def wear_palette(application: QApplication, theme: Theme) -> None:
    """For what the style sheet does not reach, such as selections and links."""
    palette = _palette(theme)
    if application.palette() != palette:
        application.setPalette(palette)


def wear(widget: QWidget, theme: Theme) -> None:
    """Put the style sheet of ``theme`` on a window and all that belongs to it."""
    sheet = _sheet(theme.dark)
    if widget.styleSheet() != sheet:
        widget.setStyleSheet(sheet)


@functools.cache
def _sheet(dark: bool) -> str:
    look = "dark" if dark else "light"
    return stylesheet(DARK if dark else LIGHT, icon_path(f"combo-{look}"), icon_path(f"tick-{look}"))


def _palette(theme: Theme) -> QPalette:
    palette = QPalette()
    roles = QPalette.ColorRole
    for role, colour in (
        (roles.Window, theme.ground),
        (roles.Base, theme.raised),
        (roles.AlternateBase, theme.sunken),
        (roles.Button, theme.raised),
        (roles.Text, theme.text),
        (roles.WindowText, theme.text),
        (roles.ButtonText, theme.text),
        (roles.ToolTipBase, theme.text),
        (roles.ToolTipText, theme.ground),
        (roles.PlaceholderText, theme.quiet),
        (roles.Highlight, theme.accent),
        (roles.HighlightedText, theme.on_accent),
        (roles.Link, theme.accent),
        (roles.LinkVisited, theme.accent),
    ):
        palette.setColor(role, QColor(colour))
    for role in (roles.Text, roles.WindowText, roles.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(theme.disabled))
    return palette
