"""Small widgets that the views share."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QColor,
    QFontMetrics,
    QGuiApplication,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QCheckBox, QLabel, QPushButton, QSizePolicy, QWidget

from app.models.safe_text import visible
from app.theme import Theme

FRAME = QSize(16, 48)
"""What desktops put around a window, at most."""


def room_on_screen(widget: QWidget) -> QSize:
    """How large a window beside ``widget`` may be, without what a desktop puts around it."""
    return widget.screen().availableSize() - FRAME


class PlainLabel(QLabel):
    """A label whose text is text, whoever wrote it. ``elided``: one line, cut with … where it does not fit."""

    def __init__(self, text: str = "", name: str = "", *, elided: bool = False) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setObjectName(name)
        self._elided = elided
        self._whole = ""
        if elided:
            self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        else:
            self.setWordWrap(True)
        self.show_text(text)

    @property
    def whole_text(self) -> str:
        """What is shown, also where it is cut."""
        return self._whole

    def show_text(self, text: str) -> None:
        """Replace the text."""
        shown = visible(text)
        if shown == self._whole:
            return
        self._whole = shown
        if self._elided:
            self.setAccessibleName(shown)
            self._fit()
        else:
            self.setText(shown)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._elided:
            self._fit()

    def _fit(self) -> None:
        line = self._whole.replace("\n", " ")
        self.setText(QFontMetrics(self.font()).elidedText(line, Qt.TextElideMode.ElideRight, self.width()))


class Mark(PlainLabel):
    """A word on a coloured ground beside a name. ``tone``: "neutral", "good", "warning", "error" or "accent"."""

    def __init__(self, text: str, tone: str) -> None:
        super().__init__(text, "badge")
        self.setWordWrap(False)
        self.setProperty("tone", tone)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)


class LinkButton(QPushButton):
    """A quiet button that reads like a link."""

    def __init__(self, text: str, accessible_name: str = "") -> None:
        super().__init__(text)
        self.setObjectName("link")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(accessible_name or text)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)


class Switch(QCheckBox):
    """A check box that looks like a switch: for things that happen at once."""

    WIDTH, HEIGHT = 40, 22

    def __init__(self, theme: Theme, accessible_name: str) -> None:
        super().__init__()
        self._theme = theme
        self.setAccessibleName(accessible_name)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFixedSize(self.sizeHint())
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(self.WIDTH + 6, self.HEIGHT + 6)

    def hitButton(self, position: QPoint) -> bool:
        return self.rect().contains(position)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        track = QRectF(3, 3, self.WIDTH, self.HEIGHT)
        if self.hasFocus():
            painter.setPen(QPen(QColor(theme.focus), 2))
            painter.drawRoundedRect(track.adjusted(-2, -2, 2, 2), self.HEIGHT / 2 + 2, self.HEIGHT / 2 + 2)
        ground = theme.accent if self.isChecked() else theme.strong_line
        if not self.isEnabled():
            ground = theme.line
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(ground))
        painter.drawRoundedRect(track, self.HEIGHT / 2, self.HEIGHT / 2)
        knob = self.HEIGHT - 6
        left = track.right() - knob - 3 if self.isChecked() else track.left() + 3
        shade = theme.on_accent if self.isChecked() else theme.knob
        painter.setBrush(QColor(shade if self.isEnabled() else theme.raised))
        painter.drawEllipse(QRectF(left, track.top() + 3, knob, knob))
        painter.end()


class Dot(QWidget):
    """A round mark of one colour; ``pulse`` makes it breathe while something is on its way. ``ring``: a colour around
    it, where it lies on something."""

    STEPS = 24
    STEP_MILLISECONDS = 60

    def __init__(self, colour: str, size: int = 9, ring: str = "") -> None:
        super().__init__()
        self._colour = QColor(colour)
        self._ring = ring
        self._step = 0
        self._timer = QTimer(self)
        self._timer.setInterval(self.STEP_MILLISECONDS)
        self._timer.timeout.connect(self._advance)
        self.setFixedSize(size, size)

    def set_colour(self, colour: str, ring: str = "") -> None:
        """Show ``colour`` from now on."""
        self._colour, self._ring = QColor(colour), ring
        self.update()

    def pulse(self, on: bool) -> None:
        """Begin or end to breathe."""
        if on != self._timer.isActive():
            self._timer.start() if on else self._timer.stop()
            self._step = 0
            self.update()

    def _advance(self) -> None:
        self._step = (self._step + 1) % self.STEPS
        if self.isVisible():
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colour = QColor(self._colour)
        distance = abs(self._step - self.STEPS / 2) / (self.STEPS / 2)
        colour.setAlphaF(0.3 + 0.7 * distance if self._timer.isActive() else 1.0)
        painter.setPen(QPen(QColor(self._ring), 1.5) if self._ring else Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        edge = 0.75 if self._ring else 0.0
        painter.drawEllipse(QRectF(self.rect()).adjusted(edge, edge, -edge, -edge))
        painter.end()


def copy_text(text: str) -> None:
    """Put ``text`` on the clipboard."""
    QGuiApplication.clipboard().setText(text)


def announce(widget: QWidget, text: str) -> None:
    """Have ``text``, which has just come up in ``widget``, read to who sees nothing."""
    QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(widget, visible(text)))
