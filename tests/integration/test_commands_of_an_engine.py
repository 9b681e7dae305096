"""``gentorrent models`` and ``gentorrent network`` against a real engine without a network: what is not there is said
with an exit code, and what a script asks for is JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli import main
from engine.verification.receipt_file import export_receipt
from tests.support.receipts import NETWORK, part
from tests.support.running_engine import running

pytestmark = pytest.mark.timeout(180)
ADDRESS = f"http://127.0.0.1:9#{'1f' * 32}"


def test_commands_say_what_they_could_not_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def command(*words: str, code: int = 0) -> str:
        with pytest.raises(SystemExit) as ended:
            main([*words, "--data", str(tmp_path)])
        told = capsys.readouterr()
        assert ended.value.code == code, told.err
        return told.out if code == 0 else " ".join(told.err.split())

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
