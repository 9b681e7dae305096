"""The turns of the open chat as the engine keeps them: pages of messages, news of them, pieces of long texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QTimer, Signal

from app.models.answers import Answers
from app.models.catalogue import BUILTIN, ModelChoice
from app.models.turns import RUNNING, Turn, show_answer, take_question, turns_of
from app.models.unsent import joined
from app.models.words import stage_words
from engine.api import schema

SAVE_MILLISECONDS = 400
"""Another wording of a question is kept so long after the last letter."""
PAGE = 50
"""Messages that are asked for at a time."""


class KeptTurns(Answers):
    """Follows one chat of the engine's."""

    draft_arrived = Signal(str)
    """What was being written in the chat that was opened, or a question that the engine never got."""
    elsewhere_changed = Signal(bool)
    """Whether an answer is being written on a branch that does not show."""

    def __init__(self, send: Callable[[schema.Request], bool], now: Callable[[], float]) -> None:
        super().__init__(send, now)
        self._was_elsewhere = False
        self._save_soon = QTimer(self)
        self._save_soon.setSingleShot(True)
        self._save_soon.setInterval(SAVE_MILLISECONDS)
        self._save_soon.timeout.connect(self.save_edits)
        self._follow("")

    def _follow(self, chat: str) -> None:
        """Another chat, of which nothing is known yet."""
        self.chat = chat
        self.earlier = False  # there are messages before those that are here
        self.later = False  # and behind them
        self._busy = False  # the engine writes an answer in the chat, or was asked to
        self._answering = ""  # the answer that it writes
        self._paging = False  # a page or a branch is asked for
        self._settings = schema.ChatSettings()
        self._edits: dict[str, str] = {}
        self._unsaved_edits: set[str] = set()
        self.turns.clear()

    @property
    def running(self) -> bool:
        """Whether an answer is on its way on the branch that is shown, or behind what is here of it."""
        return self._busy if self.later else super().running

    @property
    def elsewhere(self) -> str:
        """The answer that is being written on a branch that does not show; "" for none."""
        return "" if self.later or self._turn(self._answering) is not None else self._answering

    def show_elsewhere(self) -> None:
        """Show the branch on which an answer is being written."""
        if self.elsewhere:
            self.select(self.elsewhere)

    def _tell_running(self) -> None:
        super()._tell_running()
        if bool(self.elsewhere) != self._was_elsewhere:
            self._was_elsewhere = bool(self.elsewhere)
            self.elsewhere_changed.emit(self._was_elsewhere)

    def load_earlier(self) -> None:
        """Ask for the messages before those that are there, if there are any."""
        if self.earlier and not self._paging and self.turns:
            first = self.turns[0].answer_id if self.turns[0].headless else self.turns[0].question_id
            request = schema.GetMessages(chat=self.chat, before=first, limit=PAGE, ref="earlier")
            self._paging = self._send(request)

    def load_later(self) -> None:
        """Ask for the messages behind those that are there, if there are any."""
        if self.later and not self._paging and self.turns:
            request = schema.GetMessages(chat=self.chat, after=_last_of(self.turns), limit=PAGE, ref="later")
            self._paging = self._send(request)

    def load_end(self) -> None:
        """Ask for the newest messages, if they are not there."""
        if self.later:
            self._reopen()

    def select(self, message: str) -> None:
        """Show the branch on which another version of a question or an answer lies."""
        self._paging = self._send(schema.SelectBranch(chat=self.chat, message=message, limit=PAGE, ref="branch"))

    def keep_edit(self, turn: Turn) -> None:
        """Keep another wording of a question while it is being written."""
        if turn.edit is None:
            self._edits.pop(turn.question_id, None)
        else:
            self._edits[turn.question_id] = turn.edit
        if turn.kept:
            self._unsaved_edits.add(turn.question_id)
            self._save_soon.start()

    def save_edits(self) -> None:
        """Let the engine keep other wordings of questions that are being written."""
        for question in list(self._unsaved_edits):
            text = self._edits.get(question, "")
            if len(text) > schema.MAX_PIECE:
                self._unsaved_edits.discard(question)  # it lasts as long as the window
            elif self._send(schema.SaveDraft(chat=self.chat, text=text, message=question)):
                self._unsaved_edits.discard(question)

    def _reopen(self, message: str = "") -> None:
        """Ask for the newest messages, or for those around ``message``."""
        self._paging = self._send(schema.OpenChat(chat=self.chat, limit=PAGE, message=message, ref=self.chat))

    def _gone(self, turns: Sequence[Turn]) -> None:
        """Questions that the engine never got are not shown any more: they are drafts again."""
        questions = joined(*(turn.question for turn in turns if not turn.sent))
        if questions:
            self.draft_arrived.emit(questions)

    def _dispatch(self) -> None:
        """Send what waits for the engine's turn; of what is kept nothing does."""

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
            case schema.MessagePage(ref="later"):
                self._add_later(event)
            case schema.BranchSelected():
                self._branch(event)
            case schema.MessagesRemoved() | schema.MessagesRestored():
                self._reopen()
            case schema.TextPiece(ref="rest"):
                self._piece(event)

    # Pages.

    def _read(self, messages: Sequence[schema.StoredMessage]) -> list[Turn]:
        turns = turns_of(messages, ModelChoice(self._settings.model or BUILTIN, self._settings.route, ""))
        for turn in turns:
            turn.edit = self._edits.get(turn.question_id)
            if turn.state in RUNNING:
                turn.began = self._now()
        for message in messages:
            self._complete(message)
        return turns

    def _branch(self, event: schema.BranchSelected) -> None:
        """Another branch is shown: what stands before the fork stays as it is."""
        self._paging = False
        turns, message = self._read(event.messages), event.message
        new = next((at for at, turn in enumerate(turns) if message in (turn.question_id, turn.answer_id)), None)
        fork = next((at for at, turn in enumerate(self.turns) if message in _versions(turn)), None)
        if new is None or fork is None:
            self._arrange(turns, event.earlier, event.later)
            return
        if turns[new].headless:
            take_question(turns[new], self.turns[fork])
        earlier = self.earlier if fork else event.earlier or new > 0
        self._arrange([*self.turns[:fork], *turns[new:]], earlier, event.later)

    def _page(self, turns: list[Turn], earlier: bool, later: bool) -> None:
        """The engine says what the branch has: what is here before that stays."""
        place = 0
        if turns:
            place = next((at for at, old in enumerate(self.turns) if old.question_id == turns[0].question_id), 0)
            if place and turns[0].headless:
                take_question(turns[0], self.turns[place])
        self._arrange([*self.turns[:place], *turns], self.earlier if place else earlier, later)

    def _arrange(self, turns: list[Turn], earlier: bool, later: bool) -> None:
        """Show ``turns``, of which those that are there already stay as they are."""
        same = 0
        while same < min(len(turns), len(self.turns)) and turns[same] is self.turns[same]:
            same += 1
        there = {id(turn) for turn in turns}
        gone = [turn for turn in self.turns[same:] if not turn.kept and id(turn) not in there]
        changed = same < max(len(turns), len(self.turns))
        self.earlier, self.later = earlier, later
        self.turns[:] = turns
        if changed:
            self.branch_changed.emit(same)
        self._tell_running()
        if gone:
            self._gone(gone)

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
                self._anew(question)
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
        turns = self._read(event.messages)
        first = self.turns[0] if self.turns else None
        if first is None or (turns and _last_of(turns) != (first.question_id if first.headless else first.parent)):
            self._reopen()  # by another window, another branch is shown
            return
        self.earlier = event.earlier
        if turns and first.headless:
            take_question(first, turns.pop())  # the page ended between a question and its answer
            self.turn_changed.emit(0)
        self.turns[:0] = turns
        self.earlier_added.emit(len(turns))

    def _add_later(self, event: schema.MessagePage) -> None:
        self._paging = False
        if not self.turns or (event.messages and event.messages[0].parent != _last_of(self.turns)):
            self._reopen()
            return
        turns = self._read(event.messages)
        self.later = event.later
        if turns and turns[0].headless:
            take_question(turns[0], self.turns[-1])  # the page before ended between a question and its answer
            self.turns[-1] = turns.pop(0)
            self.answer_restarted.emit(len(self.turns) - 1)
        self.turns += turns
        self.later_added.emit(len(turns))
        self._tell_running()

    # News.

    def _message(self, event: schema.MessageChanged) -> None:
        """A question or an answer is new, or an answer has come to its end."""
        message = event.message
        if message.role == "user":
            self._question(message)
            return
        self._busy = event.added
        self._answering = message.message if event.added else ""
        turn = self._turn_of(message)
        if turn is None:
            if event.added and not self.later:
                self._reopen()  # another window shows another branch
        elif event.added:
            turn.kept = turn.begun = turn.sent = True
            turn.answer_id, turn.siblings = message.message, message.siblings
            self._stop_late(turn)
        else:
            self._ended(turn, message)
        self._tell_running()
        self._dispatch()

    def _ended(self, turn: Turn, message: schema.StoredMessage) -> None:
        """The answer has come to its end."""
        self._stop_thinking(turn)
        stopped = turn.state == "stopped" and message.state != "stopped"
        before = turn.answer
        turn.answer_id, turn.siblings = message.message, message.siblings
        turn.kept = turn.begun = turn.sent = True
        if not stopped:
            show_answer(turn, message)
            turn = self._rewritten(turn, before)
        self._complete(message)
        self._changed(turn)

    def _turn_of(self, answer: schema.StoredMessage) -> Turn | None:
        """The turn that shows an answer, or waits for it."""
        return self._turn(answer.message) or next(
            (turn for turn in self.turns if turn.question_id == answer.parent and not turn.answer_id), None
        )

    def _question(self, message: schema.StoredMessage) -> None:
        known = next((turn for turn in self.turns if turn.question_id == message.message), None)
        if known is not None:
            known.kept, known.saved = True, message.saved
            known.parent, known.question_siblings = message.parent, message.siblings
            known.files = message.attachments  # copies of an earlier version's have names of their own
            self._changed(known)
            return
        if self.later:
            return  # it stands behind what is here
        if message.parent != _last_of(self.turns) or (self.turns and not self.turns[-1].kept):
            self._reopen()  # another window shows another branch, or was first
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
            self._stop_writing()


def _versions(turn: Turn) -> tuple[str, ...]:
    """The names of all versions of what ``turn`` shows."""
    return *turn.question_siblings, *turn.siblings


def _last_of(turns: Sequence[Turn]) -> str:
    """The last message that the engine keeps of ``turns``."""
    kept = [turn for turn in turns if turn.kept]
    return (kept[-1].answer_id or kept[-1].question_id) if kept else ""
