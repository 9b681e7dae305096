"""One question and its answer, as a window shows them, and how they come from what the engine keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from app.i18n import mark, tr
from app.models.catalogue import ModelChoice
from app.models.engine_words import from_engine
from engine.api import schema

MAX_ANSWER = 4_000_000
"""Characters of one answer that are kept; an engine that sends more is told to stop."""
WAITING_FOR_ENGINE = mark("Waiting for the engine on this machine")

TurnState = Literal["waiting", "writing", "done", "stopped", "failed"]
RUNNING = ("waiting", "writing")
_STATES: dict[schema.MessageState, TurnState] = {
    "done": "done",
    "writing": "writing",
    "stopped": "stopped",
    "failed": "failed",
    "interrupted": "failed",
}


@dataclass(slots=True, eq=False)
class Turn:
    """A question and its answer so far. ``problem`` is for people, ``code`` for programs; both are set when ``state``
    is "failed".

    ``question_id`` and ``answer_id`` name the messages that the engine keeps, ``parent`` the one that the question
    follows ("": none, it is a first one), ``siblings`` and ``question_siblings`` all versions of answer and question,
    oldest first, ``ref`` the request. ``after``: the question is a new version, asked as what follows this message.
    ``edit``: another wording of the question that is being written. ``headless``: of the question nothing is known but
    its name. ``not_before``: it is asked at that time (monotonic seconds).

    ``sent``: the engine was asked over this connection; ``kept``: it has the question; ``saved`` False: in memory only,
    as its disk does not take it; ``begun``: it has also the beginning of this answer.
    ``filling``: a piece of the text is missing and asked for. ``drop_oldest``: ask without the oldest
    messages, if it does not fit with them. ``droppable``: without so many of the oldest messages the question would fit
    the model. ``began`` is when the question was asked, ``thinking_since`` when the model began to reason (monotonic
    seconds), ``thought_seconds`` how long it did, once the answer itself has begun."""

    question: str
    choice: ModelChoice
    question_id: str = ""
    answer_id: str = ""
    pieces: list[str] = field(default_factory=list)
    length: int = 0
    state: TurnState = "waiting"
    stage: str = field(default_factory=lambda: tr(WAITING_FOR_ENGINE))
    problem: str = ""
    choices: tuple[schema.WeakerChoice, ...] = ()
    droppable: int = 0
    done: schema.ChatDone | None = None
    ref: str = ""
    kept: bool = False
    saved: bool = True
    sent: bool = False
    begun: bool = False
    filling: bool = False
    drop_oldest: bool = False
    began: float = 0.0
    thoughts: list[str] = field(default_factory=list)
    thoughts_length: int = 0
    thinking_since: float | None = None
    thought_seconds: float | None = None
    siblings: tuple[str, ...] = ()
    parent: str = ""
    question_siblings: tuple[str, ...] = ()
    after: str | None = None
    code: str = ""
    edit: str | None = None
    headless: bool = False
    not_before: float = 0.0
    files: tuple[schema.Attachment, ...] = ()

    @property
    def reasoning(self) -> str:
        """All that the model has thought so far, before the answer."""
        if len(self.thoughts) > 1:
            self.thoughts = ["".join(self.thoughts)]
        return self.thoughts[0] if self.thoughts else ""

    @property
    def answer(self) -> str:
        """The whole text so far."""
        if len(self.pieces) > 1:
            self.pieces = ["".join(self.pieces)]
        return self.pieces[0] if self.pieces else ""

    def set_answer(self, text: str) -> None:
        """The answer is ``text``, whatever had arrived."""
        text = text[:MAX_ANSWER]
        self.pieces, self.length = ([text] if text else []), len(text)

    def set_reasoning(self, text: str) -> None:
        """What the model thought is ``text``, and it has thought it."""
        text = text[:MAX_ANSWER]
        self.thoughts, self.thoughts_length = ([text] if text else []), len(text)
        if text and self.thinking_since is None:
            self.thinking_since = self.thought_seconds = 0.0


def interrupted_words(kept: bool) -> str:
    """Why an answer is incomplete whose engine ended. ``kept``: some of it is on the disk, where the engine writes it
    twice a second."""
    sentences = [
        tr("The engine on this machine ended while it answered, so the answer is incomplete."),
        *([tr("What has arrived is kept, but perhaps not its last second.")] if kept else []),
        tr("Press Retry to ask again."),
    ]
    return " ".join(sentences)


def turns_of(messages: Sequence[schema.StoredMessage], choice: ModelChoice) -> list[Turn]:
    """The turns of a branch, or of a part of it. A part may begin with an answer; its question is then empty until the
    part before is there. ``choice`` is who was asked."""
    turns: list[Turn] = []
    for message in messages:
        if message.role == "user":
            turns.append(Turn(message.text, choice, question_id=message.message, kept=True, sent=True, state="done"))
            turns[-1].stage, turns[-1].files, turns[-1].saved = "", message.attachments, message.saved
            turns[-1].parent, turns[-1].question_siblings = message.parent, message.siblings
            continue
        if not turns or turns[-1].question_id != message.parent:
            turns.append(Turn("", choice, question_id=message.parent, kept=True, sent=True, headless=True))
        show_answer(turns[-1], message)
    return turns


def show_answer(turn: Turn, message: schema.StoredMessage) -> None:
    """Put an answer that the engine keeps into its turn. Text that was there already stays where the message has only
    the first piece of it."""
    turn.answer_id, turn.siblings = message.message, message.siblings
    turn.kept = turn.begun = turn.sent = True
    if message.characters <= len(message.text) or not turn.answer.startswith(message.text):
        turn.set_answer(message.text)
    if message.reasoning_characters and turn.thoughts_length < message.reasoning_characters:
        turn.set_reasoning(message.reasoning)
    turn.state = _STATES[message.state]
    if turn.state == "writing" and not turn.length and not turn.thoughts_length:
        turn.state = "waiting"
        turn.stage = tr("The engine takes the question")
    elif turn.state != "writing":
        turn.stage = ""
    turn.done = details_of(message)
    turn.problem = turn.code = ""
    turn.choices = ()
    if message.state == "interrupted":
        turn.problem = interrupted_words(turn.length > 0)
    elif message.problem is not None and turn.state == "failed":
        turn.problem, turn.code = from_engine(message.problem), message.problem.code
        turn.choices = message.problem.choices


def take_question(turn: Turn, other: Turn) -> None:
    """``turn`` answers the same question as ``other``, but of the question itself nothing was known."""
    turn.question, turn.parent, turn.question_siblings = other.question, other.parent, other.question_siblings
    turn.headless = other.headless
    turn.files = other.files


class KeptAnswer(schema.ChatDone, frozen=True, kw_only=True, tag="kept_answer"):
    """How an answer of a kept chat was made. ``dropped``: so many messages did not fit the context and were left out,
    as ``overflow`` says."""

    dropped: int = 0
    overflow: schema.Overflow = "refuse"
    has_receipt: bool = False


def details_of(message: schema.StoredMessage) -> KeptAnswer | None:
    """How an answer was made, or None while that is not known. The receipt is not with it."""
    details = message.details
    if details is None or not details.badge or not details.finish_reason:
        return None
    fields: dict[str, Any] = {name: getattr(details, name) for name in details.__struct_fields__ if name != "receipt"}
    return KeptAnswer(id=message.message, model=message.model, has_receipt=details.receipt, **fields)
