"""The model node's protocol machine: request cloves in, executions out, answer events in, answer cloves out. Pure.

A repeated request id, a request older than five minutes and one sealed before the node's last start are refused
without an answer: a replayed recording gets nothing. ``now`` is monotonic, ``wall`` seconds since 1970.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.crypto.sealing import SealingKey
from engine.crypto.symmetric import aead_open
from engine.errors import CryptoError, WireError
from engine.ids import NetworkId, NodeId, RequestId
from engine.paths import keys
from engine.paths.admission import Admission
from engine.paths.answer_sender import AnswerSender, CloveOut
from engine.paths.assembling import Assembler, Assembly
from engine.paths.effects import Lane, Send
from engine.paths.execution import Execution
from engine.paths.forward import ForwardOver, said_to_entry_node
from engine.paths.room import MAX_EXECUTIONS, gives_way
from engine.sentences import SENTENCES
from engine.wire import SUITE_HPKE_MLKEM768_X25519, SUITE_HPKE_X25519
from engine.wire.answer import (
    Acknowledge,
    Attach,
    Cancel,
    ControlClove,
    Failed,
    FrameEvent,
    Request,
    RequestClove,
    SealedClove,
    attachment_decoder,
    clove_content_decoder,
    control_decoder,
    delivery_decoder,
    request_decoder,
)
from engine.wire.codec import encode
from engine.wire.forward import ForwardEnd

FULL = SENTENCES["asked.full"]
MAX_FORWARDED = 256
"""Requests that others serve, at a time."""
DECIDE_SECONDS = 0.5
"""So long may it take to decide who serves a request; then this node does."""
CLIENT_SILENCE = 45.0
"""Seconds without any control message after which an execution is given up."""
LINGER_SECONDS = 45.0
"""After the last event, so long is an unacknowledged answer kept for resending: longer than its client waits for paths
(``engine.paths.patience.RESUME_SECONDS``), else it would wait for what is no longer there."""


@dataclass(frozen=True, slots=True)
class ExecutionStarted:
    """A request is accepted: make its answer and push events under ``request_id``. ``encoded`` is the request as the
    client sealed it, for the receipt's commitment; ``entry``: the member that has passed it on, None: the client asked
    this node. ``uncached``: tokens of its prompt that this node's cache lacks, as that member says."""

    request_id: RequestId
    request: Request
    encoded: bytes
    entry: NodeId | None = None
    uncached: int = 0


@dataclass(frozen=True, slots=True)
class ExecutionOffered:
    """A request is accepted, and who serves it is to be decided: :meth:`ServingMachine.keep`, ``forward`` or
    ``refuse``."""

    request_id: RequestId
    request: Request


@dataclass(frozen=True, slots=True)
class ExecutionCancelled:
    """The client cancelled or is gone: stop making this answer."""

    request_id: RequestId


ServingEffect = CloveOut | Send | ExecutionOffered | ExecutionStarted | ExecutionCancelled | ForwardOver


@dataclass(frozen=True, slots=True)
class Server:
    """Who serves. ``started``: requests sealed before (seconds since 1970) are refused. ``clove_numbers`` are the (n,
    k) of this network: others would let strangers choose what joining costs. ``admission``: knows what earlier runs
    have taken."""

    network_id: NetworkId
    node_id: NodeId
    seal_keys: Callable[[], Sequence[SealingKey]]
    started: float
    random_bytes: Callable[[int], bytes]
    clove_numbers: frozenset[tuple[int, int]]
    admission: Admission | None = None


