"""Chats to look at and to measure with: the same ones every time."""

from __future__ import annotations

import random

from app.models.catalogue import ModelChoice
from app.models.transcript import ChatTranscript
from app.models.turns import Turn
from engine.api import schema

CHOICE = ModelChoice("gentorrent-builtin", "local", "Built-in model")
_TEXT = """the node keeps a list of paths and asks each relay for its key before the first cell is sent because an
answer that comes late is worth less than one that comes at once while a reader who waits wants to know why"""
_WORDS = _TEXT.split()
_CODE = '''\
```python
from dataclasses import dataclass


@dataclass(frozen=True)
class Cell:
    """One fixed piece of a message."""

    circuit: int
    payload: bytes = b""

    def sealed(self, key: bytes) -> bytes:
        # Every cell has the same length, whatever it carries.
        padded = self.payload.ljust(480, b"\\0")
        return bytes(left ^ right for left, right in zip(padded, key * 16))
```
'''
_SQL = """\
```sql
SELECT node, count(*) AS answers FROM receipts WHERE epoch > 41 GROUP BY node ORDER BY answers DESC;
```
"""


def sentence(source: random.Random) -> str:
    """Some words, a few of them marked."""
    words = [source.choice(_WORDS) for _ in range(source.randint(8, 18))]
    words[2] = f"**{words[2]}**"
    words[5] = f"`{words[5]}`"
    return " ".join(words).capitalize() + "."


def paragraph(source: random.Random) -> str:
    """A few sentences."""
    return " ".join(sentence(source) for _ in range(source.randint(2, 5)))


def table(source: random.Random, rows: int) -> str:
    """A table of four columns."""
    lines = ["| Node | Place | Tokens/s | Verdict |", "|:-----|:-----:|---------:|---------|"]
    lines += [
        f"| `node-{row}` | {source.choice(_WORDS)} | {source.randint(10, 90)} | **pass** |" for row in range(rows)
    ]
    return "\n".join(lines) + "\n"


def answer(seed: int, parts: int = 4) -> str:
    """An answer as models write them: paragraphs, lists, code, tables."""
    source = random.Random(seed)
    made = [paragraph(source)]
    for part in range(parts):
        kind = source.randrange(5)
        if kind == 0:
            made.append(_CODE if source.random() < 0.7 else _SQL)
        elif kind == 1:
            made.append("\n".join(f"- {sentence(source)}" for _ in range(source.randint(3, 6))))
        elif kind == 2:
            made.append(table(source, source.randint(3, 9)))
        elif kind == 3:
            made.append(f"## Part {part + 1}\n\n{paragraph(source)}")
        else:
            made.append("\n".join(f"{number}. {sentence(source)}" for number in range(1, 5)))
        made.append(paragraph(source))
    return "\n\n".join(made)


def long_answer(seed: int = 1) -> str:
    """About 3,000 tokens with code and tables, in which nothing is short."""
    source = random.Random(seed)
    made = []
    for part in range(4):
        made += [f"# Chapter {part + 1}", paragraph(source), table(source, 25), paragraph(source)]
        made.append("```python\n" + _body() * 3 + "```")
        made.append("\n".join(f"{number}. {sentence(source)}\n\n   {paragraph(source)}" for number in range(1, 4)))
    return "\n\n".join(made)


def _body() -> str:
    return _CODE.removeprefix("```python\n").removesuffix("```\n")


def tokens(text: str, size: int = 4) -> list[str]:
    """``text`` in pieces about as long as tokens are."""
    return [text[at : at + size] for at in range(0, len(text), size)]


def turn(question: str, text: str, *, reasoning: str = "") -> Turn:
    """A turn that is done."""
    made = Turn(question, CHOICE, "q", "0", state="done", kept=True, sent=True, begun=True)
    made.pieces, made.length = [text], len(text)
    if reasoning:
        made.thoughts, made.thoughts_length = [reasoning], len(reasoning)
        made.thinking_since, made.thought_seconds = 0.0, 12.0
    made.done = schema.ChatDone(
        id="0",
        finish_reason="stop",
        model=CHOICE.model,
        seed=1,
        prompt_tokens=7,
        completion_tokens=len(text) // 4,
        badge="local",
        served_by="local",
        ttft_ms=120.0,
        tokens_per_s=31.0,
    )
    return made


def filled(transcript: ChatTranscript, turns: int) -> None:
    """Give ``transcript`` a past of ``turns`` questions with answers."""
    for number in range(turns):
        transcript.turns.append(turn(f"Question {number + 1}: what comes next?", answer(number, 1 + number % 6)))
    transcript.cleared.emit()
