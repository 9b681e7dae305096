"""Requests through scheduler, sampler and text with a model that says what the test wants."""

import numpy as np
import pytest

from engine.clock import ManualClock
from engine.errors import ContextLengthError, InferenceError, InvalidRequestError, RequestError
from engine.inference.scheduling.first_cut import KvBudget, SchedulerSettings
from engine.inference.types import Delta, Done, GenerationRequest, ModelInfo, PromptMessage, Queued, Started
from engine.inference.worker.model_host import ModelHost
from engine.wire.answer import Sampling

END = 0


class ScriptedModel:
    """Says the script's bytes one after the other, then the end token; the end token is always second best."""

    def __init__(self, script):
        self.script = script
        self.fed = []

    def new_state(self):
        return {"length": 0}

    def feed(self, state, ids):
        self.fed.append(list(ids))
        state["length"] += len(ids)
        place = state["length"] - 3
        logits = np.zeros(256, dtype=np.float32)
        logits[END] = 5
        if 0 <= place < len(self.script):
            logits[self.script[place]] = 9
        return logits


class BrokenModel(ScriptedModel):
    def __init__(self, error=None):
        super().__init__(b"")
        self.error = error

    def feed(self, state, ids):
        if self.error:
            raise self.error
        return np.full(256, np.nan, dtype=np.float32)


class Bytes:
    """Three prompt tokens for everybody; ids are bytes."""

    def prompt_ids(self, messages):
        if messages[0].role == "wizard":
            raise InvalidRequestError("no wizards")
        return (1,) * len(messages[0].content)

    def decode(self, ids):
        return bytes(ids).decode("utf-8", "replace")


def request(content="abc", role="user", **options):
    return GenerationRequest(
        model_id="m", messages=(PromptMessage(role, content),), sampling=Sampling(seed=1, temperature=0), **options
    )


class Fixture:
    def __init__(self, model, slots=2):
        self.events: list = []
        self.clock = ManualClock()
        info = ModelInfo(model_id="m", digest=b"d", tokenizer_digest=b"t", context_length=50, slots=slots)
        settings = SchedulerSettings(50, frozenset({END}), slots=slots, queue_limit=1, prefill_chunk=8)
        emit = lambda key, event: self.events.append((key, event))  # noqa: E731
        self.host = ModelHost(info, model, Bytes(), settings, KvBudget(400), self.clock, emit)

    def run(self, steps=200):
        for _ in range(steps):
            if not self.host.step():
                return

    def of(self, key):
        return [event for one, event in self.events if one == key]

    def text(self, key):
        return "".join(event.text for event in self.of(key) if isinstance(event, Delta))

    def ids(self, key):
        return tuple(one for event in self.of(key) if isinstance(event, Delta) for one in event.ids)


def make(script=b"hello", slots=2):
    return Fixture(ScriptedModel(script), slots)


def test_an_answer_from_start_to_end():
    fixture = make("hé!".encode())
    fixture.host.submit(1, request())
    fixture.run()
    events = fixture.of(1)
    assert events[0] == Started((1, 1, 1))
    assert fixture.text(1) == "hé!"
    assert fixture.ids(1) == (*"hé!".encode(), END)
    assert events[-1] == Done("stop", 3, 5)
    assert fixture.host.info().kv_tokens_free == 400


def test_length_and_stop_strings():
    fixture = make()
    fixture.host.submit(1, request(max_tokens=2))
    fixture.host.submit(2, request(stop=("lo",)))
    fixture.run()
    assert (fixture.text(1), fixture.of(1)[-1]) == ("he", Done("length", 3, 2))
    assert (fixture.text(2), fixture.of(2)[-1]) == ("hel", Done("stop", 3, 5))


def test_text_held_for_a_stop_string_comes_with_the_end():
    fixture = make()
    fixture.host.submit(1, request(stop=("lox",)))
    fixture.run()
    assert fixture.text(1) == "hello"


def test_min_tokens_suppress_the_end():
    fixture = make(b"")
    fixture.host.submit(1, request(min_tokens=4))
    fixture.run()
    ids = fixture.ids(1)
    assert len(ids) == 5
    assert END not in ids[:4]


