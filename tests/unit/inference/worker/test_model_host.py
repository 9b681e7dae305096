"""Requests through scheduler, sampler and text with a model that says what the test wants."""

from types import SimpleNamespace

import numpy as np
import pytest

from engine.clock import ManualClock
from engine.errors import (
    ContextLengthError,
    InferenceError,
    InvalidRequestError,
    ProviderFailedError,
    RequestError,
)
from engine.inference.runtime.runner import StepLogits
from engine.inference.sampling.constraint import GrammarFactory
from engine.inference.scheduling.plan import CacheEvent
from engine.inference.scheduling.prefix_cache import PrefixCache
from engine.inference.scheduling.scheduler import Scheduler, SchedulerSettings
from engine.inference.text.prompt import Prompt
from engine.inference.types import (
    AnswerStyle,
    Delta,
    Done,
    GenerationRequest,
    ModelInfo,
    PromptMessage,
    Queued,
    Started,
)
from engine.inference.worker import model_host as module
from engine.inference.worker.model_host import ModelHost
from engine.wire.answer import Sampling

END = 0


class ScriptedModel:
    """Says the script's bytes one after the other, then the end token; the end token is always second best."""

    bytes_per_token = 1

    def __init__(self, script):
        self.script = script
        self.fed = []
        self.stored = []
        self.closed = False

    def reserve(self, capacity): ...

    def release_slots(self, slots): ...

    def free_blocks(self, blocks): ...

    def move(self, source, target, length): ...

    def load_blocks(self, slot, blocks): ...

    def store_block(self, slot, position, block):
        self.stored.append(block)

    def close(self):
        self.closed = True

    def step(self, rows, top=0):
        self.fed.extend(list(row.ids) for row in rows)
        logits = [self.after(row.start + len(row.ids)) for row in rows if row.draw]
        return StepLogits(np.array(logits, dtype=np.float32).reshape(-1, 256), None, None)

    def after(self, length):
        logits = np.zeros(256, dtype=np.float32)
        logits[END] = 5
        if 0 <= length - 3 < len(self.script):
            logits[self.script[length - 3]] = 9
        return logits


class BrokenModel(ScriptedModel):
    """Fails in every step that feeds the token 2; its numbers are none where no error is given."""

    def __init__(self, error=None):
        super().__init__(b"hello")
        self.error = error

    def step(self, rows, top=0):
        if self.error and any(2 in row.ids for row in rows):
            raise self.error
        logits = super().step(rows, top)
        for place, row in enumerate([row for row in rows if row.draw]):
            if 2 in row.ids:
                logits.logits[place] = np.nan
        return logits


class Bytes:
    """Three prompt tokens for everybody; ids are bytes."""

    def prompt(self, request):
        message = request.messages[0]
        if message.role == "wizard":
            raise InvalidRequestError("no wizards")
        style = AnswerStyle("hermes" if message.content == "hermes" else "")
        return Prompt(
            (2 if message.content == "bad" else 1,) * (3 if style.tool_calls else len(message.content)), style
        )

    def public_tokens(self, request, prompt_ids):
        return request.public_characters

    def token_bytes(self, token):
        return bytes([token])

    def decode(self, ids):
        return bytes(ids).decode("utf-8", "replace")


def request(content="abc", role="user", **options):
    return GenerationRequest(
        model_id="m", messages=(PromptMessage(role, content),), sampling=Sampling(seed=1, temperature=0), **options
    )


def host_of(model, info, clock, emit, slots):
    settings = SchedulerSettings(info.context_length, frozenset({END}), slots=slots, queue_limit=1, step_tokens=8)
    scheduler = Scheduler(settings, PrefixCache(b"d", 12))
    tokenizer = lambda: ""  # noqa: E731 - none of these answers has a form to match
    return ModelHost(info, model, Bytes(), GrammarFactory(tokenizer, 256, {END}), scheduler, clock, emit)


class Fixture:
    def __init__(self, model, slots=2):
        self.events: list = []
        self.clock = ManualClock()
        info = ModelInfo(model_id="m", digest=b"d", tokenizer_digest=b"t", context_length=50, slots=slots)
        self.host = host_of(model, info, self.clock, lambda key, event: self.events.append((key, event)), slots)

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
    assert fixture.host.info().kv_tokens_free == 384


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
def test_a_step_that_fails_ends_the_answer_that_is_to_blame_and_no_other(error):
    fixture = Fixture(BrokenModel(error))
    fixture.host.submit(1, request())
    fixture.host.step()
    fixture.host.submit(2, request("bad"))
    fixture.run()
    assert isinstance(fixture.of(2)[-1], RequestError)
    assert (fixture.text(1), fixture.of(1)[-1]) == ("hello", Done("stop", 3, 6))
    assert fixture.host.info().kv_tokens_free == 384


def test_a_provider_that_fails_is_for_the_process_to_tell():
    fixture = Fixture(BrokenModel(ProviderFailedError("device lost")))
    fixture.host.submit(1, request("bad"))
    with pytest.raises(ProviderFailedError):
        fixture.run()


CALL = '<tool_call>{"name": "f"}</tool_call>'


