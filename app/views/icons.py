"""The project's own icons (resources/app/icons), drawn sharp at every scale and in the colours of the theme."""

from __future__ import annotations

import math
from functools import lru_cache

from PySide6.QtCore import QByteArray, QObject, QRectF, QSize, Qt
from PySide6.QtGui import QGuiApplication, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QAbstractButton, QLabel

from app.theme import Theme
from engine.resources import resource_path

SIZES = (16, 20, 22, 24, 32, 48, 64, 128, 256)
"""Of icons with colours of their own: those of the application and of the tray."""


def icon_path(name: str) -> str:
    """The file, for style sheets (forward slashes on every system)."""
    return resource_path(f"app/icons/{name}.svg").as_posix()


def icon(name: str, colour: str = "", disabled: str = "", size: int = 16) -> QIcon:
    """The icon ``name``; ``colour`` for its ``currentColor``, ``disabled`` for the same while it cannot be pressed.

    One in one colour is drawn as large as it is shown, ``size`` logical pixels, for each density of the screens that
    are there, and for one and two in case such a screen comes. More would be wasted: another look draws all of them
    anew, and the window waits for that.
    """
    ratios = {1.0, 2.0, *(screen.devicePixelRatio() for screen in QGuiApplication.screens())}
    return _icon(name, colour, disabled, tuple(sorted({math.floor(size * ratio + 0.5) for ratio in ratios})))


@lru_cache(maxsize=128)
def _icon(name: str, colour: str, disabled: str, sizes: tuple[int, ...]) -> QIcon:
    source = resource_path(f"app/icons/{name}.svg").read_text("utf-8")
    result = QIcon()
    shades = {QIcon.Mode.Normal: colour}
    if disabled and disabled != colour:
        shades[QIcon.Mode.Disabled] = disabled
    for mode, shade in shades.items():
        renderer = QSvgRenderer(QByteArray(source.replace("currentColor", shade or "#000000").encode("utf-8")))
        for pixels in sizes if colour else SIZES:
            result.addPixmap(_drawn(renderer, pixels), mode)
    return result


class ThemeIcon(QObject):
    """Keeps the icon of a button or label in the theme's colours, also when they change. Lives as long as that does.

    ``colour`` and ``disabled`` name colours of the theme.
    """

    def __init__(
        self,
        target: QAbstractButton | QLabel,
        theme: Theme,
        name: str,
        colour: str = "text",
        disabled: str = "disabled",
        size: int = 20,
    ) -> None:
        super().__init__(target)
        self._target = target
        self._theme = theme
        self._name = name
        self._colour = colour
        self._disabled = disabled
        self._size = QSize(size, size)
        if isinstance(target, QAbstractButton):
            target.setIconSize(self._size)
        theme.changed.connect(self._paint)
        self._paint()

    def show_as(self, name: str, colour: str) -> None:
        """Another icon or another colour from now on."""
        if (name, colour) != (self._name, self._colour):
            self._name, self._colour = name, colour
            self._paint()

    def _paint(self) -> None:
        colour, disabled = getattr(self._theme, self._colour), getattr(self._theme, self._disabled)
        size = self._size.width()
        if isinstance(self._target, QAbstractButton):
            self._target.setIcon(icon(self._name, colour, disabled, size))
        else:
            # For the densest screen: a label without a window does not know yet where it will show.
            self._target.setPixmap(icon(self._name, colour, size=size).pixmap(self._size))


def _drawn(renderer: QSvgRenderer, size: int) -> QPixmap:
    pixmap = QPixmap(size, size)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    renderer.render(painter, QRectF(0, 0, size, size))
    painter.end()
    return pixmap
