"""What the API needs from whoever answers: the node implements :class:`ControlService`, tests a small one of their own.

Failures are raised out of ``answer`` as ``engine.errors.RequestError`` (or another ``GenTorrentError``), before or
after the first text.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Literal, Protocol

from msgspec import Struct

from engine.api.schema import (
    ChatsRequest,
    ContributionRequest,
    ControlEvent,
    LibraryRequest,
    MachineStanding,
    ModelState,
    NetworkRequest,
    Privacy,
    PrivacyChoice,
    Route,
    State,
    Topology,
)
from engine.inference.text.answer_parts import Part
from engine.inference.types import Constraint, PromptMessage, TokenLogprob
from engine.wire.answer import Sampling


class AnswerRequest(Struct, frozen=True, kw_only=True):
    """A checked request for one answer, to ``messages``, or to go on from a plain ``prompt`` (or ``prompt_tokens``, ids
    of the model's own tokenizer, which only this machine takes). ``max_tokens`` None: as many as the context allows.
    ``conversation`` names a chat whose paths and private cache are kept; empty: recognise it by its earlier messages.
    The other fields are those of :class:`engine.inference.types.GenerationRequest`."""

    model_id: str
    messages: tuple[PromptMessage, ...] = ()
    prompt: str | None = None
    prompt_tokens: tuple[int, ...] = ()
    tools: str = ""
    tool_choice: str = ""
    parallel_tool_calls: bool = True
    constraint: Constraint | None = None
    template_options: str = ""
    top_logprobs: int | None = None
    sampling: Sampling
    max_tokens: int | None = None
    min_tokens: int = 0
    stop: tuple[str, ...] = ()
    route: Route = "auto"
    conversation: str = ""
    public_messages: int = 0
    public_characters: int = 0
    may_forward: bool = True
    minimum_standing: float = 0.0
    privacy: PrivacyChoice | None = None


class AnswerStage(Struct, frozen=True, kw_only=True):
    """Where the request stands. ``stage``: "connecting", "sending", "queued", "prefill", "decode", "finishing";
    ``place`` in the queue, ``estimate`` seconds to the first token, ``text`` in plain words."""

    stage: str
    place: int = 0
    estimate: float = 0.0
    text: str = ""


class AnswerDelta(Struct, frozen=True):
    """New token ids and the text they complete; the text may lag behind the ids and never breaks a character.

    ``text`` is as the model wrote it, ``parts`` what it means (reasoning, content, tool calls); they may lag behind it.
    ``logprobs``: one for each id, if asked for.
    """

    ids: tuple[int, ...]
    text: str
    parts: tuple[Part, ...] = ()
    logprobs: tuple[TokenLogprob, ...] = ()


class AnswerDone(Struct, frozen=True, kw_only=True):
    """The last event. ``served_by``: node id as text, or "local"; where an answer was handed over, of the machine that
    completed it. ``paths``: relay ids (text) of each path that carried
    the answer, guard first. ``receipt``: "verified", "none" (local answers) or "failed", with ``receipt_reason`` in
    plain words; ``receipt_export`` is the JSON text for ``gentorrent receipt verify``."""

    finish_reason: Literal["stop", "length"]
    prompt_tokens: int
    completion_tokens: int
    served_by: str
    machines: tuple[str, ...] = ()  # every one that made tokens, in order; empty: local
    asked: tuple[str, ...] = ()  # whom the question was sent to, in order; they may have passed it on
    cached_tokens: int = 0  # of the prompt, not computed anew
    paths: tuple[tuple[str, ...], ...] = ()
    n: int = 0
    k: int = 0
    ttft_ms: float = 0.0
    tokens_per_s: float = 0.0
    receipt: Literal["verified", "none", "failed"] = "none"
    receipt_reason: str = ""
    receipt_export: str = ""
    privacy: Privacy | None = None  # None: local
    standings: tuple[MachineStanding, ...] = ()  # of ``machines``, where the network has a committee
    unverifiable: str = ""  # why the committee's verdicts say nothing of this model, in plain words


AnswerEvent = AnswerStage | AnswerDelta | AnswerDone


class AnswerService(Protocol):
    """Who answers questions."""

    def models(self) -> list[ModelState]:
        """The models that can be asked now, in the order to show them."""
        ...

    def answer(self, request: AnswerRequest) -> AsyncGenerator[AnswerEvent, None]:
        """``AnswerStage*``, then ``AnswerDelta*`` (stages may come between), then one ``AnswerDone``.

        Write it as an async generator: closing or cancelling it cancels the answer at once, also at the serving node.
        """
        ...


class ChatsSession(Protocol):
    """One client of the chats that the engine keeps."""

    async def handle(self, request: ChatsRequest) -> None:
        """Do what is asked and tell the reply. Never raises for what was asked."""
        ...

    def close(self) -> None:
        """The client is gone; its answers go on."""
        ...


class ChatsService(Protocol):
    """The chats that the engine keeps."""

    def attach(self, tell: Callable[[ControlEvent], None], room: Callable[[], Awaitable[None]]) -> ChatsSession:
        """A client has connected: events go to ``tell``, which never raises; ``room`` returns when few of them wait."""
        ...


class LibraryService(Protocol):
    """The models that could be on this machine."""

    def attach(self, tell: Callable[[ControlEvent], None]) -> None:
        """A client has connected: news go to ``tell``, which never raises."""
        ...

    def detach(self, tell: Callable[[ControlEvent], None]) -> None:
        """The client is gone; downloads go on."""
        ...

    async def handle(self, request: LibraryRequest) -> ControlEvent:
        """Do what is asked; the reply."""
        ...


class ContributionService(Protocol):
    """The owner's rules, what is decided by them, and what came of it."""

    def handle(self, request: ContributionRequest, tell: Callable[[ControlEvent], None]) -> ControlEvent:
        """Do what is asked; the reply. News go to ``tell``, which never raises, once that client watches."""
        ...

    def detach(self, tell: Callable[[ControlEvent], None]) -> None:
        """The client is gone."""
        ...


class NetworkService(Protocol):
    """What the owner does about the network: hosting one, inviting others."""

    def attach(self, tell: Callable[[ControlEvent], None]) -> None:
        """A client has connected: news go to ``tell``, which never raises."""
        ...

    def detach(self, tell: Callable[[ControlEvent], None]) -> None:
        """The client is gone."""
        ...

    async def handle(self, request: NetworkRequest, tell: Callable[[ControlEvent], None]) -> ControlEvent:
        """Do what is asked; the reply. What belongs to it and comes before it goes to ``tell``."""
        ...


class ControlService(AnswerService, Protocol):
    """The node, as the owner sees it."""

    def state(self) -> State:
        """What is true now; cheap, called at every change and every poll."""
        ...

    def changes(self) -> AsyncGenerator[State, None]:
        """The present state, then the newest one after every change; changes that come faster than the reader reads
        (or than a few times a second) are merged. Ends when the engine stops."""
        ...

    async def set_contributing(self, on: bool, *, by_owner: bool = True) -> None:
        """Turn the owner's switch and return when it is accepted (not when the worker is up or gone). The owner's own
        pause ends where it is turned on ``by_owner``. Raises
        ``GenTorrentError`` when it cannot be, for example without a network."""
        ...

    def join_network(self, text: str) -> str:
        """Make the network that an invitation or an address names that of the next start; its address. Raises
        ``GenTorrentError`` with the reason where that cannot be."""
        ...

    def leave_network(self) -> None:
        """Be in no network from the next start on. Raises as :meth:`join_network` does."""
        ...

    def topology(self, chat: str) -> Topology:
        """Links, paths and groups at this moment; the paths of the kept chat with the id ``chat`` are marked."""
        ...

    def diagnostics(self) -> str:
        """A report for who helps, as JSON: nothing in it names a person, a machine or a place."""
        ...

    def shutdown(self, *, when_idle: bool = False) -> None:
        """Begin to stop the engine, or do so once no answer to its owner is being made; returns at once."""
        ...
