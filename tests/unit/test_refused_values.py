"""Refused values in plain words: the field, what was given, what may be there."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from app import i18n
from app.models.engine_words import in_words
from engine.api import schema
from engine.refused_values import LONGEST_SHOWN, allowed_values, refused_field, why_refused


class Inner(Struct):
    pace: Annotated[float, Meta(gt=0, le=1_000_000)] = 1.0
    count: Annotated[int, Meta(ge=1, le=16)] | None = None
    names: Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=9)], ...], Meta(max_length=2)] = ()
    kinds: dict[str, Literal["a", "b"]] = {}
    pair: tuple[int, str] = (0, "")
    either: str | list[str] | None = None
    on: bool = False
    least: Annotated[int, Meta(ge=5)] = 5
    most: Annotated[int, Meta(lt=5)] = 4


class One(Struct, tag="one"):
    inner: Inner
    many: list[Inner] = []


class Other(Struct, tag="other"):
    inner: str


Whole = One | Other


def refused(value: object, kind: Any = Whole, name: str = "") -> str:
    text = msgspec.json.encode(value)
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.json.decode(text, type=kind)
    return why_refused(caught.value, kind, value, name)


@pytest.mark.parametrize(
    ("inner", "said"),
    [
        ({"pace": 0}, "inner.pace cannot be 0: it has to be a number above 0 and of at most 1,000,000."),
        ({"pace": "x"}, 'inner.pace cannot be "x": it has to be a number above 0 and of at most 1,000,000.'),
        ({"count": 0}, "inner.count cannot be 0: it has to be a whole number from 1 to 16."),
        ({"count": 1.5}, "inner.count cannot be 1.5: it has to be a whole number from 1 to 16."),
        ({"least": 4}, "inner.least cannot be 4: it has to be a whole number of at least 5."),
        ({"most": 5}, "inner.most cannot be 5: it has to be a whole number of at most 4."),
        ({"names": ["a", ""]}, 'inner.names[1] cannot be "": it has to be a text of 1 to 9 characters.'),
        ({"names": ["a"] * 3}, "inner.names cannot be a list of 3: it has to be a list of at most 2."),
        ({"kinds": {"x": "c"}}, "inner.kinds[...] has to be one of a, b."),
        ({"pair": [1]}, "inner.pair cannot be a list of 1: it has to be a list of 2 to 2."),
        ({"pair": [1, 2]}, "inner.pair[1] cannot be 2: it has to be a text."),
        ({"either": 5}, "inner.either cannot be 5: it has to be a text, or a list."),
        ({"on": None}, "inner.on cannot be null: it has to be true or false."),
        ({"on": {"a": 1}}, "inner.on cannot be an object with fields: it has to be true or false."),
        (
            {"names": "x" * (LONGEST_SHOWN + 1)},
            "inner.names cannot be a text of 61 characters: it has to be a list of at most 2.",
        ),
    ],
)
def test_field_value_and_what_is_allowed_are_said(inner: dict[str, object], said: str) -> None:
    assert refused({"type": "one", "inner": inner}) == said


def test_what_is_no_field_is_said_as_well_as_it_can_be() -> None:
    assert refused({"type": "one"}) == "inner is missing."
    assert refused({"type": "one", "inner": {}, "many": [{}, {"count": 0}]}).startswith("many[1].count cannot be 0: ")
    assert refused({"type": "none"}) == 'type cannot be "none".'
    assert refused([]) == "The request cannot be a list of 0: it has to be an object with fields."
    assert refused({"type": "other", "inner": {}}) == ("inner cannot be an object with fields: it has to be a text.")


def test_what_was_typed_is_called_and_shown_as_it_was_typed() -> None:
    assert refused("hot", int | None, "heat") == "heat cannot be hot: it has to be a whole number."
    assert allowed_values(Annotated[int, Meta(ge=0, le=65_535)]) == "a whole number from 0 to 65,535"
    assert allowed_values(Any) == ""


def test_the_window_says_it_in_its_language() -> None:
    said = refused({"type": "one", "inner": {"count": 0}})
    i18n.use("de")
    try:
        assert in_words(said) == "inner.count kann nicht 0 sein: Es muss eine ganze Zahl von 1 bis 16 sein."
    finally:
        i18n.use("en")


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
TAGS = st.sampled_from([str(one.__struct_config__.tag) for one in schema.Request.__args__])
FIELDS = st.sampled_from(["rules", "preset", "settings", "limit", "seconds", "chat", "ref", "text", "sampling"])


@given(TAGS, st.dictionaries(FIELDS, ANY, max_size=4))
def test_every_refused_request_has_words(tag: str, fields: dict[str, object]) -> None:
    value = {"type": tag, **fields}
    said = ""
    try:
        msgspec.json.decode(msgspec.json.encode(value), type=schema.Request)
    except msgspec.ValidationError as error:
        said = f"{refused_field(error)}: {why_refused(error, schema.Request, value)}"
    assert "Expected `" not in said
    assert said.endswith(".") or not said
