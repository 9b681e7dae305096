"""The published rule beside ours: its cliff, and friends among verifiers."""

from __future__ import annotations

from engine.bench.verification.rules_compared import cliff, compare, excluded_in
from engine.simulation.verification.adversaries import ADVERSARIES
from engine.simulation.verification.recorded import read_recorded
from engine.verification.reputation.published import PUBLISHED
from engine.wire.challenges import Score

RECORDED = read_recorded()
SOURCES = list(RECORDED.honest)
AMOUNT = {"epochs": 20, "courses": 12, "seed": 1}


def constant(credit: int) -> list[list[list[Score]]]:
    return [[[Score(100, 0, credit, 0)]] for _ in range(200)]


def test_the_published_rule_has_its_cliff_at_its_threshold() -> None:
    assert excluded_in(PUBLISHED, constant(390_000)) is not None
    assert excluded_in(PUBLISHED, constant(410_000)) is None


def test_both_rules_judge_the_same_answers() -> None:
    quantised = compare(RECORDED, ADVERSARIES["quantised"], SOURCES, **AMOUNT)
    assert quantised["ours"].excluded == 1
    assert 1 <= quantised["ours"].epochs["median"] <= quantised["ours"].epochs["max"] <= 5
    smaller = compare(RECORDED, ADVERSARIES["smaller-model"], SOURCES, **AMOUNT)
    assert smaller["published"].excluded > 0.9  # its text is unlikely, which is all that the published rule sees
    honest = compare(RECORDED, None, SOURCES, **AMOUNT)
    assert honest["ours"].excluded == 0
    assert honest["ours"].epochs == {"median": 0, "p90": 0, "max": 0}
    # A text that is unlikely is no sign of a cheat: the published rule takes honest nodes for one as well.
    assert honest["published"].excluded > quantised["published"].excluded / 2 > 0.25


def test_a_friend_among_the_verifiers_does_not_prevent_the_exclusion_and_only_friends_do() -> None:
    alone, one, all_ = (
        compare(RECORDED, ADVERSARIES["quantised"], SOURCES, friends=friends, **AMOUNT)["ours"] for friends in (0, 1, 4)
    )
    assert one.excluded == 1
    assert one.epochs["max"] >= alone.epochs["max"]
    assert all_.excluded == 0


def test_the_cliff_is_published_by_credit() -> None:
    rows = cliff(RECORDED, ADVERSARIES["quantised"], epochs=8, courses=4, seed=1)
    by_credit = {row["credit"]: row for row in rows}
    assert by_credit[0.39]["published"] is not None
    assert by_credit[0.41]["published"] is None
    assert all(row["ours"] is not None for row in rows)
