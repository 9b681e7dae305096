"""The client's protocol machine where no relay stands between: one link with the model node carries the whole answer.

The question is sealed, the answer is sealed and the receipt is checked as over paths; what is missing are the relays,
so the node learns the client's address. Pure; ``now`` is monotonic, ``wall`` seconds since 1970.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from engine.crypto.symmetric import hkdf
from engine.errors import ServingNodeLostError, WireError
from engine.ids import NetworkId, NodeId
from engine.paths.answer_receiver import AnswerReceiver
from engine.paths.effects import Lane, ProbeLink, Send
from engine.paths.losses import SILENT, STRANGER, lost_node
from engine.paths.outgoing import OutgoingRequest, Question, Target, prepare
from engine.paths.running_answer import USUAL_TERMS, AnswerEvents, AnswerLost, AnswerSummary, Terms
from engine.paths.silence import Silence, Verdict
from engine.sentences import say
from engine.wire.answer import Failed, Finished
from engine.wire.codec import Message, encode
from engine.wire.link import DeliverClove, ReleaseHandle, ReturnClove, link_decoder

LINK_SECONDS = 20.0
"""So long may the link with the model node be missing before an answer is given up."""
FIRST_FRAME_SECONDS = 12.0
CONTINUED_FRAME_SECONDS = 4.0
"""The same where it goes on with an answer that another machine began."""
SILENCE_SECONDS = 6.0
"""Frames leave every 150 ms; so long without one over a link that is there, and the node is taken for lost."""

MAX_WITNESSES = 4
"""Neighbours that are asked for a sign of life when an answer falls silent."""

DirectEffect = Send | AnswerEvents | AnswerLost | ProbeLink


class Neighbours(Protocol):
    """What the driver knows of its links."""

    def round_trip(self, peer: NodeId) -> float | None:
        """Seconds; None where it is not known."""
        ...

    def heard_at(self, peer: NodeId) -> float | None:
        """When anything last came from this neighbour (monotonic); None without a link."""
        ...


@dataclass(slots=True)
class _Answer:
    key: int
    outgoing: OutgoingRequest
    receiver: AnswerReceiver
    unlinked_since: float | None
    terms: Terms
    silence: Silence
    looked_at: float = 0.0
    doubted_at: float | None = None  # the silence since then is being looked into
    handle: bytes = b""
    sent_at: float | None = None
    cancelled: bool = False  # before the node was heard: it is told with its first sign of life

    @property
    def node(self) -> NodeId:
        return self.outgoing.target.node_id

    def summary(self) -> AnswerSummary:
        return AnswerSummary((), self.outgoing, self.receiver.attempt, self.receiver.serving_node)


class DirectMachine:
    """All answers that come without relays. Keys of answers are negative: they are told apart from those over paths."""

    def __init__(self, network_id: NetworkId, random_bytes: Callable[[int], bytes]) -> None:
        self._network_id = network_id
        self._random_bytes = random_bytes
        self.neighbours: Neighbours | None = None
        self._linked: set[NodeId] = set()
        self._answers: dict[int, _Answer] = {}
        self._next = -1
        self._chat_secret = random_bytes(32)

    def nodes(self) -> frozenset[NodeId]:
        """The model nodes that running answers need a link with."""
        return frozenset(answer.node for answer in self._answers.values())

    def is_linked(self, node: NodeId) -> bool:
        """Whether this node can be asked without waiting for a link."""
        return node in self._linked

    # Links

    def link_up(self, peer: NodeId, now: float) -> list[DirectEffect]:
        """A link is there: what waited for it is sent; what runs goes on over it under a new return address."""
        self._linked.add(peer)
        out: list[DirectEffect] = []
        for answer in [known for known in self._answers.values() if known.node == peer]:
            answer.unlinked_since = None
            out += self._send(answer, now)
        return out

    def link_down(self, peer: NodeId, now: float) -> None:
        """A link is gone; it may come back."""
        self._linked.discard(peer)
        for answer in [known for known in self._answers.values() if known.node == peer]:
            if answer.cancelled:
                del self._answers[answer.key]
            if answer.unlinked_since is None:
                answer.unlinked_since = now

    def receive(self, peer: NodeId, data: bytes, now: float) -> list[DirectEffect] | None:
        """A control message of a neighbour; None if it is not for this machine."""
        try:
            message = link_decoder.decode(data)
        except WireError:
            return None
        if not isinstance(message, ReturnClove):
            return None
        found = [known for known in self._answers.values() if known.node == peer and known.handle == message.handle]
        return self._clove(found[0], message.clove, now) if found else []

    # Questions

    def ask(
        self,
        chat: bytes,
        question: Question,
        target: Target,
        now: float,
        wall: float,
        terms: Terms = USUAL_TERMS,
    ) -> tuple[int, list[DirectEffect]]:
        """Begin an answer; it waits for the link if there is none yet. Raises ``RequestError``."""
        salt = hkdf(self._chat_secret, target.node_id, b"gentorrent/cache-salt/v1" + chat, 32)
        outgoing = prepare(question, target, self._network_id, 1, 1, salt, wall, self._random_bytes)
        receiver = outgoing.receiver(self._random_bytes, terms.may_serve)
        key, self._next = self._next, self._next - 1
        linked = target.node_id in self._linked
        answer = _Answer(key, outgoing, receiver, None if linked else now, terms, Silence(terms.patience))
        self._answers[key] = answer
        return key, self._send(answer, now) if linked else []

    def cancel(self, key: int) -> list[DirectEffect]:
        """Stop an answer: the node is told, nothing more is reported. Until its first clove has come nothing can be
        sealed to it, and it may compute already: then it is told when that comes."""
        answer = self._answers.get(key)
        if answer is None:
            return []
        if answer.sent_at is not None and answer.unlinked_since is None and not answer.receiver.execution_known:
            answer.cancelled = True
            return []
        return self._stop(answer)

    def _stop(self, answer: _Answer) -> list[DirectEffect]:
        message = answer.receiver.cancel()
        out = self._deliver(answer, message) if message else []
        return out + self._end(answer)

    def _send(self, answer: _Answer, now: float) -> list[DirectEffect]:
        """The question, or what brings a running answer to a new link."""
        answer.handle = self._random_bytes(16)
        out: list[DirectEffect] = []
        again, answer.sent_at = answer.sent_at is not None, now
        if not answer.receiver.frames:
            out += self._deliver(answer, answer.outgoing.clove(0))
        if again:  # the node may compute already
            attach = answer.receiver.replace_path(0, self._random_bytes(32))
            out += self._deliver(answer, answer.outgoing.attach(attach))
        return out

    def _deliver(self, answer: _Answer, clove: bytes) -> list[DirectEffect]:
        return self._message(answer, DeliverClove(handle=answer.handle, clove=clove))

    def _message(self, answer: _Answer, message: Message) -> list[DirectEffect]:
        if answer.node not in self._linked or not answer.handle:
            return []
        return [Send(answer.node, Lane.CONTROL, encode(message))]

    # Answers

    def _clove(self, answer: _Answer, clove: bytes, now: float) -> list[DirectEffect]:
        heard_at = answer.receiver.heard_at
        events = answer.receiver.receive(0, clove, now)
        if answer.receiver.heard_at != heard_at:
            answer.silence.heard(now)
        if answer.cancelled:
            return self._stop(answer) if answer.receiver.execution_known else []
        if answer.receiver.strangers and not answer.receiver.execution_known:
            return self._lost(answer, STRANGER)
        last = bool(events) and isinstance(events[-1], Finished | Failed)
        out: list[DirectEffect] = []
        if events:
            out.append(AnswerEvents(answer.key, tuple(events), answer.summary()))
        message = answer.receiver.acknowledge(now, force=last)
        if message:
            out += self._deliver(answer, message)
        return out + (self._end(answer) if last else [])

    def _end(self, answer: _Answer) -> list[DirectEffect]:
        del self._answers[answer.key]
        return self._message(answer, ReleaseHandle(handle=answer.handle)) if answer.handle else []

    # Time

    def tick(self, now: float) -> list[DirectEffect]:
        """Acknowledgements that are due, and the end of what has come to nothing."""
        out: list[DirectEffect] = []
        for answer in list(self._answers.values()):
            message = answer.receiver.acknowledge(now) if answer.sent_at is not None else None
            if message:
                out += self._deliver(answer, message)
            answer.looked_at = now
            if now >= self._limit(answer):
                out += self._given_up(answer)
            else:
                out += self._impatient(answer, now)
        return out

    def _impatient(self, answer: _Answer, now: float) -> list[DirectEffect]:
        """Where another machine can go on with the answer, one that falls silent is given up soon: when another
        neighbour has shown that it is not this machine's own network, and still nothing has come."""
        if self.neighbours is None:
            return []
        witnesses = sorted(self._linked - {answer.node})[:MAX_WITNESSES]
        heard = [at for one in witnesses if (at := self.neighbours.heard_at(one)) is not None]
        round_trip = self.neighbours.round_trip(answer.node) or 0.0
        verdict = answer.silence.judge(now, round_trip, max(heard, default=None))
        match verdict if verdict is Verdict.PATIENCE or answer.terms.elsewhere() else Verdict.PATIENCE:
            case Verdict.DOUBT if answer.doubted_at != answer.silence.heard_at:
                answer.doubted_at = answer.silence.heard_at
                return [ProbeLink(one) for one in witnesses]
            case Verdict.GONE:
                return self._lost(answer, SILENT)
        return []

    def _lost(self, answer: _Answer, why: str) -> list[DirectEffect]:
        """It may compute all the same: it is told to stop."""
        message = answer.receiver.cancel()
        told = self._deliver(answer, message) if message else []
        return [*told, AnswerLost(answer.key, lost_node(why), answer.summary()), *self._end(answer)]

    def next_deadline(self) -> float | None:
        """When :meth:`tick` wants to be called next."""
        deadlines = [self._limit(answer) for answer in self._answers.values()]
        for one in self._answers.values():
            known = one.receiver.next_deadline()
            deadlines += [] if known is None else [known]
            round_trip = (self.neighbours.round_trip(one.node) if self.neighbours else None) or 0.0
            deadlines += one.silence.deadlines(round_trip, one.looked_at)
        return min(deadlines, default=None)

    def _limit(self, answer: _Answer) -> float:
        if answer.unlinked_since is not None:
            return answer.unlinked_since + LINK_SECONDS
        sent = answer.sent_at or 0.0
        heard = answer.receiver.heard_at
        if heard is not None:
            return max(sent, heard) + SILENCE_SECONDS
        return sent + (CONTINUED_FRAME_SECONDS if answer.outgoing.request.continue_tokens else FIRST_FRAME_SECONDS)

    def _given_up(self, answer: _Answer) -> list[DirectEffect]:
        begun = answer.receiver.frames > 0
        if answer.unlinked_since is not None and not begun:
            error = ServingNodeLostError(say("machine.no_link", seconds=round(LINK_SECONDS)))
        else:
            error = ServingNodeLostError(say("machine.gone"))
        lost = AnswerLost(answer.key, error, answer.summary())
        return [*([] if answer.cancelled else [lost]), *self._end(answer)]
