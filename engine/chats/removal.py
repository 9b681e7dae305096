"""Requests to delete a message with what follows it, and to undo that.

What is deleted is moved, in one transaction, into a chat of its own that is deleted: so it is found no more, and purged
like any deleted chat. Undoing it moves it back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from engine.api.schema import Accepted, DeleteMessage, MessagesRemoved, MessagesRestored, RestoreMessages
from engine.chats.conversation import check_there
from engine.chats.database import Database
from engine.chats.live import LiveChat
from engine.chats.rows import ChatRow
from engine.chats.tree import MessageTree
from engine.errors import ChatNotFoundError, StorageError
from engine.sentences import say

if TYPE_CHECKING:
    from engine.chats.history import ChatHistory
    from engine.chats.session import Session


@dataclass(frozen=True, slots=True)
class Removal:
    """What was deleted of a chat: ``names``, of which ``message`` is the first; ``tip`` was the end of the branch that
    showed; ``kept_in`` is the chat that has it now."""

    chat: str
    message: str
    names: tuple[str, ...]
    tip: str
    kept_in: ChatRow


async def remove(history: ChatHistory, request: DeleteMessage, by: Session) -> MessagesRemoved:
    """Delete a message with all that follows it."""
    while True:
        async with history.use(request.chat) as live:
            check_there(live, request.message)
            names = live.tree.below(request.message)
            if live.running is None or live.running.row.id not in names:
                removed = await _remove(history, live, names)
                for listener in live.listeners - {by}:
                    listener.tell(removed)
                return msgspec.structs.replace(removed, ref=request.ref)
        await history.stop(live)


async def _remove(history: ChatHistory, live: LiveChat, names: list[str]) -> MessagesRemoved:
    if not await live.store.flush():
        raise StorageError(live.store.problem)
    now, message, tip = history.clock.wall(), names[0], live.tip
    kept_in = ChatRow(
        id=history.new_id(), created=now, updated=now, activity=history.next_activity(), tip=tip, deleted=True
    )
    row = msgspec.structs.replace(live.row, tip=live.tree.beside(message) if tip in names else tip)
    await live.store.ask(Database.move_messages, names, row, kept_in)
    live.row, live.tree = row, live.tree.without(names)
    history.removals[kept_in.id] = Removal(live.id, message, tuple(names), tip, kept_in)
    history.deleted([kept_in.id])
    history.changed(live)
    history.context_changed(live)
    return MessagesRemoved(chat=live.id, message=message, removed=kept_in.id, count=len(names))


async def restore(history: ChatHistory, request: RestoreMessages) -> Accepted:
    """Bring them back, and show them."""
    async with history.use(request.chat) as live:
        removal = history.removals.get(request.removed)
        if removal is None or removal.chat != live.id or request.removed in history.purging:
            raise ChatNotFoundError(say("chat.too_late"))
        if not await live.store.flush():
            raise StorageError(live.store.problem)
        row = live.row if live.running is not None else msgspec.structs.replace(live.row, tip=removal.tip)
        await live.store.ask(Database.move_messages, removal.names, removal.kept_in, row)
        del history.removals[request.removed]  # the empty chat that is left is purged like others
        live.row, live.tree = row, MessageTree(await live.store.nodes(live.id))
        history.changed(live)
        history.context_changed(live)
        live.tell(MessagesRestored(chat=live.id, message=removal.message))
        return Accepted(ref=request.ref, request="restore_messages", chat=live.id)
