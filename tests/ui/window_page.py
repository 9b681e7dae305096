"""The page of what has been measured of the window, and the numbers beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SIZE = (960, 720)
"""Of the transcript, in pixels."""
PAGE = """\
# How free the window stays

Written by `python -m tests.ui.window_speed --write`; do not edit. Numbers: [window.json](window.json).

{table}

## Method

Where nothing else is said the transcript alone, {width} × {height} pixels, without an engine: events are given to the
view-model as they come from it. One process, one thread; nothing else should run on the machine.

- *Start*: of seven starts, each with an empty data directory, until the window is drawn and has taken an event.
- *Late while an answer comes*: 3,000 tokens of four letters arrive at 100 a second: headings, paragraphs, tables of 25
  rows, blocks of Python of some 45 lines, and lists. Every 2 ms a timer should fire; the numbers say how late it did.
  That is how long a key or a click would have waited.
- *Frame of the wheel*: 1,500 steps of 120 pixels upwards, each with all that it makes necessary, until it is painted.
  Python's collector runs as it does in the program ([collector.py](../../app/collector.py)).
- *Frame of a jump*: to places drawn at random, until the first picture; and until nothing is left to lay out.
- *Late while live charts are drawn*: the four charts of the page *Contribute*, each with ten minutes of four graphics
  cards (600 points, 13 lines in all), drawn anew 20 times a second, so that 1 of 100 looks meets one at work; engines
  send one sample a second.
- *Another look*, *another width*: in the whole window, with an answer of 120,000 characters, of which the first 40,000
  are laid out. Both are done in pieces, between which whatever else waits has its turn: the longest piece of each
  change, and how long it took until all was painted.
- *Longest turn of the loop*: a whole window with a chat of 100 messages, a list of 2,000 chats, a catalogue of 60
  models and 24 that others serve, a place in a network with 1,000 links, a log of 500 lines and ten minutes of
  measurements. The engine is played and answers one turn after it was asked. Each is done until all that belongs to it
  shows; the number is the longest time between two chances for a key or a click. *The first time* is in a window of its
  own each time; *another language* makes the window anew; *a second of live charts* is what an engine that answers
  others sends once a second to the page *Contribute*.
- *Opening*: from nothing to the first picture, at the end of the chat.
- *Memory* of a chat: what the process takes more after all of that than with the chat's text alone.
- *Memory of the whole program*: the program as people start it, on an empty data directory, with the engine that it
  starts and, once something was asked, the worker with the built-in model; the same with a chat of 1,000 messages open,
  of which a window holds what was looked at; pages that several processes share are
  counted in parts (Linux: PSS), once it stays the same for two seconds.

The chat of 1,000 messages has 500 questions and 500 answers of {characters} characters together.
"""
COLUMNS = ("median_ms", "p99_ms", "most_ms")
HEAD = ["| ms | median | p99 | most |", "|---|---:|---:|---:|"]
ROWS = (
    ("Late while an answer comes, empty chat", "streaming in an empty chat", "lateness"),
    ("Late while an answer comes, 1,000 messages", "streaming in a chat of 1,000 messages", "lateness"),
    ("Frame of the wheel", "a chat of 1,000 messages", "wheel_frame"),
    ("Frame of a jump", "a chat of 1,000 messages", "jump_frame"),
    ("Jump until all is there", "a chat of 1,000 messages", "jump_until_settled"),
    ("Late while live charts are drawn", "live charts", "lateness"),
    ("Another look, longest piece", "another look", "frame"),
    ("Another look until all is painted", "another look", "whole"),
    ("Another width, longest piece", "another width", "frame"),
    ("Another width until all is painted", "another width", "whole"),
)


def page(known: dict[str, dict[str, Any]]) -> str:
    """The page of the stored numbers, by platform of Qt."""
    lines = []
    for name, numbers in known.items():
        machine = f"{numbers['processors']} processors, Python {numbers['python']}, Qt {numbers['pyside']}"
        lines += [f"## Qt's platform “{name}” ({machine})", "", *_when(numbers), *HEAD]
        lines += [_row(title, numbers[part][what]) for title, part, what in ROWS if what in numbers.get(part, {})]
        lines += ["", *_words(numbers), *_turns(numbers.get("pages", {}))]
    characters = next(iter(known.values()))["a chat of 1,000 messages"]["characters"]
    return PAGE.format(table="\n".join(lines).rstrip(), width=SIZE[0], height=SIZE[1], characters=f"{characters:,}")


def _row(title: str, found: dict[str, float]) -> str:
    return f"| {title} | " + " | ".join(str(found[column]) for column in COLUMNS) + " |"


def _when(numbers: dict[str, Any]) -> list[str]:
    return [f"Measured on {numbers['date']} at commit {numbers['commit']}.", ""] if "commit" in numbers else []


def _words(numbers: dict[str, Any]) -> list[str]:
    chat = numbers["a chat of 1,000 messages"]
    processor = numbers["streaming in a chat of 1,000 messages"]["cpu_s"]
    opening = f"Opening a chat of 1,000 messages: {chat['open_first_frame_ms']} ms."
    costs = f"Memory for it: {chat['memory_mib']} MiB. Processor time for 30 s of answer: {processor} s."
    start = numbers["start"]
    took = f"{start['median_s']} s (most {start['most_s']} s)"
    return [
        f"{opening} {costs}",
        "",
        f"From the start to a window that takes input: {took}.",
        "",
        *_memory(numbers.get("memory of the whole program", {})),
    ]


def _memory(found: dict[str, dict[str, float]]) -> list[str]:
    """What the window, its engine and a worker take, at rest and after an answer."""
    if not found:
        return []
    kinds = next(iter(found.values()))
    head = [f"| MiB | {' | '.join(kinds)} |", f"|---|{'---:|' * len(kinds)}"]
    rows = [f"| {when[0].upper()}{when[1:]} | {' | '.join(map(str, mib.values()))} |" for when, mib in found.items()]
    return ["Memory of the whole program:", "", *head, *rows, ""]


def _turns(pages: dict[str, dict[str, float]]) -> list[str]:
    """The longest turn of the loop, each time something was done."""
    if not pages:
        return []
    rows = [_row(name[0].upper() + name[1:], found) for name, found in pages.items()]
    return ["Longest turn of the loop:", "", *HEAD, *rows, ""]


def keep(found: dict[str, Any], folder: Path) -> None:
    """Store what has been measured beside what other platforms have, and write the page anew."""
    file = folder / "window.json"
    known = json.loads(file.read_text("utf-8")) if file.exists() else {}
    known[found["platform"]] = found
    file.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")
    (folder / "window.md").write_text(page(known), encoding="utf-8")
