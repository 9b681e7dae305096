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
