"""An answer that a client waits for: who carries it, and what its driver hears of it. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from engine.errors import RequestError
from engine.ids import NodeId
from engine.paths.answer_receiver import AnswerReceiver
from engine.paths.outgoing import OutgoingRequest
from engine.paths.silence import Silence
from engine.wire.answer import Attach, FrameEvent


def _nowhere() -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How an answer is asked for. ``elsewhere``: whether another machine could go on with it if this one fell silent;
    ``may_serve``: who may answer in the place of the machine that is asked (None: nobody); ``patience``: see
    ``Silence``."""

    elsewhere: Callable[[], bool] = _nowhere
    may_serve: Callable[[NodeId], bool] | None = None
    patience: float = 1.0


USUAL_TERMS = Terms()


@dataclass(frozen=True, slots=True)
class AnswerSummary:
    """Who carries an answer: the paths in use now, guard first, and the machine that answers (None: not known yet)."""

    paths: tuple[tuple[NodeId, ...], ...]
    outgoing: OutgoingRequest
    attempt: int
    announced: NodeId | None = None

    @property
    def serving(self) -> NodeId:
        """Who answers, as far as it is known."""
        return self.announced or self.outgoing.target.node_id


@dataclass(frozen=True, slots=True)
class AnswerEvents:
    """Events of an answer, in order; the last one is ``Finished`` or ``Failed``."""

    answer: int
    events: tuple[FrameEvent, ...]
    summary: AnswerSummary


@dataclass(frozen=True, slots=True)
class AnswerLost:
    """The answer cannot be completed; the error says why."""

    answer: int
    error: RequestError
    summary: AnswerSummary


@dataclass(slots=True)
class Route:
    """Path ``index`` of an answer: the circuit that carries it now and its return address at the proxy."""

    circuit: int
    handle: bytes
    hops: tuple[NodeId, ...]
    attach: Attach | None = None  # `replace proxy i by j`, sent again until something comes over the path


@dataclass(slots=True)
class RunningAnswer:
    """A running answer."""

    key: int
    chat: bytes
    outgoing: OutgoingRequest
    receiver: AnswerReceiver
    started: float
    terms: Terms
    silence: Silence
    routes: dict[int, Route] = field(default_factory=dict)
    sent_at: float | None = None
    resend_at: float = 0.0
    probe_at: float = 0.0
    healthy_since: float | None = None
    unhealthy_since: float | None = None
    looked_at: float = 0.0  # when its machine last took note of the time
    cancelled_at: float | None = None  # before the node was heard: it is told with its first sign of life
    control_turn: int = 0
    gone_reports: set[NodeId] = field(default_factory=set)  # proxies that lost the node since the last frame

    @property
    def n(self) -> int:
        """Paths that it has."""
        return self.receiver.n

    @property
    def k(self) -> int:
        """Paths that suffice for it."""
        return self.receiver.k

    def summary(self) -> AnswerSummary:
        """Who carries it now."""
        paths = tuple(self.routes[index].hops for index in sorted(self.routes))
        return AnswerSummary(paths, self.outgoing, self.receiver.attempt, self.receiver.serving_node)
