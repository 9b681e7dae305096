"""What the window translates for the engine is what the engine says."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from app import i18n
from app.models.engine_words import SENTENCES, from_engine
from app.models.words import badge_words, stage_words
from engine.api import schema
from tests.ui.test_models import done

ENGINE = Path(__file__).resolve().parents[2] / "engine"


@pytest.fixture(scope="module")
def said() -> set[str]:
    """Every text in the code of the engine."""
    found = set()
    for path in ENGINE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found


@pytest.mark.parametrize("sentence", SENTENCES)
def test_the_engine_says_it(said: set[str], sentence: str) -> None:
    assert sentence in said


def test_known_sentences_are_translated_within_others() -> None:
    try:
        assert from_engine(SENTENCES[0]) == SENTENCES[0]
        i18n.use("de")
        stage = schema.ChatStage(id="x", stage="connecting", text="Choosing anonymous paths", estimate=3)
        assert stage_words(stage) == "Anonyme Pfade werden gewählt, etwa 3 s"
        words = badge_words(done("x", badge="signed", badge_reason=f"{SENTENCES[1]} Machine abc is new."))
        assert words.startswith("Unterschrieben von dem Rechner")
        assert words.endswith("Machine abc is new.")
    finally:
        i18n.use("en")
