"""``gentorrent models`` and ``gentorrent network`` against a real engine without a network: what is not there is said
with an exit code, what a script asks for is JSON, and imports are the engine's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Protocol

import pytest

from engine.cli import main
from engine.library import keeping
from engine.verification.receipt_file import export_receipt
from tests.support.hub_layouts import LAYOUTS, make_layout
from tests.support.receipts import NETWORK, part
from tests.support.running_engine import running

pytestmark = pytest.mark.timeout(180)
ADDRESS = f"http://127.0.0.1:9#{'1f' * 32}"


class Command(Protocol):
    """Run ``gentorrent``: its standard output, or with another ``code`` what it says is wrong, in one line."""

    def __call__(self, *words: str, code: int = 0) -> str: ...


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    def run(*words: str, code: int = 0) -> str:
        with pytest.raises(SystemExit) as ended:
            main([*words, "--data", str(tmp_path)])
        told = capsys.readouterr()
        assert ended.value.code == code, told.err
        return told.out if code == 0 else " ".join(told.err.split())

    return run


def test_commands_say_what_they_could_not_do(tmp_path: Path, command: Command) -> None:
    with running(tmp_path):
        assert "There is no download of 'nosuch'" in command("models", "pause", "nosuch", code=1)
        known = json.loads(command("models", "catalogue", "--json"))["models"]
        here, could = (next(one["model"] for one in known if one["state"] == state) for state in ("here", "available"))
        for name in (here, could, "nosuch", "../../keys"):
            assert "There is no download of" in command("models", "discard", name, code=1)
            assert "There is no download of" in command("models", "pause", name, code=1)
        left = tmp_path / "models" / ".incomplete" / f"{could}+1"
        left.mkdir(parents=True)
        (left / "model.onnx.part").write_bytes(b"begun")
        assert command("models", "pause", could).startswith("Done")
        assert command("models", "discard", could.upper()).startswith("Done")
        assert not left.exists()

        file = tmp_path / "answer.json"
        file.write_text(json.dumps(export_receipt(NETWORK, (part(),))))
        assert "in no network yet" in command("receipt", "report", str(file), code=1)
        file.write_text("{")
        assert "cut off or damaged" in command("receipt", "report", str(file), code=1)

        assert "gentorrent network host --name NAME" in command("network", "host", code=2)
        assert json.loads(command("network", "join", ADDRESS, "--json"))["address"] == ADDRESS
        assert json.loads(command("network", "leave", "--json"))["address"] == ""


def test_receipts_are_shared_once_that_is_said_and_no_more_when_it_is_taken_back(
    tmp_path: Path, command: Command
) -> None:
    def share(*words: str) -> bool:
        told = json.loads(command("receipt", "share", *words, "--json"))
        assert (told["percent"], told["most_a_day"], told["today"]) == (2, 3, 0)
        return bool(told["on"])

    with running(tmp_path):
        assert not share()
        assert command("receipt", "share").startswith("Off")
        assert "On: receipts of 2 of 100 answers" in command("receipt", "share", "on")
        assert share()
        assert "not 'perhaps'" in command("receipt", "share", "perhaps", code=2)
    with running(tmp_path):
        assert share(), "an owner's word outlasts the engine"
        assert not share("off")
        assert not share()


def test_the_engine_imports_where_one_runs_and_the_command_elsewhere(
    tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_layout(LAYOUTS[0], tmp_path / "elsewhere" / "many")
    with running(tmp_path):
        with monkeypatch.context() as patch:
            patch.setattr(keeping, "import_folder", _not_here)
            words = ("models", "import", str(folder), "--as", "first", "--variant", "q4f16", "--json")
            told = json.loads(command(*words))
            assert (told["name"], told["variant"], told["linked"]) == ("first", "q4f16", False)
            assert "another name" in command("models", "import", str(folder), "--as", "first", code=1)
            bad = tmp_path / "elsewhere" / "bad"
            bad.mkdir()
            assert "is no model that can be used here" in command("models", "import", str(bad), code=1)
            assert "second" in command("models", "import", str(folder), "--as", "second", "--link")
        known = json.loads(command("models", "catalogue", "--json"))["models"]
        here = {one["model"]: one for one in known if one["state"] == "here"}
        assert (here["first"]["source"], here["second"]["linked"]) == ("folder", True)
    assert "third" in command("models", "import", str(folder), "--as", "third")  # the engine was killed


def _not_here(*_: object, **__: object) -> None:
    raise AssertionError("the engine should have done it")
