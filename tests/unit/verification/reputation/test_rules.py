from hypothesis import given, settings
from hypothesis import strategies as st

from engine.ids import NodeId
from engine.verification.reputation.page import OURS
from engine.verification.reputation.published import PUBLISHED
from engine.verification.reputation.rule import FAIL, INCONCLUSIVE, ONE, PASS, THRESHOLD, Rule
from engine.wire.blocks import NodeStanding
from engine.wire.challenges import Score

NODE = NodeId(b"n" * 20)
QUICK = settings(max_examples=150, deadline=None)


def score(likelihood: int = -3_000, credit: int = 800_000) -> Score:
    verdict = PASS if likelihood < -1_000 else FAIL if likelihood > 3_000 else INCONCLUSIVE
    return Score(tokens=100, likelihood=likelihood, credit=credit, verdict=verdict)


SCORES = st.builds(score, st.integers(-1_000_000, 1_000_000), st.integers(0, ONE))
DUTIES = st.lists(st.lists(SCORES, min_size=1, max_size=3), min_size=1, max_size=4)
EPOCHS = st.lists(DUTIES, max_size=25)
Epochs = list[list[list[Score]]]


def after(rule: Rule, epochs: Epochs, standing: NodeStanding | None = None) -> NodeStanding:
    standing = standing or rule.newcomer(NODE)
    for duties in epochs:
        standing = rule.judge(standing, duties)
    return standing


def row(likelihood: int, count: int, credit: int = 800_000) -> Epochs:
    """So many epochs in which one verifier found this."""
    return [[[score(likelihood, credit)]]] * count


@QUICK
@given(EPOCHS)
def test_standings_stay_within_the_records_bounds(epochs: Epochs) -> None:
    for rule in (OURS, PUBLISHED):
        standing = after(rule, epochs)
        assert 0 <= standing.reputation <= ONE
        assert 0 <= standing.suspicion <= 24_000
        assert 0 <= standing.lapses <= 12_000
        assert standing.judged == sum(len(scores) for duties in epochs for scores in duties)
        assert len(standing.recent) == min(5, len(epochs))
        assert standing.node_id == NODE


@QUICK
@given(EPOCHS, DUTIES, SCORES, st.integers(0, 500_000))
def test_a_better_result_never_makes_a_worse_standing(
    epochs: Epochs, others: list[list[Score]], last: Score, by: int
) -> None:
    before = after(OURS, epochs)
    worse = OURS.judge(before, [*others, [last]])
    better = OURS.judge(before, [*others, [score(last.likelihood - by)]])
    assert better.reputation >= worse.reputation
    assert better.suspicion <= worse.suspicion
    assert better.lapses <= worse.lapses
    assert before.excluded or not better.excluded or worse.excluded
    published = after(PUBLISHED, epochs)
    richer = score(0, min(ONE, last.credit + by))
    assert PUBLISHED.judge(published, [[richer]]).reputation >= PUBLISHED.judge(published, [[last]]).reputation


@QUICK
@given(EPOCHS, DUTIES, st.lists(st.lists(SCORES, min_size=1, max_size=8), max_size=6))
def test_nothing_that_others_say_hides_what_one_verifier_found(
    epochs: Epochs, found: list[list[Score]], friends: list[list[Score]]
) -> None:
    before = after(OURS, epochs)
    alone = OURS.suspicion_after(before.suspicion, found)
    assert OURS.suspicion_after(before.suspicion, [*found, *friends]) >= alone


def test_a_newcomer_begins_below_the_threshold_and_is_established_after_two_passes() -> None:
    assert after(OURS, []).reputation == 300_000 < THRESHOLD
    assert after(OURS, row(-3_000, 1)).reputation == 370_000
    assert after(OURS, row(-3_000, 2)).reputation == 433_000
    assert after(OURS, [[[score()], [score()]]]).reputation == 433_000, "of two verifiers in one epoch"
    assert after(OURS, [[[score(), score()]]]).reputation == 370_000, "turns of one conversation count once"


