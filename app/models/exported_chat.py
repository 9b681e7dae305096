"""A chat that the engine has exported as JSON, as blocks to lay out: a title, then questions and answers in turn."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from app.i18n import number, tr
from app.markdown.blocks import Block, Code, Place, Run, Runs, Style, Table, Text
from app.markdown.reader import MarkdownReader
from app.models.safe_text import visible
from app.models.words import BADGES

PARAGRAPH = 2_000
"""Characters of a question that are one paragraph at most."""
LONGEST_FILE = 20_000
"""Characters of an attached file that are shown."""
_FENCE = re.compile(r"^[ >]*(?:```+|~~~+)[ \t]*([^\s`]{1,40})", re.MULTILINE)
_NOWHERE = Place()
_QUOTED = Place(("quote",))


class File(Struct, frozen=True):
    """An attached text."""

    name: str
    text: str


class Details(Struct, frozen=True):
    """How an answer was made, as far as it is shown."""

    badge: str = ""


class Problem(Struct, frozen=True):
    """Why an answer ended early."""

    text: str = ""


class Message(Struct, frozen=True, kw_only=True):
    """A question or an answer."""

    id: str
    parent: str
    role: str
    text: str = ""
    reasoning: str = ""
    created: float = 0.0
    model: str = ""
    details: Details | None = None
    problem: Problem | None = None
    attachments: tuple[File, ...] = ()


class ExportedChat(Struct, frozen=True, kw_only=True):
    """All of it; what is shown is the branch that ends with ``tip``."""

    title: str = ""
    tip: str = ""
    messages: tuple[Message, ...] = ()

    def branch(self) -> list[Message]:
        """The messages from the first one to the tip."""
        known = {message.id: message for message in self.messages}
        way: list[Message] = []
        at = self.tip
        while at in known and len(way) <= len(known):
            way.append(known[at])
            at = known[at].parent
        way.reverse()
        return way


def languages(chat: ExportedChat) -> set[str]:
    """What stands behind the fences of code in what is shown."""
    return {language for message in chat.branch() for language in _FENCE.findall(message.text)}


def read(text: str) -> ExportedChat:
    """What the engine has exported; ``msgspec.DecodeError`` for anything else."""
    return msgspec.json.decode(text, type=ExportedChat)


def heading(chat: ExportedChat) -> list[Block]:
    """What stands above the first question."""
    title = " ".join(visible(chat.title).split()) or tr("Chat")
    return [Text(_NOWHERE, (Run(title),), 1)]


def before(message: Message) -> list[Block]:
    """Who says something and when, and what goes with it; the text itself comes from :func:`answer` or
    :func:`question`."""
    when = _date(message.created)
    if message.role == "user":
        who = tr("Question")
    else:
        who = tr("Answer by {model}", model=" ".join(visible(message.model).split()))
    badge = message.details.badge if message.details is not None else ""
    facts = ", ".join([*([tr(BADGES[badge])] if badge in BADGES else []), *([when] if when else [])])
    blocks: list[Block] = [Text(_NOWHERE, (Run(who), Run(f"   {facts}", Style.ITALIC)), 4)]
    for file in message.attachments:
        name = " ".join(visible(file.name).split())
        text = visible(file.text[:LONGEST_FILE]).rstrip("\n")
        blocks.append(Code(_NOWHERE, tr("Attached: {name}", name=name), f"{text}\n"))
        if len(file.text) > LONGEST_FILE:
            left = tr("… and %Ln characters more", "", len(file.text) - LONGEST_FILE)
            blocks.append(Text(_NOWHERE, (Run(left, Style.ITALIC),)))
    if message.reasoning:
        blocks.append(Text(_QUOTED, (Run(tr("Reasoning"), Style.BOLD),)))
        blocks += _paragraphs(message.reasoning, Style.ITALIC)
    return blocks


def question(message: Message) -> list[Block]:
    """A question is text as it was typed."""
    return _paragraphs(message.text, Style.PLAIN)


def answer(message: Message) -> Iterator[tuple[list[Block], int]]:
    """An answer is Markdown, read bit by bit: new last blocks each time, and how many before them stay."""
    reader = MarkdownReader()
    reader.add(message.text)
    certain, going = 0, True
    while going:
        going = reader.step()
        yield [_with_address(reader.block(place)) for place in range(certain, len(reader))], certain
        certain = reader.certain


def after(message: Message) -> list[Block]:
    """What went wrong."""
    if message.problem is None:
        return []
    return [Text(_NOWHERE, (Run(" ".join(visible(message.problem.text).split()), Style.ITALIC),))]


def page_words(page: int, pages: int) -> str:
    """What stands below a page."""
    return tr("Page {page} of {pages}", page=number(page), pages=number(pages))


def _paragraphs(text: str, style: Style) -> list[Block]:
    return [
        Text(_QUOTED, (Run(part[begin : begin + PARAGRAPH], style),))
        for part in visible(text).strip("\n").split("\n\n")
        for begin in range(0, len(part), PARAGRAPH)
    ]


def _with_address(block: Block) -> Block:
    """Where links lead stands behind their words: paper has no pointer."""
    if isinstance(block, Text):
        return Text(block.place, _addressed(block.runs), block.heading)
    if isinstance(block, Table):
        header = tuple(_addressed(runs) for runs in block.header)
        rows = tuple(tuple(_addressed(runs) for runs in row) for row in block.rows)
        return Table(block.place, block.alignments, header, rows)
    return block


def _addressed(runs: Runs) -> Runs:
    """``runs`` with the address behind the last run of each link whose words are not it already."""
    found: list[Run] = []
    for place, run in enumerate(runs):
        found.append(Run(run.text, run.style, ""))
        goes_on = place + 1 < len(runs) and runs[place + 1].link == run.link
        if run.link and not goes_on and run.text not in run.link and run.link not in run.text:
            found.append(Run(f" ({run.link})", Style.ITALIC))
    return tuple(found)


def _date(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds, tz=UTC).astimezone().strftime("%Y-%m-%d %H:%M")
    except (OverflowError, OSError, ValueError):
        return ""
