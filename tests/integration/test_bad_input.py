"""Bad input through the real worker process: a clear error, nothing lost, the same worker answers the next request."""

import asyncio
import json
import os

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from engine.errors import ContextLengthError, InvalidRequestError, OverloadedError, RequestError, UnknownModelError
from engine.inference.models.installed import BUILTIN_MODEL
from engine.inference.pipe import SetBudget
from engine.inference.types import Constraint, Delta, Done, GenerationRequest, PromptMessage
from engine.wire.answer import Sampling
from tests.integration.test_inference_worker import answer, ask, ids_of, running
from tests.support.tiny_model import make_tiny_model

pytestmark = pytest.mark.timeout(120)

POISON = 100
"""A token that makes a model's numbers none: as it stands, or with every prompt that holds it."""


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    make_tiny_model(root / "builtin")
    for name, spoil in SPOILT.items():
        spoil(make_tiny_model(root / "models" / name))
    return root


def graph_of(folder):
    return onnx.load(folder / "model.onnx")


def truncated(folder):
    content = (folder / "model.onnx").read_bytes()
    (folder / "model.onnx").write_bytes(content[: len(content) // 2])


def garbage(folder):
    (folder / "model.onnx").write_bytes(os.urandom(100_000))


def unknown_operator(folder):
    """A whole file that only the runtime refuses."""
    model = graph_of(folder)
    model.graph.node[0].op_type = "Nonsense"
    onnx.save(model, folder / "model.onnx")


def wrong_shape(folder):
    """Loads, and fails when it is computed."""
    model = graph_of(folder)
    weight = next(one for one in model.graph.initializer if list(one.dims) == [64, 96])
    weight.CopyFrom(numpy_helper.from_array(np.zeros((60, 96), np.float32), weight.name))
    onnx.save(model, folder / "model.onnx")


def larger_tokenizer(folder):
    content = json.loads((folder / "tokenizer.json").read_text())
    content["added_tokens"] += [
        {**content["added_tokens"][0], "id": 300 + number, "content": f"<|more{number}|>"} for number in range(500)
    ]
    (folder / "tokenizer.json").write_text(json.dumps(content))


def sparse_tokenizer(folder):
    """As many tokens as the model has, but one of them with a number beyond."""
    content = json.loads((folder / "tokenizer.json").read_text())
    vocabulary = content["model"]["vocab"]
    vocabulary["z"] = 5000
    (folder / "tokenizer.json").write_text(json.dumps(content))


def no_tokenizer(folder):
    (folder / "tokenizer.json").write_text('{"model": "nonsense"}')


def broken_template(folder):
    (folder / "chat_template.jinja").write_text("{% for message in messages %}{{ message.content }}")


def failing_template(folder):
    (folder / "chat_template.jinja").write_text("{{ messages[0].content }}{{ nothing.at.all }}")


def none_after_poison(folder):
    """The embedding of one token is no number: keys and values are none from there on."""
    model = graph_of(folder)
    table = next(one for one in model.graph.initializer if one.dims[-1] == 64 and one.dims[0] > 200)
    values = numpy_helper.to_array(table).copy()
    values[POISON] = np.nan
    table.CopyFrom(numpy_helper.from_array(values, table.name))
    onnx.save(model, folder / "model.onnx")


def infinite_at_poison(folder):
    """The logits right after one token are infinite."""
    model = graph_of(folder)
    graph = model.graph
    head = next(node for node in graph.node if "logits" in node.output)
    head.output[0] = "finite"
    for name, value in {"poison": np.array(POISON), "infinite": np.float32(np.inf), "nothing": np.float32(0)}.items():
        graph.initializer.append(numpy_helper.from_array(np.asarray(value), name))
    graph.initializer.append(numpy_helper.from_array(np.array([2]), "last axis"))
    graph.node.extend(
        [
            helper.make_node("Equal", ["input_ids", "poison"], ["found"]),
            helper.make_node("Where", ["found", "infinite", "nothing"], ["added"]),
            helper.make_node("Unsqueeze", ["added", "last axis"], ["wide"]),
            helper.make_node("Add", ["finite", "wide"], ["logits"]),
        ]
    )
    assert graph.output[0].type.tensor_type.elem_type == TensorProto.FLOAT
    onnx.save(model, folder / "model.onnx")


SPOILT = {
    spoil.__name__: spoil
    for spoil in (
        truncated,
        garbage,
        unknown_operator,
        wrong_shape,
        larger_tokenizer,
        sparse_tokenizer,
        no_tokenizer,
        broken_template,
        failing_template,
        none_after_poison,
        infinite_at_poison,
    )
}


@pytest.fixture(scope="module")
def loop():
    """One event loop for the module's one worker."""
    with asyncio.Runner() as runner:
        yield runner


async def together(supervisor, *requests):
    """Everybody's events, or the error that ended them."""
    return await asyncio.gather(*(answer(supervisor, one) for one in requests), return_exceptions=True)


class Served:
    """A worker with one good answer that every bad request is compared by."""

    def __init__(self, supervisor, loop):
        self.supervisor, self.loop = supervisor, loop
        self.expected = ids_of(self.run(answer(supervisor, ask())))
        self.pid = supervisor.worker_pid()

    def run(self, work):
        return self.loop.run(work)

    def refuses(self, request, kind, said):
        """``request`` ends with an error that says ``said``, beside a good one and before another."""

        good, bad = self.run(together(self.supervisor, ask(), request))
        assert isinstance(bad, kind), repr(bad)[:500]
        for part in said:
            assert part in str(bad)
        assert len(str(bad)) < 1000
        assert ids_of(good) == self.expected
        self.answers()

    def answers(self):
        """The same worker gives the same answer as before."""
        assert ids_of(self.run(answer(self.supervisor, ask()))) == self.expected
        assert self.supervisor.worker_pid() == self.pid
        assert self.supervisor.restarts == 0


@pytest.fixture(scope="module")
def served(models, loop):
    context = running(models)
    supervisor = loop.run(context.__aenter__())
    yield Served(supervisor, loop)
    loop.run(context.__aexit__(None, None, None))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("truncated", ["truncated", "model.onnx", "ownload"]),
        ("garbage", ["garbage", "model.onnx", "ownload"]),
        ("unknown_operator", ["model.onnx cannot be loaded", "Nonsense", "ownload"]),
        ("wrong_shape", ["model.onnx", "another variant"]),
        ("larger_tokenizer", ["tokenizer.json has", "different models"]),
        ("no_tokenizer", ["tokenizer.json", "again"]),
    ],
)
def test_a_damaged_model_is_refused_and_its_file_named(served, name, said):
    served.refuses(ask(model=name), UnknownModelError, said)


