"""The models folder: names, locks, space, moving into place, deleting."""

import os
from pathlib import Path

import pytest

from engine.errors import ModelBusyError, StorageError, UnknownModelError
from engine.library.folders import ModelsFolder, link_or_copy, size_of
from engine.library.sizes import gigabytes


@pytest.fixture
def models(tmp_path):
    return ModelsFolder(tmp_path / "models")


def fill(folder: Path, **files: str) -> Path:
    for name, content in files.items():
        path = folder / name.replace("__", "/").replace("_DOT_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


@pytest.mark.parametrize("name", ["", "..", "a/b", ".x", "a b", "gentorrent-builtin", "x" * 101, "a:b", "a.", "\x1b"])
def test_names_that_no_model_may_have(models, name):
    with pytest.raises(StorageError, match="--as"):
        models.place(name)


def test_one_at_a_time(models, tmp_path):
    with models.locked("one"):
        with pytest.raises(ModelBusyError, match="one"), ModelsFolder(tmp_path / "models").locked("one"):
            pass
        with models.locked("two"):
            pass
    with models.locked("one"):
        pass


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes of folders")
def test_the_data_directory_is_its_owners_alone(tmp_path):
    models = ModelsFolder(tmp_path / "new" / "models")
    with models.locked("one"):
        pass
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    assert models.path.stat().st_mode & 0o777 == 0o700


def test_install_a_new_folder(models):
    staging = fill(models.staging("new", "q4"), a="1", onnx__m_DOT_onnx="2", stray_DOT_part="x")
    models.install("new", staging, ["a", "onnx/m.onnx"])
    place = models.place("new")
    assert sorted(one.name for one in place.rglob("*") if one.is_file()) == ["a", "m.onnx"]
    assert not staging.exists()


def test_install_beside_what_is_there(models):
    fill(models.place("m"), config="old", onnx__fp16_DOT_onnx="keep")
    before = models.path.stat().st_mtime_ns
    staging = fill(models.staging("m", "q4"), config="new", onnx__q4_DOT_onnx="2")
    models.install("m", staging, ["config", "onnx/q4.onnx"])
    place = models.place("m")
    assert (place / "config").read_text() == "new"
    assert (place / "onnx/fp16.onnx").read_text() == "keep"
    assert (place / "onnx/q4.onnx").read_text() == "2"
    assert not staging.exists()
    assert models.path.stat().st_mtime_ns > before  # what a running engine looks at


def test_graphs_come_last(models, monkeypatch):
    fill(models.place("m"), config="old")
    staging = fill(models.staging("m", "q4"), zz_DOT_data="w", a_DOT_onnx="g")
    moved: list[str] = []
    replace = Path.replace

    def noted(path: Path, target: Path) -> Path:
        moved.append(path.name)
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", noted)
    models.install("m", staging, ["a.onnx", "zz.data"])
    assert moved == ["zz.data", "a.onnx"]


def test_delete_frees_what_it_says(models):
    fill(models.place("m"), a="12345", b__c="123")
    assert models.delete(models.place("m")) == 8
    assert not models.place("m").exists()


def test_a_link_is_deleted_not_what_it_leads_to(models, tmp_path):
    target = fill(tmp_path / "elsewhere", a="12345")
    models.path.mkdir()
    models.place("m").symlink_to(target)
    assert models.delete(models.place("m")) == 0
    assert (target / "a").exists()
    assert not models.place("m").is_symlink()


def test_what_interrupted_downloads_left(models):
    fill(models.staging("m", "q4"), a="12345")
    fill(models.staging("m", "cpu/int4 x"), a="123")
    fill(models.staging("m2", "q4"), a="1")
    assert models.abandon("m") == 8
    assert models.abandon("m") == 0
    assert models.staging("m2", "q4").exists()


def test_unknown_models_are_told_what_there_is(models):
    fill(models.place("here"), a="1")
    with pytest.raises(UnknownModelError, match="It has: here"):
        models.folder("gone")


def test_link_or_copy(tmp_path, monkeypatch):
    source = fill(tmp_path, a="text") / "a"
    link_or_copy(source, tmp_path / "x" / "b")
    monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError()))
    link_or_copy(source, tmp_path / "x" / "c")
    assert (tmp_path / "x" / "b").read_text() == (tmp_path / "x" / "c").read_text() == "text"


def test_a_disk_without_links_that_is_full(tmp_path, monkeypatch):
    def refuse(*_: object) -> None:
        raise PermissionError(1, "no links here")

    def full(_: Path, target: Path) -> None:
        target.write_bytes(b"ha")
        raise OSError(28, "No space left on device")

    (tmp_path / "a").write_text("half")
    monkeypatch.setattr("os.link", refuse)
    monkeypatch.setattr("shutil.copyfile", full)
    with pytest.raises(StorageError, match="disk is full"):
        link_or_copy(tmp_path / "a", tmp_path / "x" / "b")
    assert list((tmp_path / "x").iterdir()) == []


@pytest.mark.parametrize(
    ("count", "said"),
    [(5, "5 bytes"), (1500, "1.5 kB"), (786_000_000, "786 MB"), (1.2e9, "1.2 GB"), (3e12, "3,000 GB")],
)
def test_sizes_for_people(count, said):
    assert gigabytes(count) == said


def test_a_file_that_goes_while_sizes_are_added_counts_nothing(tmp_path, monkeypatch):
    fill(tmp_path, here="123", sub__more="45", gone="678")
    (tmp_path / "link").symlink_to(tmp_path / "here")
    assert size_of(tmp_path) == 8
    look = Path.lstat

    def lstat(path):
        if path.name == "gone":
            path.unlink(missing_ok=True)
        return look(path)

    monkeypatch.setattr(Path, "lstat", lstat)
    assert size_of(tmp_path) == 5
    assert size_of(tmp_path / "nowhere") == 0


def test_another_version_that_cannot_be_put_in_place_leaves_the_one_before(models, tmp_path, monkeypatch):
    fill(models.place("mine"), model_DOT_onnx="old")
    staging = fill(models.staging("mine", "new"), model_DOT_onnx="new")
    move = Path.replace

    def refused(path, target):
        if path == staging:
            raise PermissionError(13, "in use")
        return move(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", refused)
        with pytest.raises(StorageError):
            models.exchange("mine", staging, ["model.onnx"])
    assert (models.place("mine") / "model.onnx").read_text() == "old"
    models.exchange("mine", staging, ["model.onnx"])
    assert (models.place("mine") / "model.onnx").read_text() == "new"
