"""Requests about one chat: ask, ask again, another branch, settings, the draft and its files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET

from engine.api.schema import (
    MAX_ATTACHMENTS,
    MAX_EDITS,
    MAX_PIECE,
    MAX_QUESTION,
    Accepted,
    AddAttachment,
    Attachment,
    BranchSelected,
    ChatSettings,
    DraftChanged,
    Regenerate,
    RemoveAttachment,
    SaveDraft,
    SelectBranch,
    SendMessage,
    UpdateChat,
)
from engine.chats.collection import kept_settings, preset, with_preset
from engine.chats.live import Listener, LiveChat, Running
from engine.chats.pages import Place
from engine.chats.rows import AttachmentRow, DraftRow, Key, MessageRow, Node, edit_name
from engine.chats.tree import ROOT
from engine.chats.words import clean, one_line, title_from
from engine.errors import ChatBusyError, ChatNotFoundError, InvalidRequestError
from engine.sentences import say

if TYPE_CHECKING:
    from engine.chats.answering import Asked
    from engine.chats.history import ChatHistory

MAX_MESSAGES = 20_000
"""Of one chat, all branches together."""
MAX_SIBLINGS = 200
"""Versions of one question or answer."""


async def send(history: ChatHistory, request: SendMessage, by: Listener) -> Accepted:
    """Keep a question and the beginning of its answer, then ask. What another client is writing meanwhile stays."""
    async with history.use(request.chat) as live:
        if request.message and request.message in live.tree:  # sent again, after a lost connection
            return _accepted_before(live, request)
        _check_idle(live)
        history.check_running()
        await _check_new(live, request.message)
        parent = live.tip if request.after is None else request.after
        _check_place(live, parent)
        files = await _files_of(history, live, request)
        question = MessageRow(
            id=request.message or history.new_id(),
            chat=live.id,
            parent=parent,
            place=history.next_place(),
            role="user",
            text=clean(request.text),
            created=history.clock.wall(),
        )
        files = [msgspec.structs.replace(one, message=question.id) for one in files]
        model = history.answering.model_of(live.row.settings)
        branch = live.tree.branch(parent)
        live.store.check_room()
        overflow = request.overflow or live.row.settings.overflow
        asked = await history.answering.prepare(live, branch, model, overflow, [question], files)
        if not live.row.title:
            title = title_from(question.text) or (files[0].name if files else "")
            live.row = msgspec.structs.replace(live.row, title=title)
        keep_draft = request.keep_draft or live.written_beside(by)
        gone: list[Key] = [] if keep_draft else [(DraftRow, live.id)]
        accepted = await _begin(history, live, question, files, gone, asked, history.new_id())
        live.tell(DraftChanged(chat=live.id, draft=await live.draft()))
        return msgspec.structs.replace(accepted, ref=request.ref, request="send_message")


async def regenerate(history: ChatHistory, request: Regenerate) -> Accepted:
    """Ask the same question again, beside the answers that there are."""
    async with history.use(request.chat) as live:
        check_there(live, request.message)
        if request.answer in live.tree and live.tree.node(request.answer).role == "assistant":  # sent again
            return _accepted(live, request, live.tree.parent(request.answer), request.answer)
        _check_idle(live)
        history.check_running()
        await _check_new(live, request.answer)
        node = live.tree.node(request.message)
        question = node.id if node.role == "user" else live.tree.parent(node.id)
        if question == ROOT or live.tree.node(question).role != "user":
            raise InvalidRequestError(say("chat.question_gone"))
        _check_place(live, question)
        live.store.check_room()
        model = history.answering.model_of(live.row.settings, request.model)
        overflow = request.overflow or live.row.settings.overflow
        asked = await history.answering.prepare(live, live.tree.branch(question), model, overflow)
        accepted = await _begin(history, live, question, [], [], asked, request.answer or history.new_id())
        return msgspec.structs.replace(accepted, ref=request.ref, request="regenerate")


async def _begin(
    history: ChatHistory,
    live: LiveChat,
    question: MessageRow | str,
    files: list[AttachmentRow],
    gone: list[Key],
    asked: Asked,
    name: str,
) -> Accepted:
    """Keep everything, tell it, and only then ask. ``question`` is a new one or the name of one that is kept, ``name``
    is the answer's."""
    now = history.clock.wall()
    parent = question if isinstance(question, str) else question.id
    answer = MessageRow(
        id=name,
        chat=live.id,
        parent=parent,
        place=history.next_place(),
        role="assistant",
        state="writing",
        created=now,
        model=asked.request.model_id,
    )
    new = [answer] if isinstance(question, str) else [question, answer]
    for row in new:
        live.tree.add(Node(row.id, row.parent, row.place, row.role))
    live.row = msgspec.structs.replace(live.row, tip=answer.id, updated=now, activity=history.next_activity())
    saved = await live.store.save(*new, live.row, *files, gone=gone)
    running = Running(answer)
    history.start(live, running, asked)
    attached = [Attachment(attachment=one.id, name=one.name, characters=len(one.text)) for one in files]
    for row in new:
        live.message_changed(row, attached if row is question else (), added=True)
    history.changed(live)
    return Accepted(
        ref="",
        request="",
        chat=live.id,
        message=parent,
        answer=answer.id,
        dropped=asked.dropped,
        saved=saved or live.temporary,
        problem="" if live.temporary else live.store.problem,
    )


