"""The chat that is open: its turns, and what is on its way. The engine keeps it; this is what a window shows of it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence

from PySide6.QtCore import Signal

from app.i18n import tr
from app.models.asking import SETTINGS, Asking
from app.models.drafts import DraftsUnderway, draft_ref
from app.models.engine_words import from_engine
from app.models.turns import RUNNING, Turn, interrupted_words
from app.models.unsent import Owed, OwedRequest, Unsent, joined, merged
from engine.api import schema

MAX_REMOVED = 20
"""Deleted chats of which what was being written is remembered."""


def _new_id() -> str:
    return uuid.uuid4().hex


class ChatTranscript(Asking):
    """One chat at a time. ``send`` gives a request to the engine and says whether it went out; what did not is sent at
    :meth:`connected`, and so is what an engine that ended may not have got: every request may come twice.

    A chat begins to exist for the engine with its first question or draft. Another chat is shown after
    :meth:`open_chat` or :meth:`new_chat`; the answer on its way in the one before goes on."""

    chat_changed = Signal()
    """Another chat is open, or this one has another name or is known to be temporary."""
    chat_removed = Signal()
    """The open chat was deleted: what is being written belongs to it. Told before another one is shown."""
    unsent_changed = Signal()
    """What :meth:`unsent` gives may be something else."""
    choice_arrived = Signal(str, str)
    """Model and route of the chat that was opened."""
    place_wanted = Signal(int)
    """The turn at this place is what the chat was opened for."""
    problem_arose = Signal(str)
    context_changed = Signal()
    """The model's context is fuller or emptier, or another chat is open."""

    def __init__(
        self,
        send: Callable[[schema.Request], bool],
        new_id: Callable[[], str] = _new_id,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(send, new_id, now)
        self._owed = Owed(send)
        self._underway = DraftsUnderway()
        self._typed: dict[str, str] = {}  # what was being written in chats of whose drafts nothing was known
        self._removed: dict[str, str] = {}  # and in those that were deleted meanwhile
        self._at_risk: dict[str, list[OwedRequest]] = {}  # of chats that were left while the disk did not take them
        self._saves = True  # the engine can write what it is given
        self._forget(new_id(), temporary=False)

    def _forget(self, chat: str, temporary: bool) -> None:
        self._follow(chat)
        self.temporary = temporary
        self._answering = ""
        self._doubtful = False  # the engine may be another one, which has not got what was not saved
        self._emptied = False  # messages of it were deleted, and can be brought back
        self._going = False  # to the message for which the chat was opened
        self._draft_at_risk = False  # the engine may have the draft that it tells in its memory alone
        self.wanted = ""  # the message for which the chat was opened
        self.wanted_words = ""  # what was looked for in it
        self.context: schema.ContextState | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing was asked or written in it."""
        return not (self.turns or self.loading or self._draft.strip() or self.files.files)

    @property
    def kept_chat(self) -> str:
        """The chat, if it is on the disk or will be."""
        written = bool(self._draft.strip() or self.turns or self.files.files)
        return self.chat if not self.temporary and (written or self.loading) else ""

    # ------------------------------------------------------------------------------------------------------- one chat

    def write_draft(self, text: str) -> None:
        """Keep what is being written, until it is asked."""
        self.save_edits()
        self._draft = text[: schema.MAX_TEXT]
        self.unsent_changed.emit()
        if self.loading or self._draft == self._told_draft or (not self._made and not self._draft.strip()):
            return
        request = schema.SaveDraft(chat=self.chat, text=self._draft, ref=draft_ref(self.chat))
        if self._make() and self._send(request):
            self._told_draft = self._draft
            self._underway.sent(self.chat)

    # ----------------------------------------------------------------------------------------------------- which chat

    def new_chat(self, temporary: bool = False) -> None:
        """Show a new chat; ``temporary``: nothing of it comes to the disk."""
        self._leave()
        self._forget(self._new_id(), temporary)
        self._shown_anew()

    def open_chat(self, chat: str, message: str = "", words: str = "") -> None:
        """Show a chat of the engine's, at ``message``, in which ``words`` were looked for."""
        if chat != self.chat:
            self._leave()
            self._forget(chat, temporary=False)
            self._made = self.loading = True
            self._at_risk.pop(chat, None)  # what is not saved is told with it
            self._draft_at_risk = self._underway.come_back(chat)
            self._shown_anew()
            self.wanted, self.wanted_words, self._going = message, words, bool(message)
            self._draft = joined(self._typed.pop(chat, ""), self._removed.pop(chat, ""))
            if self._draft:
                self.draft_arrived.emit(self._draft)
            self._reopen(message)
        elif message:
            self.wanted, self.wanted_words, self._going = message, words, True
            if not self._show_wanted():
                self._reopen(message)

    def _show_wanted(self) -> bool:
        """Go to the message for which the chat was opened; whether it is here."""
        for place, turn in enumerate(self.turns):
            if self._going and self.wanted in (turn.question_id, turn.answer_id):
                self._going = False
                self.place_wanted.emit(place)
                return True
        return False

    def _leave(self) -> None:
        """The chat is shown no longer. One in which there is nothing does not stay in the list."""
        self.save_edits()
        self._owe()
        if not self._made:
            return
        self._send(schema.CloseChat(chat=self.chat))
        if self.empty and not self._emptied:
            self._send(schema.DeleteChats(chats=(self.chat,), ref="empty"))

    def _owe(self) -> None:
        """What the engine has not got of a chat that is left, it is given when it is there."""
        self._owed.add(self._debts(self._doubtful))
        self._owed.pay()
        if self._told_draft != self._kept_draft:
            self._told_draft = self._kept_draft
            self._underway.leave(self.chat, self._debts(self._doubtful))
        unsaved = any(not turn.saved for turn in self.turns) or self.files.at_risk(self.chat)
        if not self._doubtful and unsaved:
            debts = self._debts(lost=True)  # files are held beside it
            self._at_risk[self.chat] = [one for one in debts if not isinstance(one, schema.AddAttachment)]
        if self.loading and self._draft.strip():
            self._typed[self.chat] = self._draft
        self.unsent_changed.emit()

    def _debts(self, lost: bool) -> list[OwedRequest]:
        """What gives the engine what it has not got of the open chat: a question that it never took as the draft, with
        what was being written behind it. ``lost``: neither has it what it had not saved."""
        unsaved_questions = [turn.question for turn in self.turns if lost and not turn.saved]
        draft = joined(*unsaved_questions, self._never_taken(), self._draft)
        unsaved = [(name, self._edits.get(name, "")) for name in self._unsaved_edits]
        if draft != self._told_draft and not self.loading:  # while it is, the draft of the engine is not known
            unsaved.append(("", draft))
        files = self.files.at_risk(self.chat) if lost else []
        if not (unsaved or files):
            return []
        create = schema.CreateChat(chat=self.chat, temporary=self.temporary, settings=self._settings)
        drafts = [schema.SaveDraft(chat=self.chat, text=text, message=name) for name, text in unsaved]
        return [create, *drafts, *files]

    def _never_taken(self) -> str:
        """The question of the open chat that the engine has refused or not got."""
        turn = self.turns[-1] if self.turns else None
        if turn is None or turn.kept or turn.state == "done" or (turn.sent and turn.state in RUNNING):
            return ""
        return turn.question

    def unsent(self) -> Unsent:
        """What would be lost if the window ended now, for the next one; nothing of temporary chats."""
        requests = [*self._owed.requests, *self._debts(self._doubtful)]
        files = self.files.owed()
        made = {one.chat for one in requests if isinstance(one, schema.CreateChat)}
        beside = dict.fromkeys(one.chat for one in files if one.chat not in made)
        requests += [schema.CreateChat(chat=name, settings=self._settings) for name in beside]
        temporary = {one.chat for one in requests if isinstance(one, schema.CreateChat) and one.temporary}
        if self.temporary:
            temporary.add(self.chat)
        lasting = tuple(one for one in [*requests, *files] if one.chat not in temporary)
        typed = {**self._typed, self.chat: self._draft} if self.loading and self._draft.strip() else self._typed
        return Unsent(lasting, dict(typed))

    def owe(self, unsent: Unsent) -> None:
        """What an earlier window could not give the engine."""
        self._owed.add(unsent.requests)
        self.files.hold(one for one in unsent.requests if isinstance(one, schema.AddAttachment))
        self._typed |= unsent.typed

    def _shown_anew(self) -> None:
        self.cleared.emit()
        self.chat_changed.emit()
        self.settings_changed.emit()
        self.context_changed.emit()
        self._tell_running()

    # ----------------------------------------------------------------------------------------------------- the engine

    def connected(self) -> None:
        """The engine can be asked: the chat is opened, and what waited goes out."""
        self._owed.connected()
        self._busy, self._told, self._paging, self._telling = False, None, False, 0
        if self.loading:
            self._reopen(self.wanted)
        elif self._made or not self.empty:
            self._made = False  # making it again changes nothing if it is there
            self._make()
        self._dispatch()
        self._told_draft = ""
        self._unsaved_edits |= set(self._edits)
        self.write_draft(self._draft)
        self.files.connected()

    def engine_failed(self, reason: str) -> None:
        """The engine cannot be started; what waits for it ends with ``reason``."""
        if self.running and not self.turns[-1].sent:
            kept = tr("Your question is kept; press Retry once that is mended.")
            self._fail(self.turns[-1], f"{reason.rstrip('. ')}. {kept}")

    def connection_lost(self) -> None:
        """The engine is gone. An answer that it wrote is incomplete; a question that it may not have got waits."""
        self._busy, self._answering = False, ""
        self._doubtful = True
        self._told_draft = self._kept_draft
        self._owed.add(self._underway.lost())
        for requests in self._at_risk.values():
            self._owed.add(requests)
        waiting = {one.attachment for one in self._owed.requests if isinstance(one, schema.AddAttachment)}
        for chat in self.files.held_chats() - {self.chat}:
            files = [one for one in self.files.at_risk(chat) if one.attachment not in waiting]
            made = [schema.CreateChat(chat=chat)] if files and chat not in self._at_risk else []
            self._owed.add([*made, *files])
        self._at_risk.clear()
        self._tell_running()
        if self.running:
            turn = self.turns[-1]
            if turn.begun:
                self._fail(turn, interrupted_words(turn.length > 0 and self._saves and not self.temporary))
            turn.sent = False
        self._saves = True  # the next engine tells where that is not so
        self.unsent_changed.emit()

    def _all_saved(self) -> None:
        """The disk takes everything again."""
        self._at_risk.clear()
        self._underway.all_saved()
        self.files.all_saved()
        for turn in self.turns:
            turn.saved = True

    def receive(self, event: schema.Event) -> None:
        """An event of the engine; those of other chats are ignored."""
        self._of_files(event)
        if self._underway.kept(event) == self.chat:
            self._kept_draft = self._told_draft
        paid = self._owed.receive(event)
        if paid is not None:
            self._paid(paid, event)
            self.unsent_changed.emit()
            return
        match event:
            case schema.State():
                self._models_known(event.models)
            case schema.SavingState():
                self._saves = not event.problem
                if self._saves and not self._doubtful:
                    self._all_saved()
            case schema.RequestFailed():
                self._refused(event)
            case schema.ChatsRemoved():
                self._chats_removed(event)
            case schema.ChatOpened(chat=schema.ChatEntry(chat=self.chat)):
                self._opened(event)
            case schema.ChatChanged(chat=schema.ChatEntry(chat=self.chat), settings=schema.ChatSettings() as settings):
                self._set_up_elsewhere(settings)
            case _ if getattr(event, "chat", None) == self.chat:
                self._of_chat(event)

    def _paid(self, request: OwedRequest, event: schema.Event) -> None:
        """The engine has got what it was owed, or will never take it. What it has in its memory alone it is given again
        if it ends, unless that shows and is given with the rest of it."""
        unsaved = isinstance(event, schema.Accepted) and not event.saved
        if isinstance(request, schema.AddAttachment):
            if not (request.more or unsaved or request in self._owed.requests):
                self.files.let_go(request.attachment)
        elif unsaved and request.chat != self.chat:
            self._at_risk.setdefault(request.chat, []).append(request)

    def _chats_removed(self, event: schema.ChatsRemoved) -> None:
        """What was being written in the open chat stays with it, and is there again if it is brought back."""
        if event.everything:
            self._owed.forget()
            self._typed.clear()
            self._removed.clear()
            self._at_risk.clear()
        for chat in event.chats:
            self._at_risk.pop(chat, None)
        if event.everything or self.chat in event.chats:
            self.chat_removed.emit()
            written = joined(self._never_taken(), self._draft)
            if written and not event.everything:
                self._removed = {**dict([*self._removed.items()][-MAX_REMOVED:]), self.chat: written}
            self._forget(self._new_id(), temporary=False)
            self._shown_anew()
        self.unsent_changed.emit()

    def _of_chat(self, event: schema.Event) -> None:
        match event:
            case schema.Accepted(request="send_message" | "regenerate"):
                self._accepted(event)
            case schema.Accepted(request="update_chat", ref="settings"):
                self._telling = max(0, self._telling - 1)
            case schema.ContextOverflow():
                self._too_long(event)
            case schema.DraftChanged(draft=schema.Draft(text="")) if self._told_draft:
                # Another client asked what was its own draft, or cleared it. What is written here stays.
                self._told_draft = self._kept_draft = ""
                self.write_draft(self._draft)
            case schema.MessagesRemoved():
                self._emptied = True
                self._of_messages(event)
            case schema.ContextState():
                self.context = event
                self.context_changed.emit()
            case _:
                self._of_messages(event)

    # What comes.

    def _opened(self, event: schema.ChatOpened) -> None:
        was_loading, self.loading = self.loading, False
        self.temporary = event.chat.temporary
        lost_files = self._lost_files(event)
        waiting_turns = [turn for turn in self.turns if not turn.kept and turn.state in RUNNING]
        waits = {file.attachment for turn in waiting_turns for file in turn.files}
        self.files.show([one for one in event.draft.attachments if one.attachment not in waits])
        if was_loading:
            self._settings = self._told = event.settings
            self._draft = merged(self._draft, event.draft.text)
            self._told_draft = event.draft.text
            self._kept_draft = "" if self._draft_at_risk else event.draft.text
            self._edits = {edit.message: edit.text for edit in event.draft.edits}
        if self.temporary and not event.messages and any(turn.kept for turn in self.turns):
            self._forgotten()
        self._paging = False
        lost = self._lost(event, lost_files)
        self.files.bring_back(lost_files)
        waiting = [] if event.later else [turn for turn in self._waiting() if turn not in lost]
        turns = [self._known(turn) for turn in self._read(event.messages)]
        self._busy, self._answering = self._busy or bool(event.chat.answering), event.chat.answering
        self._page([*turns, *waiting], event.earlier, event.later)
        self.chat_changed.emit()
        if was_loading:
            self.settings_changed.emit()
            self.choice_arrived.emit(event.settings.model, event.settings.route)
            self.draft_arrived.emit(event.draft.text)
        self._show_wanted()
        self._dispatch()

    def _ended_unsaved(self, event: schema.ChatOpened) -> list[Turn]:
        there = {message.message for message in event.messages}
        return [turn for turn in self.turns if self._doubtful and not turn.saved and turn.question_id not in there]

    def _lost_files(self, event: schema.ChatOpened) -> list[schema.Attachment]:
        """What was attached to the draft, or to questions, which an engine that ended had not saved."""
        if not self._doubtful:
            return []
        kept = {one.attachment for one in event.draft.attachments}
        asked = [file for turn in self._ended_unsaved(event) if turn.after is None for file in turn.files]
        return [*(one for one in asked if one.attachment not in kept), *self.files.missing(kept)]

    def _lost(self, event: schema.ChatOpened, files: Sequence[schema.Attachment]) -> list[Turn]:
        """The engine that had these questions ended before it could save them: they become drafts again."""
        gone = self._ended_unsaved(event)
        self._doubtful = False
        for turn in gone:
            turn.kept = turn.begun = turn.sent = False
            turn.saved = True
        # What runs is asked again, unless its files have to come first.
        return [turn for turn in gone if turn.state not in RUNNING or not set(turn.files).isdisjoint(files)]

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
                old.saved = turn.saved
                if turn.answer_id == old.answer_id and turn.state == old.state and turn.length <= old.length:
                    versions = (turn.siblings, turn.question_siblings, turn.parent)
                    if versions != (old.siblings, old.question_siblings, old.parent):  # others were deleted
                        old.siblings, old.question_siblings, old.parent = versions
                        self._changed(old)
                    return old
        return turn

    def _refused(self, event: schema.RequestFailed) -> None:
        if not event.ref:
            return
        if event.request == "open_chat" and event.ref == self.chat:
            self._forget(self._new_id(), temporary=False)
            self._shown_anew()
            self.problem_arose.emit(from_engine(event))
            return
        if event.ref == SETTINGS:
            self._told = None  # sent again with the next question
            self._telling = max(0, self._telling - 1)
            self.problem_arose.emit(from_engine(event))
        elif event.ref in ("earlier", "later", "branch"):
            self._paging = False
            self.problem_arose.emit(from_engine(event))
        elif self.turns and event.ref == self.turns[-1].ref:
            self._not_asked(self.turns[-1], event)
