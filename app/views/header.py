"""The top of the window: which model answers, the contribute switch, a new chat."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionComboBox,
    QStylePainter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.i18n import tr
from app.models.catalogue import ModelChoice
from app.models.status import ContributeLine
from app.theme import Theme
from app.views.basics import Dot, PlainLabel, Switch
from app.views.icons import ThemeIcon, icon

_NARROW = 700
"""Below this width words make room for controls."""
_NARROW_WITH_CHATS = 840
"""The same while the ways to the list of chats and to a new one are in the header, too."""
_WIDEST = 480
"""Of the list of models: a name with all that is said of it."""
_TIGHT = 500
"""Below this width also the name of the switch does."""


def shortened(text: str, metrics: QFontMetrics, width: int) -> str:
    """A name and what is said of it (``name · this, that``) in ``width`` pixels: rather one thing less than half a
    word, and … only where not even the name fits."""
    while (cut := metrics.elidedText(text, Qt.TextElideMode.ElideRight, width)) != text:
        name = text.find(" · ")
        if name < 0:
            break
        text = text[: max(name, text.rfind(", "))]
    return cut


class ModelBox(QComboBox):
    """A drop-down list whose text is shortened where it does not fit, which Qt's own is not with a style sheet. What
    opens under it is another list."""

    opened = Signal()

    def showPopup(self) -> None:
        self.opened.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QStylePainter(self)
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        field = self.style().subControlRect(
            QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, self
        )
        option.currentText = shortened(self.currentText(), self.fontMetrics(), field.width() - 4)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
        painter.end()


class Header(QFrame):
    """Shows what :class:`StatusModel` says; emits what the user chooses."""

    contributing_requested = Signal(bool)
    new_chat_requested = Signal()
    chats_requested = Signal()
    setup_requested = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("header")
        self._theme = theme
        self._row = layout = QHBoxLayout(self)
        layout.setContentsMargins(theme.large, theme.small, theme.large, theme.small)
        layout.setSpacing(theme.medium)
        self.chats = QToolButton()
        self.chats.setObjectName("tool")
        ThemeIcon(self.chats, theme, "sidebar", size=18)
        self.chats.setToolTip(tr("{action} ({key})", action=tr("Show the list of chats"), key=tr("Ctrl+B", "key")))
        self.chats.setFixedSize(theme.control, theme.control)
        self.chats.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.chats.clicked.connect(self.chats_requested)
        self.chats.hide()
        self.unread = Dot(theme.accent, 10, ring=theme.sunken)
        self.unread.setParent(self.chats)
        self.unread.move(theme.control - 13, 3)
        self._theme = theme
        theme.changed.connect(self._paint)
        self.show_unread(0)
        layout.addWidget(self.chats)
        self._mark = QLabel()
        self._mark.setPixmap(icon("app").pixmap(QSize(24, 24)))
        layout.addWidget(self._mark)
        self._name = PlainLabel("GenTorrent", "name")
        self._name.setWordWrap(False)
        self._name.setContentsMargins(0, 0, theme.small, 0)
        layout.addWidget(self._name)
        self.models = ModelBox()
        self.models.setAccessibleName(tr("Model that answers"))
        self.models.setItemDelegate(QStyledItemDelegate(self.models))  # the default one ignores the style sheet
        self.models.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.models.setMinimumContentsLength(12)
        self.models.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.models.setMaximumWidth(_WIDEST)
        layout.addWidget(self.models, 10)
        self.setup = QToolButton()
        self.setup.setObjectName("tool")
        self.setup.setCheckable(True)
        ThemeIcon(self.setup, theme, "sliders", size=18)
        self.setup.setAccessibleName(tr("Chat settings"))
        about = tr("{action} ({key})", action=tr("Chat settings"), key=tr("Ctrl+I", "key"))
        self.setup.setToolTip(about)
        self.setup.setFixedSize(theme.control, theme.control)
        self.setup.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setup.clicked.connect(self.setup_requested)
        layout.addWidget(self.setup)
        layout.addStretch()
        layout.addWidget(self._make_contribute(theme))
        self.new_chat = QPushButton(" " + tr("New chat"))
        ThemeIcon(self.new_chat, theme, "new-chat", size=18)
        self.new_chat.setAccessibleName(tr("New chat"))
        self.new_chat.setToolTip(tr("{action} ({key})", action=tr("New chat"), key=tr("Ctrl+N", "key")))
        self.new_chat.clicked.connect(self.new_chat_requested)
        layout.addWidget(self.new_chat)
        self._choices: list[ModelChoice] = []
        self._all: list[ModelChoice] = []
        self._local_only = False
        self._wished = ("", "")
        self.show_models([])

    @property
    def choice(self) -> ModelChoice | None:
        """The model that is chosen, or None while there is none."""
        index = self.models.currentIndex()
        return self._choices[index] if 0 <= index < len(self._choices) else None

    def show_models(self, choices: list[ModelChoice]) -> None:
        """List ``choices``; what was chosen stays so while it is there, else the first is."""
        self._all = list(choices)
        if self._local_only:
            choices = [choice for choice in choices if choice.route == "local"]
        if choices == self._choices and self.models.count():
            return
        before = self.choice
        self._choices = list(choices)
        self.models.blockSignals(True)
        self.models.clear()
        self.models.addItems([choice.label for choice in choices] or [tr("No model yet")])
        keys = [choice.key for choice in choices]
        if self._wished in keys:
            self.models.setCurrentIndex(keys.index(self._wished))
            self._wished = ("", "")
        elif before is not None and before.key in keys:
            self.models.setCurrentIndex(keys.index(before.key))
        self.models.setEnabled(bool(choices))
        self.models.blockSignals(False)

    def restrict(self, local_only: bool) -> None:
        """``local_only``: nothing can be chosen that is not on this machine."""
        if local_only != self._local_only:
            self._local_only = local_only
            self.show_models(self._all)
            self.models.currentIndexChanged.emit(self.models.currentIndex())

    def choose(self, choice: ModelChoice) -> None:
        """Choose ``choice`` in the list, if it is there."""
        keys = [known.key for known in self._choices]
        if choice.key in keys:
            self.models.setCurrentIndex(keys.index(choice.key))

    def wish(self, model: str, route: str) -> None:
        """Choose what a chat was asked with, now or once it is in the list."""
        keys = [known.key for known in self._choices]
        if (model, route) in keys:
            self.models.setCurrentIndex(keys.index((model, route)))
            self._wished = ("", "")
        elif model:
            self._wished = (model, route)
            here = next((place for place, key in enumerate(keys) if key[1] == "local"), None)
            if route == "local" and here is not None:  # what was asked on this machine does not leave it unseen
                self.models.setCurrentIndex(here)

    def show_unread(self, chats: int) -> None:
        """In so many chats there are answers that nobody has seen: the way to the list says so while that is hidden."""
        self.unread.setVisible(chats > 0)
        words = [tr("Show the list of chats"), *([tr("%Ln chat(s) with a new answer", "", chats)] if chats else [])]
        self.chats.setAccessibleName(", ".join(words))

    def show_contribute(self, line: ContributeLine) -> None:
        """Set the switch and the words below its name."""
        self.contribute.setEnabled(line.enabled)
        self.contribute.setChecked(line.checked)
        self.contribute.setAccessibleDescription(line.sentence)
        self._contribute_text.show_text(line.text)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wide = self.width() >= (_NARROW if self.chats.isHidden() else _NARROW_WITH_CHATS)
        margin = self._theme.large if wide else self._theme.small
        self._row.setContentsMargins(margin, self._theme.small, margin, self._theme.small)
        self._row.setSpacing(self._theme.medium if wide else self._theme.small)
        self._name.setVisible(wide)
        self._mark.setVisible(wide)
        self._contribute_text.setVisible(wide)
        self._contribute_name.setVisible(self.width() >= _TIGHT)
        self.new_chat.setText(" " + tr("New chat") if wide else "")

    def _paint(self) -> None:
        self.unread.set_colour(self._theme.accent, self._theme.sunken)

    def _make_contribute(self, theme: Theme) -> QWidget:
        box = QWidget()
        layout = QHBoxLayout(box)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.small)
        words = QVBoxLayout()
        words.setSpacing(0)
        self._contribute_name = PlainLabel(tr("Contribute"), "heading")
        self._contribute_name.setWordWrap(False)
        self._contribute_name.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        words.addWidget(self._contribute_name)
        self._contribute_text = PlainLabel("", "caption", elided=True)
        self._contribute_text.setMinimumWidth(130)
        self._contribute_text.setAlignment(Qt.AlignmentFlag.AlignRight)
        words.addWidget(self._contribute_text)
        layout.addLayout(words)
        self.contribute = Switch(theme, tr("Contribute: answer other people's questions on this machine"))
        self.contribute.setToolTip(self.contribute.accessibleName())
        self.contribute.clicked.connect(self.contributing_requested)
        layout.addWidget(self.contribute)
        return box
