"""Words of a search, marked in a text that shows. The text itself stays as it is."""

from __future__ import annotations

from PySide6.QtGui import QColor, QTextCursor
from PySide6.QtWidgets import QTextEdit

from app.models.search_words import marks
from app.theme import Theme
from app.views.markdown_formats import units


def mark_words(text: QTextEdit, query: str, theme: Theme, *, wanted: bool = False) -> bool:
    """Mark what was looked for; nothing where ``query`` is empty. ``wanted``: this is the text that was gone to.
    Whether there is a mark."""
    ground, letters = (theme.accent, theme.on_accent) if wanted else (theme.found, theme.text)
    shown = text.toPlainText() if query else ""
    selections, at, counted = [], 0, 0
    for begin, end in marks(shown, query):
        at += units(shown[counted:begin])
        length, counted = units(shown[begin:end]), end
        cursor = QTextCursor(text.document())
        cursor.setPosition(at)
        cursor.setPosition(at + length, QTextCursor.MoveMode.KeepAnchor)
        at += length
        selection = QTextEdit.ExtraSelection()
        selection.cursor = cursor
        selection.format.setBackground(QColor(ground))
        selection.format.setForeground(QColor(letters))
        selections.append(selection)
    text.setExtraSelections(selections)
    return bool(selections)


def first_mark(text: QTextEdit) -> int | None:
    """How far below the beginning of the text the first marked word stands, in pixels."""
    found = text.extraSelections()
    if not found:
        return None
    cursor = QTextCursor(found[0].cursor)
    cursor.setPosition(cursor.selectionStart())
    return text.cursorRect(cursor).top()
