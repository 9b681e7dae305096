"""``gentorrent models publish`` and its relatives as somebody types them, from file to file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.clock import SystemClock
from engine.library.agreements import terms_of
from engine.library.folders import ModelsFolder
from engine.library.published import PublishedModels
from engine.wire.codec import encode
from tests.support.manifests import DAY, signed
from tests.support.tiny_model import make_tiny_model

PROGRAM = [sys.executable, "-m", "engine.cli", "models"]
PUBLISH = ("--publisher", "A Small Lab", "--licence", "mit", "--url", "https://models.example.org/ours/")


class Machine:
    """One data directory."""

    def __init__(self, data: Path) -> None:
        self._data = data

    def run(self, *arguments: str, code: int = 0) -> str:
        """Standard output; with another ``code`` what is said to be wrong."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("GENTORRENT_")}
        done = subprocess.run(
            [*PROGRAM, *arguments, "--data", str(self._data)],
            env={**kept, "GENTORRENT_KEYRING": "off"},
            capture_output=True,
            text=True,
            timeout=60,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        assert done.returncode == code, (done.stdout, done.stderr)
        return done.stderr if code else done.stdout

    def json(self, *arguments: str) -> object:
        """What is printed with ``--json``."""
        return json.loads(self.run(*arguments, "--json"))


@pytest.mark.timeout(180)
def test_from_file_to_file(tmp_path: Path) -> None:
    lab, other = Machine(tmp_path / "lab"), Machine(tmp_path / "other")
    folder, file = str(make_tiny_model(tmp_path / "ours")), str(tmp_path / "ours.manifest")
    made = lab.json("publish", folder, *PUBLISH, "--output", file)
    assert isinstance(made, dict)
    model, fingerprint = made["id"], made["fingerprint"]
    assert (made["told"], made["version"], model) == ("file", 1, f"{fingerprint}/ours")
    me = lab.json("publishers", "me")
    assert isinstance(me, dict)
    assert me["fingerprint"] == fingerprint

    assert other.json("published") == []
    assert "Nothing is known" in other.run("download", model, "--yes", code=1)
    taken = other.json("add-manifest", file)
    assert isinstance(taken, dict)
    assert (taken["news"], taken["trusted"], taken["confirmed"]) == (True, False, False)
    assert "A Small Lab" in other.run("publishers", "list")
    assert "no model" in other.run("publishers", "trust", "a" * 32, code=1).lower()
    other.run("publishers", "trust", fingerprint)
    other.run("confirm", model)
    rows = other.json("published")
    assert isinstance(rows, list)
    (row,) = rows
    assert (row["trusted"], row["confirmed"], row["problem"]) == (True, True, "")
    assert "not served" in other.run("publishers", "distrust", fingerprint)

    second, gone = str(tmp_path / "second"), str(tmp_path / "gone")
    lab.run("publish", folder, *PUBLISH, "--note", "Better.", "--output", second)
    lab.run("withdraw", "ours", "--reason", "A mistake.", "--output", gone)
    other.run("add-manifest", gone)
    assert "older than version" in other.run("add-manifest", second, code=1)
    assert "A mistake." in other.run("download", model, "--yes", code=1)
    Path(file).write_bytes(Path(file).read_bytes()[:-1] + b"x")
    assert "forged" in other.run("add-manifest", file, code=1)
    now = int(SystemClock().wall())
    Path(file).write_bytes(encode(signed(created=now + 3 * DAY, expires=now + 9 * DAY)))
    assert "yet to come" in other.run("add-manifest", file, code=1)
    Path(file).write_bytes(encode(signed(created=now - 9 * DAY, expires=now - 3 * DAY)))
    assert "has expired" in other.run("add-manifest", file, code=1)


def test_mistakes_are_told_with_what_to_do(tmp_path: Path) -> None:
    lab = Machine(tmp_path / "lab")
    (tmp_path / "empty").mkdir()
    empty = str(tmp_path / "empty")
    lab.run("publish", empty, *PUBLISH, code=1)
    assert "--hub" in lab.run("publish", empty, "--publisher", "A", "--licence", "mit", code=2)
    lab.run("publish", empty, code=2)
    hidden = lab.run("publish", empty, *PUBLISH, "--publisher", "A\u200blab", code=2)  # before the folder is read
    assert "U+200B ZERO WIDTH SPACE" in hidden
    assert "published nothing" in lab.run("withdraw", "ours", code=1)
    lab.run("add-manifest", str(tmp_path / "none"), code=2)
    for command in ("publish", "withdraw", "published", "add-manifest", "confirm", "publishers"):
        assert lab_help(command)


def lab_help(command: str) -> str:
    done = subprocess.run([*PROGRAM, command, "--help"], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


def test_an_update_with_another_licence_asks_again(tmp_path: Path) -> None:
    lab, other = Machine(tmp_path / "lab"), Machine(tmp_path / "other")
    folder, file = str(make_tiny_model(tmp_path / "ours")), str(tmp_path / "ours.manifest")
    model = lab.json("publish", folder, *PUBLISH, "--output", file)["id"]
    other.json("add-manifest", file)
    refused = other.run("download", model, code=2)
    assert "another licence" not in refused
    assert "No text of a licence comes with it." in refused
    assert "mit) has to be accepted" in refused
    agreements = ModelsFolder(tmp_path / "other" / "models").agreements
    agreements.agree(model, "", "ab" * 32)
    refused = other.run("download", model, code=2)
    assert "This is another licence than the one that you have accepted." in refused
    other.run("download", model, "--yes", code=1)  # its address leads nowhere, and what was accepted is remembered
    terms = terms_of(PublishedModels(tmp_path / "other" / "published", SystemClock()).manifest(model))
    assert agreements.known(model, terms.digest)
    assert "has to be accepted" not in other.run("download", model, code=1)
