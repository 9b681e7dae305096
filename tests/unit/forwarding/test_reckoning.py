"""When a member speaks before its turn."""

from itertools import pairwise

from engine.forwarding.members import Load
from engine.forwarding.reckoning import EARLY_BURST, EARLY_RATE, LEAST_SECONDS, Interjections, mistaken

IDLE = Load(prefill_rate=1000.0, running=3)


def test_who_reads_on_at_its_rate_has_nothing_to_add():
    told = Load(prefill_rate=1000.0, queue_tokens=2000, running=3)
    assert not mistaken(told, Load(prefill_rate=1000.0, queue_tokens=1500, running=3), 0.5)
    assert mistaken(told, told, 0.5)


def test_a_long_prompt_that_comes_is_worth_a_word_and_a_short_one_is_not():
    assert mistaken(IDLE, Load(prefill_rate=1000.0, queue_tokens=60, running=4), 0.01)
    assert not mistaken(IDLE, Load(prefill_rate=1000.0, queue_tokens=40, running=4), 0.01)


def test_several_answers_more_or_fewer_are_worth_a_word():
    assert mistaken(IDLE, Load(prefill_rate=1000.0, running=5), 0.2)
    assert mistaken(IDLE, Load(prefill_rate=1000.0, running=1), 0.2)
    assert mistaken(IDLE, Load(prefill_rate=1000.0, running=3, waiting=2), 0.2)
    assert not mistaken(IDLE, Load(prefill_rate=1000.0, running=4), 0.2)


def test_who_has_not_measured_itself_yet_can_be_reckoned_with():
    assert mistaken(Load(), Load(queue_tokens=500), 0.0)
    assert not mistaken(Load(queue_tokens=500), Load(), 1.0)


def test_interjections_are_bounded_whatever_happens():
    interjections, made, told = Interjections(), [], 0.0
    for step in range(10_000):
        now = step / 1000
        if now >= interjections.earliest(told):
            interjections.made(now)
            told = now
            made.append(now)
    assert len(made) <= EARLY_BURST + 10 * EARLY_RATE
    assert all(after - before >= LEAST_SECONDS - 1e-9 for before, after in pairwise(made))
    assert len([one for one in made if one < 0.2]) == EARLY_BURST


def test_after_a_silence_it_may_speak_at_once():
    interjections = Interjections()
    for _ in range(int(EARLY_BURST)):
        interjections.made(100.0)
    assert interjections.earliest(100.0) > 100.0 + LEAST_SECONDS
    assert interjections.earliest(100.0) <= 100.0 + 1 / EARLY_RATE
    assert interjections.earliest(200.0) == 200.0 + LEAST_SECONDS
