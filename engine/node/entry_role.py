"""The entry node's decision: who of the group serves a request that has come here.

In a group of more than 16 not everybody is linked: the policy chooses among those that are, and a link is made with who
holds more of a prompt's beginning than any of them, for the next ones.

The worker says how many tokens its prompt has and with which public prefixes it begins; a worker that is too busy is
not waited for. The policy proposes; what it proposes must be a listed, linked member with the same model and the
standing that the client asks for. Whatever goes wrong here, this node serves the request itself.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from engine.clock import Clock
from engine.directory.directory import Directory
from engine.errors import GenTorrentError
from engine.forwarding.digests import BLOCK_TOKENS
from engine.forwarding.members import Member
from engine.forwarding.policies.candidates import may_serve
from engine.forwarding.policies.interface import Asked, Choice, Group, Policy
from engine.ids import NodeId, RequestId, short_id
from engine.inference.types import InferenceBackend, PromptShape
from engine.node.asked import asked_of
from engine.node.group import GroupRole
from engine.node.group_view import GroupView
from engine.node.overlay_peer import OverlayPeer
from engine.node.requests import generation_for, least_answer
from engine.node.serving_role import ServingRole
from engine.node.target_choice import target_of
from engine.node.task_owner import TaskOwner
from engine.paths.admission import CLOCK_SKEW, REQUEST_LIFE
from engine.paths.forward import ForwardOver
from engine.paths.outgoing import Target
from engine.paths.serving import FULL, ExecutionOffered, ExecutionStarted
from engine.paths.setup import TokenBucket
from engine.verification.large_models.transcript import wants_score
from engine.wire.answer import Failed, Request

logger = logging.getLogger(__name__)
MAX_ALTERNATIVES = 4
"""Members that a refusal names."""
MAX_ESTIMATE = 1e6
MAX_PROMISES = 1_024
"""Requests passed on of which it is remembered what was expected."""
LEAST_GAIN = 8 * BLOCK_TOKENS
"""Tokens of a prompt that a member has to hold beyond those that are linked, for a link to be worth it."""
MAX_LINKED = 64
"""Members with whom links are made for that, those included that are linked anyway."""
NEW_LINKS_PER_SECOND, NEW_LINKS_BURST = 0.1, 4.0
CLOCKS_APART = 60.0
"""Seconds by which two members' clocks may differ."""
READ_SECONDS = 0.4
"""For which the worker is waited for: less than the request is held (``engine.paths.serving.DECIDE_SECONDS``)."""
MAX_CONTEXT = 1 << 30
"""Of whichever model: how long the answer may be does not matter here."""


@dataclass(frozen=True, slots=True)
class _Promise:
    """``tokens`` that a member was said to hold of the prompt of a request that went there, for so many of answer."""

    model_digest: bytes
    target: NodeId
    tokens: int
    max_tokens: int
    work: tuple[int, int]  # tokens to read and to write, were it served here
    held: int = -1  # what it says to have held, afterwards


