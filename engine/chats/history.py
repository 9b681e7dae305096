"""The chats of the owner: the service behind the control API. Answers belong to chats, not to who asked for them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import msgspec

from engine.api.schema import ChatChanged, ChatEntry, ChatsRemoved, ControlEvent, SavingState
from engine.api.service import AnswerService, ChatsSession
from engine.chats.answering import Answering, Asked, CountTokens
from engine.chats.contexts import Contexts
from engine.chats.database import Database
from engine.chats.live import LiveChat, Running, entry_of
from engine.chats.removal import Removal
from engine.chats.rows import INTERRUPTED, ChatRow, MessageRow
from engine.chats.session import Session
from engine.chats.store import RETRY_SECONDS, ChatStore
from engine.chats.tree import MessageTree
from engine.clock import Clock
from engine.errors import ChatNotFoundError, OverloadedError, StorageError
from engine.sentences import say

SAVE_SECONDS = 0.5
"""Between two saves of answers that are being written."""
UNDO_SECONDS = 300.0
"""So long a deleted chat can be restored."""
HOUSE_SECONDS = 15.0
"""Between two looks at what can be forgotten."""
TEMPORARY_SECONDS = 600.0
"""So long a temporary chat is kept that no client has open."""
MAX_TEMPORARY = 64
MAX_RUNNING = 32
"""Answers of chats that are written at a time."""
_logger = logging.getLogger(__name__)


class ChatHistory:
    """``run()`` until cancelled; requests come through sessions (:meth:`attach`)."""

    def __init__(
        self,
        path: Path,
        service: AnswerService,
        count: CountTokens,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
        notice: Callable[[str], None],
    ) -> None:
        self.disk = ChatStore(path, clock, notice)
        self.memory = ChatStore(None, clock, notice)
        self.disk.told = self._saving_changed
        self.forget_keys: Callable[[], None] | None = None
        """Destroys the keys of this machine, too, and ends the engine."""
        self.answering = Answering(service, count)
        self.contexts = Contexts(self.answering)
        self.clock = clock
        self._random_bytes = random_bytes
        self._sessions: set[Session] = set()
        self._live: dict[str, LiveChat] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._opening = asyncio.Lock()
        self._place = self._activity = 0
        self._opened = self._erasing = False
        self._left: list[str] = []
        self.purging: set[str] = set()
        """Deleted chats that cannot be restored any more."""
        self.removals: dict[str, Removal] = {}
        """Deleted messages that can be restored, by the chats that keep them."""
        self._deleted: dict[str, float] = {}

    # Life

    async def run(self) -> None:
        """Write answers and keep house until cancelled; what is being written then is kept as it is."""
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                tasks.create_task(self._open_and_keep_house())
                tasks.create_task(self._keep_answers())
                tasks.create_task(self.disk.keep_trying())
                try:
                    await asyncio.get_running_loop().create_future()
                finally:
                    self._tasks = None  # before the group ends, which then takes no more
        finally:
            for store in (self.disk, self.memory):
                await store.close()

    async def _open_and_keep_house(self) -> None:
        while not self._opened:
            try:
                await self.ready()
            except StorageError as error:
                _logger.error("%s", error)
                await asyncio.sleep(RETRY_SECONDS)
        await self._keep_house()

    async def ready(self) -> None:
        """Open the database, if it is not; ``StorageError`` when that cannot be now."""
        async with self._opening:
            if self._opened:
                return
            self._left = await self.disk.ask(Database.running_answers)
            if self._left:
                kept = "all that came is kept but for the last half second"
                _logger.warning("the engine ended while it wrote %d answers; %s", len(self._left), kept)
            self.purging |= set(await self.disk.ask(Database.deleted_chats))
            self._place, self._activity = await self.disk.ask(Database.counters)
            self._opened = True

    def attach(self, tell: Callable[[ControlEvent], None], room: Callable[[], Awaitable[None]]) -> ChatsSession:
        """A client has connected."""
        session = Session(self, tell, room)
        self._sessions.add(session)
        if self.disk.problem:
            session.tell(self._saving())
        return session

    def detach(self, session: Session) -> None:
        """A client is gone."""
        self._sessions.discard(session)
        for live in list(self._live.values()):
            self.leave(live, session)

    # Names and numbers

    def new_id(self) -> str:
        return self._random_bytes(10).hex()

    def next_place(self) -> int:
        """A number higher than all before it, for a message."""
        self._place += 1
        return self._place

    def next_activity(self) -> int:
        """A number higher than all before it, for a chat in which something happens."""
        self._activity += 1
        return self._activity

    # Chats in use

    @asynccontextmanager
    async def use(self, chat: str) -> AsyncIterator[LiveChat]:
        """A chat, for the caller alone meanwhile; :class:`ChatNotFoundError`."""
        live = self._live.setdefault(chat, LiveChat(chat, self.disk))
        live.users += 1
        try:
            async with live.lock:
                if not live.loaded:
                    await self._load(live)
                if live.row.deleted:
                    raise not_found(chat)
                yield live
        finally:
            live.users -= 1
            self._let_go(live)

    async def _load(self, live: LiveChat) -> None:
        for store in (self.memory, self.disk):
            row = await store.chat(live.id)
            if row is not None:
                live.store, live.row = store, row
                live.tree = MessageTree(await store.nodes(live.id))
                live.loaded = True
                live.idle_since = self.clock.monotonic()
                return
        raise not_found(live.id)

    def add_live(self, row: ChatRow, temporary: bool) -> LiveChat:
        """A new chat."""
        live = LiveChat(row.id, self.memory if temporary else self.disk, row, loaded=True)
        live.idle_since = self.clock.monotonic()
        self._live[row.id] = live
        return live

    def _let_go(self, live: LiveChat) -> None:
        keep = live.users or live.listeners or live.running is not None or (live.temporary and live.loaded)
        if not keep and self._live.get(live.id) is live:
            del self._live[live.id]

    def leave(self, live: LiveChat, session: Session) -> None:
        """A client has a chat open no longer."""
        if session in live.listeners:
            live.listeners.discard(session)
            live.idle_since = self.clock.monotonic()
            self._let_go(live)

    def live(self, chat: str) -> LiveChat | None:
        """A chat, if it is in use."""
        return self._live.get(chat)

    def entry(self, row: ChatRow) -> ChatEntry:
        """A chat of the database as lists show it."""
        live = self._live.get(row.id)
        return live.entry() if live is not None and live.loaded else entry_of(row, self.disk)

    def temporaries(self) -> list[LiveChat]:
        return [live for live in self._live.values() if live.temporary and live.loaded]

    def check_temporary_room(self) -> None:
        """:class:`OverloadedError` when there are too many temporary chats."""
        if len(self.temporaries()) >= MAX_TEMPORARY:
            raise OverloadedError(say("chat.temporary_most", most=MAX_TEMPORARY))

    # News

    def tell_watchers(self, event: ControlEvent) -> None:
        """To all who watch the list."""
        for session in tuple(self._sessions):
            if session.watching:
                session.tell(event)

    def changed(self, live: LiveChat) -> None:
        """A chat is another one: tell those who have it open, and those who watch the list. Of a deleted one nobody
        hears."""
        if live.row.deleted:
            return
        changed = live.changed()
        for session in tuple(self._sessions):
            if session in live.listeners:
                session.tell(changed)
            elif session.watching:
                session.tell(ChatChanged(chat=changed.chat))

    def removed(self, chats: tuple[str, ...], everything: bool = False) -> None:
        """Chats are gone."""
        for session in tuple(self._sessions):
            session.tell(ChatsRemoved(chats=chats, everything=everything))

    def _saving(self) -> SavingState:
        return SavingState(problem=self.disk.problem, waiting=self.disk.waiting if self.disk.problem else 0)

    def _saving_changed(self) -> None:
        for session in tuple(self._sessions):
            session.tell(self._saving())

    # Answers

    def check_running(self) -> None:
        """:class:`OverloadedError` when too many answers are being written."""
        if self._tasks is None or self._erasing:
            raise OverloadedError(say("chat.ending"))
        if sum(live.running is not None for live in self._live.values()) >= MAX_RUNNING:
            raise OverloadedError(say("chat.answers_most", most=MAX_RUNNING))

    def start(self, live: LiveChat, running: Running, asked: Asked) -> None:
        """Begin to write an answer whose row is kept already."""
        if self._tasks is None:  # the engine's next start finds the row
            raise OverloadedError(say("chat.ending"))
        live.running = running
        running.task = self._tasks.create_task(self._answer(live, running, asked))

    async def _answer(self, live: LiveChat, running: Running, asked: Asked) -> None:
        try:
            row = await self.answering.write(live, running, asked)
        except asyncio.CancelledError:  # the engine ends
            await live.store.save(self._ended(msgspec.structs.replace(running.now("interrupted"), problem=INTERRUPTED)))
            raise
        running.ended = True
        row = self._ended(row)
        live.store.keep(row)  # whatever happens while the lock is waited for
        with _going_on("the end of an answer could not be kept"):
            async with live.lock:
                live.running = None
                now = self.clock.wall()
                live.row = msgspec.structs.replace(live.row, updated=now, activity=self.next_activity())
                await live.store.save(row, live.row)
                live.message_changed(row)
                self.changed(live)
            self.context_changed(live)
        self._let_go(live)

    def _ended(self, row: MessageRow) -> MessageRow:
        return msgspec.structs.replace(row, finished=self.clock.wall())

    async def stop(self, live: LiveChat) -> None:
        """Stop the answer that is being written in a chat, and wait until it is kept."""
        running = live.running
        if running is None or running.task is None:
            return
        if not running.ended and not running.stopping:
            running.stopping = True
            if running.begun:  # a task that is cancelled before its first step never learns of it
                running.task.cancel()
        await asyncio.wait([running.task])

    async def stop_all(self) -> None:
        """Stop every answer."""
        for live in list(self._live.values()):
            await self.stop(live)

    def context_changed(self, live: LiveChat) -> None:
        """Count anew how full the context is, and tell those who have the chat open."""
        if self._tasks is not None:
            self.contexts.changed(live, self._tasks)

    async def _keep_answers(self) -> None:
        """Save what has come of answers, so that the death of the engine costs a moment's text."""
        while True:
            await asyncio.sleep(SAVE_SECONDS)
            rows = []
            for live in self._live.values():
                running = live.running
                if running is not None and running.unsaved and not running.ended and not live.temporary:
                    running.unsaved = False
                    rows.append(running.now())
            if rows:
                with _going_on("answers could not be saved"):
                    await self.disk.save(*rows)

    # Deletion

    def deleted(self, chats: list[str]) -> None:
        """Remember when chats were deleted."""
        self._deleted |= dict.fromkeys(chats, self.clock.monotonic())

    def restored(self, chats: list[str]) -> None:
        for chat in chats:
            self._deleted.pop(chat, None)

    async def forget(self, live: LiveChat) -> None:
        """Remove a temporary chat."""
        await self.stop(live)
        live.row = msgspec.structs.replace(live.row, deleted=True)
        live.loaded = False
        live.listeners.clear()
        self._live.pop(live.id, None)
        await self.memory.save(live.row)
        while await self.memory.ask(Database.purge, live.id):
            pass

    async def erase(self) -> None:
        """Stop all answers and remove everything, for good."""
        self._erasing = True  # nothing new begins meanwhile
        try:
            await self.stop_all()
            self._live.clear()
            self._deleted.clear()
            self.removals.clear()
            self.purging.clear()
            await self.memory.erase()
            await self.disk.erase()
        finally:
            self._erasing = False
        for session in tuple(self._sessions):
            session.forget()
        self.removed((), everything=True)

    async def _keep_house(self) -> None:
        while True:
            with _going_on("the chats could not be tidied"):
                await self._tidy()
            await asyncio.sleep(HOUSE_SECONDS)

    async def _tidy(self) -> None:
        """Mend what an engine left that was killed, and forget what nobody can want any more."""
        await self.disk.flush()  # which looks whether its file is still there
        if self._left:
            problem = msgspec.json.encode(INTERRUPTED).decode()
            await self.disk.ask(Database.interrupt_answers, self._left, problem)
            self._left = []
        now = self.clock.monotonic()
        for live in self.temporaries():
            if not (live.listeners or live.running or live.users) and now - live.idle_since > TEMPORARY_SECONDS:
                await self.forget(live)
                self.removed((live.id,))
        self.purging |= {chat for chat, when in self._deleted.items() if now - when > UNDO_SECONDS}
        self.restored(list(self.purging))
        self.removals = {name: one for name, one in self.removals.items() if name not in self.purging}
        if self.purging and not self.disk.problem:
            await self._purge()

    async def _purge(self) -> None:
        """Remove for good what cannot be restored any more, piece by piece, so that nobody waits long."""
        gone = set(self.purging)
        for store in (self.memory, self.disk):  # messages of temporary chats are deleted, too
            for chat in sorted(gone):
                while await store.ask(Database.purge, chat):
                    pass
        for index in ("titles", "texts"):
            while await self.disk.ask(Database.merge_index, index):
                pass
        await self.disk.ask(Database.truncate_log)
        self.purging -= gone


@contextmanager
def _going_on(what: str) -> Iterator[None]:
    """What goes wrong here is tried again, or is one answer's end; the engine serves others and goes on."""
    try:
        yield
    except StorageError as error:
        _logger.warning("%s: %s", what, error)
    except Exception:
        _logger.exception("%s", what)


def not_found(chat: str) -> ChatNotFoundError:
    return ChatNotFoundError(say("chat.not_found", chat=chat))
