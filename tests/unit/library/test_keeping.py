"""Import, list, verify and remove, without a hub."""

import shutil

import pytest

from engine.errors import DiskFullError, ModelFolderError, StorageError, UnknownModelError
from engine.inference.models.folder import read_model_folder
from engine.library.folders import ModelsFolder
from engine.library.keeping import import_folder, installed, remove, verify
from engine.library.progress import Meter, Progress
from tests.support.hub_layouts import LAYOUTS, make_layout
from tests.support.tiny_model import make_tiny_model


@pytest.fixture
def models(tmp_path):
    return ModelsFolder(tmp_path / "data" / "models")


@pytest.fixture
def source(tmp_path):
    return make_tiny_model(tmp_path / "my-model")


def meter(told=None):
    return Meter((told if told is not None else []).append, lambda: 0.0)


def test_import_copies_pins_and_keeps_the_identity(models, source):
    (source / "README.md").write_text("not needed")
    told: list[Progress] = []
    model = import_folder(source, models, meter(told))
    assert model.path == models.place("my-model")
    assert model.digest == read_model_folder("x", source).digest
    assert not (model.path / "README.md").exists()
    assert (told[-1].stage, told[-1].done) == ("done", told[-1].total)
    pin = models.pins.get("my-model")
    assert pin is not None
    assert pin.origin == "import"
    assert set(pin.files) == {one.relative_to(model.path).as_posix() for one in model.files}
    shutil.rmtree(source)
    assert [one.name for one in installed(models)][1:] == ["my-model"]


def test_import_one_of_several_variants(models, tmp_path):
    source = make_layout(LAYOUTS[0], tmp_path / "many")
    model = import_folder(source, models, meter(), name="few", variant="q4f16")
    assert model.variant == "q4f16"
    assert [one.name for one in model.path.rglob("*.onnx")] == ["model_q4f16.onnx"]


def test_import_by_link(models, source):
    model = import_folder(source, models, meter(), link=True)
    assert models.place("my-model").is_symlink()
    assert model.digest == read_model_folder("x", source).digest
    assert verify(models, meter(), [])[0].wrong == ()
    assert remove(models, "my-model") == 0
    assert (source / "model.onnx").exists()


def test_import_refuses_what_the_engine_could_not_read(models, source):
    (source / "tokenizer.json").unlink()
    with pytest.raises(ModelFolderError, match=r"tokenizer\.json"):
        import_folder(source, models, meter())
    assert not models.path.exists()


def test_import_never_overwrites(models, source):
    import_folder(source, models, meter())
    with pytest.raises(StorageError, match="another name"):
        import_folder(source, models, meter())
    assert import_folder(source, models, meter(), name="second").model_id == "second"


@pytest.mark.parametrize(
    ("stage", "link"), [("copying", False), ("installing", False), ("reading", True), ("installing", True)]
)
def test_an_import_that_is_broken_off_leaves_nothing(models, source, stage, link):
    def tell(progress):
        if progress.stage == stage:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_folder(source, models, Meter(tell, lambda: 0.0), name="mine", link=link)
    assert not models.place("mine").exists()
    assert not models.all_interrupted()
    assert models.pins.get("mine") is None
    assert import_folder(source, models, meter(), name="mine", link=link).model_id == "mine"


def test_import_needs_room(models, source, monkeypatch):
    monkeypatch.setattr("engine.library.disk_use.RESERVE", 1 << 60)
    with pytest.raises(DiskFullError, match="Free"):
        import_folder(source, models, meter())
    assert not models.place("my-model").exists()


def test_verify_names_what_differs(models, source):
    import_folder(source, models, meter())
    (good,) = verify(models, meter(), ["my-model"])
    assert (good.wrong, good.pinned) == ((), True)
    assert good.checked >= 5
    place = models.place("my-model")
    graph = place / "model.onnx"
    data = bytearray(graph.read_bytes())
    data[-1] ^= 1
    graph.write_bytes(bytes(data))
    (place / "generation_config.json").unlink()
    (bad,) = verify(models, meter(), [])
    assert any(line.startswith("model.onnx was ") and ", is " in line for line in bad.wrong)
    assert "generation_config.json is missing" in bad.wrong


def test_a_folder_that_somebody_put_there_is_not_pinned(models, source):
    shutil.copytree(source, models.place("by-hand"))
    assert [one.pinned for one in installed(models)] == ["with the program", "not pinned"]
    (result,) = verify(models, meter(), [])
    assert (result.pinned, result.checked, result.wrong) == (False, 0, ())


def test_a_damaged_model_is_listed_with_its_problem(models, source):
    import_folder(source, models, meter())
    (models.place("my-model") / "model.onnx").write_bytes(b"")
    found = installed(models)[1]
    assert found.digest == ""
    assert "model.onnx" in found.problem


def test_remove_a_model_and_one_variant(models, tmp_path):
    source = make_layout(LAYOUTS[0], tmp_path / "many")
    import_folder(source, models, meter(), name="m", variant="q4")
    place = models.place("m")
    for name in ("model_fp16.onnx", "model_fp16.onnx_data"):
        shutil.copyfile(source / "onnx" / name, place / "onnx" / name)
    freed = remove(models, "m", "fp16")
    assert freed == sum((source / "onnx" / name).stat().st_size for name in ("model_fp16.onnx", "model_fp16.onnx_data"))
    assert [one.name for one in place.rglob("*.onnx*")] == ["model_q4.onnx"]
    with pytest.raises(UnknownModelError, match="It has: q4"):
        remove(models, "m", "fp16")
    size = sum(one.stat().st_size for one in place.rglob("*") if one.is_file())
    assert remove(models, "m", "q4") == size  # the last variant is the model
    assert not place.exists()
    assert models.pins.all() == {}


def test_remove_refuses(models):
    with pytest.raises(StorageError, match="part of the program"):
        remove(models, "gentorrent-builtin")
    with pytest.raises(UnknownModelError):
        remove(models, "never-there")
    with pytest.raises(StorageError):
        remove(models, "../../etc")


def test_remove_what_an_interrupted_download_left(models):
    staging = models.staging("half", "q4")
    staging.mkdir(parents=True)
    (staging / "model.onnx.1234.part").write_bytes(b"12345")
    assert remove(models, "half") == 5
    assert not staging.exists()
