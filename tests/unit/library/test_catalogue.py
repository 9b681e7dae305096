"""The catalogue file: what stands in it, and what is refused."""

import json
import re
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from engine.errors import ConfigurationError
from engine.library.candidates import foreseen_variants
from engine.library.catalogue import find, matching, merged, read_catalogue
from engine.library.known import known_models
from engine.resources import resource_path

SOURCE = "https://huggingface.co/a/b"


def entry(**changes):
    made = {
        "id": "Model-1B",
        "repository": {"value": "owner/Model-1B", "source": SOURCE},
        "family": {"value": "llama", "source": SOURCE},
        "licence": {"value": "mit", "source": SOURCE},
        "variants": [{"name": "q4", "files": [{"name": "onnx/model_q4.onnx", "size": 5}], "source": SOURCE}],
    }
    return {key: value for key, value in (made | changes).items() if value is not None}


def read(*entries):
    return read_catalogue(json.dumps({"models": entries}).encode(), "test.json")


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    return known_models(tmp_path_factory.mktemp("data"))


def test_there_are_enough_models_and_families(known):
    assert len(known) >= 15
    assert len({model.family.value for model in known}) >= 6
    with_files = [model for model in known if model.variants]
    assert len(with_files) >= 15
    assert sum(model.kv is not None for model in known) >= 12


def test_every_fact_names_a_page(known):
    """Walks the raw file, so that a fact of a new kind cannot slip through without a page."""
    raw = json.loads(resource_path("engine/catalogue.json").read_text(encoding="utf-8"))
    for model in raw["models"]:
        for name, fact in model.items():
            if name in ("id", "note"):
                continue
            for one in fact if name == "variants" else [fact]:
                page = urlsplit(one["source"])
                assert page.scheme == "https", (model["id"], name)
                assert "." in page.netloc
                assert len(page.path) > 3


def test_no_hash_is_made_up(known):
    """Hashes and exact sizes come from the first download alone; three digits are what the pages show."""
    text = resource_path("engine/catalogue.json").read_text(encoding="utf-8")
    assert not re.search(r'"(?:sha256|commit|etag)"', text)
    for model in known:
        for one in (file for variant in model.variants for file in variant.files):
            assert len(str(one.size).rstrip("0")) <= 3


def test_files_and_names_of_variants_agree(known):
    """The catalogue's word for a variant is the one that the reader of folders has for its graph."""
    for model in known:
        assert sorted(one.name for one in foreseen_variants(model)) == sorted(one.name for one in model.variants)


def test_find_and_search(known):
    model = find(known, "llama-3.2-1b-instruct")
    assert model is not None
    assert find(known, "onnx-community/Llama-3.2-1B-Instruct") is model
    assert find(known, "no such") is None
    assert model in matching(known, "llama 1b")
    assert {one.id for one in matching(known, "Phi MIT")} >= {"phi-4", "Phi-4-mini-instruct"}
    assert matching(known, "") == list(known)
    assert matching(known, "phi qwen") == []


def test_what_is_missing_is_not_pinned():
    (model,) = read(entry(licence=None, variants=[]))
    assert model.licence is UNSET
    assert model.kv is None
    assert model.variants == ()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"id": "a/b"}, "id"),
        ({"id": "../x"}, "id"),
        ({"repository": {"value": "a/../b", "source": SOURCE}}, "OWNER/NAME"),
        ({"repository": {"value": "a/b"}}, "source"),
        ({"licence": {"value": "mit", "source": "http://example.com"}}, "source"),
        ({"family": {"value": "gpt2", "source": SOURCE}}, "gpt2"),
        ({"surprise": 1}, "surprise"),
        ({"context": {"value": 0, "source": SOURCE}}, "context"),
        ({"variants": [{"name": "q4", "files": [], "source": SOURCE}]}, "files"),
        ({"variants": [{"name": "q4", "files": [{"name": "../x.onnx", "size": 1}], "source": SOURCE}]}, "leads out"),
        ({"variants": [{"name": "q4", "files": [{"name": "x.bin", "size": 1}], "source": SOURCE}]}, "no .onnx"),
    ],
)
def test_wrong_entries_are_named(changes, said):
    with pytest.raises(ConfigurationError, match=r"test\.json") as caught:
        read(entry(**changes))
    assert said in str(caught.value)


def test_twice_the_same():
    with pytest.raises(ConfigurationError, match="twice"):
        read(entry(), entry(id="MODEL-1b"))


@given(st.binary(max_size=200))
def test_any_bytes_are_an_error_or_a_catalogue(data):
    try:
        read_catalogue(data, "x")
    except ConfigurationError:
        return


def test_the_owners_file_adds_and_replaces(tmp_path):
    own = [entry(), entry(id="phi-4", repository={"value": "me/phi-4", "source": SOURCE})]
    (tmp_path / "catalogue.json").write_text(json.dumps({"models": own}), encoding="utf-8")
    models = known_models(tmp_path)
    assert find(models, "model-1b") is not None
    mine = find(models, "phi-4")
    assert mine is not None
    assert mine.repository.value == "me/phi-4"
    assert len(models) == len(known_models(tmp_path / "none")) + 1
    assert merged([], models) == models


def test_a_damaged_file_of_the_owner_is_named(tmp_path):
    (tmp_path / "catalogue.json").write_text("{", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"catalogue\.json"):
        known_models(tmp_path)
