"""Which paths a network allows, which somebody accepts, and which are offered: compared with the plain definitions."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.directory.shapes import (
    Accepted,
    Shape,
    accepted_shapes,
    allowed_shapes,
    choices,
    clove_numbers,
    full_shape,
    strongest,
)
from engine.wire.records import Parameters

PARAMETERS = Parameters()
small = st.builds(
    Parameters,
    n=st.integers(1, 6),
    k=st.just(1),
    path_length=st.integers(1, 3),
    least_n=st.integers(1, 6),
    least_path_length=st.integers(0, 3),
)
accepting = st.builds(
    Accepted,
    paths=st.none() | st.integers(1, 6),
    hops=st.none() | st.integers(1, 3),
    direct=st.booleans(),
)


def test_the_strongest_comes_first_and_nothing_is_below_the_least():
    shapes = allowed_shapes(PARAMETERS)
    assert shapes[0] == full_shape(PARAMETERS) == Shape(3, 4, 3)
    assert shapes == sorted(shapes, reverse=True)
    assert shapes[-1] == Shape(2, 1, 1)
    assert not any(shape.direct for shape in shapes)


def test_direct_is_allowed_only_where_the_genesis_says_so():
    assert allowed_shapes(Parameters(least_path_length=0))[-1].direct
    assert allowed_shapes(Parameters(n=1, k=1, path_length=0, least_path_length=0)) == [Shape(0, 1, 1)]


def test_a_path_may_fail_where_there_are_several():
    assert [(shape.n, shape.k) for shape in allowed_shapes(PARAMETERS)[:4]] == [(4, 3), (3, 2), (2, 1), (1, 1)]
    assert clove_numbers(PARAMETERS) == {(4, 3), (3, 2), (2, 1), (1, 1)}
    assert clove_numbers(Parameters(least_n=4, least_path_length=3)) == {(4, 3)}


def test_who_accepts_nothing_weaker_gets_nothing_weaker():
    assert accepted_shapes(Parameters(least_path_length=0), Accepted()) == [Shape(3, 4, 3)]


def test_accepting_less_than_the_genesis_allows_changes_nothing():
    parameters = Parameters(least_n=3, least_path_length=3)
    assert accepted_shapes(parameters, Accepted(1, 1, True)) == [Shape(3, 4, 3), Shape(3, 3, 2)]


def test_direct_alone_accepts_no_fewer_paths():
    assert accepted_shapes(Parameters(least_path_length=0), Accepted(direct=True)) == [Shape(3, 4, 3), Shape(0, 1, 1)]


@given(small, accepting)
def test_whatever_is_used_was_accepted_and_is_allowed(parameters, accepted):
    for shape in accepted_shapes(parameters, accepted)[1:]:
        assert shape in allowed_shapes(parameters)
        if shape.direct:
            assert accepted.direct
            assert parameters.least_path_length == 0
        else:
            assert min(parameters.n, parameters.n if accepted.paths is None else accepted.paths) <= shape.n
            assert shape.n >= min(parameters.least_n, parameters.n)
            assert shape.length >= min(parameters.least_path_length, parameters.path_length)
            assert shape.length >= min(parameters.path_length, 3 if accepted.hops is None else accepted.hops)


@given(small, st.integers(0, 20))
def test_choices_fit_and_none_is_beaten_by_another(parameters, relays):
    possible = {shape for shape in allowed_shapes(parameters) if shape.relays <= relays}
    offered = choices(parameters, possible)
    assert set(offered) <= possible
    for one in offered:
        others = [other for other in offered if other != one and not one.direct]
        assert not any(other.n >= one.n and other.length >= one.length for other in others)
    if possible - {full_shape(parameters)}:
        assert offered
    best = strongest(allowed_shapes(parameters)[1:], possible.__contains__)
    assert best is None or best == offered[0]