def test_a_fail_takes_half_and_ends_the_row() -> None:
    good = after(OURS, row(-3_000, 20))
    failed = OURS.judge(good, [[score(), score(3_500)]])
    assert (good.good, failed.good) == (20, 0)
    assert failed.reputation == good.reputation // 2
    assert not failed.excluded


def test_what_is_inconclusive_counts_in_the_suspicion_alone_and_little_of_it() -> None:
    good = after(OURS, row(-3_000, 12))
    doubtful = OURS.judge(good, [[score(900)]])
    assert (doubtful.reputation, doubtful.good, doubtful.suspicion) == (good.reputation, good.good, 900)
    wild = Score(tokens=3, likelihood=90_000, credit=0, verdict=INCONCLUSIVE)
    assert OURS.judge(good, [[wild]]).suspicion == 1_000
    assert after(OURS, row(900, 13)).suspicion == 11_700
    assert after(OURS, row(900, 14)).excluded, "who always stays just inconclusive is found, too"


def test_no_single_verifier_excludes_in_one_epoch_and_three_findings_do() -> None:
    good = after(OURS, row(-5_000, 100))
    one = OURS.judge(good, [[score(1_000_000)] * 8])
    assert (one.suspicion, one.excluded) == (5_000, False)
    three = OURS.judge(one, [[score(5_000)], [score(5_000)]])
    assert three.excluded
    assert three.reputation == 0


def test_what_speaks_for_a_node_counts_once_an_epoch_and_little() -> None:
    suspected = after(OURS, row(4_000, 2))
    assert suspected.suspicion == 8_000
    passes = [[score(-5_000)] * 8] * 5
    assert OURS.suspicion_after(8_000, passes) == 7_000
    assert OURS.suspicion_after(8_000, [*passes, [score(-200)]]) == 7_800, "as far as all agree"
    assert OURS.suspicion_after(8_000, [*passes, [score(4_000)]]) == 12_000


def test_a_cheat_with_friends_among_the_verifiers_is_excluded_all_the_same() -> None:
    standing = OURS.newcomer(NODE)
    for _ in range(6):  # one honest verifier; three friends, who pass it in blocks of their own besides
        standing = OURS.judge(standing, [[score(4_000)], *([score(-5_000)] * 8 for _ in range(3))])
        standing = OURS.judge(standing, [[score(-5_000)] * 8])
        standing = OURS.judge(standing, [[score(-5_000)] * 8])
    assert standing.excluded


def test_an_excluded_node_returns_as_a_newcomer_when_its_suspicion_is_gone_and_its_lapses_are_less() -> None:
    excluded = after(OURS, row(4_000, 3))
    assert (excluded.excluded, excluded.suspicion, excluded.lapses) == (True, 12_000, 9_000)
    waiting = after(OURS, row(-5_000, 11), excluded)
    assert (waiting.excluded, waiting.reputation, waiting.suspicion, waiting.lapses) == (True, 0, 1_000, 8_450)
    back = after(OURS, row(-5_000, 1), waiting)
    assert (back.excluded, back.reputation, back.good, back.lapses) == (False, 300_000, 0, 8_400)
    assert after(OURS, row(3_001, 2), back).excluded, "what it did is not forgotten"
    several = after(OURS, [[[score(-5_000)]] * 3] * 11, excluded)
    assert several.excluded, "however many agree"
    longer = after(OURS, [*row(4_000, 4), *row(-5_000, 59)])
    assert (longer.excluded, longer.suspicion, longer.lapses) == (True, 0, 9_050)
    assert not after(OURS, row(-5_000, 1), longer).excluded


def test_five_failed_conversations_with_few_good_ones_between_exclude() -> None:
    """However little each of them says: the suspicion is gone before the next."""
    standing = OURS.newcomer(NODE)
    for _ in range(3):
        standing = after(OURS, [*row(3_100, 1), *row(-4_000, 9)], standing)
    assert (standing.suspicion, standing.lapses, standing.excluded) == (0, 3 * 3_000 - 27 * 50, False)
    standing = after(OURS, [*row(3_100, 1), *row(-4_000, 9), *row(3_100, 1)], standing)
    assert (standing.lapses, standing.excluded) == (12_000, True)
    assert standing.suspicion < 7_000


