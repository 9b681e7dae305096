"""Chats are recognised by name or by their earlier messages, and never mixed up."""

from __future__ import annotations

import random

from engine.api.service import AnswerRequest
from engine.ids import NodeId
from engine.inference.types import PromptMessage
from engine.node.conversations import MAX_CONVERSATIONS, Conversations
from engine.wire.answer import Sampling

NODE = NodeId(b"n" * 20)


def request(*texts: str, name: str = "", model: str = "m") -> AnswerRequest:
    roles = ("user", "assistant")
    messages = tuple(PromptMessage(roles[index % 2], text) for index, text in enumerate(texts))
    return AnswerRequest(model_id=model, messages=messages, sampling=Sampling(seed=1), conversation=name)


def conversations() -> Conversations:
    return Conversations(random.Random(1).randbytes)


def test_the_next_turn_is_recognised_by_what_came_before() -> None:
    known = conversations()
    first = request("hello")
    chat = known.find(first)
    known.answered(first, chat, NODE, PromptMessage("assistant", "hi"))
    assert known.find(request("hello", "hi", "and now?")) is chat
    assert chat.node == NODE
    assert known.find(request("hello", "hi there", "and now?")) is not chat
    assert known.find(request("hello", "hi", "and now?", model="other")) is not chat


def test_the_same_first_question_is_a_new_chat_every_time() -> None:
    known = conversations()
    assert known.find(request("hello")).name != known.find(request("hello")).name


def test_branches_of_a_chat_share_it() -> None:
    known = conversations()
    first = request("hello")
    chat = known.find(first)
    known.answered(first, chat, NODE, PromptMessage("assistant", "hi"))
    assert known.find(request("hello", "hi", "one")) is known.find(request("hello", "hi", "two"))


def test_a_named_chat_keeps_its_name_whatever_is_said() -> None:
    known = conversations()
    chat = known.find(request("hello", name="a"))
    assert known.find(request("something else", name="a")) is chat
    assert known.find(request("hello", name="b")) is not chat


def test_texts_that_run_into_each_other_are_told_apart() -> None:
    known = conversations()
    first = request("ab")
    chat = known.find(first)
    known.answered(first, chat, NODE, PromptMessage("assistant", "cd"))
    assert known.find(request("a", "bcd", "next")) is not chat


def test_memory_is_bounded_and_drops_the_oldest() -> None:
    known = conversations()
    oldest = known.find(request("x", name="0"))
    for index in range(1, MAX_CONVERSATIONS + 1):
        known.find(request("x", name=str(index)))
    assert known.find(request("x", name="0")) is not oldest
    newest = known.find(request("x", name=str(MAX_CONVERSATIONS)))
    assert known.find(request("x", name=str(MAX_CONVERSATIONS))) is newest


def test_results_of_tools_belong_to_the_turn_that_called_them() -> None:
    known = conversations()
    question = PromptMessage("user", "rain?")
    first = AnswerRequest(model_id="m", messages=(question,), sampling=Sampling(seed=1))
    chat = known.find(first)
    made = '[{"function": {"name": "weather", "arguments": "{}"}}]'
    known.answered(first, chat, NODE, PromptMessage("assistant", "", tool_calls=made))
    sent = '[{"id": "x", "type": "function", "function": {"arguments": "{}", "name": "weather"}}]'
    called = PromptMessage("assistant", "", reasoning="kept or not", tool_calls=sent)
    results = (PromptMessage("tool", "no", tool_call_id="x"), PromptMessage("tool", "yes", tool_call_id="y"))
    follow_up = AnswerRequest(model_id="m", messages=(question, called, *results), sampling=Sampling(seed=1))
    assert known.find(follow_up) is chat
    other = PromptMessage("assistant", "", tool_calls=sent.replace("weather", "clock"))
    changed = AnswerRequest(model_id="m", messages=(question, other, *results), sampling=Sampling(seed=1))
    assert known.find(changed) is not chat


def test_plain_prompts_are_no_chat() -> None:
    known = conversations()
    request = AnswerRequest(model_id="m", prompt="Once", sampling=Sampling(seed=1))
    chat = known.find(request)
    known.answered(request, chat, NODE, PromptMessage("assistant", "upon"))
    assert known.find(request) is not chat
