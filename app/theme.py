"""The one look: colours, spacing and type in one place. Every widget takes them from here, none has its own.

:data:`LIGHT` and :data:`DARK` are the two sets of colours. A window has one :class:`Theme` that becomes the other one
while it is shown; what a widget draws with a colour it draws again at ``theme.changed``. The style sheet follows by
itself. Contrast is checked by a test for both: text on its ground ≥ 4.5, marks ≥ 3.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from PySide6.QtCore import QObject, Signal, SignalInstance


@dataclass
class Colours:
    """As #rrggbb."""

    dark: bool
    # Grounds, from the window to what lies on it.
    ground: str
    raised: str
    sunken: str
    question: str  # behind a question
    found: str  # behind a word that was looked for
    hover: str
    pressed: str
    # Text.
    text: str
    quiet: str  # secondary text
    disabled: str
    # Lines and marks.
    line: str
    strong_line: str  # edge of something to type into or press
    accent: str
    accent_hover: str
    accent_pressed: str
    on_accent: str
    accent_ground: str
    focus: str
    knob: str  # of a switch
    # Tones, as text and as ground.
    good: str
    busy: str
    neutral: str
    warning: str
    error: str
    good_ground: str
    warning_ground: str
    error_ground: str
    neutral_ground: str
    # Code, on the sunken ground.
    syntax_keyword: str
    syntax_name: str
    syntax_type: str
    syntax_string: str
    syntax_number: str
    syntax_comment: str
    syntax_mark: str


class _Announcer(QObject):
    changed = Signal()


class Theme(Colours):
    """Colours that may change while they are shown, lengths in logical pixels, type in points."""

    # Spacing.
    tiny = 4
    small = 8
    medium = 12
    large = 20
    huge = 32
    radius = 10
    small_radius = 6
    column = 760  # widest text column
    page = 860  # widest page of cards
    control = 34  # height of a control

    # Type scale (points).
    caption = 9.0
    body = 10.5
    title = 13.0
    display = 19.0
    line_height = 140  # per cent, of text to read

    def __init__(self, colours: Colours) -> None:
        self._announcer = _Announcer()
        self.become(colours)

    @property
    def changed(self) -> SignalInstance:
        """Emitted when the colours are others."""
        return self._announcer.changed

    def become(self, colours: Colours) -> None:
        """Take other colours."""
        for field in fields(Colours):
            setattr(self, field.name, getattr(colours, field.name))
        self.changed.emit()

    def tone(self, tone: str) -> str:
        """The colour of a status: "good", "busy", "neutral", "warning" or "error"."""
        return str(getattr(self, tone))

    def syntax(self, kind: str) -> str:
        """The colour of a part of code (:data:`app.markdown.highlight.Kind`)."""
        same = {"added": self.good, "removed": self.error}
        return same.get(kind) or str(getattr(self, f"syntax_{kind}"))


LIGHT = Theme(
    Colours(
        dark=False,
        ground="#ffffff",
        raised="#ffffff",
        sunken="#f6f7f9",
        question="#eef1fb",
        found="#ffe69a",
        hover="#eef0f4",
        pressed="#e2e5ec",
        text="#1b1f27",
        quiet="#5a6270",
        disabled="#8b929d",
        line="#e3e6eb",
        strong_line="#868e9b",
        accent="#3a4fc4",
        accent_hover="#3143ab",
        accent_pressed="#283891",
        on_accent="#ffffff",
        accent_ground="#eef1fb",
        focus="#3a4fc4",
        knob="#ffffff",
        good="#17744a",
        busy="#3a4fc4",
        neutral="#5a6270",
        warning="#8a5a00",
        error="#b3261e",
        good_ground="#e7f5ee",
        warning_ground="#fdf3dd",
        error_ground="#fdeceb",
        neutral_ground="#f0f2f5",
        syntax_keyword="#8a3ab0",
        syntax_name="#1f5fbf",
        syntax_type="#0b7285",
        syntax_string="#1b7440",
        syntax_number="#a34a00",
        syntax_comment="#667080",
        syntax_mark="#9a5b00",
    )
)


