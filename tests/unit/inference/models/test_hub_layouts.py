"""Repositories of the hub are read as they are laid out there: files, variants, configuration."""

import shutil

import pytest

from engine.errors import ModelFolderError
from engine.inference.models.folder import read_model_folder, variants
from engine.inference.models.installed import BUILTIN_MODEL, Catalogue
from engine.inference.text.tokenizer import ChatTokenizer
from tests.support.hub_layouts import LAYOUTS, make_layout

names = pytest.mark.parametrize("layout", LAYOUTS, ids=lambda one: one.repository)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Every repository, made once."""
    folders = {}

    def make(layout):
        if layout.repository not in folders:
            folders[layout.repository] = make_layout(layout, tmp_path_factory.mktemp("hub") / "model")
        return folders[layout.repository]

    return make


@names
def test_every_variant_is_listed_and_usable(layout, made):
    found = variants(made(layout))
    assert tuple(one.name for one in found) == layout.variants
    assert [one.problem for one in found] == [""] * len(found)
    for one in found:
        model = read_model_folder("m", made(layout), lambda _: bytes(32), variant=one.name)
        assert (model.variant, model.graph, model.precision) == (one.name, one.graph, one.precision)
        assert model.size == one.size


@names
def test_the_best_variant_for_the_provider_is_taken(layout, made):
    for provider, chosen in zip(("cpu", "cuda"), layout.chosen, strict=True):
        assert read_model_folder("m", made(layout), provider=provider).variant == chosen


@names
def test_numbers_come_from_the_repository(layout, made):
    model = read_model_folder("m", made(layout))
    beside = (model.graph.parent / "tokenizer.json").is_file()
    assert model.tokenizer_path == (model.graph.parent if beside else model.path)
    assert all(one.is_file() for one in model.files)
    external = layout.external.get(model.graph.relative_to(model.path).as_posix())
    if external:
        assert model.graph.parent / external in model.files


@names
def test_only_the_chosen_variant_decides_the_identity(layout, made, tmp_path):
    folder = shutil.copytree(made(layout), tmp_path / "copy")
    model = read_model_folder("m", folder)
    for one in variants(folder):
        if one.name != model.variant:
            one.graph.unlink()
    (folder / "README.md").write_text("A model")
    assert read_model_folder("m", folder).digest == model.digest


def test_an_installed_model_is_opened_in_a_variant(tmp_path):
    make_layout(LAYOUTS[0], tmp_path / "models" / "Llama-3.2-1B-Instruct")
    catalogue = Catalogue(tmp_path / "models")
    assert catalogue.open("Llama-3.2-1B-Instruct").variant == "q4"
    assert catalogue.open("Llama-3.2-1B-Instruct:fp16").variant == "fp16"
    with pytest.raises(ModelFolderError, match="no variant 'q3'"):
        catalogue.open("Llama-3.2-1B-Instruct:q3")


def test_several_variants_can_each_be_asked_for(tmp_path, caplog):
    place = make_layout(LAYOUTS[0], tmp_path / "models" / "llama")
    names = [one.name for one in variants(place) if not one.problem]
    assert len(names) > 2
    (damaged,) = [one.graph for one in variants(place) if one.name == "fp16"]
    damaged.write_bytes(damaged.read_bytes()[:100])
    usable = Catalogue(tmp_path / "models").usable()
    del usable[BUILTIN_MODEL]
    assert set(usable) == {"llama", *(f"llama:{name}" for name in names if name != "fp16")}
    assert all(one.model_id == name for name, one in usable.items())
    assert usable["llama"].digest == usable["llama:q4"].digest != usable["llama:fp32"].digest
    for one in variants(place):
        if one.name != "q4":
            one.graph.unlink()
    assert set(Catalogue(tmp_path / "models").usable()) == {BUILTIN_MODEL, "llama"}  # there is no choice


def test_code_of_the_repository_is_never_run(tmp_path):
    layout = next(one for one in LAYOUTS if "Phi-4" in one.repository)
    folder = make_layout(layout, tmp_path / "model")
    trap = f"import pathlib\npathlib.Path({str(tmp_path / 'ran')!r}).touch()\n"
    for path in folder.rglob("configuration_phi3.py"):
        path.write_text(trap)
    model = read_model_folder("m", folder)
    ChatTokenizer(model)
    assert not (tmp_path / "ran").exists()
