"""How the rows of a step are divided into calls, beside a search through every division."""

from itertools import combinations, pairwise

from hypothesis import given
from hypothesis import strategies as st

from engine.inference.runtime.calls import CallRules, Feed, allowed, cost, split_calls
from engine.inference.runtime.calls import _call as one_call

MODES = ("ragged", "two calls", "single")


def rules_of(batching, held, neighbours=True, limit=64, overhead=4.0):
    return CallRules(batching, neighbours, limit, lambda slot: held[slot], overhead)


def divisions(order):
    """Every way of cutting ``order`` into runs."""
    for count in range(len(order)):
        for cuts in combinations(range(1, len(order)), count):
            borders = (0, *cuts, len(order))
            yield [tuple(order[a:b]) for a, b in pairwise(borders)]


def cheapest(feeds, order, rules):
    """The cost of the best division in which every call of several rows is allowed."""
    if not order:
        return 0.0
    found = []
    for division in divisions(order):
        calls = [one_call(feeds, rows) for rows in division]
        if all(len(call.rows) == 1 or allowed(feeds, call, rules) for call in calls):
            found.append(cost(calls, rules))
    return min(found)


@st.composite
def steps(draw):
    slots = draw(st.lists(st.integers(0, 8), min_size=1, max_size=7, unique=True))
    held = [draw(st.integers(0, 40)) for _ in range(9)]
    feeds = [
        Feed(slot, draw(st.sampled_from([0, held[slot]])), draw(st.sampled_from([1, 1, 1, 2, 3, 7, 20])))
        for slot in slots
    ]
    return feeds, held, draw(st.sampled_from(MODES))


@given(steps(), st.sampled_from([0.0, 4.0, 30.0]))
def test_every_row_once_at_the_lowest_cost(step, overhead):
    feeds, held, mode = step
    rules = rules_of(mode, held, overhead=overhead)
    calls = split_calls(feeds, rules)
    assert sorted(index for call in calls for index in call.rows) == list(range(len(feeds)))
    for call in calls:
        assert len(call.rows) == 1 or allowed(feeds, call, rules)
        assert all(call.first <= feeds[index].slot < call.first + call.span for index in call.rows)
        assert call.width == max(feeds[index].count for index in call.rows)
    order = sorted(range(len(feeds)), key=lambda index: feeds[index].slot)
    singles = [index for index in order if feeds[index].count == 1]
    pieces = [index for index in order if feeds[index].count > 1]
    best = cheapest(feeds, singles, rules) + cheapest(feeds, pieces, rules)
    if mode == "ragged":
        best = min(best, cheapest(feeds, order, rules))
    if mode != "single":
        assert cost(calls, rules) == best


def test_neighbours_that_write_one_token_share_a_call_that_is_found_at_once():
    feeds = [Feed(slot, 10 + slot, 1) for slot in range(16)]
    rules = rules_of("two calls", list(range(10, 26)))
    [call] = split_calls(feeds, rules)
    assert (call.first, call.span, call.width, call.rows) == (0, 16, 1, tuple(range(16)))


def test_graphs_that_do_not_write_in_place_take_single_tokens_together_and_pieces_alone():
    feeds = [Feed(5, 3, 1), Feed(0, 0, 4), Feed(2, 7, 1)]
    calls = split_calls(feeds, rules_of("two calls", [0] * 9, neighbours=False))
    assert [call.rows for call in calls] == [(2, 0), (1,)]


def test_single_tokens_come_before_prompts():
    feeds = [Feed(0, 0, 20), Feed(1, 9, 1)]
    for mode in MODES:
        assert split_calls(feeds, rules_of(mode, [0, 9], overhead=0.0))[0].rows == (1,)
