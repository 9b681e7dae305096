"""Above the chat while something is looked for in it: which of the places shows, and the way to the others."""

from __future__ import annotations

import functools

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolButton

from app.i18n import number, tr
from app.models.finding import Finding
from app.theme import Theme
from app.views.basics import PlainLabel
from app.views.icons import ThemeIcon


class FindBar(QFrame):
    """Shows a :class:`Finding`; hides itself while nothing is looked for."""

    step_requested = Signal(int)

    def __init__(self, theme: Theme, finding: Finding) -> None:
        super().__init__()
        self.setObjectName("findBar")
        self.setAccessibleName(tr("Found in this chat"))
        self._finding = finding
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.large, theme.tiny, theme.small, theme.tiny)
        row.setSpacing(theme.tiny)
        self.words = PlainLabel("", elided=True)
        row.addWidget(self.words, 1)
        self.place = PlainLabel("", "caption")
        self.place.setWordWrap(False)
        row.addWidget(self.place)
        row.addSpacing(theme.tiny)
        back, forward = tr("Previous message that was found"), tr("Next message that was found")
        self.back = _button(theme, "up", tr("{action} ({key})", action=back, key=tr("Shift+F3", "key")), back)
        self.forward = _button(theme, "open", tr("{action} ({key})", action=forward, key=tr("F3", "key")), forward)
        self.close_button = _button(theme, "close", tr("Mark nothing any more"), tr("Mark nothing any more"))
        for button in (self.back, self.forward, self.close_button):
            row.addWidget(button)
        self.close_button.clicked.connect(finding.end)
        for keys, by, button in (("Shift+F3", -1, self.back), ("F3", 1, self.forward)):
            step = functools.partial(self.step_requested.emit, by)
            button.clicked.connect(step)
            QShortcut(QKeySequence(keys), self, context=Qt.ShortcutContext.WindowShortcut).activated.connect(step)
        finding.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the newest state."""
        finding = self._finding
        self.words.show_text(tr("Found: {words}", words=" ".join(finding.words.split())))
        values = {"at": number(finding.number), "all": number(len(finding.places))}
        self.place.show_text(tr("{at} of {all}", **values) if finding.number else "")
        self.place.setAccessibleName(tr("Message {at} of {all} that were found", **values))
        for button in (self.back, self.forward):
            button.setEnabled(len(finding.places) > 1)
        self.setVisible(bool(finding.words))


def _button(theme: Theme, name: str, about: str, accessible_name: str) -> QToolButton:
    button = QToolButton()
    button.setObjectName("tool")
    ThemeIcon(button, theme, name, size=16)
    button.setAccessibleName(accessible_name)
    button.setToolTip(about)
    button.setFixedSize(28, 28)
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return button
