"""How full the contexts of chats are, counted anew at each change and told to those who have them open."""

from __future__ import annotations

import asyncio
import logging

from engine.api.schema import ContextState
from engine.chats.answering import Answering
from engine.chats.live import LiveChat
from engine.errors import GenTorrentError

_logger = logging.getLogger(__name__)


class Contexts:
    """Counts each chat once at a time; a change meanwhile has it counted again."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._counting: dict[str, bool] = {}
        """Chats whose context is being counted, and whether it has changed since."""

    def changed(self, live: LiveChat, tasks: asyncio.TaskGroup) -> None:
        """Something was said or written in a chat: count anew, if anybody has it open."""
        if not live.listeners:
            return
        if live.id in self._counting:
            self._counting[live.id] = True
            return
        self._counting[live.id] = False
        tasks.create_task(self._tell(live))

    async def _tell(self, live: LiveChat) -> None:
        try:
            again = True
            while again:
                self._counting[live.id] = False
                await self._count(live)
                again = self._counting[live.id]
        finally:
            del self._counting[live.id]

    async def _count(self, live: LiveChat) -> None:
        try:
            if live.listeners:
                live.tell(await self.of(live, await live.store.draft(live.id)))
        except GenTorrentError as error:
            _logger.debug("no context: %s", error)
        except Exception:
            _logger.exception("the context of a chat could not be counted")

    async def of(self, live: LiveChat, text: str) -> ContextState:
        """How full the context of a chat would be with its draft's files and ``text``."""
        model = self._answering.model_of(live.row.settings)
        files = await live.store.whole_attachments(live.id, [""])
        fit = await self._answering.fit(live, live.tree.branch(live.tip), model, text, files)
        left = max(0, fit.limit - fit.used)
        return ContextState(
            chat=live.id, model=model, used=fit.used, limit=fit.limit, left=left, exact=fit.exact, room=fit.room
        )