def test_one_failed_conversation_is_made_up_for_by_sixty_good_epochs() -> None:
    failed = after(OURS, row(3_500, 1))
    assert failed.lapses == 3_000
    assert after(OURS, [[[score(-500)]]] * 5, failed).lapses == 3_000, "what is inconclusive makes up for nothing"
    assert after(OURS, [[[score()]] * 4] * 59, failed).lapses == 50
    assert after(OURS, row(-3_000, 60), failed).lapses == 0


def test_a_run_of_turns_that_is_a_fail_is_not_excused_by_the_others() -> None:
    """Who serves the first question well and the others badly has not earned anything by the first."""
    said = OURS.said
    assert said([score(-5_000), score(3_500)]) == 3_500
    assert said([score(3_500), score(-5_000)]) == 3_500
    assert said([score(-5_000), score(2_000), score(1_500), score(-4_000)]) == 3_500
    assert said([score(-5_000), score(4_000), score(-1_500), score(4_000)]) == 5_000
    assert said([score(-5_000), score(3_000)]) == -2_000, "one odd token, and a good answer"
    assert said([score(3_000)]) == 3_000
    assert OURS.suspicion_after(0, [[score(3_000)]]) == 1_000, "what decides nothing adds little"
    assert OURS.suspicion_after(2_000, [[score(-400), score(-200)]]) == 1_400


@QUICK
@given(st.lists(SCORES, min_size=1, max_size=8))
def test_what_a_conversation_says_is_the_largest_of_its_runs_where_that_is_a_fail(scores: list[Score]) -> None:
    def bounded(one: Score) -> int:
        low, high = (-1_000, 3_000) if one.verdict == INCONCLUSIVE else (-5_000, 5_000)
        return max(low, min(high, one.likelihood))

    turns = [bounded(one) for one in scores]
    runs = [sum(turns[begin:end]) for begin in range(len(turns)) for end in range(begin + 1, len(turns) + 1)]
    expected = max(runs) if max(runs) > 3_000 else sum(turns)
    assert OURS.said(scores) == max(-5_000, min(5_000, expected))


def test_the_published_rule_by_hand() -> None:
    assert after(PUBLISHED, []).reputation == 500_000
    assert after(PUBLISHED, row(0, 1, 800_000)).reputation == 200_000 + 480_000
    one_bad = after(PUBLISHED, row(0, 1, 300_000))
    assert (one_bad.reputation, one_bad.excluded) == (200_000 + 180_000, True)
    # A second abnormal score: 2 > 5 / 5, so beta is 6 / (5 + 10 + 2).
    two_bad = after(PUBLISHED, row(0, 1, 300_000), one_bad)
    assert two_bad.reputation == 152_000 + 300_000 * 6 // 17


def test_the_published_rule_never_finds_a_cheat_with_a_credit_of_0_41_and_ours_does() -> None:
    published = after(PUBLISHED, row(4_000, 1_000, 410_000))
    assert not published.excluded
    assert THRESHOLD <= published.reputation < 411_000
    assert after(PUBLISHED, row(4_000, 3, 399_000)).excluded, "just below the threshold it does"
    assert after(OURS, row(4_000, 3, 410_000)).excluded


@QUICK
@given(st.integers(3_001, 5_000), st.integers(0, 200))
def test_who_turns_is_found_as_soon_as_who_begins_badly(likelihood: int, good: int) -> None:
    turned, fresh = after(OURS, row(-4_000, good)), after(OURS, [])
    for _ in range(12):
        turned, fresh = OURS.judge(turned, [[score(likelihood)]]), OURS.judge(fresh, [[score(likelihood)]])
        assert turned.excluded == fresh.excluded
    assert turned.excluded
