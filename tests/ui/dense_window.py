"""What the window shows on a screen whose density QT_SCALE_FACTOR names: `test_dense_screens.py` runs it, as a process
of its own, since Qt reads the factor once. Prints what it looked at and what is wrong, as JSON."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QWidget

from app.appearance import dress
from app.views.basics import room_on_screen
from app.views.context_meter import ContextMeter
from app.views.contribute.schedule_grid import ScheduleGrid
from app.views.network.qr_code import QUIET, QrCode
from app.views.shelf.disk_card import DiskCard
from app.views.topology_view import TopologyView
from tools.screenshots import NARROW, VIEWS, WIDE, Variant, shown

PAINTED = (ContextMeter, ScheduleGrid, DiskCard, TopologyView)
"""Views with text and curves that paint themselves."""
LOOKED_AT = (
    "welcome", "chat", "chat-code", "chat-setup", "contribute", "contribute-when", "models", "network",
    "network-invited", "settings", "first-run",
)  # fmt: skip
EDGE = 48
"""Levels of grey: two pixels that differ by more show an edge."""


def grey(image: QImage) -> npt.NDArray[np.int16]:
    image = image.convertToFormat(QImage.Format.Format_Grayscale8)
    lines = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return lines[:, : image.width()].astype(np.int16)


def detail(image: QImage, ratio: float) -> float:
    """The share of pixels that differ from the same picture made for one device pixel per logical one and blown up."""
    small = QSize(round(image.width() / ratio), round(image.height() / ratio))
    shape, own = Qt.AspectRatioMode.IgnoreAspectRatio, grey(image)
    blown = (
        image.scaled(small, shape, way).scaled(image.size(), shape, way)
        for way in (Qt.TransformationMode.FastTransformation, Qt.TransformationMode.SmoothTransformation)
    )
    return min(float((np.abs(grey(one) - own) > EDGE).mean()) for one in blown)


def blown_up(widget: QWidget, ratio: float) -> Iterator[QImage]:
    """``widget`` as it must not look, for the proof that :func:`detail` sees it."""
    plain = QImage(widget.size(), QImage.Format.Format_RGB32)
    plain.fill(Qt.GlobalColor.white)
    widget.render(plain, QPoint())
    size = QSize(math.ceil(widget.width() * ratio), math.ceil(widget.height() * ratio))
    for way in (Qt.TransformationMode.FastTransformation, Qt.TransformationMode.SmoothTransformation):
        yield plain.scaled(size, Qt.AspectRatioMode.IgnoreAspectRatio, way)


class Look:
    """Collects what is wrong with one view after the other, and how much of each kind was there to look at."""

    def __init__(self, ratio: float) -> None:
        self.ratio = ratio
        self.view = ""
        self.wrong: list[str] = []
        self.seen = dict.fromkeys(("icons", "pictures", "codes", "texts", *(kind.__name__ for kind in PAINTED)), 0)

    def at(self, window: QWidget) -> None:
        for widget in window.findChildren(QWidget):
            if not widget.isVisible():
                continue
            if isinstance(widget, QAbstractButton) and not widget.icon().isNull():
                self._icon(widget)
            if isinstance(widget, QLabel) and not widget.pixmap().isNull():
                self._picture(widget)
            if isinstance(widget, PAINTED) and not widget.visibleRegion().isEmpty():
                self._painted(widget)
            if isinstance(widget, QrCode) and widget.text:
                self._code(widget)
            if isinstance(widget, QAbstractButton | QLabel) and widget.text():
                self._text(widget)
        whole = window.grab().toImage()
        self._hold(whole.devicePixelRatio() == self.ratio, window, f"is drawn at {whole.devicePixelRatio()}")
        self._sharp(window, whole)

    def _hold(self, right: bool, widget: QWidget, problem: str) -> None:
        if not right:
            named = widget.objectName() or widget.accessibleName() or getattr(widget, "text", str)()
            self.wrong.append(f"{self.view}: {type(widget).__name__} {named[:40]!r} {problem}")

    def _icon(self, button: QAbstractButton) -> None:
        self.seen["icons"] += 1
        side = math.floor(button.iconSize().width() * self.ratio + 0.5)
        drawn = sorted(size.width() for size in button.icon().availableSizes())
        self._hold(side in drawn, button, f"needs an icon of {side} pixels and has {drawn}")
        pixmap = button.icon().pixmap(button.iconSize(), self.ratio)
        self._hold(pixmap.width() == side, button, f"shows {pixmap.width()} pixels in place of {side}")

    def _picture(self, label: QLabel) -> None:
        self.seen["pictures"] += 1
        self._hold(label.pixmap().devicePixelRatio() == self.ratio, label, f"has {label.pixmap()}")

    def _painted(self, widget: QWidget) -> None:
        self.seen[type(widget).__name__] += 1
        self._sharp(widget, widget.grab().toImage())

    def _sharp(self, widget: QWidget, image: QImage) -> None:
        found = detail(image, self.ratio)
        worst = max(detail(one, self.ratio) for one in blown_up(widget, self.ratio))
        self._hold(found > 4 * worst + 0.001, widget, f"is as blurred as blown up: {found:.4f} and {worst:.4f}")

    def _code(self, code: QrCode) -> None:
        """Every module of a code has equally many pixels across, as it should in the first pattern in a corner."""
        self.seen["codes"] += 1
        dark = grey(code.grab().toImage()) < 128
        top, left = (int(np.flatnonzero(dark.any(axis=1 - axis))[0]) for axis in (0, 1))
        line = dark[top, left:]
        seven = int(np.flatnonzero(~line)[0])
        module, rest = divmod(seven, 7)
        self._hold(rest == 0 and min(top, left) >= QUIET * module, code, f"has a corner of {seven} pixels")
        edges = np.flatnonzero(np.diff(line.astype(np.int8))) + 1
        self._hold(not (edges % module).any(), code, f"has modules of uneven size: {edges.tolist()}")

    def _text(self, widget: QAbstractButton | QLabel) -> None:
        self.seen["texts"] += 1
        need, has = widget.minimumSizeHint(), widget.size()
        if isinstance(widget, QLabel) and widget.wordWrap():
            need.setHeight(widget.heightForWidth(has.width()))
        fits = has.width() >= need.width() and has.height() >= need.height()
        self._hold(fits, widget, f"is clipped: {has.toTuple()} for {need.toTuple()}")


def on_this_screen(window: QWidget) -> dict[str, Any]:
    """How a window that is new came to lie on the screen, and what of the chat does."""
    screen = window.screen().availableGeometry()
    return {
        "screen": screen.size().toTuple(),
        "window": window.size().toTuple(),
        "least": window.minimumSize().toTuple(),
        "fits": QRect(QPoint(), room_on_screen(window)).contains(QRect(QPoint(), window.size())),
    }


def inside(window: QWidget, find: Callable[[], QWidget]) -> bool:
    """Whether all of a widget shows in the window."""
    widget = find()
    place = QRect(widget.mapTo(window, QPoint()), widget.size())
    return widget.isVisible() and window.rect().contains(place)


def main() -> None:
    application = QApplication(sys.argv[:1])
    dress(application)
    ratio = application.devicePixelRatio()
    look = Look(ratio)
    for size in (WIDE, NARROW):
        for look.view in LOOKED_AT:
            with shown(VIEWS[look.view], Variant("dense", size=size)) as desktop:
                look.at(desktop.window)
    with shown(VIEWS["chat"], Variant("small", size=None)) as desktop:
        small = on_this_screen(desktop.window)
        desktop.window.resize(desktop.window.minimumSize())
        small["composer shows"] = inside(desktop.window, lambda: desktop.window.composer.send)
    print(json.dumps({"ratio": ratio, "seen": look.seen, "wrong": look.wrong, "new": small}))


if __name__ == "__main__":
    main()
