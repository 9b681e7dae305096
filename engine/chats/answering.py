"""Makes the answers of chats: what is asked, whether it fits, and what comes back, kept as it comes."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

import msgspec

from engine.api import error_reply
from engine.api.badge import badge_of
from engine.api.chat_request import sampling_of, suited_sampling
from engine.api.schema import (
    MAX_QUESTION,
    AnswerDetails,
    AnswerProblem,
    AnswerStage,
    ChatSettings,
    MessageState,
    Overflow,
)
from engine.api.service import AnswerDelta, AnswerDone, AnswerRequest, AnswerService
from engine.api.service import AnswerStage as ServiceStage
from engine.chats.database import ReadMessage
from engine.chats.live import LiveChat, Running
from engine.chats.prompt import (
    MOST_CHARACTERS_PER_TOKEN,
    Branch,
    Turn,
    answer_room,
    estimated_tokens,
    learned_rate,
    messages_of,
    turns_of,
)
from engine.chats.rows import AttachmentRow, MessageRow
from engine.chats.words import clean
from engine.errors import (
    ContextLengthError,
    GenTorrentError,
    InvalidRequestError,
    UnknownModelError,
    WeakerPathsNeededError,
)
from engine.inference.text.answer_parts import Content, Reasoning
from engine.inference.types import PromptMessage
from engine.sentences import said_by, say, together

MAX_ANSWER = 4_000_000
"""Characters of an answer; a longer one is stopped."""
MAX_MESSAGES = 2048
"""Of one question to a model; older ones are dropped, as where the context is full."""
COUNT_SECONDS = 3.0
"""So long the worker may take to count the tokens of a prompt; then it is estimated."""
READ_AT_ONCE = 64
"""Messages of a branch that are read at a time."""
DROP_ATTEMPTS = 6
STOPPED = AnswerProblem(code="cancelled", text=say("chat.stopped"))
CountTokens = Callable[[AnswerRequest], Awaitable[int | None]]
"""Tokens of a request's prompt, by the model itself; None where it is not loaded here."""
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Fit:
    """How many tokens a prompt has, of ``limit`` (0: not known); ``room`` of them are kept for the answer."""

    used: int
    limit: int
    room: int
    exact: bool

    @property
    def fits(self) -> bool:
        return not self.limit or self.used + self.room <= self.limit


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked: ``branch`` without ``left_out`` of its turns, which are ``dropped`` messages that do not fit,
    chosen as ``overflow`` says."""

    request: AnswerRequest
    branch: Branch
    fit: Fit
    overflow: Overflow = "refuse"
    left_out: int = 0
    dropped: int = 0

    @property
    def fits(self) -> bool:
        return self.fit.fits and len(self.request.messages) <= MAX_MESSAGES


class NoRoomError(GenTorrentError):
    """The conversation does not fit; without so many of its oldest messages (``droppable``; 0: never) it would."""

    def __init__(self, fit: Fit, droppable: int, text: str) -> None:
        super().__init__(text)
        self.fit = fit
        self.droppable = droppable


def conversation_name(chat: str) -> str:
    """What a kept chat is called where its paths and its private cache are kept."""
    return hashlib.sha256(f"kept chat {chat}".encode()).hexdigest()


class Answering:
    """Asks an :class:`AnswerService` what chats want to know."""

    def __init__(self, service: AnswerService, count: CountTokens) -> None:
        self._service = service
        self._count = count

    def model_of(self, settings: ChatSettings, wanted: str | None = None) -> str:
        """The model to ask: ``wanted``, the chat's, or the first that there is."""
        model = wanted or settings.model or next((one.id for one in self._service.models()), "")
        if not model:
            raise UnknownModelError(say("chat.no_model"))
        return model

    def context_length(self, model: str) -> int:
        """Tokens that a model holds; 0 when that is not known."""
        return next((one.context_length for one in self._service.models() if one.id == model), 0)

    async def prepare(
        self,
        live: LiveChat,
        branch: Sequence[str],
        model: str,
        overflow: Overflow,
        new: Sequence[MessageRow] = (),
        files: Sequence[AttachmentRow] = (),
    ) -> Asked:
        """What is asked when ``branch`` (names of kept messages) and then ``new`` with their ``files`` is the
        conversation. :class:`NoRoomError` if it does not fit and nothing may be dropped."""
        read = await self._read(live, branch, model, overflow, new, files)
        whole = await self._asked(live, read, model, overflow)
        if whole.fits and not read.unread:
            return whole
        best = await self._fitting(live, read, model, overflow, whole.fit.exact)
        if best is None and overflow == "keep_ends":  # the first turn is too long itself
            best = await self._fitting(live, read, model, "drop_oldest", whole.fit.exact)
        if best is not None and overflow != "refuse":
            return best
        raise _overflow(whole.fit, best.dropped if best is not None else 0, model)

    async def _fitting(self, live: LiveChat, read: Branch, model: str, overflow: Overflow, count: bool) -> Asked | None:
        """The least that can be left out so that the rest fits; None when nothing does."""
        first, last = (0 if read.unread else 1), read.most(overflow)
        best: Asked | None = None
        while first <= last:
            middle = (first + last) // 2
            tried = await self._asked(live, read, model, overflow, middle, count=count)
            if tried.fits:
                best, last = tried, middle - 1
            else:
                first = middle + 1
        return best

    async def fit(
        self, live: LiveChat, branch: Sequence[str], model: str, text: str, files: Sequence[AttachmentRow]
    ) -> Fit:
        """How full the context would be with one more question of ``text`` and ``files``."""
        new = MessageRow(id="new", chat=live.id, parent="", place=0, role="user", text=text)
        named = [msgspec.structs.replace(one, message=new.id) for one in files]
        read = await self._read(live, branch, model, "refuse", [new] if text or named else [], named)
        return (await self._asked(live, read, model, "refuse")).fit

    async def _read(
        self,
        live: LiveChat,
        branch: Sequence[str],
        model: str,
        overflow: Overflow,
        new: Sequence[MessageRow],
        files: Sequence[AttachmentRow],
    ) -> Branch:
        """As much of a branch as can matter to the model."""
        limit = self.context_length(model) * MOST_CHARACTERS_PER_TOKEN or MAX_ANSWER
        read = [ReadMessage(row, len(row.text), 0) for row in new]
        attached: list[AttachmentRow] = list(files)
        end, length = len(branch), 0
        while end and length <= limit:
            names = branch[max(0, end - READ_AT_ONCE) : end]
            found = await live.store.messages(names, text=MAX_QUESTION + MAX_ANSWER, reasoning=0)
            some = await live.store.whole_attachments(live.id, names)
            read[:0] = [found[name] for name in names if name in found]
            attached += some
            length += sum(one.characters for one in found.values()) + sum(len(one.text) for one in some)
            end -= len(names)
        first = await self._first_turn(live, branch[: min(end, 2)]) if overflow == "keep_ends" and end else None
        return Branch(_turns(read, attached), learned_rate(read), end, first)

    async def _first_turn(self, live: LiveChat, names: Sequence[str]) -> Turn | None:
        """The turn that a branch begins with."""
        found = await live.store.messages(names, text=MAX_QUESTION + MAX_ANSWER, reasoning=0)
        files = await live.store.whole_attachments(live.id, names)
        turns = _turns([found[name] for name in names if name in found], files)
        return turns[0] if turns and turns[0].answer else None

    async def _asked(
        self, live: LiveChat, read: Branch, model: str, overflow: Overflow, left_out: int = 0, count: bool = True
    ) -> Asked:
        settings = live.row.settings
        turns, dropped = read.without(left_out, overflow)
        request = self._request(live, messages_of(settings.system, turns), model)
        limit = self.context_length(model)
        tokens = await self._counted(request) if count else None
        used = tokens if tokens is not None else estimated_tokens(request.messages, read.rate)
        fit = Fit(used, limit, answer_room(settings.max_tokens, limit), tokens is not None)
        return Asked(request, read, fit, overflow, left_out, dropped)

    async def _counted(self, request: AnswerRequest) -> int | None:
        if not request.messages:
            return None
        try:
            async with asyncio.timeout(COUNT_SECONDS):
                return await self._count(request)
        except (TimeoutError, GenTorrentError):
            return None

    def _request(self, live: LiveChat, messages: tuple[PromptMessage, ...], model: str) -> AnswerRequest:
        settings = live.row.settings
        return AnswerRequest(
            model_id=model,
            messages=messages,
            sampling=sampling_of(settings.sampling or suited_sampling(model)),
            max_tokens=settings.max_tokens,
            stop=settings.stop,
            route="local" if settings.local_only else settings.route,
            conversation=conversation_name(live.id),
            privacy=settings.privacy,
        )

    # The answer itself

    async def write(self, live: LiveChat, running: Running, asked: Asked) -> MessageRow:
        """Ask, tell listeners what comes, and return the row with its end. Cancelled by ``running.stopping`` it ends as
        stopped, by anything else as interrupted: then the row is left in ``running`` and the cancellation goes on."""
        if not running.begin():
            return _ended(running, "stopped", STOPPED, asked)
        for attempt in range(DROP_ATTEMPTS):
            try:
                done = await self._stream(live, running, asked.request)
                return _done(running, asked, done)
            except ContextLengthError as error:
                fewer = None if running.characters or attempt == DROP_ATTEMPTS - 1 else self._fewer(live, asked)
                if fewer is None:
                    return _failed(running, error, asked)
                text = say("chat.holds_less")
                _tell_stage(
                    live, running, AnswerStage(chat=live.id, message=running.row.id, stage="sending", text=text)
                )
                asked = fewer
            except GenTorrentError as error:
                return _failed(running, error, asked)
            except asyncio.CancelledError:
                if not running.stopping:
                    raise
                return _ended(running, "stopped", STOPPED, asked)
            except Exception:
                _logger.exception("an answer failed unexpectedly")
                text = say("chat.mistake")
                return _ended(running, "failed", AnswerProblem(code="internal_error", text=text), asked)
        raise AssertionError("the last attempt returns")

    def _fewer(self, live: LiveChat, asked: Asked) -> Asked | None:
        """With half of the turns that could still be left out left out; None where nothing may be or can be."""
        if asked.overflow == "refuse":
            return None
        overflow, left = asked.overflow, asked.branch.most(asked.overflow) - asked.left_out
        if left <= 0 and overflow == "keep_ends":  # then without the first one
            overflow, left = "drop_oldest", asked.branch.most("drop_oldest") - asked.left_out
        if left <= 0:
            return None
        left_out = asked.left_out + (left + 1) // 2
        turns, dropped = asked.branch.without(left_out, overflow)
        request = self._request(live, messages_of(live.row.settings.system, turns), asked.request.model_id)
        return Asked(request, asked.branch, asked.fit, overflow, left_out, dropped)

    async def _stream(self, live: LiveChat, running: Running, request: AnswerRequest) -> AnswerDone:
        async with aclosing(self._service.answer(request)) as events:
            async for event in events:
                match event:
                    case ServiceStage(stage=stage, text=text, place=place, estimate=estimate):
                        told = AnswerStage(
                            chat=live.id, message=running.row.id, stage=stage, text=text, place=place, estimate=estimate
                        )
                        _tell_stage(live, running, told)
                    case AnswerDelta():
                        _add(live, running, event)
                    case AnswerDone():
                        return event
        raise InvalidRequestError(say("chat.incomplete"))


