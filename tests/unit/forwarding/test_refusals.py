"""Who does not take requests is left alone, longer each time, and forgiven by its first answer."""

from engine.forwarding.refusals import FIRST_SECONDS, LONGEST_SECONDS, MOST_MEMBERS, Refusals
from engine.ids import NodeId

MEMBER, OTHER = NodeId(b"m" * 20), NodeId(b"o" * 20)


def test_each_further_refusal_counts_twice() -> None:
    refusals, now = Refusals(), 100.0
    waits = []
    for _ in range(10):
        refusals.refused(MEMBER, now)
        refusals.refused(MEMBER, now + 0.1)  # one that was sent before
        begun = now
        while refusals.is_left_alone(MEMBER, now):
            now += 0.5
        waits.append(now - begun)
    assert waits == [1, 2, 4, 8, 16, 32, 64, 120, 120, 120]
    assert (FIRST_SECONDS, LONGEST_SECONDS) == (1, 120)
    assert not refusals.is_left_alone(OTHER, 100.5)


def test_an_answer_makes_up_for_everything() -> None:
    refusals = Refusals()
    for now in (0.0, 1.0, 3.0):
        refusals.refused(MEMBER, now)
    refusals.took(MEMBER)
    assert not refusals.is_left_alone(MEMBER, 3.1)
    refusals.refused(MEMBER, 4.0)
    assert not refusals.is_left_alone(MEMBER, 5.0)


def test_it_does_not_grow_without_bound() -> None:
    refusals = Refusals()
    for number in range(MOST_MEMBERS + 50):
        refusals.refused(NodeId(number.to_bytes(20, "big")), 0.0)
    assert len(refusals._refused) == MOST_MEMBERS
