"""One request at a model node, from its acceptance to the last acknowledgement of its answer. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.ids import NodeId
from engine.paths.answer_sender import AnswerSender
from engine.paths.forward import OutgoingForward
from engine.wire.answer import Request

THERE_SECONDS = 8.0
"""Without a word, after which a client does not count as there."""


@dataclass(slots=True)
class Execution:
    """A running (or lingering) answer. ``encoded``: until it is decided who serves it, in ``held``; ``forward``: who
    serves it in this node's place; ``origin``: the member that has passed it on, and its name of the forward."""

    request: Request
    sender: AnswerSender
    message_id: bytes
    last_heard: float
    encoded: bytes = b""
    held: bool = False
    decide_by: float = 0.0
    forward: OutgoingForward | None = None
    origin: tuple[NodeId, bytes] | None = None
    last_counter: int = -1
    attach_counters: dict[int, int] = field(default_factory=dict)
    finished_at: float | None = None
    begun: bool = False  # its first token has come
    cancelled: bool = False

    @property
    def brought_by(self) -> NodeId | None:
        """The member that has passed it on; None: its client has asked this node."""
        return None if self.origin is None else self.origin[0]

    def is_there(self, now: float) -> bool:
        """Whether its client was heard of lately."""
        return now <= self.last_heard + THERE_SECONDS
