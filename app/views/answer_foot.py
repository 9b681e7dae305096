"""The quiet line below an answer: how sure it is, where it was made, its versions, and what can be done with it."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLabel, QWidget

from app.i18n import tr
from app.models import words
from app.models.safe_text import visible
from app.models.turns import RUNNING, Turn
from app.theme import Theme
from app.views.basics import LinkButton, PlainLabel, copy_text
from app.views.icons import icon
from app.views.versions import Versions, quiet_button

_BADGE_TONES = {"local": "neutral", "signed": "good", "verified": "good", "unverified": "warning"}


_ONE_ROW = 640
"""Pixels that facts, buttons and versions take beside each other."""


class AnswerFoot(QWidget):
    """Shows what belongs to the answer of a :class:`Turn`; hides itself where nothing does."""

    again_requested = Signal()
    version_chosen = Signal(str)
    details_wanted = Signal(bool)
    removal_requested = Signal()

    def __init__(self, theme: Theme, turn: Turn) -> None:
        super().__init__()
        self._theme = theme
        self._turn = turn
        self._rows = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._rows.setContentsMargins(3, 0, 0, 0)
        self._rows.setSpacing(theme.small)
        row = QHBoxLayout()
        row.setSpacing(theme.small)
        self._rows.addLayout(row, 1)
        self._badge_icon = QLabel()
        row.addWidget(self._badge_icon, 0, Qt.AlignmentFlag.AlignVCenter)
        self.badge = PlainLabel("", "badge")
        self.badge.setWordWrap(False)
        row.addWidget(self.badge, 0, Qt.AlignmentFlag.AlignVCenter)
        self.facts = PlainLabel("", "caption")
        row.addWidget(self.facts, 1)
        tools = QHBoxLayout()
        tools.setSpacing(0)
        tools.addStretch(1)
        self._rows.addLayout(tools)
        self.versions = Versions(theme, tr("Previous version of the answer"), tr("Next version of the answer"))
        self.versions.chosen.connect(self.version_chosen)
        tools.addWidget(self.versions)
        self.copy = quiet_button(tr("Copy the answer"), tr("Copy the answer as Markdown"))
        self.copy.clicked.connect(lambda: copy_text(visible(self._turn.answer)))
        tools.addWidget(self.copy)
        self.again = quiet_button(tr("Ask this question again"), tr("Ask again; this answer stays as a version"))
        self.again.clicked.connect(self.again_requested)
        tools.addWidget(self.again)
        self.remove = quiet_button(tr("Delete the answer"), tr("Delete the answer with all that follows it"))
        self.remove.clicked.connect(self.removal_requested)
        tools.addWidget(self.remove)
        self.who = LinkButton(tr("Who could know what?"))
        self.who.setCheckable(True)
        self.who.clicked.connect(self.details_wanted)
        tools.addSpacing(theme.small)
        tools.addWidget(self.who)
        self.dress()

    def show_turn(self, turn: Turn, details_shown: bool) -> None:
        """Show what belongs to the answer of ``turn`` now."""
        self._turn = turn
        done, running = turn.done, turn.state in RUNNING
        self.versions.show_versions(turn.siblings, turn.answer_id)
        self.copy.setVisible(turn.length > 0 and not running)
        self.remove.setVisible(bool(turn.answer_id) and turn.begun and not running)
        self.again.setVisible(turn.state in ("done", "stopped") and not turn.headless)
        for widget in (self.badge, self._badge_icon, self.who):
            widget.setVisible(done is not None)
        self.who.setChecked(details_shown)
        if done is None:
            sentences = [tr("Stopped."), *([tr("What has arrived is kept.")] if turn.length else [])]
            self.facts.show_text(" ".join(sentences) if turn.state == "stopped" else "")
        else:
            self._show_done(turn)
        shown = (self.versions.several, turn.length > 0 and not running, turn.state in ("done", "stopped"))
        self.setVisible(any(shown) or done is not None)

    def fit(self, width: int) -> None:
        """Be in a column ``width`` pixels wide: in two rows where one has no room for all."""
        directions = QBoxLayout.Direction
        self._rows.setDirection(directions.TopToBottom if width < _ONE_ROW else directions.LeftToRight)

    def dress(self) -> None:
        """Take the colours that the theme has now."""
        self.versions.dress()
        self.copy.setIcon(icon("copy", self._theme.quiet))
        self.again.setIcon(icon("retry", self._theme.quiet))
        self.remove.setIcon(icon("delete", self._theme.quiet))

    def _show_done(self, turn: Turn) -> None:
        done = turn.done
        assert done is not None
        tone = _BADGE_TONES[done.badge]
        if self.badge.property("tone") != tone:
            self.badge.setProperty("tone", tone)
            self.badge.style().unpolish(self.badge)
            self.badge.style().polish(self.badge)
        self.badge.show_text(tr(words.BADGES[done.badge]))
        self.badge.setAccessibleDescription(words.badge_words(done))
        self._badge_icon.setPixmap(icon(done.badge, self._theme.tone(tone)).pixmap(QSize(16, 16)))
        facts = [words.where_words(done), *words.privacy_words(done), *words.speed_words(done)]
        self.facts.show_text(" · ".join(facts))
