"""The project's own icons (resources/app/icons), drawn sharp at every scale."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from engine.resources import resource_path

SIZES = (16, 20, 22, 24, 32, 48, 64, 128, 256)


def icon_path(name: str) -> str:
    """The file, for style sheets (forward slashes on every system)."""
    return resource_path(f"app/icons/{name}.svg").as_posix()


@lru_cache(maxsize=64)
def icon(name: str, colour: str = "", disabled: str = "") -> QIcon:
    """The icon ``name``; ``colour`` for its ``currentColor``, ``disabled`` for the same while it cannot be pressed."""
    source = resource_path(f"app/icons/{name}.svg").read_text("utf-8")
    result = QIcon()
    for mode, shade in ((QIcon.Mode.Normal, colour), (QIcon.Mode.Disabled, disabled or colour)):
        renderer = QSvgRenderer(QByteArray(source.replace("currentColor", shade or "#000000").encode("utf-8")))
        for size in SIZES if not colour else SIZES[:6]:
            result.addPixmap(_drawn(renderer, size), mode)
    return result


def _drawn(renderer: QSvgRenderer, size: int) -> QPixmap:
    pixmap = QPixmap(size, size)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    renderer.render(painter, QRectF(0, 0, size, size))
    painter.end()
    return pixmap
