"""What is predicted from a statement, in numbers that can be reckoned by hand."""

import pytest

from engine.forwarding.policies.interface import Asked
from engine.forwarding.prediction import UNMEASURED_PREFILL, Traffic, predict
from tests.support.forwarding import member

ASKED = Asked(prompt_tokens=4000, output_tokens=60)


def test_an_idle_member_reads_what_its_cache_lacks_and_writes_alone():
    found = predict(member(1, round_trip=0.05), ASKED, 3200, 0.0)
    assert found.first_token == pytest.approx(0.05 + 800 / 8000)
    assert found.write == pytest.approx(60 / 60)
    assert found.others == 0


def test_the_queue_shrinks_with_the_age_of_the_statement_and_grows_by_what_was_sent():
    assert predict(member(1, queue_tokens=16_000), ASKED, 0, 0.5).wait == pytest.approx(1.5)
    assert predict(member(1, queue_tokens=16_000), ASKED, 0, 5.0).wait == 0
    assert predict(member(1, sent_tokens=16_000), ASKED, 0, 0.5).wait == pytest.approx(1.5)
    assert predict(member(1, sent_tokens=16_000), ASKED, 0, 0.5, known=12_000).wait == 0
    assert predict(member(1, sent_tokens=4_000), ASKED, 0, 0.5, busy=0.4).wait == pytest.approx(0.4)


def test_a_short_prompt_passes_long_ones_and_a_long_one_lets_short_ones_pass():
    busy = member(1, queue_tokens=40_000)
    short, long = (predict(busy, ASKED, cached, 0.0, Traffic(typical=4000)) for cached in (3900, 0))
    assert short.wait < 0.05
    assert 0.05 < long.wait < 5.0 == long.queue
    assert short.delays == pytest.approx(10 * short.read, rel=0.05)
    assert long.delays == pytest.approx(10 * long.read / 2.718, rel=0.01)


def test_who_is_full_has_a_place_when_an_answer_ends():
    full = member(1, slots=4, running=4, output_tokens=200, decode_rate=100)
    assert predict(full, ASKED, 0, 0.0).wait == pytest.approx(200 / 4 / 100)


def test_memory_comes_back_with_the_answers_that_end():
    full = member(1, running=2, output_tokens=400, context_tokens=7600, kv_free=60, kv_total=12_000, decode_rate=100)
    # 4,000 tokens are short; 8,000 come back in 4 seconds.
    assert predict(full, ASKED, 0, 0.0).wait == pytest.approx(2.0)
    assert predict(full, ASKED, 0, 0.0).room
    assert not predict(full, Asked(prompt_tokens=12_000, output_tokens=1), 0, 0.0).room


def test_answers_beside_it_slow_it_down_as_measured():
    # Alone a token takes 1/60 s, four together write 120 a second: a further one costs (4/120 - 1/60) / 3 s a token.
    beside = member(1, running=4, output_tokens=4000, decode_rate=120)
    each = 1 / 60 + 4 * (4 / 120 - 1 / 60) / 3
    assert predict(beside, ASKED, 0, 0.0).write == pytest.approx(60 * each)


def test_who_has_nothing_new_to_say_has_as_many_answers_as_before():
    """In a small group its silence tells so: others have come for those that have ended."""
    told = {"running": 4, "output_tokens": 400, "decode_rate": 200, "slots": 8, "heard": 0.0}
    after = [predict(member(1, silence=silence, **told), ASKED, 0, 5.0).write for silence in (0.25, float("inf"))]
    assert after[0] > after[1]
    assert after[0] == pytest.approx(predict(member(1, **told), ASKED, 0, 0.25).write)


def test_who_has_not_measured_itself_counts_as_modest():
    unknown = member(1, prefill_rate=0, decode_rate=0, decode_rate_alone=0)
    assert predict(unknown, ASKED, 0, 0.0).read == pytest.approx(4000 / UNMEASURED_PREFILL)


def test_rates_are_believed_times_trust():
    assert predict(member(1, trust=0.1), ASKED, 0, 0.0).read == pytest.approx(5.0)
    assert predict(member(1, trust=0.1), ASKED, 0, 0.0).write == pytest.approx(10.0)


def test_answers_that_are_longer_than_expected_are_not_about_to_end():
    """Ten answers, each expected to write one token more since a while; answers have 300 on average."""
    overdue = member(1, slots=10, running=10, output_tokens=10, decode_rate=100)
    assert predict(overdue, ASKED, 0, 0.0).wait == pytest.approx(1 / 100)
    assert predict(overdue, ASKED, 0, 0.0, Traffic(answer=300)).wait == pytest.approx(300 / 100)
    old, new = predict(overdue, ASKED, 0, 0.5), predict(overdue, ASKED, 0, 0.5, Traffic(answer=300))
    assert new.write > old.write + 0.5  # the batch is as large as it was
