"""``gentorrent contribute`` against a real engine without a network: switch, pauses, rules, log."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from engine.cli import main
from tests.support.running_engine import running

pytestmark = pytest.mark.timeout(180)


def test_a_terminal_has_all_that_the_page_has(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def command(*words: str, code: int = 0) -> str:
        with pytest.raises(SystemExit) as ended:
            main(["contribute", *words, "--data", str(tmp_path)])
        told = capsys.readouterr()
        assert ended.value.code == code, told.err
        return told.out if code == 0 else told.err

    with running(tmp_path):
        assert "no network" in command("on", code=1)
        assert command("off").strip() == "off"
        assert "until the engine's next start" in command("pause")
        paused = json.loads(command("pause", "1h", "--json"))
        assert (paused["paused"], paused["until"] > 0) == (True, True)
        assert "no time to pause" in command("pause", "soon", code=2)
        assert "Not paused" in command("resume")
        assert "heat_limit               90" in command("rules")
        rules = json.loads(command("rules", "set", "monthly_kwh", "20", "--json"))
        assert rules["monthly_kwh"] == 20
        assert "cpu.memory_cap           4096" in command("rules", "set", "cpu.memory_cap", "4096")
        refused = "There is no model 'no-such' on this machine. There are: automatic, gentorrent-builtin."
        assert refused in command("rules", "set", "model", "no-such", code=2)
        assert "model                    gentorrent-builtin" in command("rules", "set", "model", "gentorrent-builtin")
        assert "model                    automatic" in command("rules", "set", "model", "automatic")
        assert "There is no rule" in command("rules", "set", "nonsense", "1", code=2)
        assert "There are: cpu" in command("rules", "set", "gpu0.on", "no", code=2)
        shown = json.loads(command("show", "--json"))
        assert shown["contribution"]["rules"]["monthly_kwh"] == 20
        assert not shown["contributing"]["on"]
        told = command("show")
        assert told.startswith("Contributing  off\n")
        assert "Relaying      off\n" in told, "it is in no network"
        assert "Device        The processor (cpu)" in told
        log = [event["text"] for event in json.loads(command("events", "--json"))]
        assert log[-1] == "The rules were changed."
        assert "The rules were changed." in command("events")
    with running(tmp_path):  # the rules outlive the engine
        (device,) = json.loads(command("rules", "--json"))["devices"]
        assert (device["device"], device["memory_cap"]) == ("cpu", 4096)
    assert command("show", code=1)


def test_rules_that_cannot_be_read_pause_until_the_terminal_says_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def command(*words: str) -> str:
        with pytest.raises(SystemExit) as ended:
            main(["contribute", *words, "--data", str(tmp_path)])
        told = capsys.readouterr()
        assert ended.value.code == 0, told.err
        return told.out

    rules = tmp_path / "rules.json"
    rules.write_text('{"price": 0.25, "monthly_kwh": "twenty"}')
    with running(tmp_path):
        shown = command("show")
        assert "Relaying      Your rules could not be read." in shown
        assert "could not be read: monthly_kwh. Perhaps another version has written them" in shown
        assert "`gentorrent contribute rules` prints the rules that would hold" in shown
        assert json.loads(command("show", "--json"))["contribution"]["in_doubt"]
    with running(tmp_path):
        own = r"Paused\. You have paused it until [-\d]{10} \d\d:\d\d\. Your rules could not be read\. "
        assert re.match(own, command("pause", "1h"))
        assert command("resume").startswith("Paused. Your rules could not be read.")
        assert "monthly_kwh" in json.loads(rules.read_text())
        assert command("resume").strip() == "Not paused."
        kept = json.loads(rules.read_text())
        assert (kept["price"], kept["monthly_kwh"]) == (0.25, None)
        assert "twenty" in (tmp_path / "rules.json.damaged").read_text()
        assert "Problem" not in command("show")
        assert "the file that could not be read is now" in command("events")


def test_a_rule_that_has_no_effect_here_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def told(*words: str) -> str:
        with pytest.raises(SystemExit) as ended:
            main(["contribute", "rules", *words, "--data", str(tmp_path)])
        said = capsys.readouterr()
        assert ended.value.code == 0, said.err
        return said.err

    (tmp_path / "config.toml").write_text("sensors = false\n")
    with running(tmp_path):
        assert told("set", "monthly_kwh", "0.5").startswith("monthly_kwh has no effect on this machine. ")
        assert told("set", "monthly_kwh", "1", "--json").startswith("monthly_kwh has no effect on this machine. ")
        assert "monthly_kwh has no effect" in told()
        assert told("set", "monthly_kwh", "none") == ""
        assert told("set", "monthly_gigabytes", "10") == ""
