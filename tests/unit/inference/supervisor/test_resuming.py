"""Who is blamed for a worker's death, who goes on, and in which order."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import WorkerDiedError
from engine.inference.supervisor.changes import Changes
from engine.inference.supervisor.resuming import MAX_BLAMED, MAX_DEATHS, ResumableAnswer, Turns, worker_died
from engine.inference.types import Delta, Done, GenerationRequest, PromptMessage, Queued, Started
from engine.wire.answer import Sampling


def request(**options):
    return GenerationRequest(
        model_id="m", messages=(PromptMessage("user", "hello"),), sampling=Sampling(seed=1), **options
    )


def made(number=0, **options):
    return ResumableAnswer(number, request(**options))


def asked(number=0):
    answer = made(number)
    answer.mailbox.sent = answer.suspect = True
    return answer


def test_what_was_delivered_is_what_the_next_worker_continues():
    answer = made(continue_tokens=(1, 2), continue_characters=3)
    assert answer.remaining() is answer.request
    assert answer.take(Started((7, 8), 4)) == Started((7, 8), 4)
    for event in (Delta((3,), "äb"), Delta((4, 5), "")):
        assert answer.take(event) is event
    remaining = answer.remaining()
    assert remaining.continue_tokens == (1, 2, 3, 4, 5)
    assert remaining.continue_characters == 5
    answer.deaths = 1
    assert answer.take(Queued(2, 1.0)) is None
    assert answer.take(Started((7, 8), 0)) is None
    assert answer.take(Done("stop", 2, 6, 0)) == Done("stop", 2, 6, 4)


def test_characters_that_nobody_counted_stay_uncounted():
    answer = made(continue_tokens=(1, 2))
    answer.take(Delta((3,), "abc"))
    assert answer.remaining().continue_characters is None


def test_a_model_that_changed_cannot_go_on_with_an_answer():
    answer = made()
    answer.same_model(b"a")
    answer.same_model(b"b")  # nothing was said yet
    answer.take(Started((1,)))
    answer.take(Delta((3,), "x"))
    answer.same_model(b"b")
    with pytest.raises(WorkerDiedError, match="replaced"):
        answer.same_model(b"c")
    with pytest.raises(WorkerDiedError, match="replaced"):
        answer.take(Started((2,)))


def test_one_suspect_is_blamed_and_several_become_cautious():
    first, second, moved, waiting = asked(1), asked(2), asked(3), made(4)
    moved.heard(Delta((1,), "a"))
    worker_died([first, second, moved, waiting])
    assert [one.blamed for one in (first, second, moved, waiting)] == [0] * 4
    assert [one.cautious for one in (first, second, moved, waiting)] == [True, True, False, False]
    assert [one.deaths for one in (first, second, moved, waiting)] == [1, 1, 1, 0]
    for one in (first, second):
        one.renew()
    first.mailbox.sent = first.suspect = True
    worker_died([first, second, moved, waiting])
    assert (first.blamed, second.blamed) == (1, 0)


def test_who_waits_in_the_workers_queue_is_no_suspect_until_it_has_its_turn():
    answer = asked()
    answer.heard(Queued(3, 1.0))
    assert not answer.suspect
    answer.heard(Started((1,)))
    assert answer.suspect
    answer.heard(Done("length", 1, 1))
    assert not answer.suspect


def test_nobody_is_blamed_while_a_model_is_loading_or_when_the_device_failed():
    answer = asked()
    worker_died([answer], innocent=True)
    assert (answer.blamed, answer.cautious, answer.deaths) == (0, False, 1)


def test_an_answer_is_given_up_after_so_many_blames_or_deaths():
    answer = made()
    for count in range(1, MAX_BLAMED + 1):
        assert not answer.hopeless
        answer.mailbox.sent = answer.suspect = True
        worker_died([answer])
        answer.renew()
        assert answer.blamed == count
    assert answer.hopeless
    other = made()
    other.deaths = MAX_DEATHS
    assert other.hopeless


@settings(max_examples=100, deadline=None)
@given(
    st.integers(1, 6).flatmap(
        lambda size: st.tuples(st.permutations(range(size)), st.sets(st.integers(0, size - 1), max_size=2))
    )
)
async def test_only_poison_is_given_up_whatever_the_order(story):
    """Workers die as soon as they begin a poisoned answer. The innocent are made; the poisoned are given up, and each
    costs a bounded number of workers."""
    order, poisoned = story
    answers = {number: made(number) for number in order}
    changes = Changes()
    turns = Turns(answers.values(), changes)
    workers, done, given_up = [0], set(), set()

    async def run(answer):
        while True:
            life = workers[0]
            async with turns.turn(answer):
                if life != workers[0]:
                    continue
                answer.mailbox.sent = answer.suspect = True
                await asyncio.sleep(0)  # the others may ask
                if life == workers[0] and answer.number in poisoned:
                    workers[0] += 1
                    worker_died([one for one in answers.values() if one.mailbox.sent])
                    changes.notify()
                if life == workers[0]:
                    answer.heard(Delta((1,), "a"))
                    turns.moved(answer)
                    done.add(answer.number)
                    break
            answer.renew()
            if answer.hopeless:
                given_up.add(answer.number)
                break
        del answers[answer.number]
        changes.notify()

    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        for number in order:
            tasks.create_task(run(answers[number]))
    assert given_up == poisoned
    assert done == set(order) - poisoned
    assert workers[0] <= (MAX_BLAMED + 1) * len(poisoned)


async def test_turns_end_with_the_last_cautious_answer_and_never_for_who_was_stopped():
    answers = {number: made(number) for number in range(3)}
    changes = Changes()
    turns = Turns(answers.values(), changes)
    answers[0].cautious = True
    inside = []

    async def run(answer, leave):
        async with turns.turn(answer):
            inside.append(answer.number)
            await leave.wait()

    leaves = [asyncio.Event() for _ in answers]
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(run(answers[number], leaves[number])) for number in answers]
        await asyncio.sleep(0.01)
        assert inside == [0]
        answers[2].stop(WorkerDiedError("stopped"))
        changes.notify()
        await asyncio.sleep(0.01)
        assert inside == [0, 2]
        running[1].cancel()  # in the line
        answers[0].cautious = False
        leaves[0].set()
        leaves[2].set()
    assert inside == [0, 2]
    async with asyncio.timeout(1), turns.turn(answers[1]):
        pass
