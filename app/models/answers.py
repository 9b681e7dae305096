"""The answers of a chat as they come in: what is shown of them so far, and who is told."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from app.i18n import tr
from app.models.turns import MAX_ANSWER, RUNNING, Turn, TurnState
from engine.api import schema


class Answers(QObject):
    """The turns of one ``chat``. Numbers in signals are places in ``turns``. ``send`` gives a request to the engine and
    says whether it went out."""

    turn_added = Signal(int)
    turn_changed = Signal(int)
    text_added = Signal(int, str)
    answer_restarted = Signal(int)
    earlier_added = Signal(int)
    """So many turns are there before the first."""
    later_added = Signal(int)
    """So many turns are there behind the last."""
    branch_changed = Signal(int)
    """From this place on there are other turns, or none; those before it are the same."""
    cleared = Signal()
    """Another chat."""
    running_changed = Signal(bool)

    def __init__(self, send: Callable[[schema.Request], bool], now: Callable[[], float]) -> None:
        super().__init__()
        self._send = send
        self._now = now
        self.chat = ""
        self._was_running = False
        self.turns: list[Turn] = []

    @property
    def running(self) -> bool:
        """Whether an answer is on its way."""
        return bool(self.turns) and self.turns[-1].state in RUNNING

    def _stop_writing(self) -> None:
        """Tell the engine to write no more."""
        self._send(schema.StopAnswer(chat=self.chat))

    def _turn(self, answer: str) -> Turn | None:
        for turn in reversed(self.turns):
            if turn.answer_id == answer and answer:
                return turn
        return None

    def _rewritten(self, turn: Turn, before: str) -> Turn:
        """Show a text that is not the one before with more at its end from its beginning; the turn as it is then."""
        if turn.answer.startswith(before):
            self.text_added.emit(self._index(turn), turn.answer[len(before) :])
            return turn
        return self._anew(turn)

    def _anew(self, turn: Turn) -> Turn:
        """Show a turn from its beginning: as another object."""
        index = self._index(turn)
        self.turns[index] = dataclasses.replace(turn)
        self.answer_restarted.emit(index)
        return self.turns[index]

    def _think(self, turn: Turn, text: str) -> None:
        """More of what the model thinks. Of what is longer than an answer may be, the rest is dropped."""
        text = text[: MAX_ANSWER - turn.thoughts_length]
        if not text:
            return
        turn.thoughts.append(text)
        turn.thoughts_length += len(text)
        if turn.thinking_since is None:
            turn.thinking_since = self._now()
        self._writing(turn)
        self.text_added.emit(self._index(turn), "")

    def _stop_thinking(self, turn: Turn) -> None:
        if turn.thinking_since is not None and turn.thought_seconds is None:
            turn.thought_seconds = self._now() - turn.thinking_since

    def _writing(self, turn: Turn) -> None:
        if turn.state == "waiting":
            turn.state = "writing"
            self._changed(turn)

    def _add(self, turn: Turn, text: str) -> None:
        if not text:
            return
        self._stop_thinking(turn)
        room = MAX_ANSWER - turn.length
        turn.pieces.append(text[:room])
        turn.length += min(len(text), room)
        self._writing(turn)
        self.text_added.emit(self._index(turn), text[:room])
        if len(text) > room:
            self._stop_writing()
            self._fail(turn, tr("The answer was stopped: it is longer than %Ln characters.", "", MAX_ANSWER))

    def _fail(self, turn: Turn, problem: str) -> None:
        turn.problem = problem
        self._end(turn, "failed")

    def _end(self, turn: Turn, state: TurnState) -> None:
        self._stop_thinking(turn)
        turn.state = state
        turn.stage = ""
        self._changed(turn)

    def _changed(self, turn: Turn) -> None:
        self.turn_changed.emit(self._index(turn))
        self._tell_running()

    def _index(self, turn: Turn) -> int:
        return next(place for place in reversed(range(len(self.turns))) if self.turns[place] is turn)

    def _tell_running(self) -> None:
        if self.running != self._was_running:
            self._was_running = self.running
            self.running_changed.emit(self.running)
