"""One chat: its turns, and what is on its way. Knows the messages of the engine, not the connection."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from PySide6.QtCore import QObject, Signal

from app.i18n import mark, tr
from app.models.catalogue import ModelChoice, sampling_for
from app.models.words import stage_words
from engine.api import schema

MAX_QUESTION = 100_000
"""Characters of one question."""
MAX_ANSWER = 4_000_000
"""Characters of one answer that are kept; an engine that sends more is told to stop."""
MAX_MESSAGES = 2048
WAITING_FOR_ENGINE = mark("Waiting for the engine on this machine")

TurnState = Literal["waiting", "writing", "done", "stopped", "failed"]
RUNNING = ("waiting", "writing")


@dataclass(slots=True)
class Turn:
    """A question and its answer so far. ``problem`` is for people and set when ``state`` is "failed".

    ``began`` is when the question was asked, ``thinking_since`` when the model began to reason (monotonic seconds),
    ``thought_seconds`` how long it did, once the answer itself has begun."""

    question: str
    choice: ModelChoice
    request_id: str = ""
    pieces: list[str] = field(default_factory=list)
    length: int = 0
    state: TurnState = "waiting"
    stage: str = field(default_factory=lambda: tr(WAITING_FOR_ENGINE))
    problem: str = ""
    choices: tuple[schema.WeakerChoice, ...] = ()
    done: schema.ChatDone | None = None
    sent: bool = False
    began: float = 0.0
    thoughts: list[str] = field(default_factory=list)
    thoughts_length: int = 0
    thinking_since: float | None = None
    thought_seconds: float | None = None

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


def _new_id() -> str:
    return uuid.uuid4().hex


class ChatTranscript(QObject):
    """The chat. ``send`` gives a request to the engine and says whether it went out; one that did not is sent at
    :meth:`connected`. At most one answer is on its way."""

    turn_added = Signal(int)
    turn_changed = Signal(int)
    text_added = Signal(int, str)
    answer_restarted = Signal(int)
    cleared = Signal()
    running_changed = Signal(bool)

    def __init__(
        self,
        send: Callable[[schema.Request], bool],
        new_id: Callable[[], str] = _new_id,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._now = now
        self._send = send
        self._new_id = new_id
        self._conversation = new_id()
        self._privacy: schema.PrivacyChoice | None = None
        self._was_running = False
        self.turns: list[Turn] = []

    @property
    def running(self) -> bool:
        """Whether an answer is on its way."""
        return bool(self.turns) and self.turns[-1].state in RUNNING

    def ask(self, question: str, choice: ModelChoice) -> bool:
        """Ask; False (and nothing happens) for an empty or over-long question or while an answer is on its way."""
        question = question.strip()
        if not question or len(question) > MAX_QUESTION or self.running:
            return False
        self.turns.append(Turn(question, choice))
        self.turn_added.emit(len(self.turns) - 1)
        self._begin()
        return True

    def retry(self, choice: ModelChoice | None = None) -> bool:
        """Ask the last question again, with ``choice`` if one is given; its answer so far is dropped."""
        if not self.turns or self.running:
            return False
        old = self.turns[-1]
        self.turns[-1] = Turn(old.question, choice or old.choice)
        self.answer_restarted.emit(len(self.turns) - 1)
        self._begin()
        return True

    def accept(self, privacy: schema.PrivacyChoice, choice: ModelChoice | None = None) -> bool:
        """For the rest of this chat, accept weaker paths while relays are missing, and ask the last question again."""
        if not self.turns or self.running:
            return False
        self._privacy = privacy
        return self.retry(choice)

    def stop(self) -> None:
        """Stop the answer on its way, at once for the user; the engine is told."""
        if self.running:
            turn = self.turns[-1]
            if turn.sent:
                self._send(schema.StopChat(id=turn.request_id))
            self._end(turn, "stopped")

    def new_chat(self) -> None:
        """Forget this chat and begin another."""
        self.stop()
        self.turns.clear()
        self._conversation = self._new_id()
        self._privacy = None
        self.cleared.emit()

    def connected(self) -> None:
        """The engine can be asked: what waited for it goes out now."""
        if self.running and not self.turns[-1].sent:
            self._dispatch(self.turns[-1])

    def engine_failed(self, reason: str) -> None:
        """The engine cannot be started; what waits for it ends with ``reason``."""
        if self.running and not self.turns[-1].sent:
            kept = tr("Your question is kept; press Retry once that is mended.")
            self._fail(self.turns[-1], f"{reason.rstrip('. ')}. {kept}")

    def connection_lost(self) -> None:
        """The engine is gone, and the answer on its way with it."""
        if self.running and self.turns[-1].sent:
            sentences = [
                tr("The engine on this machine ended while it answered, so the answer is incomplete."),
                *([tr("What has arrived is kept.")] if self.turns[-1].length else []),
                tr("The engine is being started again: press Retry to ask again."),
            ]
            self._fail(self.turns[-1], " ".join(sentences))

    def receive(self, event: schema.Event) -> None:
        """An event of the engine; those of stopped and forgotten answers are ignored."""
        if not isinstance(event, schema.ChatStage | schema.ChatDelta | schema.ChatDone | schema.ChatFailed):
            return
        if not self.running or self.turns[-1].request_id != event.id:
            return
        turn = self.turns[-1]
        match event:
            case schema.ChatStage():
                turn.stage = stage_words(event)
                self._changed()
            case schema.ChatDelta():
                self._think(turn, event.reasoning)
                self._add(turn, event.text)
            case schema.ChatDone():
                turn.done = event
                self._end(turn, "done")
            case schema.ChatFailed(code="cancelled"):
                self._end(turn, "stopped")
            case schema.ChatFailed():
                turn.choices = event.choices
                self._fail(turn, event.text)

    def _begin(self) -> None:
        turn = self.turns[-1]
        turn.request_id = self._new_id()
        turn.began = self._now()
        self._dispatch(turn)
        self._changed()

    def _dispatch(self, turn: Turn) -> None:
        request = schema.Chat(
            id=turn.request_id,
            model=turn.choice.model,
            messages=tuple(self._messages()),
            conversation=self._conversation,
            sampling=sampling_for(turn.choice.model),
            route=turn.choice.route,
            privacy=self._privacy,
        )
        if len(request.messages) > MAX_MESSAGES or len(schema.encode(request).encode()) > schema.MAX_CONTROL_MESSAGE:
            self._fail(turn, tr("This chat has become too long to be sent. Start a new chat and ask there."))
        elif self._send(request):
            turn.sent = True
            turn.stage = tr("The engine takes the question")
            self._changed()

    def _messages(self) -> list[schema.ChatText]:
        """The conversation so far. A question that got no word of an answer is left out, so that roles alternate."""
        messages = []
        for turn in self.turns[:-1]:
            if turn.length:
                messages.append(schema.ChatText("user", turn.question))
                messages.append(schema.ChatText("assistant", turn.answer))
        return [*messages, schema.ChatText("user", self.turns[-1].question)]

    def _think(self, turn: Turn, text: str) -> None:
        """More of what the model thinks. Of what is longer than an answer may be, the rest is dropped."""
        text = text[: MAX_ANSWER - turn.thoughts_length]
        if not text:
            return
        turn.thoughts.append(text)
        turn.thoughts_length += len(text)
        if turn.thinking_since is None:
            turn.thinking_since = self._now()
        if turn.state == "waiting":
            turn.state = "writing"
            self._changed()
        self.text_added.emit(len(self.turns) - 1, "")

    def _stop_thinking(self, turn: Turn) -> None:
        if turn.thinking_since is not None and turn.thought_seconds is None:
            turn.thought_seconds = self._now() - turn.thinking_since

    def _add(self, turn: Turn, text: str) -> None:
        if not text:
            return
        self._stop_thinking(turn)
        room = MAX_ANSWER - turn.length
        turn.pieces.append(text[:room])
        turn.length += min(len(text), room)
        if turn.state == "waiting":
            turn.state = "writing"
            self._changed()
        self.text_added.emit(len(self.turns) - 1, text[:room])
        if len(text) > room:
            self._send(schema.StopChat(id=turn.request_id))
            self._fail(turn, tr("The answer was stopped: it is longer than %Ln characters.", "", MAX_ANSWER))

    def _fail(self, turn: Turn, problem: str) -> None:
        turn.problem = problem
        self._end(turn, "failed")

    def _end(self, turn: Turn, state: TurnState) -> None:
        self._stop_thinking(turn)
        turn.state = state
        turn.stage = ""
        self._changed()

    def _changed(self) -> None:
        self.turn_changed.emit(len(self.turns) - 1)
        if self.running != self._was_running:
            self._was_running = self.running
            self.running_changed.emit(self.running)
