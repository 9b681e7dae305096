"""How much of an advertised speed is believed, by the descriptor and by what the committee has measured."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.forwarding.advertised import advertised_trust


@pytest.mark.parametrize(
    ("told", "listed", "found", "believed"),
    [
        (1_000.0, 1_000.0, None, 1_000.0),
        (3_900.0, 1_000.0, None, 3_900.0),
        (8_000.0, 1_000.0, None, 4_000.0),
        (4_000.0, 4_000.0, 500.0, 500.0),
        (400.0, 400.0, 500.0, 400.0),
        (9_000.0, 0.0, None, 2_000.0),
        (0.0, 0.0, None, 500.0),
        (0.0, 1_000.0, 50.0, 50.0),
    ],
)
def test_a_member_is_believed_no_further_than_its_descriptor_and_the_committee_allow(
    told: float, listed: float, found: float | None, believed: float
) -> None:
    assert (told or 500.0) * advertised_trust(told, listed, found) == pytest.approx(believed)


@pytest.mark.parametrize(
    ("told", "listed", "believed"),
    [(50.0, 50.0, 50.0), (190.0, 50.0, 190.0), (4e8, 50.0, 200.0), (50.0, 900.0, 50.0), (90.0, 0.0, 90.0)],
)
def test_what_it_says_of_its_writing_is_bounded_too_and_taken_off_all_its_rates(
    told: float, listed: float, believed: float
) -> None:
    assert told * advertised_trust(1_000.0, 1_000.0, None, told, listed) == pytest.approx(believed)


@given(st.floats(0, 1e9), st.floats(0, 1e9), st.none() | st.floats(0, 1e9), st.floats(0, 1e9), st.floats(0, 1e9))
@example(told=0.0, listed=5e-324, found=None, writes=5e-324, listed_writing=5e-324)
def test_it_is_a_share(told: float, listed: float, found: float | None, writes: float, listed_writing: float) -> None:
    assert 0 < advertised_trust(told, listed, found, writes, listed_writing) <= 1
