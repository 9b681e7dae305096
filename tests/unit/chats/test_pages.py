"""Pieces of a branch: which messages a page may have, and how it grows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.chats.pages import Place, candidates, grown

BRANCH = [f"m{number}" for number in range(10)]


def test_pages_before_after_and_around() -> None:
    assert candidates(BRANCH, Place(), 4) == (range(6, 10), 9)
    assert candidates(BRANCH, Place(before="m6"), 4) == (range(2, 6), 5)
    assert candidates(BRANCH, Place(before="m1"), 4) == (range(1), 0)
    assert candidates(BRANCH, Place(after="m6"), 2) == (range(7, 9), 7)
    assert candidates(BRANCH, Place(after="m6"), 200) == (range(7, 10), 7)
    assert candidates(BRANCH, Place(around="m5"), 4) == (range(3, 7), 5)
    assert candidates(BRANCH, Place(around="m0"), 4) == (range(4), 0)
    assert candidates(BRANCH, Place(around="m9"), 4) == (range(6, 10), 9)
    assert candidates(BRANCH, Place(around="m2"), 200) == (range(10), 2)


def test_messages_that_are_not_on_the_branch_name_its_end() -> None:
    for place in (Place(before="x"), Place(after="x"), Place(around="x")):
        assert candidates(BRANCH, place, 3) == (range(7, 10), 9)


def test_nothing_stands_before_the_first_and_behind_the_last() -> None:
    for branch, place, nothing in (
        (BRANCH, Place(before="m0"), range(0)),
        (BRANCH, Place(after="m9"), range(10, 10)),
        ([], Place(), range(0)),
    ):
        among, begin = candidates(branch, place, 5)
        taken = grown(among, begin, 100, lambda at: 1)
        assert (taken.start, taken.stop) == (nothing.start, nothing.stop)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=20), st.integers(0, 100), st.data())
def test_a_page_is_as_long_as_its_room_allows(lengths: list[int], room: int, data: st.DataObject) -> None:
    begin = data.draw(st.integers(0, len(lengths) - 1))
    taken = grown(range(len(lengths)), begin, room, lengths.__getitem__)
    assert begin in taken
    whole = sum(lengths[at] for at in taken)
    assert whole <= room or taken == range(begin, begin + 1)
    for outside in (taken.start - 1, taken.stop):
        if 0 <= outside < len(lengths):
            assert whole + lengths[outside] > room
