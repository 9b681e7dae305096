"""Buttons of dialogs show words alone, also on desktops whose own style puts icons of other colours beside them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import (
    QApplication,
    QDialogButtonBox,
    QProxyStyle,
    QStyle,
    QStyleHintReturn,
    QStyleOption,
    QWidget,
)

from app.style_sheet import stylesheet
from app.theme import LIGHT, Theme
from app.views.keys_dialog import keys_dialog


class IconsOnButtons(QProxyStyle):
    """As on X11."""

    def styleHint(
        self,
        hint: QStyle.StyleHint,
        option: QStyleOption | None = None,
        widget: QWidget | None = None,
        returned: QStyleHintReturn | None = None,
    ) -> int:
        if hint == QStyle.StyleHint.SH_DialogButtonBox_ButtonsHaveIcons:
            return 1
        return super().styleHint(hint, option, widget, returned)


@pytest.fixture
def icons_on_buttons(qapp: QApplication) -> Iterator[QApplication]:
    name, sheet = qapp.style().name(), qapp.styleSheet()
    qapp.setStyle(IconsOnButtons("Fusion"))
    yield qapp
    qapp.setStyleSheet(sheet)
    qapp.setStyle(name)


def test_no_icon_of_the_desktop_stands_on_a_button(icons_on_buttons: QApplication) -> None:
    for sheet, plain in (("", False), (stylesheet(Theme(LIGHT), "", ""), True)):
        icons_on_buttons.setStyleSheet(sheet)
        window = QWidget()
        dialog = keys_dialog(window, Theme(LIGHT))
        box = dialog.findChild(QDialogButtonBox)
        assert isinstance(box, QDialogButtonBox)
        box.ensurePolished()
        assert [button.icon().isNull() for button in box.buttons()] == [plain]
