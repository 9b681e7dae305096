"""The turns of the open chat as the engine keeps them: pages of messages, news of them, pieces of long texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app.models.answers import Answers
from app.models.catalogue import BUILTIN, ModelChoice
from app.models.turns import RUNNING, Turn, show_answer, turns_of
from app.models.words import stage_words
from engine.api import schema

PAGE = 50
"""Messages that are asked for at a time."""


class KeptTurns(Answers):
    """Follows one chat of the engine's. ``send`` gives a request to the engine and says whether it went out."""

    def __init__(self, send: Callable[[schema.Request], bool], now: Callable[[], float]) -> None:
        super().__init__(now)
        self._send = send
        self._follow("")

    def _follow(self, chat: str) -> None:
        """Another chat, of which nothing is known yet."""
        self.chat = chat
        self.earlier = False  # there are messages before those that are here
        self._busy = False  # the engine writes an answer in the chat, or was asked to
        self._paging = False
        self._settings = schema.ChatSettings()
        self.turns.clear()

    def load_earlier(self) -> None:
        """Ask for the messages before those that are there, if there are any."""
        if self.earlier and not self._paging and self.turns:
            first = self.turns[0].question_id if self.turns[0].question else self.turns[0].answer_id
            request = schema.GetMessages(chat=self.chat, before=first, limit=PAGE, ref="earlier")
            self._paging = self._send(request)

    def _dispatch(self) -> None:
        """Send what waits for the engine's turn."""
        raise NotImplementedError

    def _of_messages(self, event: schema.Event) -> None:
        """News of this chat's messages."""
        match event:
            case schema.MessageChanged():
                self._message(event)
            case schema.AnswerStage():
                turn = self._turn(event.message)
                if turn is not None and turn.state in RUNNING:
                    turn.stage = stage_words(event)
                    self._changed(turn)
            case schema.AnswerDelta():
                self._delta(event)
            case schema.MessagePage(ref="earlier"):
                self._add_earlier(event)
            case schema.BranchSelected():
                self._replace(self._read(event.messages), event.earlier)
            case schema.TextPiece():
                self._piece(event)

    # Pages.

    def _read(self, messages: Sequence[schema.StoredMessage]) -> list[Turn]:
        turns = turns_of(messages, ModelChoice(self._settings.model or BUILTIN, self._settings.route, ""))
        for turn in turns:
            if turn.state in RUNNING:
                turn.began = self._now()
        for message in messages:
            self._complete(message)
        return turns

    def _replace(self, turns: list[Turn], earlier: bool) -> None:
        if self.turns and self.turns[0].question_id not in [turn.question_id for turn in turns] and turns:
            place = next((i for i, old in enumerate(self.turns) if old.question_id == turns[0].question_id), 0)
            turns, earlier = [*self.turns[:place], *turns], self.earlier if place else earlier
        self.earlier = earlier
        same = len(turns) == len(self.turns) and all(a is b for a, b in zip(turns, self.turns, strict=True))
        self.turns[:] = turns
        if not same:
            self.cleared.emit()
        self._tell_running()

    def _complete(self, message: schema.StoredMessage) -> None:
        """Ask for the rest of a text of which only the first piece came."""
        turn = self._turn(message.message)
        there = max(len(message.text), turn.length if turn is not None else 0)
        if message.state != "writing" and message.characters > there:
            self._send(schema.GetText(chat=self.chat, message=message.message, at=len(message.text), ref="rest"))

    def _piece(self, event: schema.TextPiece) -> None:
        turn = self._turn(event.message)
        if turn is None:
            question = next((turn for turn in self.turns if turn.question_id == event.message), None)
            if question is not None and len(question.question) == event.at:
                question.question += event.text
                self.cleared.emit()
        elif turn.length == event.at:
            self._add(turn, event.text)
        else:
            return
        there = event.at + len(event.text)
        more = bool(event.text) and there < event.characters
        if turn is not None:
            turn.filling = more and turn.state in RUNNING
        if more:
            self._send(schema.GetText(chat=self.chat, message=event.message, at=there, ref="rest"))

    def _add_earlier(self, event: schema.MessagePage) -> None:
        self._paging = False
        self.earlier = event.earlier
        turns = self._read(event.messages)
        if turns and self.turns and not self.turns[0].question and self.turns[0].question_id == turns[-1].question_id:
            self.turns[0].question = turns.pop().question  # the page ended between a question and its answer
            self.turn_changed.emit(0)
        self.turns[:0] = turns
        self.earlier_added.emit(len(turns))

    # News.

    def _message(self, event: schema.MessageChanged) -> None:
        """A question or an answer is new, or an answer has come to its end."""
        message = event.message
        if message.role == "user":
            self._question(message)
            return
        turn = self._turn(message.message) or next(
            (turn for turn in self.turns if turn.question_id == message.parent), None
        )
        if turn is None:
            return
        turn.kept = turn.begun = turn.sent = True
        turn.answer_id, turn.siblings = message.message, message.siblings
        if event.added:
            self._busy = True
            self._stop_late(turn)
            return
        self._busy = False
        self._stop_thinking(turn)
        if turn.state != "stopped" or message.state == "stopped":
            before = turn.answer
            show_answer(turn, message)
            self._rewritten(turn, before)
        self._complete(message)
        self._changed(turn)
        self._dispatch()

    def _question(self, message: schema.StoredMessage) -> None:
        known = next((turn for turn in self.turns if turn.question_id == message.message), None)
        if known is not None:
            known.kept = True
            return
        turn = self._read([message])[0]
        turn.state = "waiting"
        turn.began = self._now()
        self.turns.append(turn)
        self.turn_added.emit(len(self.turns) - 1)
        self._changed(turn)

    def _delta(self, event: schema.AnswerDelta) -> None:
        """The next piece. Of one that overlaps the rest is taken; what is missing before it is asked for."""
        turn = self._turn(event.message)
        if turn is None or turn.state not in RUNNING or turn.filling:
            return
        if event.at > turn.length:
            request = schema.GetText(chat=self.chat, message=event.message, at=turn.length, ref="rest")
            turn.filling = self._send(request)
            return
        self._think(turn, event.reasoning[max(0, turn.thoughts_length - event.reasoning_at) :])
        self._add(turn, event.text[turn.length - event.at :])

    def _stop_late(self, turn: Turn) -> None:
        """The answer was stopped here before the engine had begun it."""
        if turn.state == "stopped" and self._busy:
            self._send(schema.StopAnswer(chat=self.chat))

    def _stop_writing(self) -> None:
        self._send(schema.StopAnswer(chat=self.chat))
