"""Beside the chat: how its model is asked. Every change holds from the next question on."""

from __future__ import annotations

import functools

from PySide6.QtCore import QRegularExpression, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QRegularExpressionValidator
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.i18n import tr
from app.models.chat_setup import MORE_PARAMETERS, OVERFLOWS, PARAMETERS, ChatSetup, Parameter, overflow_about
from app.models.stop_texts import MOST_STOPS, read_stops, written_stops
from app.theme import Theme
from app.views.basics import LinkButton, PlainLabel, Switch
from app.views.choice_box import ChoiceBox
from app.views.icons import ThemeIcon
from app.views.number_field import WIDTH as FIELD
from app.views.number_field import NumberField
from app.views.parameter_row import ParameterRow
from app.views.preset_bar import PresetBar
from engine.api import schema

WIDTH = 312
TYPING_MILLISECONDS = 400
"""What is typed counts so long after the last letter."""
MOST_TOKENS = 1_000_000
_INTEGERS = {"top_k"}


class SetupPanel(QFrame):
    """Shows a :class:`ChatSetup`. :meth:`keep` before another chat is opened: what is half typed belongs to this
    one."""

    close_requested = Signal()

    def __init__(self, theme: Theme, setup: ChatSetup) -> None:
        super().__init__()
        self.setObjectName("setupPanel")
        self.setAccessibleName(tr("Chat settings"))
        self.setMinimumWidth(WIDTH - 32)
        self._theme = theme
        self._setup = setup
        self._model = ""
        self._pinned_note = ""
        self._typed = False
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(TYPING_MILLISECONDS)
        self._typing.timeout.connect(self.keep)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self._make_head())
        self._content = QWidget()
        self._content.setObjectName("setupContent")
        self._column = QVBoxLayout(self._content)
        self._column.setContentsMargins(theme.medium + theme.tiny, theme.small, theme.medium + theme.tiny, theme.large)
        self._column.setSpacing(theme.small)
        self._fill()
        self._column.addStretch(1)
        scroll = QScrollArea()
        scroll.setObjectName("setupScroll")
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(self._content)
        self._scroll = scroll
        whole.addWidget(scroll, 1)
        setup.changed.connect(self.show_setup)
        self.show_setup()

    def show_model(self, model: str, pinned_note: str = "") -> None:
        """Which model would be asked now, and what the pin means for it."""
        if (model, pinned_note) != (self._model, self._pinned_note):
            self._model, self._pinned_note = model, pinned_note
            self.show_setup()

    def show_setup(self) -> None:
        """Show everything as it is now; what is being typed stays."""
        settings, sampling = self._setup.settings, self._setup.sampling(self._model)
        self.presets.show_setup()
        if not self._typed:
            _show_text(self.system, settings.system)
            _show_text(self.stops, written_stops(settings.stop))
        for name, row in self.rows.items():
            row.show_value(float(getattr(sampling, name)))
        self._suited.setVisible(settings.sampling is None)
        self.reset.setVisible(settings.sampling is not None)
        self.longest.show_value(settings.max_tokens or 0)
        if not self.seed.hasFocus():
            self.seed.setText("" if sampling.seed is None else str(sampling.seed))
        self.pin.setChecked(settings.local_only)
        self._pin_note.show_text(self._pinned_note)
        self._pin_note.setVisible(bool(self._pinned_note) and settings.local_only)
        self.overflow.show_value(settings.overflow)
        self._overflow_about.show_text(overflow_about(settings.overflow))

    def keep(self) -> None:
        """What is being typed counts now."""
        if not self._typed:
            return
        self._typed = False
        self._typing.stop()
        system = self.system.toPlainText()
        stops, problem = read_stops(self.stops.toPlainText())
        if len(system) > schema.MAX_TEXT:
            problem = tr("The system prompt is too long. %Ln characters fit.", "", schema.MAX_TEXT)
            system = self._setup.settings.system
        self._problem.show_text(problem)
        self._problem.setVisible(bool(problem))
        self._setup.change(system=system, stop=self._setup.settings.stop if problem else stops)

    def show_overflow(self) -> None:
        """Bring what happens when the context is full into sight, with the focus."""
        self._scroll.ensureWidgetVisible(self._overflow_about)
        self.overflow.setFocus()

    # What is there.

    def _fill(self) -> None:
        self._section(tr("Preset"), "")
        self.presets = PresetBar(self._theme, self._setup)
        self._column.addWidget(self.presets)
        self._section(tr("System prompt"), tr("What the model is told before the conversation."))
        self.system = _TypedText(tr("System prompt"), 5)
        self.system.setPlaceholderText(tr("For example: answer in short sentences, for a ten-year-old."))
        self._column.addWidget(self.system)
        self._section(tr("Parameters"), "")
        self._suited = PlainLabel(tr("As suits the model"), "caption")
        self._column.addWidget(self._suited)
        self.rows: dict[str, ParameterRow] = {}
        for parameter in PARAMETERS:
            self._column.addWidget(self._row(parameter))
        self._column.addWidget(self._make_longest())
        self._column.addWidget(self._make_seed())
        self._column.addWidget(self._make_more())
        self.reset = LinkButton(tr("Back to what suits the model"))
        self.reset.clicked.connect(lambda: self._setup.change(sampling=None))
        self._column.addWidget(self.reset, 0, Qt.AlignmentFlag.AlignLeft)
        self._section(tr("When the context is full"), "")
        self.overflow = ChoiceBox([(value, tr(name)) for value, name, _ in OVERFLOWS], "refuse")
        self.overflow.setMinimumWidth(80)
        self.overflow.setAccessibleName(tr("When the context is full"))
        self.overflow.chosen.connect(lambda value: self._setup.change(overflow=value))
        self._column.addWidget(self.overflow)
        self._overflow_about = PlainLabel("", "caption")
        self._column.addWidget(self._overflow_about)
        self._section(tr("Privacy"), "")
        self._column.addWidget(self._make_pin())
        self._pin_note = PlainLabel("", "fieldProblem")
        self._column.addWidget(self._pin_note)
        for edit in (self.system, self.stops):
            edit.textChanged.connect(self._type)
            edit.left.connect(self.keep)

    def _type(self) -> None:
        self._typed = True
        self._typing.start()

    def _make_head(self) -> QWidget:
        head = QFrame()
        head.setObjectName("setupHead")
        row = QHBoxLayout(head)
        theme = self._theme
        row.setContentsMargins(theme.medium + theme.tiny, theme.small, theme.small, theme.small)
        row.addWidget(PlainLabel(tr("Chat settings"), "cardTitle"), 1)
        self.close_button = QToolButton()
        self.close_button.setObjectName("tool")
        self.close_button.setFixedSize(theme.control, theme.control)
        self.close_button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.close_button.setAccessibleName(tr("Close the chat settings"))
        self.close_button.setToolTip(
            tr("{action} ({key})", action=tr("Close the chat settings"), key=tr("Ctrl+I", "key"))
        )
        ThemeIcon(self.close_button, theme, "close", "quiet", size=18)
        self.close_button.clicked.connect(self.close_requested)
        row.addWidget(self.close_button)
        return head

    def _section(self, name: str, about: str) -> None:
        if self._column.count():
            self._column.addSpacing(self._theme.small)
        self._column.addWidget(PlainLabel(name, "rowTitle"))
        if about:
            self._column.addWidget(PlainLabel(about, "caption"))

    def _row(self, parameter: Parameter) -> ParameterRow:
        row = ParameterRow(self._theme, parameter)
        row.chosen.connect(functools.partial(self._choose, parameter.field))
        self.rows[parameter.field] = row
        return row

    def _choose(self, field: str, value: float) -> None:
        self._setup.change_sampling(self._model, **{field: round(value) if field in _INTEGERS else round(value, 4)})

    def _make_longest(self) -> QWidget:
        self.longest = NumberField(0, MOST_TOKENS, 0, 64, tr("No limit", "length of an answer"))
        self.longest.chosen.connect(lambda value: self._setup.change(max_tokens=round(value) or None))
        about = tr("Tokens after which an answer is cut.")
        return self._named(tr("Longest answer"), about, self.longest)

    def _make_seed(self) -> QWidget:
        self.seed = QLineEdit()
        self.seed.setFixedWidth(FIELD)
        self.seed.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.seed.setPlaceholderText(tr("Random", "seed"))
        self.seed.setValidator(QRegularExpressionValidator(QRegularExpression("[0-9]{0,15}"), self.seed))
        self.seed.editingFinished.connect(self._seeded)
        about = tr("The same seed, question and model give the same answer.")
        return self._named(tr("Seed"), about, self.seed)

    def _seeded(self) -> None:
        text = self.seed.text()
        seed = int(text) if text else None
        if seed != self._setup.sampling(self._model).seed:
            self._setup.change_sampling(self._model, seed=seed)

    def _make_more(self) -> QWidget:
        box = QWidget()
        column = QVBoxLayout(box)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(self._theme.small)
        self.more = LinkButton(tr("More parameters"))
        self.more.setCheckable(True)
        column.addWidget(self.more, 0, Qt.AlignmentFlag.AlignLeft)
        self._folded = QWidget()
        folded = QVBoxLayout(self._folded)
        folded.setContentsMargins(0, 0, 0, 0)
        folded.setSpacing(self._theme.small)
        for parameter in MORE_PARAMETERS:
            folded.addWidget(self._row(parameter))
        folded.addWidget(PlainLabel(tr("Texts that end an answer")))
        folded.addWidget(
            PlainLabel(tr("One on each line, %Ln at most. \\n is a line break.", "", MOST_STOPS), "caption")
        )
        self.stops = _TypedText(tr("Texts that end an answer"), 2)
        folded.addWidget(self.stops)
        self._problem = PlainLabel("", "fieldProblem")
        self._problem.hide()
        column.addWidget(self._folded)
        column.addWidget(self._problem)
        self._folded.hide()
        self.more.toggled.connect(self._unfold)
        return box

    def _unfold(self, on: bool) -> None:
        self._folded.setVisible(on)
        self.more.setText(tr("Fewer parameters") if on else tr("More parameters"))

    def _make_pin(self) -> QWidget:
        about = tr(
            "Questions of this chat are never sent to another machine, whatever model is chosen. Nobody else sees "
            "them, and only models on this machine can answer."
        )
        self.pin = Switch(self._theme, tr("Only on this machine"))
        self.pin.setAccessibleDescription(about)
        self.pin.clicked.connect(lambda on: self._setup.change(local_only=on))
        box = QWidget()
        column = QVBoxLayout(box)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self._named(tr("Only on this machine"), "", self.pin))
        column.addWidget(PlainLabel(about, "caption"))
        return box

    def _named(self, name: str, about: str, control: QWidget) -> QWidget:
        """A control at the right of its name."""
        box = QWidget()
        row = QHBoxLayout(box)
        row.setContentsMargins(0, 0, 0, 0)
        label = PlainLabel(name)
        label.setBuddy(control)
        row.addWidget(label, 1)
        row.addWidget(control)
        control.setAccessibleName(name)
        if about:
            box.setToolTip(about)
            control.setAccessibleDescription(about)
        return box


class _TypedText(QPlainTextEdit):
    """Some lines of plain text; ``left`` when the focus goes."""

    left = Signal()

    def __init__(self, name: str, lines: int) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setTabChangesFocus(True)
        self.ensurePolished()
        self.setFixedHeight(lines * self.fontMetrics().lineSpacing() + 18)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.left.emit()


def _show_text(edit: QPlainTextEdit, text: str) -> None:
    if edit.toPlainText() != text:
        edit.blockSignals(True)
        edit.setPlainText(text)
        edit.blockSignals(False)