def _accepted_before(live: LiveChat, request: SendMessage) -> Accepted:
    branch = live.tree.branch(live.tree.newest_end(request.message))
    after = branch[branch.index(request.message) + 1 :]
    return _accepted(live, request, request.message, after[0] if after else "")


def _accepted(live: LiveChat, request: SendMessage | Regenerate, question: str, answer: str) -> Accepted:
    return Accepted(
        ref=request.ref,
        request="send_message" if isinstance(request, SendMessage) else "regenerate",
        chat=live.id,
        message=question,
        answer=answer,
        saved=live.temporary or not live.store.waits(MessageRow, question),
        problem="" if live.temporary else live.store.problem,
    )


async def _check_new(live: LiveChat, message: str) -> None:
    if message and await live.store.messages([message]):
        raise InvalidRequestError(say("chat.id_taken"))


def _check_idle(live: LiveChat) -> None:
    if live.running is not None:
        raise ChatBusyError(say("chat.busy"))


def check_there(live: LiveChat, message: str) -> None:
    """:class:`ChatNotFoundError` unless the chat has the message."""
    if message not in live.tree:
        raise ChatNotFoundError(say("chat.message_not_found", message=message))


def _check_place(live: LiveChat, parent: str) -> None:
    """Whether something new may follow ``parent``."""
    if parent != ROOT:
        check_there(live, parent)
    if len(live.tree) + 2 > MAX_MESSAGES:
        raise InvalidRequestError(say("chat.full", count=len(live.tree)))
    if live.tree.children(parent) >= MAX_SIBLINGS:
        raise InvalidRequestError(say("chat.versions", most=MAX_SIBLINGS))


async def _files_of(history: ChatHistory, live: LiveChat, request: SendMessage) -> list[AttachmentRow]:
    """The files that go with a question, in the order in which they are named: the draft's, and copies of those of
    earlier questions of the chat, which keep theirs."""
    files = []
    for name in dict.fromkeys(request.attachments):
        found = await live.store.attachment(name)
        if found is None or found.chat != live.id:
            raise ChatNotFoundError(say("file.not_here", name=name))
        if found.message:
            found = msgspec.structs.replace(found, id=history.new_id(), place=history.next_place())
        files.append(found)
    if not request.text.strip() and not files:
        raise InvalidRequestError(say("chat.question_empty"), "text")
    _check_length(len(request.text) + sum(len(one.text) for one in files))
    return files


def _check_length(characters: int) -> None:
    if characters > MAX_QUESTION:
        raise InvalidRequestError(say("chat.question_too_long", count=characters, most=MAX_QUESTION))


async def select(history: ChatHistory, request: SelectBranch, by: Listener) -> BranchSelected:
    """Show another branch."""
    async with history.use(request.chat) as live:
        check_there(live, request.message)
        selected = await turn_to(live, request.message, request.limit, by)
        history.context_changed(live)
        return msgspec.structs.replace(selected, ref=request.ref)


async def turn_to(live: LiveChat, message: str, limit: int, by: Listener) -> BranchSelected:
    """Show the branch on which ``message`` lies, up to its newest end, unless it is shown already; others who have the
    chat open are told. The messages around ``message``, or the newest ones if it is not there."""
    there = message not in live.tree or message in live.tree.branch(live.tip)
    if not there:
        live.row = msgspec.structs.replace(live.row, tip=live.tree.newest_end(message))
        await live.store.save(live.row)
    page = await live.page(Place(around=message), limit)
    selected = BranchSelected(
        chat=live.id, message=message, messages=page.messages, earlier=page.earlier, later=page.later
    )
    if not there:
        _tell_others(live, selected, by)
    return selected


