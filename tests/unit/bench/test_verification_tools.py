"""What ``python -m engine.bench.verification`` writes says by what it was found."""

from __future__ import annotations

import json
from pathlib import Path
from unittest.mock import patch

from engine.bench.verification import __main__ as tools
from engine.bench.verification.conditions import HONEST, Condition
from engine.bench.verification.evaluating import Evaluation, evaluate
from engine.bench.verification.measuring import Record
from engine.inference.models.installed import BUILTIN_MODEL, Catalogue

CHEAT = Condition("cheat", "cheat")


def found() -> Evaluation:
    def answers(margin: int) -> list[Record]:
        return [Record(number, (1,) * 100, (margin,) * 100, (-1,) * 100) for number in range(40)]

    recorded = {HONEST[2]: answers(-500_000), CHEAT: answers(2_000_000)}
    return evaluate(recorded, {}, 2_000, model="m", digest="0" * 64, precision="fp32")


def test_the_figures_name_commit_date_machine_and_who_recorded(tmp_path: Path) -> None:
    work = tmp_path / "work"
    assert tools.commits_of(work) == []
    for commit in ("aaa", "aaa", "bbb+", ""):
        with patch.object(tools, "commit", return_value=commit):
            tools._note_commit(work)
    assert tools.commits_of(work) == ["aaa", "bbb+"]
    with patch.object(tools, "commit", return_value="ccc"):
        tools.write(tmp_path / "f.json", found(), tools.commits_of(work))
    said = json.loads((tmp_path / "f.json").read_text())
    assert (said["commit"], said["recorded_by"]) == ("ccc", ["aaa", "bbb+"])
    assert said["machine"]["processors"] >= 1
    assert len(said["date"]) == 10
    assert said["cheats"][0]["separation"]["auc"] == 1.0


def test_who_claims_8_bits_is_held_against_the_model_as_it_comes(tmp_path: Path) -> None:
    """Its cheats and its half precision are made of the weights that the 8 bits were made from."""
    study, name = tools.study_of(tmp_path, eight_bits=True)
    builtin = Catalogue(None).open(BUILTIN_MODEL)
    assert (study.reference.digest, study.reference.precision, name) == (builtin.digest, "int8", BUILTIN_MODEL)
    assert study.weights is not None
    assert study.folder == tmp_path / tools.EIGHT_BITS, "apart from what was judged by float32"
    full, name = tools.study_of(tmp_path, eight_bits=False)
    assert (full.reference.precision, full.folder) == ("fp32", tmp_path)
    assert full.reference.digest != builtin.digest
    assert name == f"{BUILTIN_MODEL} in float32"
