"""The chat that is open: its turns, and what is on its way. The engine keeps it; this is what a window shows of it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

import msgspec
from PySide6.QtCore import Signal

from app.i18n import mark, tr
from app.models.catalogue import ModelChoice
from app.models.engine_words import from_engine
from app.models.kept_turns import PAGE, KeptTurns
from app.models.turns import RUNNING, Turn, interrupted_words
from engine.api import schema

MAX_QUESTION = 100_000
"""Characters of one question."""
SETTINGS = "settings"
"""Marks a request that changes how the open chat is asked."""
TAKES_QUESTION = mark("The engine takes the question")


def _new_id() -> str:
    return uuid.uuid4().hex


class ChatTranscript(KeptTurns):
    """One chat at a time. ``send`` gives a request to the engine and says whether it went out; what did not is sent at
    :meth:`connected`, and so is what an engine that ended may not have got: every request may come twice.

    A chat begins to exist for the engine with its first question or draft. Another chat is shown after
    :meth:`open_chat` or :meth:`new_chat`; the answer on its way in the one before goes on."""

    chat_changed = Signal()
    """Another chat is open, or this one has another name or is known to be temporary."""
    draft_arrived = Signal(str)
    """What was being written in the chat that was opened."""
    choice_arrived = Signal(str, str)
    """Model and route of the chat that was opened."""
    problem_arose = Signal(str)
    settings_changed = Signal()
    """The chat is asked in another way, or another chat is open."""
    context_changed = Signal()
    """The model's context is fuller or emptier, or another chat is open."""

    def __init__(
        self,
        send: Callable[[schema.Request], bool],
        new_id: Callable[[], str] = _new_id,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(send, now)
        self._new_id = new_id
        self._begins_with = schema.ChatSettings()
        self._forget(new_id(), temporary=False)

    def _forget(self, chat: str, temporary: bool) -> None:
        self._follow(chat)
        self.temporary = temporary
        self.loading = False
        self._made = False  # the engine was told of the chat, or it is one of its chats
        self._settings = self._begins_with
        self._told: schema.ChatSettings | None = None
        self._telling = 0  # changes of the settings of which the engine has not said what came of them
        self.context: schema.ContextState | None = None
        self._draft = ""
        self._told_draft = ""

    @property
    def empty(self) -> bool:
        """Whether nothing was asked or written in it."""
        return not self.turns and not self.loading and not self._draft.strip()

    @property
    def kept_chat(self) -> str:
        """The chat, if it is on the disk."""
        return self.chat if self._made and not self.temporary and not self.empty else ""

    # ------------------------------------------------------------------------------------------------------- one chat

    def ask(self, question: str, choice: ModelChoice) -> bool:
        """Ask; False (and nothing happens) for an empty or over-long question or while an answer is on its way."""
        question = question.strip()
        if not question or len(question) > MAX_QUESTION or self.running or self.loading:
            return False
        self.turns.append(Turn(question, choice, question_id=self._new_id()))
        self._draft = self._told_draft = ""
        self.turn_added.emit(len(self.turns) - 1)
        self._begin()
        return True

    def retry(self, choice: ModelChoice | None = None, drop_oldest: bool = False) -> bool:
        """Ask the last question again, with ``choice`` if one is given; the engine keeps the answer so far as another
        version. ``drop_oldest``: leave out the oldest messages where it does not fit."""
        if not self.turns or self.running:
            return False
        old = self.turns[-1]
        turn = Turn(old.question, choice or old.choice, question_id=old.question_id, kept=old.kept)
        turn.drop_oldest = drop_oldest
        if old.kept:
            turn.answer_id = self._new_id()
        self.turns[-1] = turn
        self.answer_restarted.emit(len(self.turns) - 1)
        self._begin()
        return True

    def accept(self, privacy: schema.PrivacyChoice, choice: ModelChoice | None = None) -> bool:
        """For the rest of this chat, accept weaker paths while relays are missing, and ask the last question again."""
        if not self.turns or self.running:
            return False
        self._settings = msgspec.structs.replace(self._settings, privacy=privacy)
        return self.retry(choice)

    def stop(self) -> None:
        """Stop the answer on its way, at once for the user; the engine is told."""
        if self.running:
            turn = self.turns[-1]
            if turn.sent:
                self._send(schema.StopAnswer(chat=self.chat))
            self._end(turn, "stopped")

    def write_draft(self, text: str) -> None:
        """Keep what is being written, until it is asked."""
        self._draft = text[: schema.MAX_TEXT]
        if self.loading or self._draft == self._told_draft or (not self._made and not self._draft.strip()):
            return
        if self._make() and self._send(schema.SaveDraft(chat=self.chat, text=self._draft)):
            self._told_draft = self._draft

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

    # ----------------------------------------------------------------------------------------------------- which chat

    def new_chat(self, temporary: bool = False) -> None:
        """Show a new chat; ``temporary``: nothing of it comes to the disk."""
        self._leave()
        self._forget(self._new_id(), temporary)
        self._shown_anew()

    def open_chat(self, chat: str) -> None:
        """Show a chat of the engine's."""
        if chat == self.chat:
            return
        self._leave()
        self._forget(chat, temporary=False)
        self._made = self.loading = True
        self._shown_anew()
        self._send(schema.OpenChat(chat=chat, limit=PAGE, ref=chat))

    def _leave(self) -> None:
        """The chat is shown no longer. One in which there is nothing does not stay in the list."""
        if not self._made:
            return
        self._send(schema.CloseChat(chat=self.chat))
        if self.empty:
            self._send(schema.DeleteChats(chats=(self.chat,), ref="empty"))

    def _shown_anew(self) -> None:
        self.cleared.emit()
        self.chat_changed.emit()
        self.settings_changed.emit()
        self.context_changed.emit()
        self._tell_running()

    # ----------------------------------------------------------------------------------------------------- the engine

    def connected(self) -> None:
        """The engine can be asked: the chat is opened, and what waited goes out."""
        self._busy, self._told, self._paging, self._telling = False, None, False, 0
        if self.loading:
            self._send(schema.OpenChat(chat=self.chat, limit=PAGE, ref=self.chat))
        elif self._made or self.turns or self._draft.strip():
            self._made = False  # making it again changes nothing if it is there
            self._make()
        self._dispatch()
        self._told_draft = ""
        self.write_draft(self._draft)

    def engine_failed(self, reason: str) -> None:
        """The engine cannot be started; what waits for it ends with ``reason``."""
        if self.running and not self.turns[-1].sent:
            kept = tr("Your question is kept; press Retry once that is mended.")
            self._fail(self.turns[-1], f"{reason.rstrip('. ')}. {kept}")

    def connection_lost(self) -> None:
        """The engine is gone. An answer that it wrote is incomplete; a question that it may not have got waits."""
        self._busy = False
        if not self.running:
            return
        turn = self.turns[-1]
        if turn.begun:
            self._fail(turn, interrupted_words(turn.length > 0))
        turn.sent = False

    def receive(self, event: schema.Event) -> None:
        """An event of the engine; those of other chats are ignored."""
        match event:
            case schema.RequestFailed():
                self._refused(event)
            case schema.ChatsRemoved():
                if event.everything or self.chat in event.chats:
                    self._forget(self._new_id(), temporary=False)
                    self._shown_anew()
            case schema.ChatOpened(chat=schema.ChatEntry(chat=self.chat)):
                self._opened(event)
            case schema.ChatChanged(chat=schema.ChatEntry(chat=self.chat), settings=schema.ChatSettings() as settings):
                self._set_up_elsewhere(settings)
            case _ if getattr(event, "chat", None) == self.chat:
                self._of_chat(event)

    def _of_chat(self, event: schema.Event) -> None:
        match event:
            case schema.Accepted(request="send_message" | "regenerate"):
                self._accepted(event)
            case schema.Accepted(request="update_chat", ref="settings"):
                self._telling = max(0, self._telling - 1)
            case schema.ContextOverflow():
                self._too_long(event)
            case schema.ContextState():
                self.context = event
                self.context_changed.emit()
            case _:
                self._of_messages(event)

    # What is sent.

    def _make(self) -> bool:
        """Make the chat, and open it."""
        if self._made:
            return True
        settings = self._settings
        create = schema.CreateChat(chat=self.chat, temporary=self.temporary, settings=settings, ref=self.chat)
        self._made = self._send(create) and self._send(schema.OpenChat(chat=self.chat, limit=PAGE, ref=self.chat))
        return self._made

    def _begin(self) -> None:
        turn = self.turns[-1]
        turn.began = self._now()
        model = turn.choice.model
        self._settings = msgspec.structs.replace(self._settings, model=model, route=turn.choice.route)
        self._dispatch()
        self._changed(turn)

    def _dispatch(self) -> None:
        """Send the question that waits, unless the engine still ends the answer before it."""
        if not self.running or self.turns[-1].sent or self._busy or not self._make():
            return
        turn = self.turns[-1]
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
                chat=self.chat, text=turn.question, message=turn.question_id, overflow=overflow, ref=turn.ref
            )
        if self._send(request):
            turn.sent = self._busy = True
            turn.stage = tr(TAKES_QUESTION)
            self._changed(turn)

    # What comes.

    def _opened(self, event: schema.ChatOpened) -> None:
        was_loading, self.loading = self.loading, False
        self.temporary = event.chat.temporary
        if was_loading:
            self._settings = self._told = event.settings
            self._draft = self._told_draft = event.draft.text
        if self.temporary and not event.messages and any(turn.kept for turn in self.turns):
            self._forgotten()
        waiting = [turn for turn in self.turns if not turn.kept]
        turns = [self._known(turn) for turn in self._read(event.messages)]
        self._busy = self._busy or any(message.state == "writing" for message in event.messages[-1:])
        self._replace([*turns, *waiting], event.earlier)
        self.chat_changed.emit()
        if was_loading:
            self.settings_changed.emit()
            self.choice_arrived.emit(event.settings.model, event.settings.route)
            self.draft_arrived.emit(self._draft)
        self._dispatch()

    def _set_up_elsewhere(self, settings: schema.ChatSettings) -> None:
        """Another client asks in another way; what was changed here meanwhile goes before."""
        if self._told == self._settings and not self._telling and settings != self._settings:
            self._settings = self._told = settings
            self.settings_changed.emit()

    def _forgotten(self) -> None:
        """The engine was started anew and knows nothing of a temporary chat: what shows stays, for the reader."""
        for turn in self.turns:
            turn.kept = turn.begun = False
            turn.answer_id = ""
        self.problem_arose.emit(
            tr("The engine was started anew. It does not know what was said in this temporary chat.")
        )

    def _known(self, turn: Turn) -> Turn:
        """``turn`` as it is here already, if all the engine says of it is known: what shows then stays as it is."""
        for old in self.turns:
            if old.question_id == turn.question_id:
                if old.state in RUNNING and not old.begun:  # it was asked again meanwhile
                    return old
                if turn.answer_id == old.answer_id and turn.state == old.state and turn.length <= old.length:
                    return old
        return turn

    def _accepted(self, event: schema.Accepted) -> None:
        for turn in self.turns:
            if event.ref and event.ref == turn.ref:
                turn.kept = turn.begun = True
                turn.answer_id = event.answer or turn.answer_id
                self._stop_late(turn)

    def _refused(self, event: schema.RequestFailed) -> None:
        if not event.ref:
            return
        if event.request == "open_chat" and event.ref == self.chat:
            self._forget(self._new_id(), temporary=False)
            self._shown_anew()
            self.problem_arose.emit(from_engine(event.text))
            return
        if event.ref == SETTINGS:
            self._told = None  # sent again with the next question
            self._telling = max(0, self._telling - 1)
            self.problem_arose.emit(from_engine(event.text))
        elif self.turns and event.ref == self.turns[-1].ref:
            self._busy = False
            self._fail(self.turns[-1], from_engine(event.text))

    def _too_long(self, event: schema.ContextOverflow) -> None:
        if self.turns and event.ref == self.turns[-1].ref:
            self._busy = False
            self.turns[-1].droppable = event.droppable
            self._fail(self.turns[-1], from_engine(event.text))
