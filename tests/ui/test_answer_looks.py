"""How answers look, in numbers: what stands around a table, and what is said below in a narrow window."""

from __future__ import annotations

from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication

from app.models.turns import Turn
from app.theme import LIGHT
from app.views.answer_foot import AnswerFoot
from app.views.markdown_view import MarkdownView
from engine.api import schema
from tests.support.transcripts import CHOICE

TABLE = "|a|b|\n|-|-|\n|1|2|\n"


def lines_and_ink(text: str) -> list[tuple[str, int, int]]:
    """What an answer shows from above to below: (line of a table or letters, first pixel, one behind the last)."""
    view = MarkdownView(LIGHT, "Answer")
    view.resize(600, 300)
    view.add(text)
    while view.advance(writing=False):
        pass
    picture = view.viewport().grab().toImage()
    found: list[tuple[str, int, int]] = []
    for y in range(picture.height()):
        colours = [picture.pixelColor(x, y) for x in range(200)]
        lined = sum(colour.name() == LIGHT.line for colour in colours) > 15
        kind = "line" if lined else "ink" if any(QColor(one).lightness() < 120 for one in colours) else ""
        if found and found[-1][0] == kind and found[-1][2] == y:
            found[-1] = (kind, found[-1][1], y + 1)
        elif kind:
            found.append((kind, y, y + 1))
    return found


def test_tables_stand_in_the_middle_between_texts(qapp: QApplication) -> None:
    parts = lines_and_ink(f"One\n\n{TABLE}\nThree")
    lines = [part for part in parts if part[0] == "line"]
    above = max(end for kind, _, end in parts if kind == "ink" and end <= lines[0][1])
    below = min(begin for kind, begin, _ in parts if kind == "ink" and begin >= lines[-1][2])
    assert abs((lines[0][1] - above) - (below - lines[-1][2])) <= 2


def test_a_table_behind_code_stands_clear_of_its_ground(qapp: QApplication) -> None:
    grounds = [part for part in lines_and_ink(f"```\ncode\n```\n\n{TABLE}") if part[0] == "line"]
    above, below = grounds[-4], grounds[-3]  # the lower edge of the ground, and the first line of the table
    assert 8 <= below[1] - above[2] <= 16


def test_an_answer_can_begin_with_a_table(qapp: QApplication) -> None:
    (_, first, _), *_ = lines_and_ink(TABLE)
    assert first <= 4


def test_no_word_below_an_answer_is_cut(qapp: QApplication) -> None:
    done = schema.ChatDone(
        id="a", finish_reason="stop", model="m", prompt_tokens=1, completion_tokens=900, served_by="k7wq2mzt5pab3c" * 3,
        seed=1, badge="verified", paths=(("a", "b", "c"),) * 4, n=4, k=3, ttft_ms=1200.0, tokens_per_s=58.0,
    )  # fmt: skip
    turn = Turn("Question?", CHOICE)
    turn.state, turn.done = "done", done
    foot = AnswerFoot(LIGHT, turn)
    foot.show_turn(turn, details_shown=False)
    heights = []
    for width in (900, 300):
        foot.fit(width)
        layout = foot.layout()
        assert layout is not None
        height = layout.totalHeightForWidth(width)
        foot.resize(width, height)
        layout.activate()
        facts = foot.facts
        assert facts.text() == facts.whole_text
        assert "58 tokens/s" in facts.text()
        assert facts.height() >= facts.heightForWidth(facts.width())
        heights.append(height)
    assert heights[1] > heights[0]
