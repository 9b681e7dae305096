"""The client's protocol machine: questions out over a chat's paths, answers in, lost paths replaced. Pure.

It owns the circuits and the path sets; the driver gives it links, time and the directory's view and carries out its
effects. ``now`` is monotonic, ``wall`` seconds since 1970.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.crypto.symmetric import hkdf
from engine.directory.shapes import Shape
from engine.errors import NetworkNotReadyError, PathError, RequestError
from engine.ids import NetworkId, NodeId
from engine.paths.circuits import CircuitClient
from engine.paths.effects import CircuitEffect, CircuitReceived, Disconnect, Lane, Send
from engine.paths.losses import LINKS_ENDED, SILENT, STRANGER, lost_node, lost_paths
from engine.paths.outgoing import Question, Target, prepare
from engine.paths.path_sets import DrawPath, PathSets
from engine.paths.patience import (
    FIRST_FRAME_SECONDS,
    GONE_SECONDS,
    PROBE_AFTER_SECONDS,
    PROBE_AGAIN_SECONDS,
    RESEND_SECONDS,
    SILENCE_SECONDS,
    deadlines_of,
    first_frame_limit,
    patience,
)
from engine.paths.running_answer import USUAL_TERMS, AnswerEvents, AnswerLost, Route, RunningAnswer, Terms
from engine.paths.silence import Silence, Verdict
from engine.paths.slots import PathSet, Slot, SlotOpened
from engine.wire.answer import Failed, Finished
from engine.wire.circuit import Dispatch, DispatchFailed, Release, Released, Return

ClientEffect = Send | Disconnect | AnswerEvents | AnswerLost


class ClientMachine:
    """All answers that this client waits for."""

    def __init__(
        self,
        network_id: NetworkId,
        shape: Shape | None,
        draw: DrawPath,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._network_id = network_id
        self._random_bytes = random_bytes
        self._circuits = CircuitClient(random_bytes)
        self.paths = PathSets(self._circuits, draw, shape)
        self._answers: dict[int, RunningAnswer] = {}
        self._handles: dict[tuple[int, bytes], tuple[int, int]] = {}  # (circuit, handle) -> (answer, index)
        self._next_answer = 1
        self._chat_secret = random_bytes(32)

    # Links

    def link_up(self, guard: NodeId, now: float, wall: float) -> list[ClientEffect]:
        """A guard is linked; an earlier link with it is gone, with its circuits."""
        effects = self._process(self._circuits.link_down(guard, now), now, wall)
        self.paths.link_up(guard)
        return effects + self.tick(now, wall)

    def link_down(self, guard: NodeId, now: float, wall: float) -> list[ClientEffect]:
        """A guard is gone."""
        self.paths.link_down(guard)
        return self._process(self._circuits.link_down(guard, now), now, wall)

    def receive(self, peer: NodeId, lane: Lane, data: bytes, now: float, wall: float) -> list[ClientEffect]:
        """What a guard sent."""
        return self._process(self._circuits.receive(peer, lane, data, now), now, wall)

    def refused(self, sent: Send, now: float, wall: float) -> list[ClientEffect]:
        """The link's buffer did not take what an effect sent: the circuit has a hole in it, so it is given up now
        rather than when its next probe gets no answer."""
        return self._process(self._circuits.refused(sent), now, wall)

    # Questions

    def ask(
        self,
        chat: bytes,
        question: Question,
        target: Target,
        now: float,
        wall: float,
        shape: Shape | None = None,
        terms: Terms = USUAL_TERMS,
    ) -> tuple[int, list[ClientEffect]]:
        """Begin an answer for ``chat`` (any bytes that name it) over paths of at least this strength (None: the usual
        one's). Raises ``RequestError``."""
        try:
            path_set = self.paths.ensure(chat, now, shape)
        except PathError as error:
            raise NetworkNotReadyError(str(error)) from error
        salt = hkdf(self._chat_secret, target.node_id, b"gentorrent/cache-salt/v1" + chat, 32)
        n, k = path_set.shape.n, path_set.shape.k
        outgoing = prepare(question, target, self._network_id, n, k, salt, wall, self._random_bytes)
        key = self._next_answer
        self._next_answer += 1
        answer = RunningAnswer(
            key=key,
            chat=chat,
            outgoing=outgoing,
            receiver=outgoing.receiver(self._random_bytes, terms.may_serve),
            started=now,
            terms=terms,
            silence=Silence(terms.patience),
            unhealthy_since=now,
        )
        self._answers[key] = answer
        path_set.busy += 1
        destinations = {known.outgoing.target.node_id for known in self._answers.values() if known.chat == chat}
        effects = self._process(self.paths.keep_off(path_set, destinations, now), now, wall)
        effects += self._send_request(answer, path_set, now, wall)
        return key, effects + self.tick(now, wall)

    def cancel(self, key: int, now: float, wall: float) -> list[ClientEffect]:
        """Stop an answer: the node is told, nothing more is reported. Until its first clove has come nothing can be
        sealed to it, and it may compute already: then it is told when that comes."""
        answer = self._answers.get(key)
        if answer is None or answer.cancelled_at is not None:
            return []
        if answer.sent_at is not None and not answer.receiver.execution_known:
            answer.cancelled_at = now
            return []
        return self._stop(answer, now, wall)

    def _stop(self, answer: RunningAnswer, now: float, wall: float) -> list[ClientEffect]:
        messages = [answer.receiver.cancel() for _ in range(2)]
        effects = self._control(answer, messages, now, wall)
        return effects + self._end(answer, now, wall)

    # Sending

    def _send_request(self, answer: RunningAnswer, path_set: PathSet, now: float, wall: float) -> list[ClientEffect]:
        """Send the request once at least k paths are open; a path that opens later joins by itself."""
        slots = path_set.open_slots()
        if len(slots) < answer.k:
            return []
        answer.sent_at, answer.resend_at = now, now + RESEND_SECONDS
        effects: list[ClientEffect] = []
        for slot in slots:
            effects += self._open_route(answer, slot, now, wall)
        return effects

    def _open_route(self, answer: RunningAnswer, slot: Slot, now: float, wall: float) -> list[ClientEffect]:
        """Bring path ``slot.index`` of an answer to the slot's circuit: by its request clove, or by replacement."""
        assert slot.circuit is not None
        replaced = slot.index in answer.routes
        self._forget_route(answer, slot.index)
        route = Route(circuit=slot.circuit, handle=self._random_bytes(16), hops=slot.hops)
        answer.routes[slot.index] = route
        self._handles[route.circuit, route.handle] = (answer.key, slot.index)
        effects: list[ClientEffect] = []
        if answer.receiver.frames == 0:
            effects += self._dispatch(answer, route, answer.outgoing.clove(slot.index), now, wall)
        if replaced or answer.receiver.frames:
            route.attach = answer.receiver.replace_path(slot.index, self._random_bytes(32))
            effects += self._dispatch(answer, route, answer.outgoing.attach(route.attach), now, wall)
        return effects

    def _send_again(self, answer: RunningAnswer, now: float, wall: float) -> list[ClientEffect]:
        """What a path needs to be used by the node, until something comes over it: both may have met no execution yet,
        a full queue or a relay that loses them."""
        answer.resend_at = now + RESEND_SECONDS
        effects: list[ClientEffect] = []
        for index, route in answer.routes.items():
            if answer.receiver.path_known(index):
                continue
            if answer.receiver.frames == 0:
                effects += self._dispatch(answer, route, answer.outgoing.clove(index), now, wall)
            elif route.attach is None:
                route.attach = answer.receiver.replace_path(index, self._random_bytes(32))
            if route.attach is not None:
                effects += self._dispatch(answer, route, answer.outgoing.attach(route.attach), now, wall)
        return effects

    def _dispatch(
        self, answer: RunningAnswer, route: Route, clove: bytes, now: float, wall: float
    ) -> list[ClientEffect]:
        destination = answer.outgoing.target.node_id
        message = Dispatch(destination=destination, handle=route.handle, clove=clove)
        try:
            return self._process(self._circuits.send(route.circuit, message, now), now, wall)
        except PathError:
            return []  # closed or full: the resend timer and the slot's own events take care

    def _control(
        self, answer: RunningAnswer, messages: Sequence[bytes | None], now: float, wall: float
    ) -> list[ClientEffect]:
        """Send each control message over another live path, the least loaded first and of these each in its turn: one
        that swallows messages costs a share of them, not all. What is said twice is sealed twice: the same bytes at
        two proxies would show that the two paths are one client's."""
        said = [message for message in messages if message is not None]
        if not said:
            return []
        answer.control_turn += 1
        usable = [
            (self._circuits.queued_bytes(route.circuit), (index + answer.control_turn) % answer.n, route)
            for index, route in answer.routes.items()
            if route.hops[-1] not in answer.gone_reports and self._circuits.is_open(route.circuit)
        ]
        effects: list[ClientEffect] = []
        for (_, _, route), message in zip(sorted(usable, key=lambda item: item[:2]), said, strict=False):
            effects += self._dispatch(answer, route, message, now, wall)
        return effects

    # Receiving

    def _process(self, events: Sequence[CircuitEffect], now: float, wall: float) -> list[ClientEffect]:
        effects: list[ClientEffect] = []
        for event in events:
            if isinstance(event, Send | Disconnect):
                effects.append(event)
                continue
            if isinstance(event, CircuitReceived):
                effects += self._received(event, now, wall)
            for change in self.paths.on_event(event, now):
                effects += self._slot_opened(change, now, wall)
        return effects

    def _received(self, event: CircuitReceived, now: float, wall: float) -> list[ClientEffect]:
        message = event.message
        if not isinstance(message, Return | Released | DispatchFailed):
            return []
        owner = self._handles.get((event.handle, message.handle))
        if owner is None:
            return []
        answer, index = self._answers[owner[0]], owner[1]
        if isinstance(message, Return):
            return self._answer_clove(answer, index, message.clove, now, wall)
        answer.gone_reports.add(answer.routes[index].hops[-1])
        return self._proxy_useless(answer, index, now, wall)

    def _proxy_useless(self, answer: RunningAnswer, index: int, now: float, wall: float) -> list[ClientEffect]:
        """The proxy cannot reach the node: when several say so the node is gone, else this path is renewed."""
        if self._node_gone(answer, now):
            return self._lost(answer, LINKS_ENDED, now, wall)
        path_set = self.paths.get(answer.chat)
        if path_set is None or path_set.slots[index].circuit != answer.routes[index].circuit:
            return []
        return self._process(self.paths.renew(path_set, path_set.slots[index], now), now, wall)

    def _node_gone(self, answer: RunningAnswer, now: float) -> bool:
        """Enough independent proxies say so that no answer can pass, and nothing has come for a moment."""
        heard = answer.receiver.heard_at or answer.sent_at or now
        return len(answer.gone_reports) > answer.n - answer.k and now > heard + GONE_SECONDS

    def _answer_clove(
        self, answer: RunningAnswer, index: int, clove: bytes, now: float, wall: float
    ) -> list[ClientEffect]:
        frames, heard_at = answer.receiver.frames, answer.receiver.heard_at
        events = answer.receiver.receive(index, clove, now)
        if answer.receiver.heard_at != heard_at:
            answer.silence.heard(now)
        if answer.cancelled_at is not None:
            return self._stop(answer, now, wall) if answer.receiver.execution_known else []
        if answer.receiver.strangers and not answer.receiver.execution_known:
            return self._lost(answer, STRANGER, now, wall)
        if answer.receiver.frames > frames:
            answer.gone_reports.clear()
        effects: list[ClientEffect] = []
        last = bool(events) and isinstance(events[-1], Finished | Failed)
        if events:
            effects.append(AnswerEvents(answer.key, tuple(events), answer.summary()))
        messages = [answer.receiver.acknowledge(now, force=last) for _ in range(2 if last else 1)]
        effects += self._control(answer, messages, now, wall)
        if last:
            effects += self._end(answer, now, wall)
        return effects

    # Slots

    def _slot_opened(self, change: SlotOpened, now: float, wall: float) -> list[ClientEffect]:
        effects: list[ClientEffect] = []
        path_set = self.paths.get(change.name)
        for answer in [known for known in self._answers.values() if known.chat == change.name]:
            if path_set is None or answer.cancelled_at is not None:
                continue
            if answer.sent_at is None:
                effects += self._send_request(answer, path_set, now, wall)
            else:
                effects += self._open_route(answer, path_set.slots[change.index], now, wall)
        return effects

    # Time

    def tick(self, now: float, wall: float) -> list[ClientEffect]:
        """Everything that is due."""
        effects = self._process(self._circuits.tick(now), now, wall)
        effects += self._process(self.paths.tick(now, wall), now, wall)
        for answer in list(self._answers.values()):
            effects += self._tick_answer(answer, now, wall)
        return effects

    def _tick_answer(self, answer: RunningAnswer, now: float, wall: float) -> list[ClientEffect]:
        if answer.cancelled_at is not None:
            return self._end(answer, now, wall) if now > answer.cancelled_at + FIRST_FRAME_SECONDS else []
        path_set = self.paths.get(answer.chat)
        open_paths = len(path_set.open_slots()) if path_set else 0
        if open_paths >= answer.k:
            answer.healthy_since = answer.healthy_since if answer.healthy_since is not None else now
            answer.unhealthy_since = None
        else:
            answer.unhealthy_since = answer.unhealthy_since if answer.unhealthy_since is not None else now
            answer.healthy_since = None
            if now > answer.unhealthy_since + patience(answer):
                return self._no_paths(answer, open_paths, now, wall)
        if answer.sent_at is None:
            return []
        answer.looked_at = now
        effects: list[ClientEffect] = []
        effects += self._control(answer, [answer.receiver.acknowledge(now)], now, wall)
        if now >= answer.resend_at:
            effects += self._send_again(answer, now, wall)
        if self._node_gone(answer, now):
            return effects + self._lost(answer, LINKS_ENDED, now, wall)
        return effects + self._silence(answer, path_set, now, wall)

    def _silence(self, answer: RunningAnswer, path_set: PathSet | None, now: float, wall: float) -> list[ClientEffect]:
        """Nothing comes: probe the paths, and tell a silent node from paths that are dead without knowing it."""
        assert answer.sent_at is not None
        heard = answer.receiver.heard_at
        since = max(answer.sent_at, heard or 0.0)
        progress = max(answer.sent_at, answer.receiver.progress_at or 0.0)
        if path_set is None:
            return []
        effects = self._impatient(answer, path_set, now, wall)
        if answer.key not in self._answers or now <= progress + PROBE_AFTER_SECONDS:
            return effects
        limit = first_frame_limit(answer) if heard is None else SILENCE_SECONDS
        if now > progress + patience(answer):
            return self._no_paths(answer, len(path_set.open_slots()), now, wall)
        if now > since + limit and answer.healthy_since is not None:
            working = [slot for slot in path_set.open_slots() if slot.heard_at > now - 2 * PROBE_AGAIN_SECONDS]
            if len(working) > answer.n - answer.k:
                return self._lost(answer, SILENT, now, wall)
        if now < answer.probe_at:
            return effects
        answer.probe_at = now + PROBE_AGAIN_SECONDS
        # Not before the answer has begun: a long question may fill the client's own line for longer.
        replace = answer.receiver.frames > 0
        return effects + self._process(self.paths.probe_all(answer.chat, now, replace=replace), now, wall)

    def _impatient(self, answer: RunningAnswer, path_set: PathSet, now: float, wall: float) -> list[ClientEffect]:
        """Where another machine can go on with the answer, one that falls silent is given up soon: when enough paths
        have shown that they work, so that it is not this machine's own network, and still nothing has come."""
        slots = sorted((slot.heard_at for slot in path_set.open_slots()), reverse=True)
        needed = answer.n - answer.k
        working_at = slots[needed] if len(slots) > needed else None
        verdict = answer.silence.judge(now, path_set.round_trip(), working_at)
        match verdict if verdict is Verdict.PATIENCE or answer.terms.elsewhere() else Verdict.PATIENCE:
            case Verdict.DOUBT:
                return self._process(self.paths.probe_all(answer.chat, now, replace=False), now, wall)
            case Verdict.GONE:
                return self._lost(answer, SILENT, now, wall)
        return []

    def _no_paths(self, answer: RunningAnswer, open_paths: int, now: float, wall: float) -> list[ClientEffect]:
        return self._given_up(answer, lost_paths(open_paths, answer.k, self.paths.problem), now, wall)

    def _lost(self, answer: RunningAnswer, why: str, now: float, wall: float) -> list[ClientEffect]:
        """It may compute all the same, and be heard again when another one answers: it is told to stop."""
        cancelling = self._control(answer, [answer.receiver.cancel() for _ in range(2)], now, wall)
        return [*cancelling, *self._given_up(answer, lost_node(why), now, wall)]

    def _given_up(self, answer: RunningAnswer, error: RequestError, now: float, wall: float) -> list[ClientEffect]:
        lost = AnswerLost(answer.key, error, answer.summary())
        return [*([lost] if answer.cancelled_at is None else []), *self._end(answer, now, wall)]

    def next_deadline(self) -> float | None:
        """When :meth:`tick` wants to be called next."""
        deadlines = [self._circuits.next_deadline(), self.paths.next_deadline()]
        for answer in self._answers.values():
            deadlines += [answer.receiver.next_deadline(), *deadlines_of(answer, self.paths.get(answer.chat))]
        known = [deadline for deadline in deadlines if deadline is not None]
        return min(known, default=None)

    # The end

    def _forget_route(self, answer: RunningAnswer, index: int) -> None:
        route = answer.routes.get(index)
        if route is not None:
            self._handles.pop((route.circuit, route.handle), None)

    def _end(self, answer: RunningAnswer, now: float, wall: float) -> list[ClientEffect]:
        """Forget an answer; its chat keeps its paths."""
        self._answers.pop(answer.key, None)
        effects: list[ClientEffect] = []
        for index, route in answer.routes.items():
            self._forget_route(answer, index)
            if self._circuits.is_open(route.circuit):
                try:
                    effects += self._process(
                        self._circuits.send(route.circuit, Release(handle=route.handle), now), now, wall
                    )
                except PathError:
                    continue
        path_set = self.paths.get(answer.chat)
        if path_set is not None:
            path_set.busy -= 1
            path_set.last_used = now
        return effects
