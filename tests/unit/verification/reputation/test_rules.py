from hypothesis import given, settings
from hypothesis import strategies as st

from engine.ids import NodeId
from engine.verification.reputation.page import OURS
from engine.verification.reputation.published import PUBLISHED
from engine.verification.reputation.rule import FAIL, INCONCLUSIVE, ONE, PASS, THRESHOLD, Rule
from engine.wire.verification import NodeStanding, Score

NODE = NodeId(b"n" * 20)
QUICK = settings(max_examples=150, deadline=None)


def score(likelihood: int = -3_000, credit: int = 800_000) -> Score:
    verdict = PASS if likelihood < -1_000 else FAIL if likelihood > 1_000 else INCONCLUSIVE
    return Score(tokens=100, likelihood=likelihood, credit=credit, verdict=verdict)


SCORES = st.builds(score, st.integers(-1_000_000, 1_000_000), st.integers(0, ONE))
BLOCKS = st.lists(st.lists(SCORES, min_size=1, max_size=4), max_size=25)


def after(rule: Rule, blocks: list[list[Score]]) -> NodeStanding:
    standing = rule.newcomer(NODE)
    for scores in blocks:
        standing = rule.judge(standing, scores)
    return standing


@QUICK
@given(BLOCKS)
def test_standings_stay_within_the_records_bounds(blocks: list[list[Score]]) -> None:
    for rule in (OURS, PUBLISHED):
        standing = after(rule, blocks)
        assert 0 <= standing.reputation <= ONE
        assert 0 <= standing.suspicion <= 1_000_000
        assert standing.judged == sum(map(len, blocks))
        assert len(standing.recent) == min(5, len(blocks))
        assert standing.node_id == NODE


@QUICK
@given(BLOCKS, st.lists(SCORES, min_size=1, max_size=1), st.integers(0, 500_000))
def test_a_better_result_never_makes_a_worse_standing(blocks: list[list[Score]], last: list[Score], by: int) -> None:
    before = after(OURS, blocks)
    worse = OURS.judge(before, last)
    better = OURS.judge(before, [score(last[0].likelihood - by)])
    assert better.reputation >= worse.reputation
    assert better.suspicion <= worse.suspicion
    assert before.excluded or not better.excluded or worse.excluded
    published = after(PUBLISHED, blocks)
    richer = min(ONE, last[0].credit + by)
    assert PUBLISHED.judge(published, [score(0, richer)]).reputation >= (PUBLISHED.judge(published, last).reputation)


def test_a_newcomer_begins_below_the_threshold_and_is_established_after_two_passes() -> None:
    assert after(OURS, []).reputation == 300_000 < THRESHOLD
    assert after(OURS, [[score()]]).reputation == 370_000
    assert after(OURS, [[score()], [score()]]).reputation == 433_000


def test_a_fail_takes_half_and_ends_the_row() -> None:
    good = after(OURS, [[score()] * 20])
    failed = OURS.judge(good, [score(1_500)])
    assert (good.good, failed.good) == (20, 0)
    assert failed.reputation == good.reputation // 2
    assert not failed.excluded


def test_what_is_inconclusive_counts_in_the_suspicion_alone_and_little_of_it() -> None:
    good = after(OURS, [[score()] * 12])
    doubtful = OURS.judge(good, [score(900)])
    assert (doubtful.reputation, doubtful.good, doubtful.suspicion) == (good.reputation, good.good, 900)
    wild = Score(tokens=3, likelihood=90_000, credit=0, verdict=INCONCLUSIVE)
    assert OURS.judge(good, [wild]).suspicion == 1_000
    assert after(OURS, [[score(900)]] * 13).suspicion == 11_700
    assert after(OURS, [[score(900)]] * 14).excluded, "who always stays just inconclusive is found, too"


def test_no_single_result_excludes_and_three_bad_ones_do() -> None:
    good = after(OURS, [[score(-5_000)] * 100])
    one = OURS.judge(good, [score(1_000_000)])
    assert (one.suspicion, one.excluded) == (5_000, False)
    three = OURS.judge(one, [score(5_000), score(5_000)])
    assert three.excluded
    assert three.reputation == 0


def test_an_excluded_node_returns_as_a_newcomer_after_ten_passes_and_without_suspicion() -> None:
    excluded = after(OURS, [[score(5_000)] * 3])
    nine = OURS.judge(excluded, [score(-5_000)] * 9)
    assert (nine.excluded, nine.reputation, nine.suspicion) == (True, 0, 0)
    back = OURS.judge(nine, [score(-5_000)])
    assert (back.excluded, back.reputation, back.good) == (False, 300_000, 0)
    heavy = after(OURS, [[score(5_000)] * 30])
    assert OURS.judge(heavy, [score(-5_000)] * 29).excluded
    assert not OURS.judge(heavy, [score(-5_000)] * 30).excluded
    assert OURS.judge(OURS.judge(excluded, [score(-5_000)] * 9), [score(2_000)]).good == 0


def test_the_published_rule_by_hand() -> None:
    assert after(PUBLISHED, []).reputation == 500_000
    assert after(PUBLISHED, [[score(0, 800_000)]]).reputation == 200_000 + 480_000
    one_bad = after(PUBLISHED, [[score(0, 300_000)]])
    assert (one_bad.reputation, one_bad.excluded) == (200_000 + 180_000, True)
    # A second abnormal score: 2 > 5 / 5, so beta is 6 / (5 + 10 + 2).
    two_bad = PUBLISHED.judge(one_bad, [score(0, 300_000)])
    assert two_bad.reputation == 152_000 + 300_000 * 6 // 17


def test_the_published_rule_never_finds_a_cheat_with_a_credit_of_0_41_and_ours_does() -> None:
    cheat = [score(4_000, 410_000)]
    published = after(PUBLISHED, [cheat] * 1_000)
    assert not published.excluded
    assert THRESHOLD <= published.reputation < 411_000
    assert after(PUBLISHED, [[score(4_000, 399_000)]] * 3).excluded, "just below the threshold it does"
    assert after(OURS, [cheat] * 3).excluded


@QUICK
@given(st.integers(1_001, 5_000), st.integers(0, 200))
def test_who_turns_is_found_as_soon_as_who_begins_badly(likelihood: int, good: int) -> None:
    turned = after(OURS, [[score(-4_000)]] * good)
    fresh = after(OURS, [])
    for _ in range(12):
        turned, fresh = OURS.judge(turned, [score(likelihood)]), OURS.judge(fresh, [score(likelihood)])
        assert turned.excluded == fresh.excluded
    assert turned.excluded
