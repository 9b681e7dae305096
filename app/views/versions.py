"""Which version of a question or an answer shows, and the way to the others: two arrows and "2 / 3" between them."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from app.i18n import number, tr
from app.theme import Theme
from app.views.basics import PlainLabel
from app.views.icons import icon

_WIDTH, _HEIGHT, _ICON = 28, 24, 16


class Versions(QWidget):
    """Emits the name of the version that is to be shown. ``back`` and ``forward``: what the arrows do, in words. It has
    nothing in it before there is a second version: most texts have one."""

    chosen = Signal(str)

    def __init__(self, theme: Theme, back: str, forward: str) -> None:
        super().__init__()
        self._theme = theme
        self._words = back, forward
        self._names: Sequence[str] = ()
        self._at = 0
        self._parts: tuple[QToolButton, PlainLabel, QToolButton] | None = None
        self.hide()

    @property
    def several(self) -> bool:
        """Whether there is another version."""
        return len(self._names) > 1

    @property
    def parts(self) -> tuple[QToolButton, PlainLabel, QToolButton]:
        """The way back, which version shows, and the way forward."""
        if self._parts is None:
            self._parts = self._make()
            self.dress()
        return self._parts

    def show_versions(self, names: Sequence[str], shown: str) -> None:
        """There are ``names``, oldest first, and ``shown`` is the one that shows."""
        self._names = names
        self._at = names.index(shown) if shown in names else max(0, len(names) - 1)
        if self.several:
            back, place, forward = self.parts
            values = {"place": number(self._at + 1), "all": number(len(names))}
            place.show_text(tr("{place} / {all}", **values))
            place.setAccessibleName(tr("Version {place} of {all}", **values))
            back.setEnabled(self._at > 0)
            forward.setEnabled(self._at < len(names) - 1)
        self.setVisible(self.several)

    def step(self, by: int) -> bool:
        """Choose the version before (-1) or behind (1) the one that shows; whether there is one."""
        at = self._at + by
        if not self.several or not 0 <= at < len(self._names):
            return False
        self.chosen.emit(self._names[at])
        return True

    def dress(self) -> None:
        """Take the colours that the theme has now."""
        if self._parts is not None:
            back, _, forward = self._parts
            back.setIcon(icon("chevron-left", self._theme.quiet, self._theme.disabled))
            forward.setIcon(icon("chevron-right", self._theme.quiet, self._theme.disabled))

    def _make(self) -> tuple[QToolButton, PlainLabel, QToolButton]:
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        buttons = []
        for words, key, by in zip(self._words, (tr("Alt+Left", "key"), tr("Alt+Right", "key")), (-1, 1), strict=True):
            button = quiet_button(words, tr("{action} ({key})", action=words, key=key))
            button.clicked.connect(functools.partial(self.step, by))
            buttons.append(button)
        place = PlainLabel("", "caption")
        place.setWordWrap(False)
        row.addWidget(buttons[0])
        row.addWidget(place)
        row.addWidget(buttons[1])
        return buttons[0], place, buttons[1]


def quiet_button(accessible_name: str, tool_tip: str = "") -> QToolButton:
    """A small button with an icon alone, for what stands beside a text."""
    button = QToolButton()
    button.setObjectName("quietButton")
    button.setAccessibleName(accessible_name)
    button.setToolTip(tool_tip or accessible_name)
    button.setFixedSize(_WIDTH, _HEIGHT)
    button.setIconSize(QSize(_ICON, _ICON))
    button.setCursor(Qt.CursorShape.PointingHandCursor)
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return button
