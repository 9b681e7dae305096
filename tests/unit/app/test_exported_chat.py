"""A chat that the engine has exported, as blocks."""

from __future__ import annotations

import json

import msgspec
import pytest

from app.markdown.blocks import Block, Code, Text, plain
from app.models import exported_chat


def chat(*messages: dict[str, object], tip: str = "") -> exported_chat.ExportedChat:
    named = [{"created": 1.0, **message} for message in messages]
    return exported_chat.read(json.dumps({"title": "T", "tip": tip, "messages": named, "unknown": 1}))


def words(blocks: list[Block]) -> list[str]:
    return [plain(block.runs) if isinstance(block, Text) else getattr(block, "text", "") for block in blocks]


def test_branch_is_the_way_to_the_tip() -> None:
    found = chat(
        {"id": "a", "parent": "", "role": "user"},
        {"id": "b", "parent": "a", "role": "assistant"},
        {"id": "c", "parent": "a", "role": "assistant"},
        tip="c",
    )
    assert [message.id for message in found.branch()] == ["a", "c"]
    circle = chat({"id": "a", "parent": "b", "role": "user"}, {"id": "b", "parent": "a", "role": "assistant"}, tip="a")
    assert len(circle.branch()) == 3
    assert chat(tip="gone").branch() == []


def test_what_is_no_chat_is_refused() -> None:
    for text in ("", "[]", '{"messages": [{"id": 1}]}'):
        with pytest.raises(msgspec.DecodeError):
            exported_chat.read(text)


def test_question_stays_text_and_files_are_cut() -> None:
    message = chat(
        {
            "id": "a",
            "parent": "",
            "role": "user",
            "text": "# no heading\n\n<b>" + "x" * 5000,
            "attachments": [{"name": "a\nb.txt", "text": "y" * 30_000}],
        },
        tip="a",
    ).branch()[0]
    (head, code, rest) = exported_chat.before(message)
    assert words([head])[0].startswith("Question")
    assert isinstance(code, Code)
    assert (code.language, len(code.text)) == ("Attached: a b.txt", exported_chat.LONGEST_FILE + 1)
    assert "10,000" in words([rest])[0]
    paragraphs = exported_chat.question(message)
    assert words(paragraphs)[0] == "# no heading"
    assert [len(text) for text in words(paragraphs)] == [12, 2000, 2000, 1003]


def test_answer_is_markdown_with_the_addresses_of_links() -> None:
    text = "See [the page](https://example.org/a) and https://example.org/b.\n\n" + "word " * 3000
    blocks: list[Block] = []
    for new, certain in exported_chat.answer(exported_chat.Message(id="a", parent="", role="assistant", text=text)):
        blocks[certain:] = new
    assert words(blocks)[0] == "See the page (https://example.org/a) and https://example.org/b."
    assert "".join(words(blocks)[1:]).count("word") == 3000
    problem = exported_chat.Message(id="a", parent="", role="assistant", problem=exported_chat.Problem("Stopped."))
    assert words(exported_chat.after(problem)) == ["Stopped."]


def test_languages_of_what_is_shown_are_known_before_it_is_laid_out() -> None:
    text = "```python\nx\n```\n\n> ~~~ rust\n> x\n> ~~~\n\n```\nplain\n```\n\nnot ```sql\n\n```go title\nx\n```"
    messages = (
        exported_chat.Message(id="a", parent="", role="assistant", text=text),
        exported_chat.Message(id="b", parent="", role="assistant", text="```java\nx\n```"),
    )
    chat = exported_chat.ExportedChat(tip="a", messages=messages)
    assert exported_chat.languages(chat) == {"python", "rust", "go"}
