"""The top of the window: what fits of the model's facts."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QFont, QFontMetrics
from PySide6.QtWidgets import QApplication

from app.views.header import shortened

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