def test_a_token_beyond_the_models_vocabulary_is_an_error_of_the_request_that_has_it(served):
    served.refuses(ask("zzz", model="sparse_tokenizer"), InvalidRequestError, ["token 5000", "different models"])
    assert ids_of(served.run(answer(served.supervisor, ask(model="sparse_tokenizer"))))


def test_a_template_that_is_none_is_said(served):
    served.refuses(ask(model="broken_template"), RequestError, ["template", "broken_template"])


def test_a_template_that_fails_is_an_error_of_the_request(served):
    served.refuses(ask(model="failing_template"), InvalidRequestError, ["template", "failing_template", "nothing"])


def continuing(*ids, **options):
    return ask(continue_tokens=ids, max_tokens=60, min_tokens=60, **options)


@pytest.mark.parametrize("model", ["none_after_poison", "infinite_at_poison"])
def test_numbers_that_are_none_end_their_own_answer_only(served, model):
    """Beside it, and after it with the same prompt and the cache that it may have left, answers are as before."""
    long = "a long question " * 12
    shared = {"model": model, "content": long, "cache_salt": b"s" * 32, "public_characters": 100}

    poisoned = continuing(*range(40, 80), POISON, **shared)
    requests = [ask(**shared), ask(**shared, seed=9), ask(model=model), poisoned, poisoned]
    alone = [served.run(answer(served.supervisor, ask(**shared, seed=seed))) for seed in (3, 9)]
    for _ in range(2):
        *good, one, other = served.run(together(served.supervisor, *requests))
        for error in (one, other):
            assert isinstance(error, RequestError), repr(error)
            assert "computed values that are not numbers" in str(error)
        assert [ids_of(events) for events in good[:2]] == [ids_of(events) for events in alone]
        assert isinstance(good[2][-1], Done)
    served.answers()