def _turns(read: Sequence[ReadMessage], attached: Sequence[AttachmentRow]) -> list[Turn]:
    by_message: dict[str, list[AttachmentRow]] = {}
    for one in attached:
        by_message.setdefault(one.message, []).append(one)
    return turns_of([one.row for one in read], by_message)


def _overflow(fit: Fit, droppable: int, model: str) -> NoRoomError:
    code = "chat.overflow" if fit.exact else "chat.overflow_about"
    what = say(code, used=fit.used, model=model, limit=fit.limit)
    todo = say("chat.overflow_drop", droppable=droppable) if droppable else say("chat.overflow_shorten")
    return NoRoomError(fit, droppable, together(what, todo))


def _tell_stage(live: LiveChat, running: Running, stage: AnswerStage) -> None:
    running.stage = stage
    live.tell(stage)


def _add(live: LiveChat, running: Running, delta: AnswerDelta) -> None:
    said = clean("".join(part.text for part in delta.parts if isinstance(part, Content)))
    thought = clean("".join(part.text for part in delta.parts if isinstance(part, Reasoning)))
    if thought and not running.reasoning_characters:
        text = say("chat.thinks")
        _tell_stage(live, running, AnswerStage(chat=live.id, message=running.row.id, stage="thinking", text=text))
    if running.characters + running.reasoning_characters + len(said) + len(thought) > MAX_ANSWER:
        raise InvalidRequestError(say("chat.answer_too_long", most=MAX_ANSWER))
    live.tell(running.add(said, thought, len(delta.ids)))


