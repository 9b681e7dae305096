"""The field in which one types what is looked for."""

from __future__ import annotations

from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QToolButton

from app.theme import DARK, LIGHT, Theme
from app.views.search_field import SearchField


def drawn(field: SearchField) -> QImage:
    return field.findChild(QToolButton).icon().pixmap(16).toImage()


def test_the_mark_that_empties_it_is_ours_in_both_looks_and_for_the_keyboard(qapp: QApplication) -> None:
    theme = Theme(LIGHT)
    field = SearchField(theme, "Find a model")
    button = field.findChild(QToolButton)
    assert (field.accessibleName(), button.accessibleName()) == ("Find a model", "End the search")
    light = drawn(field)
    theme.become(DARK)
    assert drawn(field) != light
    field.setText("qwen")
    button.click()
    assert field.text() == ""
