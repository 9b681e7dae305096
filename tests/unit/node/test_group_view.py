"""What was sent and is in nobody's load yet, against a slow count."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.ids import NodeId
from engine.node import group_view
from engine.node.group_view import SentRequests
from engine.node.uncounted import Work

MEMBERS = [NodeId(bytes([number]) * 20) for number in range(4)]
SENDS = st.lists(
    st.tuples(st.sampled_from(MEMBERS), st.integers(0, 9), st.floats(0, 10), st.sampled_from([0.01, 0.2, 3.0]))
)
LOOKS = st.lists(st.tuples(st.sampled_from(MEMBERS), st.floats(0, 15)))


@given(SENDS, LOOKS)
def test_it_counts_what_arrives_after_each_members_last_statement(sends, looks):
    sent, kept = SentRequests(), []
    for target, tokens, now, way in sends:
        sent.add(target, tokens, 1, now, way)
        kept.append((target, tokens, now + way))
    for target, moment in sorted(looks, key=lambda one: one[1]):  # statements follow each other
        after = [tokens for to, tokens, arrives in kept if to == target and arrives > moment]
        assert sent.since(target, moment) == Work(len(after), sum(after), len(after))


def test_the_moment_of_one_statement_stays_what_it_was_first_found_to_be():
    sent = SentRequests()
    assert sent.made(MEMBERS[0], 10.0, 0.25) == 9.75
    assert sent.made(MEMBERS[0], 10.0, 0.5) == 9.75
    assert sent.made(MEMBERS[0], 11.0, 0.5) == 10.5


def test_members_who_never_come_back_are_not_remembered_for_ever(monkeypatch):
    monkeypatch.setattr(group_view, "MAX_MEMBERS", 2)
    sent = SentRequests()
    for member in MEMBERS:
        sent.add(member, 5, 5, 1.0, 0.1)
        sent.made(member, 1.0, 0.1)
    assert [sent.since(member, 0.0).requests for member in MEMBERS] == [0, 0, 1, 1]
    assert len(sent._made) <= 2
