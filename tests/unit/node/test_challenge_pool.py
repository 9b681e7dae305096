from pathlib import Path

import pytest

from engine.errors import ConfigurationError
from engine.node.challenge_pool import load_pool
from tests.support.records import seeded


def test_the_shipped_questions_are_there_without_a_folder_of_ones_own(tmp_path: Path) -> None:
    assert load_pool(tmp_path / "none").draw(seeded(1)).texts


def test_a_verifier_adds_its_own_questions(tmp_path: Path) -> None:
    shipped = load_pool(tmp_path)
    (tmp_path / "mine.toml").write_text('[mine]\nweight = 5\ntexts = ["What would {name} cook with {food}?"]')
    assert set(load_pool(tmp_path).kinds) == {*shipped.kinds, "mine"}


def test_a_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text('[mine]\nweight = 5\ntexts = ["{nothing}"]')
    with pytest.raises(ConfigurationError, match=r"bad\.toml cannot be used\. .*'nothing'"):
        load_pool(tmp_path)
    (tmp_path / "bad.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match=r"bad\.toml cannot be read"):
        load_pool(tmp_path)
