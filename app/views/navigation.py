"""The bar at the left: one button for each page of the window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QToolButton, QVBoxLayout

from app.i18n import mark, tr
from app.theme import Theme
from app.views.icons import ThemeIcon

PageName = Literal["chat", "contribute", "models", "network", "settings"]
PAGES: tuple[PageName, ...] = get_args(PageName)
WIDTH = 92
SLIM_WIDTH = 60


@dataclass(frozen=True, slots=True)
class _Entry:
    label: str
    about: str


_ENTRIES: dict[PageName, _Entry] = {
    "chat": _Entry(mark("Chat"), mark("Ask questions")),
    "contribute": _Entry(mark("Contribute"), mark("Answer other people's questions with this machine")),
    "models": _Entry(mark("Models"), mark("Who can answer, here and on the network")),
    "network": _Entry(mark("Network"), mark("How this machine is connected")),
    "settings": _Entry(mark("Settings"), mark("Language, look, start and more")),
}


class Navigation(QFrame):
    """Shows which page is open; emits which one is wanted."""

    page_chosen = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("navigation")
        self.setAccessibleName(tr("Pages"))
        self.setFixedWidth(WIDTH)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.small - 2, theme.small, theme.small - 2, theme.small)
        column.setSpacing(theme.tiny)
        self._side = theme.small - 2
        self._slim = False
        self._icons: dict[PageName, ThemeIcon] = {}
        self.buttons: dict[PageName, QToolButton] = {}
        for position, name in enumerate(PAGES):
            if name == "settings":
                column.addStretch(1)
            button = self._button(theme, name, position)
            column.addWidget(button)
            self.buttons[name] = button
        self.show_page("chat")

    def show_page(self, name: PageName) -> None:
        """Mark ``name`` as the open page."""
        for other, painted in self._icons.items():
            self.buttons[other].setChecked(other == name)
            painted.show_as(other, "accent" if other == name else "quiet")

    def set_slim(self, slim: bool) -> None:
        """Icons alone, to leave the room to the page; names stay as tooltips and for screen readers."""
        if slim == self._slim:
            return
        self._slim = slim
        style = Qt.ToolButtonStyle.ToolButtonIconOnly if slim else Qt.ToolButtonStyle.ToolButtonTextUnderIcon
        width = SLIM_WIDTH if slim else WIDTH
        self.setFixedWidth(width)
        for button in self.buttons.values():
            button.setToolButtonStyle(style)
            button.setFixedSize(QSize(width - 2 * self._side - 1, 44 if slim else 60))

    def _button(self, theme: Theme, name: PageName, position: int) -> QToolButton:
        entry = _ENTRIES[name]
        button = QToolButton()
        button.setText(tr(entry.label))
        button.setAccessibleName(tr(entry.label))
        button.setAccessibleDescription(tr(entry.about))
        key = tr("Ctrl+{number}", number=position + 1)
        button.setToolTip(tr("{action} ({key})", action=tr(entry.about), key=key))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        button.setCheckable(True)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        button.setFixedSize(QSize(WIDTH - 2 * self._side - 1, 60))
        self._icons[name] = ThemeIcon(button, theme, name, "quiet", size=22)
        button.clicked.connect(lambda: self.page_chosen.emit(name))
        return button