def test_an_answer_may_end_after_one_call():
    """The bracket that completes the call is its last token, also where the answer is continued by another worker."""
    whole = make((CALL * 2).encode())
    tools = {"tools": "[{}]", "parallel_tool_calls": False}
    whole.host.submit(1, request("hermes", **tools))
    whole.run()
    assert whole.text(1) == CALL.removesuffix("</tool_call>")
    assert whole.of(1)[-1].reason == "stop"
    assert whole.of(1)[0].style == AnswerStyle("hermes")
    for place in (1, 20, len(whole.ids(1)) - 1):
        rest = make((CALL * 2).encode())
        rest.host.submit(1, request("hermes", continue_tokens=whole.ids(1)[:place], **tools))
        rest.run()
        assert rest.ids(1) == whole.ids(1)[place:]
    many = make((CALL * 2).encode())
    many.host.submit(1, request("hermes", tools="[{}]", max_tokens=len(CALL)))
    many.run()
    assert many.text(1) == CALL


def test_log_probabilities_come_with_the_tokens():
    fixture = make()
    fixture.host.submit(1, request(top_logprobs=2))
    fixture.run()
    first = next(event for event in fixture.of(1) if isinstance(event, Delta)).logprobs[0]
    expected = np.log(np.exp(9) / (np.exp(9) + np.exp(5) + 254))
    assert (first.token, first.text) == (104, b"h")
    assert first.logprob == pytest.approx(expected)
    assert [token for token, _, _ in first.top] == [104, END]
    fixture.host.submit(2, request())
    fixture.run()
    assert all(not event.logprobs for event in fixture.of(2) if isinstance(event, Delta))


def test_the_public_part_of_a_prompt_is_news():
    fixture = make()
    fixture.host.submit(1, request("x" * 40, public_characters=32, cache_salt=b"s"))
    fixture.run()
    (news,) = fixture.host.cache_news()
    assert [(change.inserted, len(change.path), change.ids) for change in news.changes] == [(True, 1, (1,) * 32)]
    assert not news.reset
    assert fixture.host.cache_news() == []
    fixture.host.submit(2, request("x" * 40, public_characters=32, cache_salt=b"t"))
    fixture.run()
    assert fixture.of(2)[0] == Started((1,) * 40, 32)
    assert fixture.of(2)[-1].cached_tokens == 32


@pytest.mark.parametrize("lost", [False, True])
def test_much_news_comes_in_pieces_that_fit_into_a_frame(monkeypatch, lost):
    """Lost events are made good by all that is there, which may be much; only the first piece is the reset."""
    monkeypatch.setattr(module, "NEWS_SIZE", 100)
    there = [CacheEvent(True, (b"d",) * depth, (1,) * 32) for depth in range(1, 8)]
    cache = SimpleNamespace(public_blocks=lambda: iter(there))
    host = make().host
    host._scheduler = SimpleNamespace(events_lost=int(lost), events=lambda: [] if lost else there, cache=cache)
    pieces = host.cache_news()
    assert [piece.reset for piece in pieces] == [lost, False, False, False]
    assert [len(change.path) for piece in pieces for change in piece.changes] == list(range(1, 8))
    assert all(sum(len(one.path) + len(one.ids) for one in piece.changes) <= 100 for piece in pieces)


def test_less_memory_ends_what_cannot_fit_any_more():
    fixture = make()
    fixture.host.submit(1, request("x" * 40))
    fixture.host.submit(2, request())
    fixture.host.set_budget(32)
    fixture.run()
    assert fixture.of(1)[-1].code == "overloaded"
    assert fixture.text(2) == "hello"


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
    assert fixture.host._model.closed


def test_the_smallest_context_can_be_measured():
    model = ScriptedModel(b"")
    info = ModelInfo(model_id="m", digest=b"d", tokenizer_digest=b"t", context_length=1, slots=1)
    host_of(model, info, ManualClock(), lambda _key, _event: None, 1).measure()
    assert all(model.fed)


@pytest.mark.parametrize("stop", [(), ("🎈 w",), ("ld!!",)])
def test_an_answer_goes_on_behind_any_token_and_any_character(stop):
    """Whoever made its beginning may have gone away between a token and its text, in the middle of a character, or with
    the beginning of a stop string held back: nothing is lost and nothing is told twice."""
    written = "hä 🎈 wörld!".encode()
    whole = make(written)
    whole.host.submit(1, request(stop=stop))
    whole.run()
    deltas = [event for event in whole.of(1) if isinstance(event, Delta)]
    for place in range(1, len(whole.ids(1)) + 1):
        shown = "".join(delta.text for delta in deltas[:place])
        for missed in range(min(3, len(shown)) + 1):
            delivered = shown[: len(shown) - missed]
            rest = make(written)
            rest.host.submit(
                1, request(stop=stop, continue_tokens=whole.ids(1)[:place], continue_characters=len(delivered))
            )
            rest.run()
            assert delivered + rest.text(1) == whole.text(1)
            assert whole.ids(1)[:place] + rest.ids(1) == whole.ids(1)
            assert rest.of(1)[-1] == whole.of(1)[-1]
