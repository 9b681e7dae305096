"""Recording margins with real workers: cheats stand out, a broken-off run goes on, the command writes a file."""

import json

import pytest
from typer.testing import CliRunner

from engine.bench.verification import calibrate, measuring
from engine.bench.verification.calibrating import calibration, counted, table
from engine.bench.verification.conditions import CHEATS, FOUR_BITS, HONEST, SMALLER_MODEL
from engine.bench.verification.evaluating import as_table, evaluate
from engine.bench.verification.measuring import Record, Study, perplexities, read_records, record
from engine.bench.verification.questions import Questions
from engine.cli import cli
from engine.errors import BenchmarkError, CalibrationError
from engine.inference.models.installed import BUILTIN_MODEL, Catalogue
from engine.verification.scoring.calibration import read_calibrations
from tests.support.tiny_model import make_tiny_model

pytestmark = pytest.mark.timeout(120)


def say(line):
    """Nobody listens."""


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.setattr(measuring, "AT_ONCE", 6)
    make_tiny_model(tmp_path / "tiny")
    reference = Catalogue(None, tmp_path / "tiny").open(BUILTIN_MODEL)
    return Study(reference, tmp_path / "work", Questions("tiny", varied=True, max_tokens=16))


async def test_honest_answers_agree_and_cheats_do_not(study):
    greedy = next(one for one in CHEATS if one.greedy)
    shares = {}
    for condition in (HONEST[3], HONEST[5], FOUR_BITS[0], greedy):
        found = await record(study, condition, 60, say)
        assert sum(len(one.ids) for one in found) >= 60
        assert all(len(one.ids) == len(one.margins) == len(one.logprobs) for one in found)
        margins = [margin for one in found for margin in one.margins]
        shares[condition] = sum(margin > 1_000 for margin in margins) / len(margins)
    assert shares[HONEST[3]] == shares[HONEST[5]] == 0
    assert shares[FOUR_BITS[0]] > 0.1
    assert shares[greedy] > 0.1
    honest = read_records(study, HONEST[3])
    assert await perplexities(study, FOUR_BITS[0], honest) > 0


async def test_a_run_that_was_broken_off_goes_on(study):
    first = await record(study, HONEST[0], 30, say)
    path = next((study.folder / "records").iterdir())
    path.write_bytes(path.read_bytes() + b'{"number": 99, "ids": [1, 2')
    assert read_records(study, HONEST[0]) == first
    path.write_bytes(path.read_bytes().rpartition(b"\n")[0] + b"\n")
    again = await record(study, HONEST[0], sum(len(one.ids) for one in first) + 1, say)
    assert again[: len(first)] == first
    assert [one.number for one in again] == list(range(len(again)))
    assert read_records(study, HONEST[0]) == again


def made_up(condition, tokens=4_000, length=50):
    """Records whose margins are typical for the condition."""
    missed = 0 if condition.kind == "honest" else 3
    margins = tuple(200_000 if place < missed else -3_000_000 + 59_000 * place for place in range(length))
    return [Record(number, (7,) * length, margins, (-500_000,) * length) for number in range(tokens // length)]


def test_the_command_writes_a_file_that_can_be_read(tmp_path, monkeypatch):
    async def recorded(study, condition, tokens, told):
        if condition.model == "half precision":
            raise BenchmarkError("cannot be remade")
        told(condition.name)
        return made_up(condition, tokens)

    monkeypatch.setattr(calibrate, "record", recorded)
    output = tmp_path / "somewhere" / "calibration.json"
    options = ["calibrate", "--quick", "--work", str(tmp_path / "work"), "--output", str(output)]
    told = CliRunner().invoke(cli, [*options, "--data", str(tmp_path)])
    assert told.exit_code == 0, told.output
    assert "honest: eight at a time (noisiest)" in told.output
    assert "half precision is left out" in told.stderr
    (entry,) = read_calibrations(output.read_bytes())
    assert entry.digest == Catalogue(None).open(BUILTIN_MODEL).digest.hex()
    assert (entry.precision, entry.reference, entry.node) == ("int8", "cpu", "cpu")
    assert entry.honest.tokens == entry.cheat.tokens == 4_000
    again = CliRunner().invoke(cli, [*options, "--json", "--family", "tiny"])
    assert json.loads(again.stdout)["entries"][0]["family"] == "tiny"
    assert len(read_calibrations(output.read_bytes())) == 2
    assert CliRunner().invoke(cli, [*options, "--weights", "nowhere"]).exit_code != 0


def test_what_cannot_be_calibrated_is_said(tmp_path):
    with pytest.raises(BenchmarkError, match="one cheat at least"):
        calibration({HONEST[0]: made_up(HONEST[0])}, model="m", digest="ab" * 32, precision="fp32")
    with pytest.raises(BenchmarkError, match="differs no more"):
        calibration(
            {HONEST[0]: made_up(FOUR_BITS[0]), FOUR_BITS[0]: made_up(FOUR_BITS[0])},
            model="m", digest="ab" * 32, precision="fp32",
        )  # fmt: skip
    with pytest.raises(BenchmarkError, match="There is no model"):
        calibrate._study(calibrate.Wanted(model="nobody", models=None, work=tmp_path, tokens=2_000), say)
    with pytest.raises(BenchmarkError, match="smaller"):
        measuring.model_of(
            Study(Catalogue(None).open(BUILTIN_MODEL), tmp_path, Questions("m", varied=False)), SMALLER_MODEL
        )
    (tmp_path / "calibration.json").write_text("{}")
    entry = calibration(
        {HONEST[0]: made_up(HONEST[0]), FOUR_BITS[0]: made_up(FOUR_BITS[0])},
        model="m", digest="ab" * 32, precision="fp32",
    )  # fmt: skip
    assert len(table(entry)) == 3
    with pytest.raises(CalibrationError, match="not a calibration file"):
        calibrate.add_to_file(tmp_path / "calibration.json", entry)
    with pytest.raises(CalibrationError, match="cannot be"):
        calibrate.add_to_file(tmp_path, entry)


def test_figures_of_made_up_records():
    recorded = {one: made_up(one, 40_000) for one in (HONEST[0], FOUR_BITS[0], CHEATS[-2])}
    facts = {"model": "m", "digest": "ab" * 32, "precision": "fp32"}
    found = evaluate(recorded, {HONEST[0]: 0.5, FOUR_BITS[0]: 0.52}, 10_000, **facts)
    first, second = found.cheats
    assert (first.separation.honest, first.separation.cheat, first.separation.auc) == (100, 100, 1.0)
    assert first.perplexity_ratio == 1.0202
    assert second.perplexity_ratio == 0
    assert first.missed == 0.06
    assert first.detected[300] == 1
    assert first.median_tokens > 0
    assert found.entry.honest == counted(HONEST[0], recorded[HONEST[0]][:200])
    assert len(as_table(found)) == 4
    both = evaluate(recorded | {FOUR_BITS[1]: made_up(FOUR_BITS[1], 40_000)}, {}, 10_000, **facts)
    assert [one.separation.cheat for one in both.cheats] == [100, 100, 100, 200]


def test_questions_are_the_same_for_everybody():
    one, other = Questions("m", varied=True), Questions("m", varied=True)
    asked = [one.ask(number) for number in range(40)]
    assert asked == [other.ask(number) for number in range(40)]
    assert len({request.sampling.seed for request in asked}) == 40
    assert {bool(request.messages) for request in asked} == {True, False}
    assert all(Questions("m", varied=False).ask(number).sampling.temperature == 1 for number in range(20))
