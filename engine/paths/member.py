"""A model node as a member of its group: it may pass a request on, once, and serves what others pass on to it. Pure.

Between the two the entry node is what a proxy is elsewhere (``forward.py``). While no clove has come of the other one
the entry node can take the request back; from then on the answer is the serving node's.
"""

from __future__ import annotations

from collections.abc import Callable

from engine.errors import CryptoError, WireError
from engine.ids import NodeId, RequestId
from engine.paths import keys
from engine.paths.answer_sender import CloveOut
from engine.paths.effects import Lane, Send
from engine.paths.execution import Execution
from engine.paths.forward import FIRST_CLOVE_SECONDS, FORWARD_SECONDS, ForwardOver, IncomingForwards, OutgoingForward
from engine.paths.outgoing import Target
from engine.paths.room import has_enough
from engine.paths.serving import FULL, ExecutionStarted, Server, ServingEffect, ServingMachine
from engine.wire import SUITE_HPKE_MLKEM768_X25519
from engine.wire.answer import Request, RequestClove, request_decoder
from engine.wire.codec import encode
from engine.wire.forward import Forward, ForwardAnswer, ForwardBegun, ForwardEnd, ForwardServed, forwarded_decoder
from engine.wire.link import ReleaseHandle


class MemberMachine(ServingMachine):
    """All answers of this node, and those that others make in its place."""

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        self._forwards = IncomingForwards()
        self.is_member: Callable[[NodeId, bytes], bool] = lambda _node, _digest: False
        """Whether a node is listed as serving the model with this digest."""
        self.serves: Callable[[Request], bool] = lambda _: True
        """Whether this node itself serves the model of a request now."""

    def forward(self, request_id: RequestId, target: Target, now: float, uncached: int = 0) -> list[ServingEffect]:
        """Another member, whose cache is likely to lack ``uncached`` tokens of it, shall serve what was offered; raises
        ``SealError`` where nothing can be sealed to it."""
        execution = self._executions.get(request_id)
        if execution is None or not execution.held or execution.forward is not None:
            return []
        request = execution.request
        execution.forward = OutgoingForward(
            forward_id=self._server.random_bytes(16),
            target=target,
            network_id=self._server.network_id,
            entry=self._server.node_id,
            message_id=execution.message_id,
            n=request.n,
            k=request.k,
            due=now + FORWARD_SECONDS,
            random_bytes=self._server.random_bytes,
            max_tokens=request.max_tokens,
            uncached_tokens=uncached,
        )
        return list(execution.forward.request(execution.encoded, execution.sender.live_paths()))

    def forwarded_to(self, peer: NodeId, message: Forward, now: float, wall: float) -> list[ServingEffect]:
        """A part of a request that another member passes on; what does not check out is dropped without a word, what
        cannot be taken is said."""
        try:
            sealed = self._forwards.add(peer, message, now)
            if sealed is None:
                return []
            info = keys.forward_info(self._server.network_id, peer, self._server.node_id)
            record = forwarded_decoder.decode(self._open(SUITE_HPKE_MLKEM768_X25519, sealed, info))
            request = request_decoder.decode(record.request)
            self._admission.check(request, request.n, request.k, wall)
            self._assembler.check(RequestClove(record.message_id, request.n - 1, request.n, request.k, b""))
            if not request.may_forward or not self.is_member(peer, request.model_digest):
                raise WireError("a request that this member may not pass on")
        except (WireError, CryptoError):
            return []
        enough = has_enough(self._executions.values(), peer, now)
        ended = [] if enough else self._make_room(now)
        if enough or self._is_full(False) or not self.serves(request):
            refused = ForwardAnswer(message.forward, False, "overloaded", FULL)
            return [*ended, Send(peer, Lane.CONTROL, encode(refused))]
        execution = self._accept(request, record.message_id, now)
        execution.origin = (peer, message.forward)
        request_id = RequestId(request.request_id)
        for index, handle in record.paths:
            if index < request.n:
                self._add_path(request_id, execution, index, peer, handle, now)
        accepted = Send(peer, Lane.CONTROL, encode(ForwardAnswer(message.forward, True)))
        started = ExecutionStarted(
            request_id=request_id,
            request=request,
            encoded=record.request,
            entry=peer,
            uncached=min(record.uncached_tokens, len(record.request)),  # no prompt has more tokens than bytes
        )
        return [*ended, accepted, started, *execution.sender.tick(now)]

    def forward_answered(self, peer: NodeId, message: ForwardAnswer, now: float) -> list[ServingEffect]:
        """Whether a member takes a request that was passed on to it; if not, this node serves it."""
        found = self._forward_of(peer, message.forward)
        if found is None:
            return []
        request_id, execution = found
        assert execution.forward is not None
        if execution.forward.answered:
            return []
        if not message.accepted:
            return self._take_back(request_id, execution, now)
        if not execution.forward.accepted:
            execution.forward.accepted, execution.forward.due = True, now + FIRST_CLOVE_SECONDS
        return []

    def returned(self, peer: NodeId, handle: bytes, clove: bytes, now: float) -> list[ServingEffect] | None:
        """An answer clove of a member that serves in this node's place; None if the return address is none of ours."""
        for execution in self._executions.values():
            forward = execution.forward
            index = forward.path_of(handle) if forward is not None and forward.target.node_id == peer else None
            if forward is None or index is None:
                continue
            forward.answered, execution.encoded, execution.last_heard = True, b"", now
            forward.frames.add(index, clove, now)
            address = execution.sender.address(index)
            return [] if address is None else [CloveOut(proxy=address[0], handle=address[1], clove=clove)]
        return None

    def forward_ended(self, peer: NodeId, message: ForwardEnd, now: float) -> list[ServingEffect]:
        """A member has made an answer in this node's place, or does not want the one that this node makes."""
        found = self._forward_of(peer, message.forward)
        if found is not None:
            request_id, execution = found
            assert execution.forward is not None
            if not execution.forward.answered:
                return self._take_back(request_id, execution, now)
            over = ForwardOver(request_id, execution.forward.returned())
            execution.forward = None
            return [over, *self._end(request_id, execution)]
        for request_id, execution in self._executions.items():
            if execution.origin == (peer, message.forward):
                execution.origin = None
                return self._end(request_id, execution)
        return []

    def forward_told(self, peer: NodeId, message: ForwardBegun | ForwardServed) -> RequestId | None:
        """What ``peer`` says of an answer that it makes in this node's place: of which request, None if it is of none
        or not the first time."""
        found = self._forward_of(peer, message.forward)
        forward = found[1].forward if found is not None else None
        if found is None or forward is None:
            return None
        if isinstance(message, ForwardBegun):
            known, forward.begun = forward.begun, True
        else:
            known, forward.served = forward.served is not None, forward.served or message
        return None if known else found[0]

    def _forward_of(self, peer: NodeId, forward_id: bytes) -> tuple[RequestId, Execution] | None:
        for request_id, execution in self._executions.items():
            forward = execution.forward
            if forward is not None and (forward.target.node_id, forward.forward_id) == (peer, forward_id):
                return request_id, execution
        return None

    def leave(self, now: float) -> list[ServingEffect]:
        """This node leaves: what others serve in its place comes through it no longer, and the clients hear that."""
        out: list[ServingEffect] = []
        for request_id, execution in list(self._executions.items()):
            if execution.forward is None:
                continue
            out += [*execution.forward.end(), *self._let_go(request_id, execution)]
        return out

    def _let_go(self, request_id: RequestId, execution: Execution) -> list[ServingEffect]:
        """The proxies hear that these return addresses are void, and so does the client, who goes on elsewhere."""
        over = self._without_forward(request_id, execution)
        addresses = execution.sender.handles()
        released = [Send(proxy, Lane.CONTROL, encode(ReleaseHandle(handle))) for proxy, handle in addresses]
        return [*over, *released, *self._end(request_id, execution)]

    def link_down(self, peer_id: NodeId, now: float) -> list[ServingEffect]:
        """The link to a proxy, or to another member, is gone. What that member served this node serves while nothing
        has come of it; else the proxies hear that these return addresses are void, and so does the client. What that
        member had passed on ends."""
        self._forwards.link_down(peer_id)
        out: list[ServingEffect] = []
        for request_id, execution in list(self._executions.items()):
            if execution.brought_by == peer_id:
                execution.origin = None  # all ways back went through it: nobody can read what would still be written
                out += self._end(request_id, execution)
                continue
            forward = execution.forward
            if forward is None or forward.target.node_id != peer_id:
                continue
            if not forward.answered:
                out += self._take_back(request_id, execution, now)
                continue
            out += self._let_go(request_id, execution)
        return out + super().link_down(peer_id, now)
