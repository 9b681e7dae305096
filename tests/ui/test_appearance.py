"""What the style sheet makes of widgets, measured on their pictures."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication, QLineEdit, QPlainTextEdit

from app.appearance import dress, wear
from app.theme import DARK, LIGHT, Theme, contrast


@pytest.fixture(autouse=True)
def _light_again(qapp: QApplication) -> Iterator[None]:
    yield
    dress(qapp, LIGHT)


@pytest.mark.parametrize("kind", [QLineEdit, QPlainTextEdit])
@pytest.mark.parametrize("look", [LIGHT, DARK], ids=["light", "dark"])
def test_placeholders_can_be_read(qapp, qtbot, look: Theme, kind: type[QLineEdit | QPlainTextEdit]) -> None:
    theme = Theme(look)
    dress(qapp, theme)
    field = kind()
    qtbot.addWidget(field)
    wear(field, theme)
    field.setPlaceholderText("█ █ █ M M M")
    field.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # no cursor in the picture
    field.setFixedSize(300, 60)
    field.show()
    picture = field.grab(field.rect().adjusted(6, 6, -6, -6)).toImage()
    colours = {picture.pixelColor(x, y).name() for x in range(picture.width()) for y in range(picture.height())}
    ground = field.palette().color(QPalette.ColorRole.Base).name()
    assert ground in colours
    strongest = max(contrast(colour, ground) for colour in colours)
    assert 4.5 <= strongest <= contrast(theme.quiet, ground) + 0.1
