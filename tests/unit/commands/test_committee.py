"""``gentorrent committee`` says what it cannot do, and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.commands import committee
from engine.errors import ConfigurationError, VerificationError
from engine.wire.codec import encode
from tests.support.judging import judging
from tests.support.records import identity

KEY, NEW = "0" * 64, identity(70)
NETWORK = judging(4)
FOUND = committee._Committee(NETWORK.genesis, NETWORK.state, 0, ())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "Name a change"),
        ({"add": [KEY], "withdraw": True}, "Name a change"),
        ({"add": ["key"]}, "--add wants a verifier's key"),
        ({"remove": [KEY.upper().replace("0", "A")]}, "--remove wants a verifier's key"),
        ({"add": [KEY] * 5}, "4 times"),
        ({"add": [KEY], "bootstrap": "http://127.0.0.1:1"}, "whole address"),
    ],
)
def test_bad_usage_is_told_before_anything_is_asked(options, words: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=words):
        committee.propose(data=tmp_path, days=14, **options)


def test_only_members_have_a_say_and_only_of_what_can_be() -> None:
    member = NETWORK.members[0]
    with pytest.raises(VerificationError, match="has no say"):
        committee._change(FOUND, NEW, (NEW.public_key,), (), 14)
    with pytest.raises(VerificationError, match="leaves 3"):
        committee._change(FOUND, member, (), (member.public_key,), 14)
    change = committee._change(FOUND, member, (NEW.public_key,), (), 14)
    assert (change.since, change.add, change.remove) == (0, (NEW.public_key,), ())
    assert committee._change(FOUND, member, (), (), 14).add == (), "a withdrawal"


def test_wills_are_counted_by_change_and_what_does_not_count_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    one, two, three, four = NETWORK.members
    wills = [
        NETWORK.change(one, add=[NEW.public_key]),
        NETWORK.change(two, add=[NEW.public_key], until=50),
        NETWORK.change(three, remove=[one.public_key], add=[NEW.public_key]),
        NETWORK.change(four),
        NETWORK.change(NEW, add=[NEW.public_key]),
    ]
    records = [*map(encode, wills), b"x", encode(NETWORK.change(four, add=[NEW.public_key], since=3))]
    found = committee._wanted(NETWORK.state, 0, records)
    assert [(len(want.by), want.until) for want in found] == [(2, 50), (1, 100)]
    committee._tell(committee._Committee(NETWORK.genesis, NETWORK.state, 0, found), json_output=False)
    told = capsys.readouterr().out
    assert "4 members of the genesis" in told
    assert "Wanted by 2 of the 3 members that it takes, until epoch 50" in told
    assert f"wants it: {one.public_key.hex()}" in told