@pytest.mark.parametrize(
    ("options", "kind", "said"),
    [
        ({"content": "long " * 600}, ContextLengthError, ["holds 512 together", "Shorten"]),
        ({"max_tokens": 0}, InvalidRequestError, ["max_tokens is 0"]),
        ({"max_tokens": -3}, InvalidRequestError, ["max_tokens is -3"]),
        ({"min_tokens": -1}, InvalidRequestError, ["min_tokens is -1"]),
        ({"min_tokens": 10**9, "max_tokens": None}, ContextLengthError, ["1000000000", "512"]),
        ({"max_tokens_per_second": -1.0}, InvalidRequestError, ["-1.0", "positive"]),
        ({"top_logprobs": 99}, InvalidRequestError, ["top_logprobs is 99"]),
        (
            {"stop": tuple(f"stop{number}" for number in range(1_000_000))},
            InvalidRequestError,
            ["1000000 stop strings"],
        ),
        ({"stop": ("x" * 10_000_000,)}, InvalidRequestError, ["10000000 characters"]),
        ({"constraint": Constraint("json_schema", "{")}, InvalidRequestError, ["JSON schema", "JSON"]),
        ({"constraint": Constraint("json_schema", '{"type": "nonsense"}')}, InvalidRequestError, ["JSON schema"]),
        ({"constraint": Constraint("json_schema", "[" * 50_000)}, InvalidRequestError, ["100 levels"]),
        ({"constraint": Constraint("regex", "(")}, InvalidRequestError, ["regular expression"]),
        ({"constraint": Constraint("lark", "nonsense")}, InvalidRequestError, ["grammar"]),
        ({"tools": "{"}, InvalidRequestError, ["tools cannot be read"]),
        ({"template_options": "["}, InvalidRequestError, ["template_kwargs cannot be read"]),
        ({"continue_tokens": (10**6,)}, InvalidRequestError, ["1000000", "numbered 0 to 290"]),
        ({"continue_tokens": (-1,)}, InvalidRequestError, ["-1", "vocabulary"]),
        ({"continue_tokens": (2**40,)}, InvalidRequestError, [str(2**40), "vocabulary"]),
        ({"temperature": -1.0}, InvalidRequestError, ["temperature"]),
        ({"model": "../../etc"}, UnknownModelError, ["no model '../../etc'"]),
    ],
)
def test_a_bad_parameter_is_refused_by_name(served, options, kind, said):
    served.refuses(ask(**options), kind, said)


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ((), ["no messages"]),
        ((PromptMessage("wizard", "hello"),), ["'wizard'", "user, assistant, tool"]),
        ((PromptMessage("", "hello"),), ["role ''"]),
        ((PromptMessage("user", "hello"), PromptMessage("system", "late")), ["system message comes first"]),
        ((PromptMessage("assistant", "x", tool_calls="{"),), ["cannot be read as JSON"]),
        ((PromptMessage("user", "\ud800"),), ["half of a character"]),
    ],
)
def test_a_bad_conversation_is_refused(served, messages, said):
    request = GenerationRequest(model_id=BUILTIN_MODEL, messages=messages, sampling=Sampling(seed=1), max_tokens=5)
    served.refuses(request, InvalidRequestError, said)


def test_a_budget_below_one_sequence_refuses_and_a_larger_one_serves_again(served):
    """Memory is taken away in the middle of an answer: it ends with an error that says so, and nothing else is lost."""
    supervisor = served.supervisor
    bytes_per_token = 2 * 2 * 2 * 16 * 4

    async def cut_short():
        ids = 0
        async for event in supervisor.generate(ask(max_tokens=400, min_tokens=400, max_tokens_per_second=50)):
            ids += isinstance(event, Delta)
            if ids == 3:
                supervisor._tell(SetBudget(BUILTIN_MODEL, 10 * bytes_per_token))

    with pytest.raises(OverloadedError, match="cut to 0 tokens"):
        served.run(cut_short())
    with pytest.raises(OverloadedError, match="no memory"):
        served.run(answer(supervisor, ask()))
    supervisor._tell(SetBudget(BUILTIN_MODEL, 4096 * bytes_per_token))
    served.answers()
