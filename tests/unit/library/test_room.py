"""Room for models: the disk, the owner's limit, and what others were promised."""

import pytest

from engine.errors import DiskFullError, DiskLimitError
from engine.library.disk_use import disk_use
from engine.library.folders import ModelsFolder
from engine.library.room import promised, room
from engine.sentences import said_by

MB = 1_000_000


def fill(folder, count):
    folder.mkdir(parents=True)
    (folder / "weights").write_bytes(b"x" * count)


@pytest.fixture
def models(tmp_path):
    made = ModelsFolder(tmp_path / "models", lambda: 10 * MB)
    fill(made.place("here"), 4 * MB)
    return made


def test_the_owners_limit_counts_what_is_here(models):
    there = room(models)
    assert (there.used, there.limit, there.left) == (4 * MB, 10 * MB, 6 * MB)
    with promised(models, "new", 6 * MB):
        assert room(models).left == 0
    assert room(models).left == 6 * MB
    with pytest.raises(DiskLimitError) as refused, promised(models, "new", 7 * MB):
        pass
    said = said_by(refused.value)
    assert [number in said for number in ("7 MB", "10 MB", "4 MB", "6 MB", "1 MB")] == [True] * 5
    assert refused.value.code == "disk_limit"
    assert room(models).left == 6 * MB  # nothing was promised to it


def test_two_downloads_are_not_promised_the_same(models):
    with promised(models, "one", 4 * MB):
        fill(models.staging("one", "q4"), 3 * MB)  # of which this much has arrived
        assert room(models).left == 2 * MB
        with pytest.raises(DiskLimitError), promised(models, "two", 3 * MB):
            pass
        with promised(models, "two", 2 * MB):
            assert room(models).left == 0


def test_a_limit_below_what_is_here_leaves_nothing(tmp_path):
    models = ModelsFolder(tmp_path / "models", lambda: 1)
    fill(models.place("here"), MB)
    assert room(models).left == 0
    with promised(models, "new", 0):  # all of it has arrived already
        pass


def test_without_a_limit_the_disk_decides(tmp_path):
    models = ModelsFolder(tmp_path / "models")
    assert room(models).limit is None
    assert room(models).left == pytest.approx(disk_use(models).free, rel=0.2)
    with pytest.raises(DiskFullError, match=r"new needs .* Free .*"), promised(models, "new", 1 << 60):
        pass
