"""What the owner chose survives a restart, and nothing in the files can keep the window from opening."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.preferences import (
    PREFERENCES_NAME,
    STATE_NAME,
    Preferences,
    PreferenceStore,
    WindowState,
    engine_options,
    read_state,
    write_state,
)


def test_choices_are_kept_and_told(tmp_path: Path) -> None:
    store = PreferenceStore(tmp_path / "new")
    told: list[Preferences] = []
    store.changed.connect(told.append)
    assert store.now == Preferences()
    store.change(look="dark", threads=3)
    store.change(look="dark")
    assert told == [Preferences(look="dark", threads=3)]
    assert PreferenceStore(tmp_path / "new").now == told[0]
    assert store.problem == ""


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b'{"look": "purple"}', b'{"threads": -1}', b"[" * 5000, b'{"language": 1}'],
)
def test_damaged_file_is_set_aside(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / PREFERENCES_NAME
    file.write_bytes(content)
    assert PreferenceStore(tmp_path).now == Preferences()
    assert file.with_suffix(".damaged").read_bytes() == content
    (tmp_path / STATE_NAME).write_bytes(content)
    assert isinstance(read_state(tmp_path), WindowState)


def test_file_of_a_newer_version_is_read(tmp_path: Path) -> None:
    (tmp_path / PREFERENCES_NAME).write_bytes(b'{"look": "light", "something_new": [1]}')
    assert PreferenceStore(tmp_path).now.look == "light"


def test_choice_that_cannot_be_kept_says_so_and_holds(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    store = PreferenceStore(tmp_path / "file" / "below")
    store.change(look="dark")
    assert store.now.look == "dark"
    assert store.problem


def test_window_state_is_kept(tmp_path: Path) -> None:
    assert read_state(tmp_path) == WindowState()
    write_state(tmp_path, WindowState(geometry="AAAA", page="models"))
    assert read_state(tmp_path) == WindowState(geometry="AAAA", page="models")


def test_engine_gets_the_choices_that_the_command_line_leaves_open() -> None:
    chosen = Preferences(threads=2)
    assert engine_options(Preferences(), ("--no-relay",)) == ("--no-relay",)
    assert engine_options(chosen, ("--no-relay",)) == ("--no-relay", "--threads", "2")
    given = ("--threads", "8")
    assert engine_options(chosen, given) == given
