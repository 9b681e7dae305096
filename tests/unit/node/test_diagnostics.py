"""The report of an engine says how it is, and nothing of what was planted in it."""

from __future__ import annotations

import getpass
import json
import logging
import socket
from pathlib import Path

import pytest

from engine.clock import SystemClock
from engine.config import Configuration
from engine.node.diagnostics import programs_in, shortened
from engine.node.node import Node
from engine.node.recent_log import LINES, RecentLog
from engine.storage.data_directory import DataDirectory, acquire_lock, load_api_token

PROMPT = "Where did my grandmother hide the blue key?"


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, dict[str, str]]:
    """A report, and what must not be in it."""
    home = tmp_path / "home" / "ada-lovelace"
    data = home / "GenTorrent"
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USER", "ada-lovelace")
    monkeypatch.setenv("LOGNAME", "ada-lovelace")
    monkeypatch.setattr(getpass, "getuser", lambda: "ada-lovelace")
    monkeypatch.setattr(socket, "gethostname", lambda: "analytical-engine.lan")
    monkeypatch.setenv("GENTORRENT_KEYRING", "off")
    directory = DataDirectory(data)
    directory.create()
    configuration = Configuration(
        data_directory=data, api_port=0, bootstrap="https://bootstrap.secret-lab.example:8900", family="the-lovelaces"
    )
    with acquire_lock(directory.lock) as lock:
        node = Node(configuration, lock, SystemClock())
        secrets = {
            "control token": lock.control_token,
            "API token": load_api_token(directory.api_token),
            "node key": node.keys.identity.node_id.hex(),
            "prompt": PROMPT,
            "bootstrap server": "secret-lab",
            "public address": "203.0.113.77",
            "IPv6 address": "2001:db8::77",
            "user": "ada-lovelace",
            "host": "analytical-engine",
            "home": str(home),
            "family": "the-lovelaces",
        }
        with node.recent_log.attached():
            log = logging.getLogger("engine.test")
            log.warning("refused by %(public address)s and [%(IPv6 address)s]:4000", secrets)
            log.warning("the tokens %(control token)s and %(API token)s of %(user)s@%(host)s", secrets)
            log.warning("%(home)s/GenTorrent/keys cannot be read by node %(node key)s", secrets)
            log.warning("the server of %(bootstrap server)s.example:8900 is away", secrets)
            log.warning("the family %(family)s", secrets)
        node.notices.append(f"{home} is full")
        report = node.diagnostics()
        assert node.api._socket is not None
        node.api._socket.close()
        return report, secrets


def test_nothing_secret_is_in_the_report(planted: tuple[str, dict[str, str]]) -> None:
    report, secrets = planted
    assert [name for name, secret in secrets.items() if secret.casefold() in report.casefold()] == []


def test_the_report_says_what_helps(planted: tuple[str, dict[str, str]]) -> None:
    report = json.loads(planted[0])
    assert report["format"] == 1
    assert report["state"]["contributing"]["status"] == "off"
    assert report["state"]["warnings"][0] == "~ is full"
    assert report["settings"]["relay"] is True
    assert "packages" in report["system"]
    assert any("refused by <address>" in line for line in report["log"])
    assert all(isinstance(value, bool | int | float | None) for value in report["settings"].values())


def test_what_names_something_is_left_out_at_any_depth_and_programs_are_found() -> None:
    told = {"rules": {"exclusive_programs": ["game"], "price": 1}, "words": {"a": [{"values": {"program": "film"}}]}}
    assert shortened(told) == {"rules": {"price": 1}}
    assert set(programs_in(told)) == {"game", "film"}


def test_the_log_keeps_the_newest_lines() -> None:
    log = RecentLog()
    logger = logging.getLogger("engine.test")
    with log.attached():
        for number in range(2 * LINES):
            logger.warning("line %d", number)
    logger.warning("after")
    assert len(log.lines) == LINES
    assert log.lines[-1].endswith(f"line {2 * LINES - 1}")
