"""Questions on their way: asked, asked again, asked in another wording, stopped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from PySide6.QtCore import QTimer, Signal

from app.i18n import mark, number, tr
from app.models.alternatives import Alternative, alternatives
from app.models.catalogue import ModelChoice
from app.models.doubts import Doubts
from app.models.draft_files import DraftFiles
from app.models.engine_words import from_engine
from app.models.kept_turns import KeptTurns
from app.models.text_reader import TextReader
from app.models.turns import RUNNING, Turn
from engine.api import schema

MAX_QUESTION = 100_000
"""Characters of one question."""
SETTINGS = "settings"
"""Marks a request that changes how the open chat is asked."""
TAKES_QUESTION = mark("The engine takes the question")
WAITS_FOR_OTHER = mark("Waiting for the end of another answer in this chat")


class Asking(KeptTurns):
    """Asks in one chat. A request goes out as soon as the engine is there and writes no other answer of this chat."""

    settings_changed = Signal()
    """The chat is asked in another way, or another chat is open."""

    def __init__(
        self, send: Callable[[schema.Request], bool], new_id: Callable[[], str], now: Callable[[], float]
    ) -> None:
        self._new_id = new_id
        self._begins_with = schema.ChatSettings()
        self.files = DraftFiles(send, self._make, new_id)
        self.doubts = Doubts(send)
        self._readers: list[TextReader] = []
        self._models: tuple[schema.ModelState, ...] = ()
        super().__init__(send, now)

    def _follow(self, chat: str) -> None:
        super()._follow(chat)
        self.files.follow(chat)
        self.temporary = False
        self.loading = False  # the chat is not here yet
        self._made = False  # the engine was told of the chat, or it is one of its chats
        self._settings = self._begins_with
        self._told: schema.ChatSettings | None = None
        self._telling = 0  # changes of the settings of which the engine has not said what came of them
        self._draft = self._told_draft = ""
        self._kept_draft = ""  # of what the engine was told, what it has saved

    def _make(self) -> bool:
        """Make the chat, and open it; whether the engine has it."""
        if self._made:
            return True
        settings = self._settings
        create = schema.CreateChat(chat=self.chat, temporary=self.temporary, settings=settings, ref=self.chat)
        if self._send(create):
            self._reopen(self.turns[len(self.turns) // 2].question_id if self.later else "")
            self._made = self._paging
        return self._made

    def ask(self, question: str, choice: ModelChoice) -> bool:
        """Ask, with the files of the draft; False (and nothing happens) for an empty or over-long question, while an
        answer is on its way or a file is not kept yet."""
        question = question.strip()
        nothing = not question and not self.files.files
        if nothing or len(question) > MAX_QUESTION or self.running or self.loading or not self.files.ready:
            return False
        if self.later:  # what it follows is not here
            self.load_end()
            self._arrange([], earlier=True, later=False)
        self._draft = self._told_draft = self._kept_draft = ""
        self._ask(len(self.turns), Turn(question, choice, question_id=self._new_id(), files=self.files.take()))
        return True

    def edit(self, turn: Turn, question: str, choice: ModelChoice) -> bool:
        """Ask another version of the question of ``turn``, with the same files. The one before and what followed it
        stay as a branch."""
        question = question.strip()
        if not (question or turn.files) or len(question) > MAX_QUESTION or turn not in self.turns or self.loading:
            return False
        turn.edit = None
        self.keep_edit(turn)
        name = self._new_id()
        new = Turn(question, choice, question_id=name, parent=turn.parent, question_siblings=(name,))
        new.after, new.files = turn.after, turn.files
        if turn.kept:
            new.after, new.question_siblings = turn.parent, (*turn.question_siblings, name)
        self._ask(self._index(turn), new)
        return True

    def retry(
        self,
        turn: Turn | None = None,
        choice: ModelChoice | None = None,
        drop_oldest: bool = False,
        seconds: float = 0.0,
    ) -> bool:
        """Ask the question of ``turn`` (None: the last one) again, with ``choice`` if one is given, after so many
        ``seconds``; the engine keeps the answer so far, and what followed it, as another version. ``drop_oldest``:
        leave out the oldest messages where it does not fit."""
        old = turn or (self.turns[-1] if self.turns else None)
        if old is None or old not in self.turns or old.state in RUNNING or old.headless:
            return False
        new = Turn(old.question, choice or old.choice, question_id=old.question_id, kept=old.kept, after=old.after)
        new.parent, new.question_siblings, new.drop_oldest = old.parent, old.question_siblings, drop_oldest
        new.files, new.saved = old.files, old.saved
        new.not_before = self._now() + seconds if seconds else 0.0
        if old.kept:
            new.answer_id = self._new_id()
            new.siblings = (*old.siblings, new.answer_id)
        self._ask(self._index(old), new)
        return True

    def _ask(self, place: int, turn: Turn) -> None:
        """Show ``turn`` at a place, as the last one, and ask it. Its files go with it."""
        self.files.drop(turn.files)
        if place == len(self.turns):
            self.turns.append(turn)
            self.turn_added.emit(place)
        else:
            self._arrange([*self.turns[:place], turn], self.earlier, later=False)
        self._begin()

    def alternatives(self, turn: Turn) -> list[Alternative]:
        """What can be done instead of asking the same again."""
        return alternatives(turn.code, turn.choice, self._models, self._settings.local_only)

    def accept(self, turn: Turn, privacy: schema.PrivacyChoice, choice: ModelChoice | None = None) -> bool:
        """For the rest of this chat, accept weaker paths while relays are missing, and ask that question again."""
        self._settings = msgspec.structs.replace(self._settings, privacy=privacy)
        return self.retry(turn, choice)

    def stop(self) -> None:
        """Stop the answer on its way, at once for the user; the engine is told."""
        turn = self.turns[-1] if self.turns else None
        if turn is not None and turn.state in RUNNING:
            if turn.sent:
                self._send(schema.StopAnswer(chat=self.chat))
            self._end(turn, "stopped")
        elif self.running or self.elsewhere:
            self.stop_other()

    def stop_other(self) -> None:
        """Stop the answer that is being written behind what shows, or on another branch."""
        self._stop_writing()

    def discard(self, turn: Turn) -> None:
        """Show a question no longer that the engine does not have."""
        if not turn.kept and turn in self.turns and turn.state not in RUNNING:
            turn.sent = True  # else it would be a draft again
            self._arrange([one for one in self.turns if one is not turn], self.earlier, self.later)

    # Files.

    def files_of(self, question: str) -> tuple[schema.Attachment, ...]:
        """What is attached to a question."""
        return next((turn.files for turn in self.turns if turn.question_id == question), ())

    def file_reader(self, question: str, file: schema.Attachment) -> TextReader:
        """Reads the text of a file of a question, or ("") of the draft."""
        name = file.attachment
        return self._reader(schema.GetText(chat=self.chat, message=question, part="attachment", attachment=name))

    def receipt_reader(self, answer: str) -> TextReader:
        """Reads the receipt of an answer."""
        return self._reader(schema.GetText(chat=self.chat, message=answer, part="receipt"))

    def doubt(self, answer: str) -> None:
        """Have the verifiers look at who made an answer."""
        self.doubts.report(self.receipt_reader(answer))

    def _reader(self, request: schema.GetText) -> TextReader:
        reader = TextReader(self._send, request)
        self._readers = [*self._readers[-3:], reader]
        return reader

    def _of_files(self, event: schema.Event) -> None:
        self.files.receive(event)
        self.doubts.receive(event)
        for reader in tuple(self._readers):
            reader.receive(event)

    # How it is asked.

    @property
    def settings(self) -> schema.ChatSettings:
        """How the chat is asked."""
        return self._settings

    def change_settings(self, **changes: Any) -> None:
        """Ask in another way from now on."""
        settings = msgspec.structs.replace(self._settings, **changes)
        if settings == self._settings:
            return
        self._settings = settings
        if self._made and not self.loading:
            self._tell_settings()
        self.settings_changed.emit()

    def begin_with(self, settings: schema.ChatSettings) -> None:
        """New chats are asked like this; the open one, too, if nobody has asked or changed anything in it."""
        before, self._begins_with = self._begins_with, settings
        if not self._made and not self.turns and self._settings == before:
            self._settings = settings
            self.settings_changed.emit()

    def _tell_settings(self) -> bool:
        if not self._send(schema.UpdateChat(chat=self.chat, settings=self._settings, ref=SETTINGS)):
            return False
        self._told = self._settings
        self._telling += 1
        return True

    def _set_up_elsewhere(self, settings: schema.ChatSettings) -> None:
        """Another client asks in another way; what was changed here meanwhile goes before."""
        if self._told == self._settings and not self._telling and settings != self._settings:
            self._settings = self._told = settings
            self.settings_changed.emit()

    # What is sent.

    def _begin(self) -> None:
        turn = self.turns[-1]
        turn.began = self._now()
        model = turn.choice.model
        self._settings = msgspec.structs.replace(self._settings, model=model, route=turn.choice.route)
        self._dispatch()
        self._changed(turn)

    def _dispatch(self) -> None:
        """Send the question that waits, unless the engine still ends the answer before it."""
        turn = self.turns[-1] if self.turns else None
        if turn is None or turn.state not in RUNNING or turn.sent:
            return
        if self._busy:
            turn.stage = tr(WAITS_FOR_OTHER)
            self._changed(turn)
            return
        left = turn.not_before - self._now()
        if left > 0:
            turn.stage = tr("Asked again after {seconds} s", seconds=number(round(turn.not_before - turn.began)))
            self._changed(turn)
            QTimer.singleShot(int(left * 1000) + 1, self, self._dispatch)
            return
        if not self._make():
            return
        if self._told != self._settings and not self._tell_settings():
            return
        again = bool(turn.answer_id) and not turn.begun
        turn.ref = turn.answer_id if again else turn.question_id
        overflow: schema.Overflow | None = "drop_oldest" if turn.drop_oldest else None
        request: schema.Request
        if again:
            request = schema.Regenerate(
                chat=self.chat, message=turn.question_id, answer=turn.answer_id, overflow=overflow, ref=turn.ref
            )
        else:
            request = schema.SendMessage(
                chat=self.chat,
                text=turn.question,
                message=turn.question_id,
                attachments=tuple(file.attachment for file in turn.files),
                after=self._after(turn),
                overflow=overflow,
                keep_draft=bool(self._draft.strip()),
                ref=turn.ref,
            )
        if self._send(request):
            turn.sent = self._busy = True
            turn.stage = tr(TAKES_QUESTION)
            self._changed(turn)

    def _after(self, turn: Turn) -> str | None:
        """The message that the question of ``turn`` follows; None: the last one, whichever that is."""
        if turn.after is not None:
            return turn.after
        before = self.turns[-2] if len(self.turns) > 1 else None
        return before.answer_id if before is not None and before.begun else None

    # What comes of it.

    def _models_known(self, models: tuple[schema.ModelState, ...]) -> None:
        """Other models can be asked: what failed can be tried with them."""
        others = [(one.id, one.where) for one in models] != [(one.id, one.where) for one in self._models]
        self._models = models
        for place, turn in enumerate(self.turns):
            if others and turn.state == "failed":
                self.turn_changed.emit(place)

    def _accepted(self, event: schema.Accepted) -> None:
        for turn in self.turns:
            if event.ref and event.ref == turn.ref:
                turn.kept = turn.begun = True
                turn.answer_id = event.answer or turn.answer_id
                self._stop_late(turn)

    def _not_asked(self, turn: Turn, event: schema.RequestFailed) -> None:
        """The engine refused a question."""
        self._busy = event.code == "chat_busy"
        if self._busy:  # by another window: the question waits
            turn.sent = False
            self._dispatch()
            return
        turn.code = event.code
        self._fail(turn, from_engine(event))
        self._files_back(turn)

    def _too_long(self, event: schema.ContextOverflow) -> None:
        if self.turns and event.ref == self.turns[-1].ref:
            self._busy = False
            self.turns[-1].droppable, self.turns[-1].code = event.droppable, "context_length_exceeded"
            self._fail(self.turns[-1], from_engine(event))
            self._files_back(self.turns[-1])

    def _files_back(self, turn: Turn) -> None:
        """A question was refused: its files are the draft's still, and show there. To ask it again takes them along."""
        if turn.files and turn.after is None and not turn.kept:
            self.files.show([*(one.attachment for one in self.files.files if one.state == "kept"), *turn.files])

    def _waiting(self) -> list[Turn]:
        """The questions at the end of which the engine knows nothing yet."""
        last = next((at for at in reversed(range(len(self.turns))) if self.turns[at].kept), -1)
        return self.turns[last + 1 :]
