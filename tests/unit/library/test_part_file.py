"""A file that arrives: who waits for its thread may be cancelled at any moment, and no file stays open."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from engine.library import part_file
from engine.library.part_file import PartFile, Wanted
from engine.library.pins import PinnedFile
from engine.library.selection import HubFile

CONTENT = b"weights"


def _part(tmp_path: Path) -> PartFile:
    file = HubFile("weights.bin", len(CONTENT), sha256=hashlib.sha256(CONTENT).hexdigest())
    return PartFile(tmp_path / file.name, Wanted(file, ""))


def _open_files(path: Path) -> int:
    links = [f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd")]
    return sum(os.path.exists(link) and os.path.samefile(link, path) for link in links)


def test_what_has_arrived_is_gone_on_with(tmp_path: Path) -> None:
    first = _part(tmp_path)
    first.open()
    first.write(CONTENT[:3])
    first.close()
    second = _part(tmp_path)
    second.open()
    assert second.length == 3
    second.write(CONTENT[3:])
    assert isinstance(second.finish(), PinnedFile)
    assert (tmp_path / "weights.bin").read_bytes() == CONTENT


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are counted in /proc")
def test_one_that_is_closed_before_it_was_opened_is_not_left_open(tmp_path: Path) -> None:
    part = _part(tmp_path)
    part.close()
    part.open()
    part.write(CONTENT)
    assert part.part.read_bytes() == b""
    assert _open_files(part.part) == 0


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are counted in /proc")
def test_one_that_is_closed_while_it_opens_is_not_left_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part = _part(tmp_path)
    part.part.write_bytes(CONTENT[:4])
    monkeypatch.setattr(part_file, "CHUNK", 1)
    seen = []

    def update(data: bytes) -> None:
        seen.append(data)
        part.close()

    monkeypatch.setattr(part.digests, "update", update)
    part.open()
    assert seen == [CONTENT[:1]], "hashing ends when nobody wants it any more"
    assert _open_files(part.part) == 0