DARK = Theme(
    Colours(
        dark=True,
        ground="#16181d",
        raised="#1e2128",
        sunken="#111317",
        question="#262c44",
        found="#5a4a12",
        hover="#282c35",
        pressed="#333843",
        text="#e8eaef",
        quiet="#a3abb9",
        disabled="#6f7786",
        line="#2b2f38",
        strong_line="#6b7382",
        accent="#9aa8ff",
        accent_hover="#afbaff",
        accent_pressed="#8594f7",
        on_accent="#10131f",
        accent_ground="#242a45",
        focus="#9aa8ff",
        knob="#ffffff",
        good="#63cf9b",
        busy="#9aa8ff",
        neutral="#a3abb9",
        warning="#e6b65f",
        error="#ff9a91",
        good_ground="#15301f",
        warning_ground="#352a13",
        error_ground="#3a1f1d",
        neutral_ground="#262a32",
        syntax_keyword="#d09bff",
        syntax_name="#86acff",
        syntax_type="#6bcfdd",
        syntax_string="#8ed6a2",
        syntax_number="#f0ae7c",
        syntax_comment="#8b94a4",
        syntax_mark="#e6b65f",
    )
)


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours (WCAG 2.2, 1 to 21)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def stylesheet(theme: Theme, chevron: str) -> str:
    """Qt style sheet of the whole application. ``chevron`` is the path of the mark of a drop-down list."""
    t = theme
    return f"""
* {{ font-size: {t.body}pt; color: {t.text}; }}
QMainWindow, QDialog, #page, #transcript, #transcript > QWidget {{ background: {t.ground}; }}
QToolTip {{ background: {t.text}; color: {t.ground}; border: none; padding: {t.tiny}px {t.small}px; }}
QMenu {{ background: {t.raised}; border: 1px solid {t.line}; padding: {t.tiny}px; }}
QMenu::item {{ padding: {t.tiny + 2}px {t.large}px; border-radius: {t.small_radius}px; }}
QMenu::item:selected {{ background: {t.hover}; }}
QMenu::item:disabled {{ color: {t.quiet}; }}
QMenu::separator {{ height: 1px; background: {t.line}; margin: {t.tiny}px {t.small}px; }}

#header {{ background: {t.sunken}; border-bottom: 1px solid {t.line}; }}
#footer {{ background: {t.ground}; }}
#name {{ font-size: {t.title}pt; font-weight: 600; }}
#display {{ font-size: {t.display}pt; font-weight: 600; }}
#quiet, #caption {{ color: {t.quiet}; }}
#cardTitle {{ font-size: {t.title}pt; font-weight: 600; }}
#rowTitle {{ font-weight: 600; }}
#figure {{ font-size: {t.display}pt; font-weight: 600; }}
#card {{ background: {t.raised}; border: 1px solid {t.line}; border-radius: {t.radius}px; }}
#line {{ background: {t.line}; border: none; }}
#statusBar {{ background: {t.sunken}; border-top: 1px solid {t.line}; }}

#navigation {{ background: {t.sunken}; border-right: 1px solid {t.line}; }}
#navigation QToolButton {{ background: transparent; border: 2px solid transparent; border-radius: {t.radius}px;
    color: {t.quiet}; font-size: {t.caption}pt; padding: {t.small - 1}px 0 {t.tiny}px 0; }}
#navigation QToolButton:hover {{ background: {t.hover}; color: {t.text}; }}
#navigation QToolButton:pressed {{ background: {t.pressed}; }}
#navigation QToolButton:checked {{ background: {t.accent_ground}; color: {t.accent}; font-weight: 600; }}
#navigation QToolButton:focus {{ border-color: {t.focus}; }}
#caption {{ font-size: {t.caption}pt; }}
#heading {{ font-weight: 600; }}

QPushButton {{ background: {t.raised}; border: 1px solid {t.strong_line}; border-radius: {t.small_radius}px;
    padding: 0 {t.medium}px; min-height: {t.control - 2}px; }}
QPushButton:hover {{ background: {t.hover}; }}
QPushButton:pressed {{ background: {t.pressed}; }}
QPushButton:focus {{ border: 2px solid {t.focus}; padding: 0 {t.medium - 1}px; min-height: {t.control - 4}px; }}
QPushButton:disabled {{ color: {t.disabled}; border-color: {t.line}; background: {t.sunken}; }}
QPushButton#primary {{ background: {t.accent}; border-color: {t.accent}; color: {t.on_accent}; }}
QPushButton#primary:hover {{ background: {t.accent_hover}; }}
QPushButton#primary:pressed {{ background: {t.accent_pressed}; }}
QPushButton#primary:focus {{ border: 2px solid {t.text}; }}
QPushButton#primary:disabled {{ background: {t.neutral_ground}; border-color: {t.line}; color: {t.disabled}; }}
QPushButton#danger {{ border-color: {t.error}; color: {t.error}; }}
QPushButton#danger:hover {{ background: {t.error_ground}; }}
QPushButton#danger:disabled {{ border-color: {t.line}; color: {t.disabled}; }}
QPushButton#suggestion {{ text-align: left; padding: 0 {t.medium + 2}px; min-height: {t.control + 8}px;
    border-color: {t.line}; border-radius: {t.radius}px; }}
QPushButton#suggestion:hover {{ background: {t.accent_ground}; border-color: {t.accent}; }}
QPushButton#suggestion:focus {{ border: 2px solid {t.focus}; padding: 0 {t.medium + 1}px;
    min-height: {t.control + 6}px; }}
QPushButton#flat {{ border: 2px solid transparent; background: transparent; padding: 0; min-height: 20px; }}
QPushButton#flat:hover {{ background: {t.hover}; }}
QPushButton#flat:pressed {{ background: {t.pressed}; }}
QPushButton#flat:focus {{ border: 2px solid {t.focus}; padding: 0; min-height: 20px; }}
QPushButton#link {{ border: 2px solid transparent; background: transparent; color: {t.accent}; padding: 0 {t.tiny}px;
    font-size: {t.caption}pt; min-height: 20px; }}
QPushButton#link:hover {{ text-decoration: underline; }}
QPushButton#link:focus {{ border: 2px solid {t.focus}; border-radius: {t.tiny}px; }}

QToolButton#quietButton {{ border: 2px solid transparent; border-radius: {t.tiny}px; background: transparent;
    color: {t.quiet}; font-size: {t.caption}pt; padding: 1px {t.tiny}px; min-height: 20px; }}
QToolButton#quietButton:hover {{ background: {t.hover}; color: {t.text}; }}
QToolButton#quietButton:pressed {{ background: {t.pressed}; }}
QToolButton#quietButton:focus {{ border-color: {t.focus}; }}

QComboBox {{ background: {t.raised}; border: 1px solid {t.strong_line}; border-radius: {t.small_radius}px;
    padding: 0 {t.medium}px; min-height: {t.control - 2}px; }}
QComboBox:hover {{ background: {t.hover}; }}
QComboBox:focus {{ border: 2px solid {t.focus}; padding: 0 {t.medium - 1}px; min-height: {t.control - 4}px; }}
QComboBox:disabled {{ color: {t.quiet}; border-color: {t.line}; background: {t.sunken}; }}
QComboBox::drop-down {{ border: none; width: 26px; }}
QComboBox::down-arrow {{ image: url("{chevron}"); width: 12px; height: 12px; }}
QComboBox QAbstractItemView {{ background: {t.raised}; border: 1px solid {t.line}; padding: {t.tiny}px;
    selection-background-color: {t.accent_ground}; selection-color: {t.text}; outline: none; }}
QComboBox QAbstractItemView::item {{ min-height: {t.control - 4}px; padding: 0 {t.small}px;
    border-radius: {t.small_radius}px; }}
QComboBox QAbstractItemView::item:selected, QComboBox QAbstractItemView::item:hover {{
    background: {t.accent_ground}; color: {t.text}; }}

#chatList {{ background: {t.sunken}; border-right: 1px solid {t.line}; }}
#chatList QListWidget {{ background: transparent; border: 2px solid transparent; border-radius: {t.small_radius}px;
    outline: none; color: {t.text}; }}
#chatList QListWidget:focus {{ border-color: {t.focus}; }}
#chatList QListWidget::item {{ padding: 6px {t.small}px; border-radius: {t.small_radius}px; }}
#chatList QListWidget::item:disabled {{ color: {t.quiet}; padding-top: {t.medium}px; background: transparent; }}
#chatList QListWidget::item:hover {{ background: {t.hover}; }}
#chatList QListWidget::item:selected {{ background: {t.accent_ground}; color: {t.text}; }}
#chatList QListWidget QLineEdit {{ padding: 0 {t.tiny}px; min-height: 0; }}
#chatList QLineEdit {{ background: {t.raised}; border: 1px solid {t.strong_line}; padding: {t.tiny}px {t.small}px;
    border-radius: {t.small_radius}px; selection-background-color: {t.accent}; selection-color: {t.on_accent}; }}
#chatList QLineEdit:focus {{ border: 2px solid {t.focus}; padding: {t.tiny - 1}px {t.small - 1}px; }}
#picker {{ background: {t.raised}; border: 1px solid {t.strong_line}; border-radius: {t.radius}px; }}
#picker QLineEdit {{ background: {t.ground}; border: 1px solid {t.strong_line}; padding: {t.tiny + 1}px {t.small}px;
    border-radius: {t.small_radius}px; selection-background-color: {t.accent}; selection-color: {t.on_accent}; }}
#picker QLineEdit:focus {{ border: 2px solid {t.focus}; padding: {t.tiny}px {t.small - 1}px; }}
#picker QListWidget {{ background: transparent; border: none; outline: none; }}
#downloadBar QPushButton#link {{ padding: 0; margin-left: -2px; }}
#downloadBar {{ background: {t.accent_ground}; border-radius: {t.radius}px; }}
QProgressBar {{ background: {t.line}; border: none; border-radius: 3px; }}
QProgressBar::chunk {{ background: {t.accent}; border-radius: 3px; }}
#setupPanel {{ background: {t.sunken}; border-left: 1px solid {t.line}; }}
#setupContent, #setupHead, #setupScroll {{ background: {t.sunken}; border: none; }}
#setupPanel QPlainTextEdit, #setupPanel QLineEdit {{ background: {t.raised};
    border: 1px solid {t.strong_line}; border-radius: {t.small_radius}px; padding: 3px {t.small}px;
    selection-background-color: {t.accent}; selection-color: {t.on_accent}; }}
#setupPanel QPlainTextEdit:focus, #setupPanel QLineEdit:focus {{ border: 2px solid {t.focus};
    padding: 2px {t.small - 1}px; }}
#setupPanel QPushButton#link {{ padding: 0; margin-left: -2px; }}
#card QLineEdit, #find {{ background: {t.raised}; border: 1px solid {t.strong_line}; border-radius: {t.small_radius}px;
    padding: 0 {t.small}px; min-height: {t.control - 2}px; selection-background-color: {t.accent};
    selection-color: {t.on_accent}; }}
#card QLineEdit:focus, #find:focus {{ border: 2px solid {t.focus}; padding: 0 {t.small - 1}px;
    min-height: {t.control - 4}px; }}
#card QProgressBar {{ background: {t.line}; border: none; border-radius: 3px; }}
#card QProgressBar::chunk {{ background: {t.accent}; border-radius: 3px; }}
QSlider {{ min-height: 22px; }}
QSlider::groove:horizontal {{ height: 4px; border-radius: 2px; background: {t.line}; }}
QSlider::sub-page:horizontal {{ height: 4px; border-radius: 2px; background: {t.accent}; }}
QSlider::handle:horizontal {{ background: {t.accent}; border: 2px solid {t.accent}; width: 12px; height: 12px;
    margin: -6px 0; border-radius: 8px; }}
QSlider::handle:horizontal:hover {{ background: {t.accent_hover}; }}
QSlider::handle:horizontal:focus {{ background: {t.raised}; border: 2px solid {t.focus}; }}
#contextMeter {{ font-size: {t.caption}pt; }}
#chart {{ background: transparent; border: none; }}
#chartValue {{ font-weight: 600; font-size: {t.caption}pt; }}
QToolButton#cardHead {{ background: transparent; border: 2px solid transparent; border-radius: {t.small_radius}px; }}
QToolButton#cardHead:hover {{ background: {t.hover}; }}
QToolButton#cardHead:focus {{ border-color: {t.focus}; }}
#cardBody {{ background: transparent; border: none; }}
QPushButton#chip {{ min-height: 24px; padding: 0 {t.small + 2}px; border: 1px solid {t.line};
    border-radius: 13px; font-size: {t.caption}pt; }}
QPushButton#chip:hover {{ background: {t.hover}; border-color: {t.strong_line}; }}
QPushButton#chip:checked {{ background: {t.accent_ground}; border-color: {t.accent}; color: {t.accent}; }}
QPushButton#chip:focus {{ border: 2px solid {t.focus}; padding: 0 {t.small + 1}px; min-height: 22px; }}
QPushButton#chip:disabled {{ color: {t.disabled}; background: {t.sunken}; }}
#rowTitle:disabled {{ color: {t.disabled}; }}
#schedule {{ background: transparent; border: none; outline: none; }}
#schedule QHeaderView, #schedule QHeaderView::section {{ background: transparent; border: none; color: {t.quiet};
    font-size: {t.caption}pt; padding: 0; }}
#schedule QHeaderView::section:hover {{ color: {t.text}; }}
#fieldProblem {{ color: {t.warning}; font-size: {t.caption}pt; }}
QToolButton#tool {{ background: transparent; border: 2px solid transparent; border-radius: {t.small_radius}px; }}
QToolButton#tool:hover {{ background: {t.hover}; }}
QToolButton#tool:pressed {{ background: {t.pressed}; }}
QToolButton#tool:checked {{ background: {t.accent_ground}; }}
QToolButton#tool:focus {{ border-color: {t.focus}; }}
#undo {{ background: {t.raised}; border: 1px solid {t.strong_line}; border-radius: {t.small_radius}px; }}

#composer {{ background: {t.raised}; border: 1px solid {t.strong_line}; border-radius: {t.radius}px; }}
#composer[focused="true"] {{ border: 2px solid {t.focus}; }}
#composer QPlainTextEdit {{ border: none; background: transparent; }}

#fileCard {{ background: {t.raised}; border: 1px solid {t.strong_line}; border-radius: {t.small_radius}px; }}
QPushButton#fileOpen {{ background: transparent; border: 2px solid transparent; border-radius: {t.small_radius}px;
    padding: 0; min-height: 36px; text-align: left; }}
QPushButton#fileOpen:hover {{ background: {t.hover}; }}
QPushButton#fileOpen:pressed {{ background: {t.pressed}; }}
QPushButton#fileOpen:focus {{ border-color: {t.focus}; padding: 0; min-height: 36px; }}
#fileText {{ background: {t.sunken}; border: 1px solid {t.line}; border-radius: {t.small_radius}px;
    selection-background-color: {t.accent}; selection-color: {t.on_accent}; }}
#fileText:focus {{ border: 2px solid {t.focus}; }}
#questionBubble {{ background: {t.question}; border-radius: {t.radius}px; }}
#document {{ border: 2px solid transparent; border-radius: {t.tiny}px; background: transparent;
    selection-background-color: {t.accent}; selection-color: {t.on_accent}; }}
#document:focus {{ border: 2px solid {t.focus}; }}
#problem {{ background: {t.error_ground}; border-radius: {t.small_radius}px; }}
#problem QLabel {{ color: {t.error}; }}
QToolButton#newest {{ background: {t.raised}; border: 1px solid {t.strong_line}; border-radius: 14px;
    padding: 3px {t.medium}px 3px {t.small}px; min-height: 20px; }}
QToolButton#newest:hover {{ background: {t.hover}; }}
QToolButton#newest:pressed {{ background: {t.pressed}; }}
QToolButton#newest:focus {{ border: 2px solid {t.focus}; padding: 2px {t.medium - 1}px 2px {t.small - 1}px; }}
QToolButton#fold {{ border: 2px solid transparent; border-radius: {t.tiny}px; background: transparent;
    color: {t.quiet}; font-size: {t.caption}pt; padding: 1px {t.tiny}px 1px 0; min-height: 20px; }}
QToolButton#fold:hover {{ background: {t.hover}; color: {t.text}; }}
QToolButton#fold:focus {{ border-color: {t.focus}; }}
#thoughts {{ border: none; border-left: 3px solid {t.line}; }}
#linkHost {{ font-size: {t.title}pt; font-weight: 600; }}
#linkAddress {{ background: {t.sunken}; border: 1px solid {t.line}; border-radius: {t.small_radius}px; }}
#linkWarning {{ background: {t.warning_ground}; color: {t.warning}; border-radius: {t.small_radius}px;
    padding: {t.small}px {t.medium}px; }}
#details {{ background: {t.sunken}; border-radius: {t.radius}px; }}
#badge {{ border-radius: {t.small_radius}px; padding: 1px {t.small}px; font-size: {t.caption}pt; font-weight: 600; }}
#badge[tone="neutral"] {{ background: {t.neutral_ground}; color: {t.neutral}; }}
#badge[tone="good"] {{ background: {t.good_ground}; color: {t.good}; }}
#badge[tone="warning"] {{ background: {t.warning_ground}; color: {t.warning}; }}
#badge[tone="error"] {{ background: {t.error_ground}; color: {t.error}; }}
#badge[tone="accent"] {{ background: {t.accent_ground}; color: {t.accent}; }}

QScrollArea {{ border: none; }}
QScrollBar:vertical {{ background: transparent; width: 10px; margin: 2px; }}
QScrollBar::handle:vertical {{ background: {t.strong_line}; border-radius: 3px; min-height: 32px; }}
QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
"""