class EntryRole(TaskOwner):
    """Owns one task for each request that is being looked at; while :meth:`run` does not run it decides at once, from
    what is known without the worker."""

    def __init__(
        self,
        peer: OverlayPeer,
        serving: ServingRole,
        group: GroupRole,
        policy: Policy,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
        backend: InferenceBackend | None = None,
    ) -> None:
        """``backend``: knows the model's tokenizer."""
        super().__init__()
        self._peer = peer
        self._serving = serving
        self._group = group
        self._policy = policy
        self._clock = clock
        self._random = random.Random(random_bytes(16))
        self._backend = backend
        self._directory: Directory | None = None
        self._promised: dict[RequestId, _Promise] = {}
        self._work: dict[RequestId, tuple[int, int]] = {}  # of what is about to be served here
        self._acquaintances = TokenBucket(NEW_LINKS_PER_SECOND, NEW_LINKS_BURST, clock.monotonic())
        self.forwarded = 0
        self.refused = 0

    def attach(self) -> None:
        """Decide from now on."""
        self._peer.serving.offers, self._peer.serving.serves = self._offers, self._serving.serves
        self._peer.serving.overloaded = self._serving.overloaded = self.overloaded
        self._peer.offer, self._peer.served = self._look, self._served
        self._peer.begun, self._peer.forward_over = self._begun, self._over
        self._serving.begins, self._serving.uncounted = self._serves, self._group.uncounted

    def update_directory(self, directory: Directory) -> None:
        """Use this snapshot."""
        self._directory = directory

    def _offers(self, request: Request) -> bool:
        """Whether there is something to decide: this node is a member of the group, and nobody waits for the rest of an
        answer that has begun."""
        return not request.continue_tokens and self._group.is_member(request.model_digest)

    def _look(self, offered: ExecutionOffered) -> None:
        if self._tasks is None or self._backend is None:
            self.decide(offered)
        else:
            self._tasks.create_task(self._look_and_decide(self._backend, offered))

    async def _look_and_decide(self, backend: InferenceBackend, offered: ExecutionOffered) -> None:
        shape = None
        try:
            async with asyncio.timeout(READ_SECONDS):
                shape = await backend.describe(generation_for(offered.request, MAX_CONTEXT, None))
        except (GenTorrentError, TimeoutError):  # what is wrong with a request is said by who serves it
            pass
        except Exception as error:
            # A fault of ours that one stranger's request met must not end everybody's answers. Only its name is logged:
            # its text may hold the prompt.
            logger.error("a prompt could not be looked at: %s", type(error).__name__)
        self.decide(offered, shape)

    def decide(self, offered: ExecutionOffered, shape: PromptShape | None = None) -> None:
        """Keep it, pass it on, or refuse it; ``shape``: of its prompt, where that is known."""
        request, request_id = offered.request, offered.request_id
        group = self._group.view(request.model_digest, shape.digests if shape is not None else ())
        asked = asked_of(request, shape)
        if group is None:
            self._peer.keep(request_id)
            return
        cached = group.cached(asked)
        work = (max(0, asked.prompt_tokens - cached.get(group.myself, 0)), asked.output_tokens)
        reachable = group.among(self._peer.sender.links() if self._peer.sender is not None else ())
        self._get_to_know(asked, group, reachable)
        choice = self._choose(asked, reachable)
        if choice.target is None:
            self.refused += 1
            alternatives = choice.alternatives or self._alternatives(group)
            self._peer.refuse(request_id, _failed(choice.reason or FULL, choice.estimate, alternatives))
            return
        target = self._target(choice.target, group, request)
        if target is None:
            reason = self._serving.too_long(shape.prompt_tokens, least_answer(request)) if shape is not None else ""
            if reason:
                self.refused += 1
                self._peer.refuse(request_id, _failed(reason, 0.0, self._alternatives(group)))
                return
            self._work[request_id] = work
            self._peer.keep(request_id)
            self._work.pop(request_id, None)  # it was too late
            return
        held = cached.get(target.node_id, 0)
        uncached = max(0, asked.prompt_tokens - held)
        if not self._peer.forward(request_id, target, uncached):
            return  # too late: it is served here
        logger.info("a request is passed on to %s", short_id(target.node_id))
        self.forwarded += 1
        self._group.sent(request.model_digest, target.node_id, uncached, asked.output_tokens)
        self._promised[request_id] = _Promise(request.model_digest, target.node_id, held, request.max_tokens, work)
        beliefs, member = self._group.beliefs(request.model_digest), group.member(target.node_id)
        if shape is not None and beliefs is not None and member is not None:  # what nobody has counted is no promise
            beliefs.sent(request_id, member, asked, held, self._clock.monotonic())
        if len(self._promised) > MAX_PROMISES:
            del self._promised[next(iter(self._promised))]

    def _serves(self, started: ExecutionStarted) -> None:
        """This node serves a request. Of one that was passed on whoever did so has counted the tokens."""
        request_id, request = started.request_id, started.request
        if wants_score(request) or request.sample:
            return
        asked = asked_of(request)
        usual = (asked.prompt_tokens if started.entry is None else started.uncached, asked.output_tokens)
        self._group.uncounted.begun(request_id, request.model_digest, *self._work.pop(request_id, usual))

    def _get_to_know(self, asked: Asked, group: GroupView, reachable: GroupView) -> None:
        """Make a link with the member that holds most of the prompt, where no linked one holds nearly as much."""
        held, known = group.cached(asked), reachable.cached(asked)
        enough = max(known.values(), default=0) + LEAST_GAIN
        more = {one: tokens for one, tokens in held.items() if one not in known and tokens >= enough}
        for node_id in sorted(more, key=lambda one: (-more[one], one)):
            member = group.member(node_id)
            if member is not None and member.established and may_serve(member, asked):
                if len(reachable.members) <= MAX_LINKED and self._acquaintances.take(self._clock.monotonic()):
                    self._peer.dial(node_id)
                return

    def _served(self, request_id: RequestId, cached_tokens: int) -> None:
        """Who had a request passed on says how much of its prompt it had in its cache."""
        promise = self._promised.get(request_id)
        if promise is None:
            return
        self._promised[request_id] = replace(promise, held=cached_tokens)
        if 2 * cached_tokens < promise.tokens:  # else the time it takes may still show something else
            self._group.found(promise.model_digest, promise.target, promise.tokens, cached_tokens)

    def _begun(self, request_id: RequestId) -> None:
        """Who had a request passed on says that the answer has its first token."""
        promise = self._promised.get(request_id)
        beliefs = self._group.beliefs(promise.model_digest) if promise is not None else None
        if beliefs is not None:
            beliefs.first_token(request_id, self._clock.monotonic())

    def _over(self, over: ForwardOver) -> None:
        """Nothing more comes of a request that was passed on: its member is believed by what has come, and when."""
        promise = self._promised.pop(over.request_id, None)
        beliefs = self._group.beliefs(promise.model_digest) if promise is not None else None
        if promise is None or beliefs is None:
            return
        returned, now = over.returned, self._clock.monotonic()
        if over.refused:
            if len(self._work) >= MAX_PROMISES:
                self._work.clear()
            self._work[over.request_id] = promise.work  # this node serves it, where it has a place
            self._group.refused(promise.model_digest, promise.target)
        elif returned is not None and returned.last is not None:
            self._group.took(promise.model_digest, promise.target)
        if returned is None:
            beliefs.failed(over.request_id)
            return
        if returned.output_tokens is None or returned.last is None:
            cold = beliefs.unfinished(over.request_id, promise.max_tokens, now)
        else:
            cold = beliefs.finished(over.request_id, returned.output_tokens, returned.last)
        if cold or 2 * promise.held >= promise.tokens:
            self._group.found(promise.model_digest, promise.target, promise.tokens, 0 if cold else promise.held)

    def _choose(self, asked: Asked, group: Group) -> Choice:
        try:
            return self._policy.choose(asked, group, self._clock.monotonic(), self._random)
        except Exception as error:  # as above: what strangers say of themselves must end nobody's answers
            logger.error("the forwarding policy failed: %s", type(error).__name__)
            return Choice(target=group.myself)

    def _target(self, chosen: NodeId, group: Group, request: Request) -> Target | None:
        """Who the request goes to; None: it stays here. No policy can overrule what the client permits."""
        member = group.member(chosen)
        if chosen == group.myself or member is None or not self._may_serve(member, request):
            return None
        if self._peer.sender is None or chosen not in self._peer.sender.links():
            return None
        wall = self._clock.wall()
        target = target_of(self._directory, chosen, request.model_id, wall)
        return target if target is not None and _will_take(target, request, wall) else None

    def _may_serve(self, member: Member, request: Request) -> bool:
        listed = self._peer.serves(member.node_id, request.model_digest)
        return listed and request.may_forward and member.standing >= request.minimum_standing

    def overloaded(self, request: Request) -> Failed:
        """What is said to whom there is no place for: how long it would take, and who may be asked instead."""
        group = self._group.view(request.model_digest)
        me = group.member(group.myself) if group is not None else None
        if group is None or me is None:
            return Failed(code="overloaded", text=FULL)
        estimate = me.load.queue_tokens / me.load.prefill_rate if me.load.prefill_rate > 0 else 0.0
        return _failed(FULL, estimate, self._alternatives(group))

    def _alternatives(self, group: Group) -> Sequence[NodeId]:
        """The members with the most places, as far as is known."""
        others = [member for member in group.members if member.node_id != group.myself and member.accepts]
        others.sort(key=_occupied)
        return [member.node_id for member in others]


def _will_take(target: Target, request: Request, wall: float) -> bool:
    """Whether ``target`` will not drop the request for its age (``engine.paths.admission``), whatever its clock says:
    who sends an old one shall not make it look as if it took none."""
    age = wall - request.sealed_at
    return request.sealed_at >= target.started and CLOCKS_APART - CLOCK_SKEW < age < REQUEST_LIFE - CLOCKS_APART


def _occupied(member: Member) -> float:
    load = member.load
    return (load.running + load.waiting + member.sent_requests) / max(load.slots, 1)


def _failed(text: str, estimate: float, alternatives: Sequence[NodeId]) -> Failed:
    return Failed(
        code="overloaded",
        text=text[:1000],
        estimate=min(max(estimate, 0.0), MAX_ESTIMATE),
        alternatives=tuple(alternatives[:MAX_ALTERNATIVES]),
    )
