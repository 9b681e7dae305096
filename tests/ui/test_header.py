"""The top of the window: what fits of the model's facts."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QFont, QFontMetrics
from PySide6.QtWidgets import QApplication, QWidget

from app import i18n
from app.appearance import dress, wear
from app.theme import LIGHT
from app.views.header import Header, shortened

NAME = "Qwen3-8B-Instruct"
WHOLE = f"{NAME} · on the network, 12 nodes, 61 tokens/s"


@pytest.mark.parametrize(
    ("room_for", "shown"),
    [
        (WHOLE, WHOLE),
        (f"{NAME} · on the network, 12 nodes, 61", f"{NAME} · on the network, 12 nodes"),
        (f"{NAME} · on the net", NAME),
        (NAME, NAME),
    ],
)
def test_a_fact_less_rather_than_half_a_word(qapp: QApplication, room_for: str, shown: str) -> None:
    metrics = QFontMetrics(QFont())
    assert shortened(WHOLE, metrics, metrics.horizontalAdvance(room_for) + 4) == shown


def test_a_name_that_does_not_fit_is_cut(qapp: QApplication) -> None:
    metrics = QFontMetrics(QFont())
    cut = shortened(WHOLE, metrics, metrics.horizontalAdvance(NAME) // 2)
    assert cut.endswith("…")
    assert NAME.startswith(cut[:-1])


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("chats", [False, True])
def test_nothing_lies_over_something_else_at_any_width(qapp: QApplication, language: str, chats: bool) -> None:
    dress(qapp)
    i18n.use(language)
    try:
        window = QWidget()
        wear(window, LIGHT)
        window.resize(1200, 100)
        header = Header(LIGHT)
        header.setParent(window)
        header.chats.setVisible(chats)
        header.new_chat.setVisible(chats)
        window.show()
        for width in range(420, 1200, 10):
            header.resize(width, header.height())
            QApplication.sendPostedEvents()
            assert header._row.minimumSize().width() <= width
        window.close()
        window.deleteLater()
    finally:
        i18n.use("en")