def test_a_continued_answer_is_the_same_answer():
    whole = make()
    whole.host.submit(1, request(stop=("lo",)))
    whole.run()
    deltas = [event for event in whole.of(1) if isinstance(event, Delta)]
    for place in range(1, 5):
        delivered = "".join(delta.text for delta in deltas[:place])
        fixture = make()
        fixture.host.submit(1, request(stop=("lo",), continue_tokens=whole.ids(1)[:place]))
        fixture.run()
        assert fixture.ids(1) == whole.ids(1)[place:]
        assert fixture.of(1)[-1] == whole.of(1)[-1]
        assert delivered + fixture.text(1) == whole.text(1) == "hel"


@pytest.mark.parametrize(
    ("tokens", "options", "reason"),
    [((104, END), {}, "stop"), ((104, 101), {"max_tokens": 2}, "length"), ((104, 105), {"stop": ("hi",)}, "stop")],
)
def test_a_continued_answer_that_is_complete_ends_at_once(tokens, options, reason):
    fixture = make(slots=1)
    fixture.host.submit(1, request())
    fixture.host.submit(2, request(continue_tokens=tokens, **options))
    fixture.run()
    assert fixture.of(2)[-2:] == [Started((1, 1, 1)), Done(reason, 3, 2)]
    assert fixture.ids(2) == ()


def test_waiting_requests_hear_their_place_and_start_when_it_is_their_turn():
    fixture = make(slots=1)
    fixture.host.submit(1, request())
    fixture.host.submit(2, request())
    assert [event.place for event in fixture.of(2)] == [1]
    assert isinstance(fixture.of(2)[0], Queued)
    fixture.host.submit(3, request())
    assert fixture.of(3)[0].code == "overloaded"
    fixture.run()
    assert fixture.text(2) == "hello"


def test_cancelling_ends_silently_and_frees_the_place():
    fixture = make(slots=1)
    fixture.host.submit(1, request())
    fixture.host.submit(2, request())
    fixture.host.step()
    fixture.host.cancel(1)
    count = len(fixture.of(1))
    fixture.run()
    assert len(fixture.of(1)) == count
    assert fixture.text(2) == "hello"
    fixture.host.cancel(1)


@pytest.mark.parametrize(
    ("bad", "error"), [(request(role="wizard"), InvalidRequestError), (request("x" * 50), ContextLengthError)]
)
def test_bad_requests_fail_alone(bad, error):
    fixture = make()
    fixture.host.submit(1, request())
    fixture.host.submit(2, bad)
    fixture.run()
    assert [type(event) for event in fixture.of(2)] == [error]
    assert fixture.text(1) == "hello"


@pytest.mark.parametrize("error", [None, InferenceError("out of memory")])
def test_a_model_that_fails_ends_the_answer_with_an_error(error):
    fixture = Fixture(BrokenModel(error))
    fixture.host.submit(1, request())
    fixture.run()
    assert isinstance(fixture.of(1)[-1], RequestError)
    assert fixture.host.info().kv_tokens_free == 400


def test_long_prompts_are_fed_in_chunks():
    model = ScriptedModel(b"")
    fixture = Fixture(model)
    fixture.host.submit(1, request("x" * 20))
    fixture.run()
    assert [len(ids) for ids in model.fed] == [8, 8, 4]


def test_unloading_ends_every_answer():
    fixture = make(slots=1)
    fixture.host.submit(1, request())
    fixture.host.submit(2, request())
    fixture.host.close(RequestError("gone"))
    assert isinstance(fixture.of(1)[-1], RequestError)
    assert isinstance(fixture.of(2)[-1], RequestError)
    assert not fixture.host.step()


def test_the_smallest_context_can_be_measured():
    model = ScriptedModel(b"")
    info = ModelInfo(model_id="m", digest=b"d", tokenizer_digest=b"t", context_length=1, slots=1)
    settings = SchedulerSettings(1, frozenset({END}))
    ModelHost(info, model, Bytes(), settings, KvBudget(1), ManualClock(), lambda _key, _event: None).measure()
    assert all(model.fed)
