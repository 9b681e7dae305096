"""How much a folder may hold that somebody takes for a model's: bounds, words, and an end where it is wanted."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import ModelFolderError
from engine.library import extent
from engine.library.extent import check_extent, check_no_disk
from engine.library.progress import Meter, Progress
from engine.library.publishing import hash_folder
from tests.support.tiny_model import make_tiny_model


def refused(folder: Path, now: list[float] | None = None) -> str:
    times = iter(now or [])
    with pytest.raises(ModelFolderError) as told:
        check_extent(folder, Meter(lambda _: None, lambda: next(times, 1e6)))
    return str(told.value.args[0].parts[0].code)


def test_a_whole_disk_is_no_model_by_whatever_way(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/")
    for folder in (Path("/"), tmp_path / "link"):
        with pytest.raises(ModelFolderError, match="is a whole disk"):
            check_no_disk(folder)
    check_no_disk(tmp_path)


def test_a_link_to_itself_is_no_disk(tmp_path: Path) -> None:
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    check_no_disk(tmp_path / "circle")


def test_more_files_than_any_model_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extent, "MOST_FILES", 300)
    for folder in range(3):
        (tmp_path / f"{folder}").mkdir()
        for file in range(99):
            (tmp_path / f"{folder}" / f"{file}").touch()
    told: list[Progress] = []
    check_extent(tmp_path, Meter(told.append, lambda: 0.0, interval=-1))
    assert told[-1].looked == 300
    (tmp_path / "one more").touch()
    assert refused(tmp_path) == "import.too_large"


def test_what_is_published_is_one_model_and_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_tiny_model(tmp_path / "here" / "model")
    meter = Meter(lambda _: None, lambda: 0.0)
    assert hash_folder(tmp_path / "here", meter).size
    monkeypatch.setattr(extent, "MOST_FILES", 2)
    with pytest.raises(ModelFolderError, match="has more than 2 files"):
        hash_folder(tmp_path / "here", meter)
    with pytest.raises(ModelFolderError, match="is a whole disk"):
        hash_folder(Path("/"), meter)


def test_folders_in_folders_and_links_that_lead_back(tmp_path: Path) -> None:
    (tmp_path / "back").symlink_to(tmp_path)
    place = tmp_path
    for _ in range(extent.MOST_FOLDERS_DEEP):
        place /= "x"
        place.mkdir()
    check_extent(tmp_path, Meter(lambda _: None, lambda: 0.0))
    (place / "x").mkdir()
    assert refused(tmp_path) == "import.too_deep"


def test_a_disk_that_is_too_slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for file in range(100):
        (tmp_path / f"{file}").touch()
    monkeypatch.setattr(extent, "_EVERY", 10)
    assert refused(tmp_path, [0.0]) == "import.too_slow"


def test_whoever_listens_can_end_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for file in range(100):
        (tmp_path / f"{file}").touch()
    monkeypatch.setattr(extent, "_EVERY", 10)

    def enough(progress: Progress) -> None:
        if progress.looked >= 50:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check_extent(tmp_path, Meter(enough, lambda: 0.0, interval=-1))


def test_what_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o000)
    try:
        check_extent(tmp_path, Meter(lambda _: None, lambda: 0.0))
    finally:
        closed.chmod(0o700)