def _done(running: Running, asked: Asked, done: AnswerDone) -> MessageRow:
    badge, reason = badge_of(done)
    details = AnswerDetails(
        finish_reason=done.finish_reason,
        prompt_tokens=done.prompt_tokens,
        completion_tokens=done.completion_tokens,
        served_by=done.served_by,
        seed=asked.request.sampling.seed,
        badge=badge,
        badge_reason=reason,
        paths=done.paths,
        n=done.n,
        k=done.k,
        ttft_ms=done.ttft_ms,
        tokens_per_s=done.tokens_per_s,
        receipt=bool(done.receipt_export),
        privacy=done.privacy,
        machines=done.machines,
        standings=done.standings,
        asked=done.asked,
        dropped=asked.dropped,
        overflow=asked.overflow if asked.dropped else "refuse",
    )
    return msgspec.structs.replace(running.now("done"), details=details, receipt=done.receipt_export)


def _failed(running: Running, error: GenTorrentError, asked: Asked) -> MessageRow:
    choices = error_reply.weaker_choices(error.choices) if isinstance(error, WeakerPathsNeededError) else ()
    problem = AnswerProblem(code=error_reply.code_of(error), text=clean(said_by(error)), choices=choices)
    return _ended(running, "failed", problem, asked)


def _ended(running: Running, state: MessageState, problem: AnswerProblem, asked: Asked) -> MessageRow:
    details = AnswerDetails(dropped=asked.dropped, overflow=asked.overflow) if asked.dropped else None
    return msgspec.structs.replace(running.now(state), problem=problem, details=details)
