from engine.directory.standing import FULL, NEWCOMER, NOBODY_JUDGES, StandingBook
from engine.verification.reputation.page import OURS
from engine.wire.blocks import NodeStanding
from tests.support.judging import score
from tests.support.records import identity

NODE, OTHER = identity(1).node_id, identity(2).node_id


def judged(likelihood: int, results: int) -> NodeStanding:
    return OURS.judge(OURS.newcomer(NODE), [[score(likelihood)]] * results)


def test_where_nobody_judges_everybody_counts_in_full() -> None:
    assert NOBODY_JUDGES.of(NODE) == FULL
    assert FULL.established


def test_whom_the_committee_has_not_judged_is_a_newcomer() -> None:
    assert StandingBook(True).of(NODE) == NEWCOMER
    assert (NEWCOMER.reputation, NEWCOMER.established, NEWCOMER.excluded) == (0.3, False, False)


def test_who_passed_is_established_and_who_failed_is_excluded() -> None:
    good = StandingBook(True, {NODE: judged(-3_000, 2)})
    assert good.of(NODE).established
    assert good.of(NODE).reputation == 0.433
    assert good.of(OTHER) == NEWCOMER
    assert not StandingBook(True, {NODE: judged(-3_000, 1)}).of(NODE).established
    bad = StandingBook(True, {NODE: judged(4_000, 3)}).of(NODE)
    assert (bad.reputation, bad.established, bad.excluded) == (0.0, False, True)
