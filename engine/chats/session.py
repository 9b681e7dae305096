"""One client of the chat history: what it has open, what it asks, and what it is told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import msgspec

from engine.api.refusals import refusal
from engine.api.schema import (
    MAX_PIECE,
    MAX_QUESTION,
    Accepted,
    AddAttachment,
    BranchSelected,
    ChatOpened,
    ChatsRequest,
    CloseChat,
    ContextOverflow,
    ControlEvent,
    CreateChat,
    DeleteChats,
    DeleteEverything,
    DeleteFolder,
    DeleteMessage,
    DeletePreset,
    ExportChat,
    ExportPiece,
    GetContext,
    GetMessages,
    GetText,
    ListChats,
    MessagePage,
    OpenChat,
    Regenerate,
    RemoveAttachment,
    RestoreChats,
    RestoreMessages,
    SaveDraft,
    SaveFolder,
    SavePreset,
    SearchChats,
    SelectBranch,
    SendMessage,
    StopAnswer,
    TextPiece,
    UpdateChat,
)
from engine.chats import collection, conversation, export, removal
from engine.chats.answering import NoRoomError
from engine.chats.live import LiveChat
from engine.chats.pages import Place
from engine.chats.words import clean
from engine.errors import ChatNotFoundError, InvalidRequestError, OverloadedError
from engine.sentences import said_by, say

if TYPE_CHECKING:
    from engine.chats.history import ChatHistory

MAX_OPEN = 64
"""Chats that one client may have open."""
MAX_UPLOADS = 8
"""Files that one client may be in the middle of sending."""


class Session:
    """See ``service.ChatsSession``. Requests of one client are done one after the other."""

    def __init__(
        self,
        history: ChatHistory,
        tell: Callable[[ControlEvent], None],
        room: Callable[[], Awaitable[None]],
    ) -> None:
        self.tell = tell
        self.watching = False
        self._history = history
        self._room = room
        self._open: set[str] = set()
        self._uploads: dict[tuple[str, str], list[str]] = {}

    def close(self) -> None:
        """The client is gone."""
        self._history.detach(self)

    def forget(self) -> None:
        """Everything is deleted: also what is half sent, and what is open."""
        self._uploads.clear()
        self._open.clear()

    async def handle(self, request: ChatsRequest) -> None:
        """Do it and tell the reply."""
        try:
            await self._room()
            if not isinstance(request, DeleteEverything):  # which shall work where the database does not
                await self._history.ready()
            reply = await self._reply(request)
        except NoRoomError as error:
            fit = error.fit
            reply = ContextOverflow(
                ref=request.ref,
                chat=getattr(request, "chat", ""),
                used=fit.used,
                limit=fit.limit,
                droppable=error.droppable,
                exact=fit.exact,
                text=said_by(error),
            )
        except Exception as error:
            reply = refusal(request, error)
        if reply is not None:
            self.tell(reply)

    async def _reply(self, request: ChatsRequest) -> ControlEvent | None:
        history = self._history
        match request:
            case ListChats():
                self.watching = self.watching or request.watch
                return await collection.listed(history, request)
            case SearchChats():
                return await collection.found(history, request)
            case CreateChat():
                return await collection.create(history, request)
            case DeleteChats():
                return await collection.delete(history, request)
            case RestoreChats():
                return await collection.restore(history, request)
            case SaveFolder() | DeleteFolder():
                return await collection.change_folder(history, request)
            case SavePreset() | DeletePreset():
                return await collection.change_preset(history, request)
            case DeleteEverything():
                if request.keys and history.forget_keys is None:
                    raise InvalidRequestError("The keys belong to another program here.", "keys")
                await history.erase()
                if request.keys and history.forget_keys is not None:
                    history.forget_keys()
                return Accepted(ref=request.ref, request="delete_everything")
            case ExportChat():
                await self._export(request)
                return None
            case _:
                return await self._about_one(request)

    async def _about_one(self, request: ChatsRequest) -> ControlEvent | None:
        history = self._history
        match request:
            case OpenChat():
                await self._opened(request)
                return None
            case CloseChat():
                self._open.discard(request.chat)
                live = history.live(request.chat)
                if live is not None:
                    history.leave(live, self)
                return Accepted(ref=request.ref, request="close_chat", chat=request.chat)
            case StopAnswer():
                live = history.live(request.chat)
                if live is not None:
                    await history.stop(live)
                return Accepted(ref=request.ref, request="stop_answer", chat=request.chat)
            case AddAttachment():
                return await self._upload(request)
            case GetMessages() | GetText() | GetContext() | SelectBranch():
                return await self._read(request)
            case UpdateChat():
                return await conversation.update(history, request)
            case SaveDraft():
                return await conversation.save_draft(history, request, self)
            case RemoveAttachment():
                return await conversation.remove_attachment(history, request, self)
            case SendMessage():
                return await conversation.send(history, request, self)
            case Regenerate():
                return await conversation.regenerate(history, request)
            case DeleteMessage():
                return await removal.remove(history, request, self)
            case RestoreMessages():
                return await removal.restore(history, request)
        raise InvalidRequestError("This is no request about chats.")

    async def _opened(self, request: OpenChat) -> None:
        """Tell the chat, and from that very moment on what happens in it."""
        self._open = {chat for chat in self._open if self._has_open(chat)}
        if len(self._open) >= MAX_OPEN and request.chat not in self._open:
            raise OverloadedError(say("chat.open_most", most=MAX_OPEN))
        async with self._history.use(request.chat) as live:
            draft = await live.draft()
            page = await conversation.turn_to(live, request.message, request.limit, self)
            opened = ChatOpened(
                ref=request.ref,
                chat=live.entry(),
                settings=live.row.settings,
                messages=page.messages,
                earlier=page.earlier,
                later=page.later,
                draft=draft,
            )
            live.listeners.add(self)
            self._open.add(request.chat)
            self.tell(opened)
            if live.running is not None and live.running.stage is not None and not live.running.characters:
                self.tell(live.running.stage)
        self._history.context_changed(live)

    def _has_open(self, chat: str) -> bool:
        live = self._history.live(chat)
        return live is not None and self in live.listeners

    async def _read(self, request: ChatsRequest) -> ControlEvent:
        match request:
            case GetMessages():
                async with self._history.use(request.chat) as live:
                    page = await live.page(Place(before=request.before, after=request.after), request.limit)
                return MessagePage(
                    ref=request.ref,
                    chat=request.chat,
                    messages=page.messages,
                    earlier=page.earlier,
                    later=page.later,
                )
            case GetText():
                async with self._history.use(request.chat) as live:
                    text = await _text(live, request)
                return TextPiece(
                    ref=request.ref,
                    chat=request.chat,
                    message=request.message,
                    at=request.at,
                    text=text[request.at : request.at + MAX_PIECE],
                    characters=len(text),
                )
            case SelectBranch():
                selected: BranchSelected = await conversation.select(self._history, request, self)
                return selected
            case GetContext():
                async with self._history.use(request.chat) as live:
                    state = await self._history.contexts.of(live, request.text)
                return msgspec.structs.replace(state, ref=request.ref)
        raise InvalidRequestError("This is no request about chats.")

    async def _upload(self, request: AddAttachment) -> Accepted:
        """A piece of a file; the file is kept when it is whole."""
        key = (request.chat, request.attachment)
        pieces = self._uploads.pop(key, []) if request.at else []
        if request.at != sum(map(len, pieces)):
            raise InvalidRequestError(say("file.pieces"), "at")
        length = request.at + len(request.text)
        if length > MAX_QUESTION:
            raise InvalidRequestError(say("file.too_long", name=request.name[:80], most=MAX_QUESTION))
        if len(self._uploads) >= MAX_UPLOADS:
            raise OverloadedError(say("file.uploads_most", most=MAX_UPLOADS))
        pieces.append(clean(request.text))
        if request.more:
            self._uploads[key] = pieces
            return Accepted(ref=request.ref, request="add_attachment", chat=request.chat)
        return await conversation.attach(self._history, request, "".join(pieces), self)

    async def _export(self, request: ExportChat) -> None:
        async for piece in export.pieces(self._history, request.chat, request.format):
            await self._room()
            told = ExportPiece(ref=request.ref, text=piece.text, last=piece.last, name=piece.name)
            self.tell(told)


async def _text(live: LiveChat, request: GetText) -> str:
    """The whole text of which a piece is wanted."""
    if request.part == "draft":
        return await live.store.draft(live.id)
    if request.part == "attachment":
        files = await live.store.whole_attachments(live.id, [request.message])
        found = next((one.text for one in files if one.id == request.attachment), None)
        if found is None:
            raise ChatNotFoundError(say("file.none", name=request.attachment))
        return found
    if live.running is not None and live.running.row.id == request.message:
        row = live.running.now()
    else:
        rows = await live.store.whole_messages([request.message])
        if request.message not in rows or rows[request.message].chat != live.id:
            raise ChatNotFoundError(say("chat.message_not_found", message=request.message))
        row = rows[request.message]
    return {"text": row.text, "reasoning": row.reasoning, "receipt": row.receipt}[request.part]
