"""Tools through the real worker process: whatever random weights say, a forced call is a call of the tool."""

import json

import pytest

from engine.errors import InvalidRequestError
from engine.inference.models.installed import BUILTIN_MODEL
from engine.inference.text.answer_parts import AnswerParser, Content, Reasoning, ToolArguments, ToolCall
from engine.inference.text.parts import merged
from engine.inference.types import AnswerStyle, Constraint, Delta, Done, GenerationRequest, PromptMessage, Started
from engine.wire.answer import Sampling
from tests.integration.test_inference_worker import answer, ids_of, running
from tests.support.chat_templates import SHAPES
from tests.support.tiny_model import make_tiny_model

pytestmark = pytest.mark.timeout(60)

NOTATIONS = {
    "qwen2": "hermes",
    "qwen3": "hermes",
    "llama3": "llama3",
    "mistral": "mistral",
    "mistral-named": "mistral-named",
    "phi4-mini": "phi4",
}
TOOLS = json.dumps(
    [
        {
            "type": "function",
            "function": {
                "name": name,
                "parameters": {
                    "type": "object",
                    "properties": {"place": {"enum": ["Rome", "Oslo"]}, "days": {"type": "integer", "maximum": 99}},
                    "required": ["place"],
                    "additionalProperties": False,
                },
            },
        }
        for name in ("weather", "news")
    ]
)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    make_tiny_model(root / "builtin")
    for shape in (*NOTATIONS, "deepseek-r1"):
        folder = make_tiny_model(root / "models" / shape, context=2048)
        (folder / "chat_template.jinja").write_text(SHAPES[shape], encoding="utf-8")
    return root


def ask(model, seed=1, **options):
    options = {"max_tokens": 400, "tools": TOOLS, "parallel_tool_calls": False} | options
    sampling = Sampling(seed=seed, temperature=1.0)
    return GenerationRequest(model_id=model, messages=(PromptMessage("user", "q"),), sampling=sampling, **options)


def read(events):
    """The parts of an answer, and how it ended."""
    started = next(event for event in events if isinstance(event, Started))
    parser = AnswerParser(started.style, True)
    parts = [part for event in events if isinstance(event, Delta) for part in parser.push(event.text)]
    assert isinstance(events[-1], Done)
    return merged([*parts, *parser.flush()]), events[-1].reason


def check_calls(parts, names):
    calls = [part.name for part in parts if isinstance(part, ToolCall)]
    arguments = [json.loads(part.text) for part in parts if isinstance(part, ToolArguments)]
    assert len(calls) == len(arguments) > 0
    assert set(calls) <= names
    assert all(one.get("place") in ("Rome", "Oslo") and one.keys() <= {"place", "days"} for one in arguments)
    assert not any(isinstance(part, Content) for part in parts)
    return calls


async def test_forced_calls_are_calls_in_every_notation(models):
    async with running(models, slots=4) as supervisor:
        for shape, notation in NOTATIONS.items():
            for seed in (1, 2):
                events = await answer(supervisor, ask(shape, seed, tool_choice="required"))
                started = next(event for event in events if isinstance(event, Started))
                assert started.style.tool_calls == notation
                parts, reason = read(events)
                assert check_calls(parts, {"weather", "news"})[1:] == []
                assert reason == "stop"
                parts, _ = read(await answer(supervisor, ask(shape, seed, tool_choice="function:news")))
                assert check_calls(parts, {"news"}) == ["news"]
        assert {info.model_id: info.tools for info in supervisor.models()}["qwen2"]


async def test_tools_that_are_hidden_leave_the_prompt_as_it_is(models):
    async with running(models) as supervisor:
        hidden = await answer(supervisor, ask("qwen2", tool_choice="none", max_tokens=8))
        without = await answer(supervisor, ask("qwen2", tools="", max_tokens=8))
        assert ids_of(hidden) == ids_of(without)
        assert hidden[0] == without[0]
        assert hidden[0].style == AnswerStyle("hermes")


async def test_a_form_begins_after_the_reasoning_that_the_prompt_opens(models):
    """Random weights hardly ever say </think>: the answer is reasoning to the end, and never ends by itself."""
    form = Constraint("json_object")
    async with running(models) as supervisor:
        events = await answer(supervisor, ask("deepseek-r1", tools="", constraint=form, max_tokens=60))
        parts, reason = read(events)
        assert reason == "length"
        assert [type(part) for part in parts] == [Reasoning]


REFUSED = [
    (ask("qwen2", tool_choice="required", constraint=Constraint("json_object")), "at the same time"),
    (ask("qwen2", tool_choice="required", tools=""), "no tools"),
    (ask("qwen2", tool_choice="function:moon"), "called 'moon'"),
    (ask("qwen2", tool_choice="sometimes"), "not known"),
    (ask("deepseek-r1", tool_choice="required"), "tools"),
    (ask(BUILTIN_MODEL), "tools"),
]


async def test_what_cannot_be_forced_is_refused_in_words_and_the_worker_lives(models):
    async with running(models) as supervisor:
        for request, words in REFUSED:
            with pytest.raises(InvalidRequestError, match=words):
                await answer(supervisor, request)
        parts, _ = read(await answer(supervisor, ask("qwen2", tool_choice="required")))
        assert check_calls(parts, {"weather", "news"})
        assert [state.name for state in supervisor.states].count("starting") == 1


async def test_parameters_that_no_call_can_follow_are_an_error_of_the_tools(models):
    def tool(**parameters):
        return json.dumps([{"type": "function", "function": {"name": "find", **parameters}}])

    async with running(models) as supervisor:
        with pytest.raises(InvalidRequestError, match=r"parameters of these tools.* Invalid type: wizard\. ") as caught:
            await answer(supervisor, ask("qwen3", tools=tool(parameters={"type": "wizard"}), tool_choice="required"))
        assert caught.value.parameter == "tools"
        events = await answer(supervisor, ask("qwen3", tools=tool(parameters=None), tool_choice="required"))
        assert isinstance(events[-1], Done)
