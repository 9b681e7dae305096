"""Which files of a repository are downloaded for a variant."""

import pytest

from engine.errors import ContentError, HubError
from engine.inference.models.folder import read_model_folder
from engine.library.selection import HubFile, Repository, also, offered, select
from tests.support.hub_layouts import LAYOUTS, make_layout

SMALL = ("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json")


def repository(*names: str, **sizes: int) -> Repository:
    files = dict.fromkeys((*SMALL, "README.md", ".gitattributes", "run.py", *names), 10) | sizes
    return Repository("a/b", "0" * 40, tuple(HubFile(name, size) for name, size in files.items()))


def names(selection):
    return {one.name for one in selection.files}


def test_one_variant_with_its_weights_and_nothing_else():
    found = repository("onnx/model.onnx", "onnx/model.onnx_data", "onnx/model_q4.onnx", "onnx/model_q4.onnx_data_1")
    selection = select(found, "q4")
    assert names(selection) == {*SMALL, "onnx/model_q4.onnx", "onnx/model_q4.onnx_data_1"}
    assert selection.graph == "onnx/model_q4.onnx"
    assert selection.size == 60
    assert names(select(found, "fp32")) == {*SMALL, "onnx/model.onnx", "onnx/model.onnx_data"}


def test_settings_of_the_graphs_folder_and_above_it():
    found = repository(
        "cpu/int4/model.onnx", "cpu/int4/model.onnx.data", "cpu/int4/genai_config.json", "cpu/int4/tokenizer.json",
        "cpu/tokenizer_config.json", "gpu/int4/model.onnx", "gpu/int4/genai_config.json",
        "cpu/int4/additional_chat_templates/tool.jinja", "gpu/additional_chat_templates/tool.jinja",
    )  # fmt: skip
    chosen = names(select(found, "cpu/int4/model"))
    assert {"cpu/int4/genai_config.json", "cpu/int4/tokenizer.json", "cpu/tokenizer_config.json"} <= chosen
    assert "cpu/int4/additional_chat_templates/tool.jinja" in chosen
    assert not any(name.startswith("gpu") for name in chosen)


def test_the_best_variant_is_chosen_by_name():
    found = repository(**{"onnx/model.onnx": 4000, "onnx/model_q4.onnx": 900, "onnx/model_quantized.onnx": 500})
    assert select(found).variant == "q4"


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.repository)
def test_what_is_selected_is_enough_to_load(layout, tmp_path):
    whole = make_layout(layout, tmp_path / "whole")
    listed = [
        HubFile(one.relative_to(whole).as_posix(), one.stat().st_size) for one in whole.rglob("*") if one.is_file()
    ]
    found = Repository(layout.repository, "0" * 40, tuple(listed))
    assert tuple(one.name for one in offered(found)) == layout.variants or layout.variants == ("fp32",)
    for variant in offered(found):
        part = tmp_path / variant.name.replace("/", "+")
        for one in select(found, variant.name).files:
            (part / one.name).parent.mkdir(parents=True, exist_ok=True)
            (part / one.name).write_bytes((whole / one.name).read_bytes())
        assert read_model_folder("x", part).graph == part / variant.graph


def test_weights_that_only_the_graph_names():
    found = repository("model.onnx", "weights.data", "other.data")
    selection = select(found)
    complete = also(found, selection, ["weights.data", "not-there.data", "model.onnx"])
    assert names(complete) - names(selection) == {"weights.data"}


def test_weights_outside_of_the_folder_are_not_fetched():
    found = repository("onnx/model.onnx", "secret.data")
    selection = select(found)
    assert also(found, selection, ["../secret.data"]).files == selection.files


@pytest.mark.parametrize(
    ("name", "size"),
    [("onnx/model.onnx_data/../../x.onnx_data", 1), ("onnx/model.onnx_data\x1b", 1), ("onnx/model.onnx.exe", 1)],
)
def test_a_hostile_name_stops_the_download(name, size):
    found = Repository("a/b", "0" * 40, (*repository("onnx/model.onnx").files, HubFile(name, size)))
    try:
        chosen = names(select(found))
    except ContentError as error:
        said = str(error)
    else:
        assert name not in chosen
        return
    assert "\x1b" not in said
    assert "choose another" in said


@pytest.mark.parametrize("size", [-1, 1 << 50])
def test_a_size_that_nobody_believes(size):
    with pytest.raises(ContentError, match="size"):
        select(repository(**{"onnx/model.onnx": size}))


def test_a_configuration_larger_than_any():
    with pytest.raises(ContentError, match=r"tokenizer\.json"):
        select(repository("model.onnx", **{"tokenizer.json": 1 << 30}))


def test_nothing_to_choose():
    with pytest.raises(HubError, match="no ONNX model"):
        select(repository())
    with pytest.raises(HubError, match="It has: fp32"):
        select(repository("onnx/model.onnx"), "q4")


def test_more_graphs_than_a_model_has_are_not_looked_at():
    files = tuple(HubFile(f"d{number}/model.onnx", 5) for number in range(201))
    with pytest.raises(HubError, match="201 ONNX files"):
        select(Repository("a/b", "c" * 40, files), "q4")
