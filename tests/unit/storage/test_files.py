"""Files are written whole or not at all, for their owner alone."""

from __future__ import annotations

import errno
import os
import stat
import sys

import msgspec
import pytest

from engine.errors import StorageError
from engine.storage import files
from engine.storage.state import load_state, save_state


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_is_replaced_and_private(tmp_path):
    path = tmp_path / "a"
    files.write_atomically(path, b"one")
    files.write_atomically(path, b"two")
    assert files.read_limited(path, 10) == b"two"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]
    if sys.platform != "win32":
        assert mode(path) == 0o600


def test_folders_are_private(tmp_path):
    files.make_directory(tmp_path / "x" / "y")
    if sys.platform != "win32":
        assert mode(tmp_path / "x" / "y") == 0o700


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch, number):
    path = tmp_path / "a"
    files.write_atomically(path, b"old")

    def fail(_descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StorageError, match="disk is full" if number == errno.ENOSPC else "Check the disk"):
        files.write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]


def test_what_is_missing_or_too_long(tmp_path):
    assert files.read_limited(tmp_path / "none", 10) is None
    (tmp_path / "long").write_bytes(b"x" * 11)
    with pytest.raises(StorageError, match="longer than the 10"):
        files.read_limited(tmp_path / "long", 10)
    with pytest.raises(StorageError):
        files.read_limited(tmp_path, 10)
    files.remove(tmp_path / "none")


class Guards(msgspec.Struct):
    names: list[bytes]


def test_a_state_comes_back_and_damage_is_named(tmp_path):
    path = tmp_path / "guards.json"
    assert load_state(path, Guards) is None
    save_state(path, Guards([b"\0\xff"]))
    assert load_state(path, Guards) == Guards([b"\0\xff"])
    for damage in (b"", b"{", b'{"names": 1}', b"\xff"):
        path.write_bytes(damage)
        with pytest.raises(StorageError, match="damaged"):
            load_state(path, Guards)


@pytest.mark.parametrize("moved", [files.set_aside, files.keep_aside])
def test_what_is_damaged_is_kept_beside_a_folder_that_was_before(tmp_path, moved):
    """A folder can be in the place of a file, and a file in its."""
    state = tmp_path / "state.json"
    kept = []
    for content in ("folder", "one", "two", "folder"):
        state.unlink(missing_ok=True)
        if content == "folder":
            state.mkdir()
            (state / "inside").write_text(content)
        else:
            state.write_text(content)
        kept.append(moved(state).name)
        assert (tmp_path / kept[-1]).is_dir() is (content == "folder")
    assert kept == ["state.json.damaged", "state.json.damaged2", "state.json.damaged2", "state.json.damaged3"]
    assert (tmp_path / kept[1]).read_text() == "two"
    assert not state.exists()