async def update(history: ChatHistory, request: UpdateChat) -> Accepted:
    """Rename, move or set up."""
    async with history.use(request.chat) as live:
        live.store.check_room()
        row = live.row
        if request.title is not UNSET:
            row = msgspec.structs.replace(row, title=one_line(request.title))
        if request.folder is not UNSET:
            row = msgspec.structs.replace(row, folder=request.folder)
        if request.settings is not UNSET:
            row = msgspec.structs.replace(row, settings=kept_settings(request.settings))
        if request.preset is not UNSET:
            row = msgspec.structs.replace(row, settings=await _preset(history, row.settings, request.preset))
        live.row = row
        saved = await live.store.save(row)
        history.changed(live)
        history.context_changed(live)
        problem = "" if live.temporary else live.store.problem
        return Accepted(ref=request.ref, request="update_chat", chat=live.id, saved=saved, problem=problem)


async def _preset(history: ChatHistory, settings: ChatSettings, name: str) -> ChatSettings:
    found = await preset(history, name)
    if found is None:
        raise ChatNotFoundError(say("preset.gone", name=name))
    return with_preset(settings, found)


# The draft


async def save_draft(history: ChatHistory, request: SaveDraft, by: Listener) -> Accepted:
    """Keep what is being written."""
    async with history.use(request.chat) as live:
        live.store.check_room()
        text, name = clean(request.text), live.id
        if request.message:
            name = edit_name(live.id, request.message)
            await _check_edit(live, request)
        else:
            live.draft_by = by if text else None
        if text:
            saved = await live.store.save(DraftRow(id=name, text=text))
        else:
            saved = await live.store.save(gone=[(DraftRow, name)])
        return await _draft_changed(history, live, by, request.ref, "save_draft", saved)


async def _check_edit(live: LiveChat, request: SaveDraft) -> None:
    check_there(live, request.message)
    if len(request.text) > MAX_PIECE:
        raise InvalidRequestError(say("edit.long", most=MAX_PIECE), "text")
    edits = await live.store.edits(live.id)
    if request.text and request.message not in edits and len(edits) >= MAX_EDITS:
        raise InvalidRequestError(say("edit.most", most=MAX_EDITS))


async def attach(history: ChatHistory, request: AddAttachment, text: str, by: Listener) -> Accepted:
    """A whole file for the draft."""
    async with history.use(request.chat) as live:
        live.store.check_room()
        files = (await live.store.attachments(live.id, [""])).get("", [])
        if any(one.attachment == request.attachment for one in files):
            return await _draft_changed(history, live, by, request.ref, "add_attachment", True)  # sent again
        if await live.store.attachment(request.attachment) is not None:
            raise InvalidRequestError(say("file.id_taken"), "attachment")
        if len(files) >= MAX_ATTACHMENTS:
            raise InvalidRequestError(say("file.most", most=MAX_ATTACHMENTS))
        _check_length(sum(one.characters for one in files) + len(text))
        row = AttachmentRow(
            id=request.attachment,
            chat=live.id,
            message="",
            place=history.next_place(),
            name=one_line(request.name) or "Text",
            text=text,
        )
        saved = await live.store.save(row)
        return await _draft_changed(history, live, by, request.ref, "add_attachment", saved)


async def remove_attachment(history: ChatHistory, request: RemoveAttachment, by: Listener) -> Accepted:
    """Take a file out of the draft."""
    async with history.use(request.chat) as live:
        files = (await live.store.attachments(live.id, [""])).get("", [])
        if any(one.attachment == request.attachment for one in files):
            await live.store.save(gone=[(AttachmentRow, request.attachment)])
        return await _draft_changed(history, live, by, request.ref, "remove_attachment", not live.store.problem)


async def _draft_changed(
    history: ChatHistory, live: LiveChat, by: Listener, ref: str, request: str, saved: bool
) -> Accepted:
    history.context_changed(live)
    if live.listeners - {by}:
        _tell_others(live, DraftChanged(chat=live.id, draft=await live.draft()), by)
    problem = "" if live.temporary else live.store.problem
    return Accepted(ref=ref, request=request, chat=live.id, saved=saved, problem=problem)


def _tell_others(live: LiveChat, event: DraftChanged | BranchSelected, by: Listener) -> None:
    for listener in live.listeners - {by}:
        listener.tell(event)
