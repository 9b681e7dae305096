"""What the areas of the control messages name for others is whole, and no area's names hide another's."""

import importlib
import pkgutil
import typing
from collections import Counter

import msgspec

from engine.api import schema

AREAS = [importlib.import_module(f"{schema.__name__}.{found.name}") for found in pkgutil.iter_modules(schema.__path__)]


def test_every_message_of_an_area_is_handed_on() -> None:
    for area in AREAS:
        own = {
            name
            for name, value in vars(area).items()
            if isinstance(value, type) and issubclass(value, msgspec.Struct) and value.__module__ == area.__name__
        }
        assert own <= set(area.__all__), area.__name__
        assert all(getattr(schema, name) is getattr(area, name) for name in area.__all__), area.__name__


def test_no_name_is_taken_twice() -> None:
    counts = Counter(name for area in AREAS for name in area.__all__)
    assert [name for name, count in counts.items() if count > 1] == []


def test_every_message_with_a_type_is_a_request_or_an_event() -> None:
    known = {*typing.get_args(schema.Request), *typing.get_args(schema.Event)}
    tagged = {
        value
        for area in AREAS
        for value in vars(area).values()
        if isinstance(value, type)
        and issubclass(value, schema.ControlRequest | schema.ControlEvent)
        and value.__struct_config__.tag != value.__name__  # which those have that are only derived from
    }
    assert tagged == known
