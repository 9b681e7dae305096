"""Answers are taken apart the same way however their text is cut; what is no call is content."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.inference.text.answer_parts import AnswerParser, Content, Reasoning, ToolArguments, ToolCall
from engine.inference.text.call_notations import NOTATIONS
from engine.inference.text.parts import merged
from engine.inference.types import AnswerStyle

THINK = ("<think>", "</think>")
STYLES = [AnswerStyle(name, *THINK) for name in ["", *NOTATIONS]]


def parse(text, style, *, tools=True, cuts=()):
    parser = AnswerParser(style, tools)
    parts = []
    for begin, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        parts += parser.push(text[begin:end])
    return merged([*parts, *parser.flush()])


def calls(*named):
    """The parts of calls, [(name, arguments' text)]."""
    return [part for i, (name, text) in enumerate(named) for part in (ToolCall(i, name), ToolArguments(i, text))]


F = ("f", '{"a": 1}')
G = ("g", "{}")


@pytest.mark.parametrize(
    ("notation", "text", "expected"),
    [
        ("hermes", '<tool_call>\n{"name": "f", "arguments": {"a": 1}}\n</tool_call>', calls(F)),
        (
            "hermes",
            'Let me see.\n<tool_call>\n{"name": "f", "arguments": {"a": 1}}\n</tool_call>\n<tool_call>{"name": "g"}',
            [Content("Let me see."), *calls(F, G)],
        ),
        ("hermes", '<tool_call>{"arguments": {"a": 1}, "name": "f"}</tool_call> Done', [*calls(F), Content("Done")]),
        ("hermes", '<tool_call>{"name": "g"}</tool_call>', calls(G)),
        ("hermes", '<tool_call>{"name": "f", "arguments": "{\\"a\\": 1}"}</tool_call>', calls(F)),
        ("hermes", '<tool_call>{"name": "f", "arguments": {"a": 1}}', calls(F)),
        ("hermes", '<tool_call>[{"name": "f", "arguments": {"a": 1}}]</tool_call>', calls(F)),
        ("hermes", '<tool_call>{"name":"f","arguments":{"a": 1}}{"name":"g","arguments":{}}</tool_call>', calls(F, G)),
        ("llama3", '{"name": "f", "parameters": {"a": 1}}', calls(F)),
        ("llama3", '{"type": "function", "name": "f", "parameters": {"a": 1}}', calls(F)),
        ("llama3", '<|python_tag|>{"name": "f", "parameters": {"a": 1}}', calls(F)),
        ("llama3", '{"name": "f", "parameters": {"a": 1}}; {"name": "g", "parameters": {}}', calls(F, G)),
        ("llama3", '{"name": "Ann", "id": 3}', [Content('{"name": "Ann", "id": 3}')]),
        ("llama3", '<|python_tag|>{"name": "g"}', calls(G)),
        ("llama3", '{"answer": 42}', [Content('{"answer": 42}')]),
        ("llama3", 'Write {"name": "f", "parameters": {}}', [Content('Write {"name": "f", "parameters": {}}')]),
        ("llama3", '<|python_tag|>search.call(q="x")', [Content('<|python_tag|>search.call(q="x")')]),
        (
            "mistral",
            '[TOOL_CALLS] [{"name": "f", "arguments": {"a": 1}, "id": "x"}, {"name": "g", "arguments": {}}]',
            calls(F, G),
        ),
        ("mistral-named", '[TOOL_CALLS]f[ARGS]{"a": 1}[TOOL_CALLS]g[CALL_ID]9xQ[ARGS]{}', calls(F, G)),
        ("mistral-named", '[TOOL_CALLS]f{"a": 1}', calls(F)),
        ("mistral", '[TOOL_CALLS]f[ARGS]{"a": 1}', [Content('[TOOL_CALLS]f[ARGS]{"a": 1}')]),
        ("mistral-named", "[TOOL_CALLS]f or g", [Content("[TOOL_CALLS]f or g")]),
        ("phi4", '<|tool_call|>[{"name": "f", "arguments": {"a": 1}}]<|/tool_call|>', calls(F)),
        (
            "phi4",
            '<|tool_call|>[{"type": "function", "function": {"name": "f", "arguments": {"a": 1}}}]<|/tool_call|>',
            calls(F),
        ),
        ("phi4", 'functools[{"name": "f", "arguments": {"a": 1}}]', calls(F)),
        ("phi4", "The functools module", [Content("The functools module")]),
    ],
)
def test_the_notations(notation, text, expected):
    style = AnswerStyle(notation, *THINK)
    assert parse(text, style) == expected
    assert parse(text, style, cuts=range(1, len(text))) == expected
    said = parse(text, style, tools=False)
    assert said == [Content(text)]


@pytest.mark.parametrize(
    ("text", "is_open", "expected"),
    [
        ("<think>\nhm\n</think>\n\nYes.\n", False, [Reasoning("hm"), Content("Yes.\n")]),
        ("\nhm\n</think>\n\nYes.", True, [Reasoning("hm"), Content("Yes.")]),
        ("<think>\n\n</think>\n\nYes.", False, [Content("Yes.")]),
        ("hm", True, [Reasoning("hm")]),
        ("I <think> so.</think>", False, [Content("I <think> so.</think>")]),
        ("<think>a < b</thin", False, [Reasoning("a < b</thin")]),
        ("<thinking>", False, [Content("<thinking>")]),
    ],
)
def test_reasoning(text, is_open, expected):
    style = AnswerStyle("hermes", *THINK, is_open)
    assert parse(text, style) == expected
    assert parse(text, style, cuts=range(1, len(text))) == expected


def test_reasoning_between_calls():
    text = '<think>a</think><tool_call>{"name": "g"}</tool_call><think>b</think>Yes'
    assert parse(text, STYLES[1]) == [Reasoning("a"), *calls(G), Reasoning("b"), Content("Yes")]


@pytest.mark.parametrize(
    "text",
    [
        "<tool_call>nothing</tool_call>",
        '<tool_call>{"name": 1, "arguments": {}}</tool_call>',
        '<tool_call>{"name": "", "arguments": {}}</tool_call>',
        '<tool_call>{"arguments": {}}</tool_call>',
        '<tool_call>{"name": "f", "arguments": [1]}</tool_call>',
        '<tool_call>{"name": "f", "arguments": "x"}</tool_call>',
        '<tool_call>{"name": "f", "arguments": nul}</tool_call>',
        '<tool_call>{"name": "\\ud800", "arguments": {}}</tool_call>',
        '<tool_call>{"arguments": {"x": 1e999}, "name": "f"}</tool_call>',
        '<tool_call>{"name": "f", "argum',
        "<tool_call>" + '{"name":' + "[" * 1000,
        '<tool_call>{"name": "' + "x" * 100_000,
        "a <tool_call",
        "a \n\n <tool_call> \n no",
    ],
)
def test_what_is_no_call_is_content_to_the_letter(text):
    assert parse(text, STYLES[1]) == [Content(text)]
    assert parse(text, STYLES[1], cuts=range(1, len(text))) == [Content(text)]


def test_a_call_after_what_is_none_is_found():
    text = '<tool_call>\n<tool_call>\n{"name": "g", "arguments": {}}\n</tool_call>'
    assert parse(text, STYLES[1])[1:] == calls(G)


def test_arguments_come_as_they_are_made():
    parser = AnswerParser(STYLES[1], True)
    assert parser.push('<tool_call>{"name": "f", "arguments": {"te') == [ToolCall(0, "f"), ToolArguments(0, '{"te')]
    assert parser.push('xt": "' + "x" * 200_000) == [ToolArguments(0, 'xt": "' + "x" * 200_000)]
    assert parser.calls == 0
    assert parser.push('"}}') == [ToolArguments(0, '"}')]
    assert parser.calls == 1
    assert parser.push("\n</tool_call>") == parser.flush() == []


def test_arguments_that_break_off_end_the_call():
    text = '<tool_call>{"name": "f", "arguments": {"a": 1</tool_call> and on'
    assert parse(text, STYLES[1]) == [*calls(("f", '{"a": 1')), Content("and on")]


def test_content_is_held_back_only_while_a_mark_may_come():
    parser = AnswerParser(STYLES[1], True)
    assert parser.push("Hello <to") == [Content("Hello")]
    assert parser.push("ast>") == [Content(" <toast>")]
    assert parser.push(" " * 1000) == [Content(" " * 744)]


# What is thrown at the parser: pieces of every notation beside arbitrary text.
PIECES = [
    *sorted({mark for one in NOTATIONS.values() for mark in one.marks} | set(THINK)),
    *'{}[],;"\\ \n',
    '{"name": "f", "arguments": {"a": [1, "x"]}}',
    '{"name": "f", "parameters": {}}',
    '{"parameters": {}, "name": "f"}',
    '{"name":',
    '"f", "arguments": ',
    "word",
]
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=14).map("".join)


@given(TEXTS, st.sampled_from(STYLES), st.booleans(), st.booleans(), st.data())
def test_the_parts_do_not_depend_on_the_cuts(text, style, is_open, tools, data):
    style = AnswerStyle(style.tool_calls, style.reasoning_begin, style.reasoning_end, is_open)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=8)))
    whole = parse(text, style, tools=tools)
    assert parse(text, style, tools=tools, cuts=cuts) == whole
    assert parse(text, style, tools=tools, cuts=range(1, len(text))) == (whole if text else [])
    indices = [part.index for part in whole if isinstance(part, ToolCall)]
    assert indices == list(range(len(indices)))


@given(TEXTS, st.sampled_from(STYLES), st.booleans())
def test_nothing_is_made_up_and_nothing_said_twice(text, style, tools):
    """Every part stands in the text, one behind the other; what lies between them are marks and blanks."""
    place = 0
    for part in parse(text, style, tools=tools):
        piece = part.name if isinstance(part, ToolCall) else part.text
        found = text.find(piece, place)
        if found < 0 and isinstance(part, ToolArguments):  # written anew where the name came after them
            assert isinstance(json.loads(part.text), dict)
            continue
        assert found >= 0, (text, part)
        place = found + (len(piece) if not isinstance(part, ToolCall) else 0)


@given(TEXTS, st.sampled_from(STYLES))
def test_without_tools_and_reasoning_text_stays_as_it_is(text, style):
    parts = parse(text, AnswerStyle(style.tool_calls), tools=False)
    assert parts == ([Content(text)] if text else [])