class ServingMachine:
    """All answers that this node makes for clients it does not know."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._assembler = Assembler(self._open_request, server.clove_numbers)
        self._admission = server.admission or Admission(server.started)
        self.offers: Callable[[Request], bool] = lambda _: False
        """Whether somebody decides who serves a request; else this node does."""
        self.overloaded: Callable[[Request], Failed] = lambda _: Failed(code="overloaded", text=FULL)
        """What is said to whom there is no place for."""
        self._executions: dict[RequestId, Execution] = {}
        self._messages: dict[bytes, RequestId] = {}  # message id -> its running execution
        self._handles: dict[tuple[NodeId, bytes], RequestId] = {}

    # From the network

    def receive(self, proxy: NodeId, handle: bytes, clove: bytes, now: float, wall: float) -> list[ServingEffect]:
        """One delivered clove or control message; everything that does not check out is dropped without a word."""
        try:
            message = delivery_decoder.decode(clove)
            if isinstance(message, ControlClove):
                return self._control(proxy, handle, message, now)
            return self._sealed(proxy, handle, message, now, wall)
        except (WireError, CryptoError):
            return []

    def link_down(self, peer_id: NodeId, now: float) -> list[ServingEffect]:
        """The link to a proxy is gone."""
        out: list[ServingEffect] = []
        for peer, handle in [address for address in self._handles if address[0] == peer_id]:
            out += self.release(peer, handle)
            del self._handles[peer, handle]
        return out

    def release(self, proxy: NodeId, handle: bytes) -> list[ServingEffect]:
        """The proxy says that this return address is no longer valid."""
        execution = self._executions.get(self._handles.get((proxy, handle), RequestId(b"")))
        if execution is None:
            return []
        lost = execution.sender.path_lost(proxy, handle)
        return [send for index in lost for send in execution.forward.release(index)] if execution.forward else []

    def _open(self, suite: int, sealed: bytes, info: bytes) -> bytes:
        """Try today's and yesterday's keys of this suite."""
        error: CryptoError = CryptoError("no sealing key of this suite")
        for key in self._server.seal_keys():
            if key.suite != suite:
                continue
            try:
                return key.open(sealed, info)
            except CryptoError as caught:
                error = caught
        raise error

    def _sealed(
        self, proxy: NodeId, handle: bytes, message: SealedClove, now: float, wall: float
    ) -> list[ServingEffect]:
        if message.suite != SUITE_HPKE_X25519:
            raise WireError("unknown clove suite")
        info = keys.clove_info(self._server.network_id, self._server.node_id)
        opened = self._open(message.suite, message.sealed, info)
        content = clove_content_decoder.decode(opened)
        if isinstance(content, Attach):
            return self._attach(proxy, handle, content, now)
        return self._request_clove(proxy, handle, content, now, wall)

    def _request_clove(
        self, proxy: NodeId, handle: bytes, clove: RequestClove, now: float, wall: float
    ) -> list[ServingEffect]:
        self._assembler.check(clove)
        running = self._messages.get(clove.message_id)
        if running is not None:  # a late clove of a request that already runs brings its path
            execution = self._executions[running]
            if clove.index >= execution.request.n or execution.sender.has_path(clove.index):
                return []
            self._add_path(running, execution, clove.index, proxy, handle, now)
            return list(execution.forward.path(clove.index)) if execution.forward else []
        if clove.message_id in self._admission:
            return []
        complete = self._assembler.add(clove, (proxy, handle), now)
        if complete is None:
            return []
        encoded, assembly = complete
        return self._try_start(clove.message_id, encoded, assembly, now, wall)

    def _open_request(self, sealed: bytes) -> bytes:
        info = keys.request_info(self._server.network_id, self._server.node_id)
        return self._open(SUITE_HPKE_MLKEM768_X25519, sealed, info)

    def _try_start(
        self, message_id: bytes, encoded: bytes, assembly: Assembly, now: float, wall: float
    ) -> list[ServingEffect]:
        request = request_decoder.decode(encoded)
        self._admission.check(request, assembly.n, assembly.k, wall)
        offered = self.offers(request)
        ended = [] if offered else self._make_room(now)
        if self._is_full(offered):
            return [*ended, *self._turn_away(request, assembly, now)]
        execution = self._accept(request, message_id, now)
        request_id = RequestId(request.request_id)
        for index, (proxy, handle) in assembly.addresses.items():
            self._add_path(request_id, execution, index, proxy, handle, now)
        execution.encoded = encoded
        execution.held, execution.decide_by = True, now + DECIDE_SECONDS
        if offered:
            return [ExecutionOffered(request_id, request)]
        return [*ended, *self.keep(request_id, now)]

    def _make_room(self, now: float) -> list[ServingEffect]:
        """Where there is no place for one more, end what gives way."""
        request_id = gives_way(self._executions, now)
        return [] if request_id is None else self._end(request_id, self._executions[request_id])

    def _is_full(self, offered: bool) -> bool:
        """Whether nothing more can be taken; what is ``offered`` may find its place elsewhere."""
        forwarded = sum(execution.forward is not None for execution in self._executions.values())
        served = len(self._executions) - forwarded
        here = served >= MAX_EXECUTIONS and (not offered or served >= 2 * MAX_EXECUTIONS)
        return here or forwarded >= MAX_FORWARDED or self._admission.is_full

    def _accept(self, request: Request, message_id: bytes, now: float) -> Execution:
        request_id = RequestId(request.request_id)
        self._admission.add(request, message_id)
        execution = Execution(request, self._sender(request, now), message_id, last_heard=now)
        self._executions[request_id] = execution
        self._messages[message_id] = request_id
        return execution

    # Who serves it

    def keep(self, request_id: RequestId, now: float) -> list[ServingEffect]:
        """This node serves what was offered."""
        execution = self._executions.get(request_id)
        if execution is None or not execution.held:
            return []
        ended = self._make_room(now)
        if sum(not one.held for one in self._executions.values()) >= MAX_EXECUTIONS:
            return [*ended, *self.refuse(request_id, self.overloaded(execution.request), now)]
        over = self._without_forward(request_id, execution)
        execution.held = False
        encoded, execution.encoded = execution.encoded, b""
        started = ExecutionStarted(request_id=request_id, request=execution.request, encoded=encoded)
        return [*ended, *over, started, *execution.sender.tick(now)]

    def _take_back(self, request_id: RequestId, execution: Execution, now: float) -> list[ServingEffect]:
        assert execution.forward is not None
        stopped = execution.forward.end()
        over = self._without_forward(request_id, execution, refused=True)
        return [*stopped, *over, *self.keep(request_id, now)]

    def _without_forward(
        self, request_id: RequestId, execution: Execution, *, refused: bool = False
    ) -> list[ServingEffect]:
        """Nobody serves it in this node's place (any more)."""
        if execution.forward is None:
            return []
        execution.forward = None
        return [ForwardOver(request_id, None, refused)]

    def refuse(self, request_id: RequestId, failed: Failed, now: float) -> list[ServingEffect]:
        """Nobody serves what was offered; the client may ask again, or somebody else."""
        execution = self._executions.get(request_id)
        if execution is None or not execution.held:
            return []
        over = self._without_forward(request_id, execution)
        execution.held, execution.encoded = False, b""
        return [*over, *self.push(request_id, failed, now)]

    # Requests that are not taken

    def _turn_away(self, request: Request, assembly: Assembly, now: float) -> list[ServingEffect]:
        """Say that this node is full, once, and remember nothing: another node can be asked at once."""
        sender = self._sender(request, now)
        for index, (proxy, handle) in assembly.addresses.items():
            sender.attach(index, proxy, handle, request.clove_secrets[index])
        return list(sender.push(self.overloaded(request), now))

    def _sender(self, request: Request, now: float) -> AnswerSender:
        return AnswerSender(
            answer_secret=request.answer_secret,
            serving_node=self._server.node_id,
            attempt=request.attempt,
            n=request.n,
            k=request.k,
            random_bytes=self._server.random_bytes,
            opened=now,
        )

    def _add_path(
        self, request_id: RequestId, execution: Execution, index: int, proxy: NodeId, handle: bytes, now: float
    ) -> None:
        if (proxy, handle) in self._handles:
            return
        execution.sender.attach(index, proxy, handle, execution.request.clove_secrets[index])
        self._handles[proxy, handle] = request_id
        execution.last_heard = now

    def _attach(self, proxy: NodeId, handle: bytes, message: Attach, now: float) -> list[ServingEffect]:
        """`Replace proxy i by j`: only who knows the answer secret can."""
        request_id = RequestId(message.request_id)
        execution = self._executions.get(request_id)
        if execution is None or message.index >= execution.request.n or (proxy, handle) in self._handles:
            return []
        if message.counter <= execution.attach_counters.get(message.index, -1):
            return []
        key = keys.attach_key(execution.request.answer_secret, request_id)
        opened = aead_open(key, message.counter, message.sealed, bytes([message.index]))
        secret = attachment_decoder.decode(opened).clove_secret
        execution.attach_counters[message.index] = message.counter
        execution.last_heard = now
        execution.sender.attach(message.index, proxy, handle, secret, message.counter)
        self._handles[proxy, handle] = request_id
        in_use = execution.sender.handles()
        for old in [key for key, owner in self._handles.items() if owner == request_id and key not in in_use]:
            del self._handles[old]
        if execution.forward is not None:
            return list(execution.forward.attach(message))
        return [] if execution.held else list(execution.sender.resend_all())

    def _control(self, proxy: NodeId, handle: bytes, message: ControlClove, now: float) -> list[ServingEffect]:
        request_id = self._handles.get((proxy, handle))
        execution = self._executions.get(request_id) if request_id is not None else None
        if request_id is None or execution is None or (execution.held and execution.forward is None):
            return []
        if execution.forward is not None:  # sealed to who serves
            index = execution.sender.index_of(proxy, handle)
            return [] if index is None else list(execution.forward.control(index, encode(message)))
        nonce = int.from_bytes(message.nonce, "big")
        content = control_decoder.decode(execution.sender.control.open(nonce, message.sealed))
        if content.counter <= execution.last_counter:
            return []
        execution.last_counter = content.counter
        execution.last_heard = now
        if isinstance(content, Cancel):
            return self._end(request_id, execution)
        assert isinstance(content, Acknowledge)
        out: list[ServingEffect] = list(execution.sender.acknowledge(content, now))
        if execution.sender.done:
            out += self._end(request_id, execution)
        return out

    # From the maker of tokens

    def push(self, request_id: RequestId, event: FrameEvent, now: float) -> list[ServingEffect]:
        """One event of a running answer; unknown ids (already ended) are ignored."""
        execution = self._executions.get(request_id)
        if execution is None or execution.held:
            return []
        out: list[ServingEffect] = list(execution.sender.push(event, now))
        if execution.origin is not None and execution.finished_at is None:
            said = said_to_entry_node(*execution.origin, event, execution.begun)
            execution.begun = execution.begun or bool(said)
            out += said
        if execution.sender.finished and execution.finished_at is None:
            execution.finished_at = now
        return out

    def paused(self, request_id: RequestId) -> bool:
        """Whether the maker of this answer should wait for acknowledgements."""
        execution = self._executions.get(request_id)
        return execution is not None and execution.sender.paused

    def is_delivered(self) -> bool:
        """Whether every client has everything that was said to it."""
        return all(one.sender.done or one.held for one in self._executions.values())

    def running(self) -> list[RequestId]:
        """The executions whose last event has not been pushed."""
        return [key for key, one in self._executions.items() if not one.sender.finished and not one.held]

    # Time

    def next_deadline(self) -> float | None:
        """When :meth:`tick` wants to be called next (monotonic), None when nothing runs."""
        deadlines = self._assembler.deadlines()
        for execution in self._executions.values():
            if not execution.held:
                deadlines.append(execution.sender.next_deadline())
            elif execution.forward is None:
                deadlines.append(execution.decide_by)
            elif not execution.forward.answered:
                deadlines.append(execution.forward.due)
        return min(deadlines, default=None)

    def tick(self, now: float) -> list[ServingEffect]:
        """Frames that are due, resends, and the end of what nobody wants any more."""
        out: list[ServingEffect] = []
        self._assembler.tick(now)
        for request_id, execution in list(self._executions.items()):
            lingered = execution.finished_at is not None and now > execution.finished_at + LINGER_SECONDS
            if lingered or now > execution.last_heard + CLIENT_SILENCE:
                out += self._end(request_id, execution)
            elif not execution.held:
                out += execution.sender.tick(now)
            elif execution.forward is None and now >= execution.decide_by:
                out += self.keep(request_id, now)
            elif execution.forward is not None and not execution.forward.answered and now >= execution.forward.due:
                out += self._take_back(request_id, execution, now)
        return out

    def _end(self, request_id: RequestId, execution: Execution) -> list[ServingEffect]:
        self._executions.pop(request_id, None)
        self._messages.pop(execution.message_id, None)
        for address in [key for key, owner in self._handles.items() if owner == request_id]:
            del self._handles[address]
        out: list[ServingEffect] = []
        if execution.forward is not None:  # its client or its serving node has fallen silent
            out += [*execution.forward.end(), ForwardOver(request_id, execution.forward.returned())]
        if execution.origin is not None:
            entry, forward_id = execution.origin
            out.append(Send(entry, Lane.CONTROL, encode(ForwardEnd(forward_id))))
        return out if execution.sender.finished or execution.held else [*out, ExecutionCancelled(request_id)]
