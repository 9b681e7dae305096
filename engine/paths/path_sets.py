"""Which circuits a chat has: n disjoint ones, built ahead of need, replaced when they fail, dropped when idle. Pure.

A chat keeps its paths (stream isolation). After any set-up error the path is given up and drawn anew from another
guard, never redrawn at the hop that refused (docs/protocol.md, "Anonymous paths").
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from engine.directory.shapes import Shape
from engine.errors import PathError, TooFewRelaysError
from engine.ids import NodeId
from engine.paths.circuits import CircuitClient, PathHop
from engine.paths.effects import CircuitClosed, CircuitEffect, CircuitFailed, CircuitOpened, CircuitReceived
from engine.paths.slots import GuardRecord, PathSet, Slot, SlotOpened
from engine.sentences import said_by, say
from engine.wire.circuit import Probe, ProbeReply

IDLE_SECONDS = 3600.0
"""A chat idle for this long draws new paths."""
RETRY_SECONDS = 0.25
MAX_RETRY_SECONDS = 8.0
WAITING_RETRY_SECONDS = 1.0
"""The longest pause while somebody waits for paths."""
QUICK_RETRIES = 3
"""Set-ups that may fail before the pauses grow: while a network starts, relays are not linked with each other yet."""
GUARD_REST_SECONDS = 30.0
"""A guard whose set-up failed is not tried again for this long while others are there."""
SPARING_DRAWS = 32
"""Draws of one path, until it leaves guards for the others that are missing."""
LOOSEN_SECONDS = 1.0
"""A set that is short of a guard because its own paths use all of them gives one of these up, this often."""
PROBE_SECONDS = 10.0
PROBE_TIMEOUT = 8.0
STALLED_SECONDS = 2.0
"""When an answer has stopped, a path that is silent for so long after a probe, while another one replies, is given up:
the links beside a dead relay take longer to notice."""
ROUND_TRIP_SHARE = 0.5
"""Of a path's newest round trip in what counts as its round trip."""
MAX_SETS = 64
SPARE_SECONDS = 60.0
"""Spare paths of another shape than the usual one are kept for so long after they were last wanted."""

SPARE_AFTER_SECONDS = 0.5
"""When a chat has taken the spare paths, the next ones are built so much later: the question goes first, which needs
the same links and processors. Whoever waits for them (:meth:`PathSets.prepare`) gets them at once."""

DrawPath = Callable[[Sequence[NodeId], Collection[NodeId], Collection[NodeId], int], Sequence[PathHop]]
"""``draw(guards to choose from, relays of the other paths, destinations, relays wanted)`` gives the hops of one path,
none of them one of those, nor of a destination's family; raises ``TooFewRelaysError``."""


class PathSets:
    """All path sets of one client; one spare set of the usual shape is kept ready for the next chat."""

    def __init__(self, circuits: CircuitClient, draw: DrawPath, shape: Shape | None) -> None:
        self._circuits = circuits
        self._draw = draw
        self.shape = shape  # of the paths that are kept ready; None: none are
        self._sets: dict[bytes, PathSet] = {}
        self._spares: dict[Shape, PathSet] = {}
        self._closing: list[CircuitEffect] = []
        self._by_circuit: dict[int, tuple[PathSet, Slot]] = {}
        self._guards: tuple[NodeId, ...] = ()
        self._linked: set[NodeId] = set()
        self.guard_records: dict[NodeId, GuardRecord] = {}
        self.path_judged: Callable[[NodeId, bool], None] = lambda _guard, _worked: None
        """Hears, once or twice for each path, whether it worked for a while and that it failed: see ``_failed``."""
        self.problem: str = say("paths.no_relays")
        self._spare_count = 0
        self._spare_at = 0.0

    # What is known

    def set_guards(self, guards: Sequence[NodeId]) -> None:
        """The ordered guard list; the first live ones serve."""
        self._guards = tuple(guards)
        self.guard_records = {guard: self.guard_records.get(guard, GuardRecord()) for guard in guards}

    def link_up(self, guard: NodeId) -> None:
        """The link with a guard is there."""
        self._linked.add(guard)

    def link_down(self, guard: NodeId) -> None:
        """The link with a guard is gone (its circuits report that themselves)."""
        self._linked.discard(guard)

    @property
    def linked(self) -> frozenset[NodeId]:
        """The relays with an open link."""
        return frozenset(self._linked)

    def get(self, name: bytes) -> PathSet | None:
        """The set of this chat, if it has one."""
        return self._sets.get(name)

    def find(self, circuit: int) -> tuple[PathSet, Slot] | None:
        """Which path a circuit is."""
        return self._by_circuit.get(circuit)

    def all_sets(self) -> tuple[Sequence[PathSet], Sequence[PathSet]]:
        """Those of chats and the spare ones, to be looked at."""
        return list(self._sets.values()), list(self._spares.values())

    def best(self) -> int:
        """Open paths of the chat, or the spare set, that has most."""
        sets = [*self._sets.values(), *self._spares.values()]
        return max((len(known.open_slots()) for known in sets), default=0)

    def ready(self, shape: Shape | None = None) -> int:
        """Open paths of the spare set: what the next chat finds."""
        wanted = shape or self.shape
        spare = self._spares.get(wanted) if wanted else None
        return len(spare.open_slots()) if spare else 0

    def prepare(self, shape: Shape, now: float) -> None:
        """Build spare paths of this shape with the next tick: a chat waits for them, so that long pauses end."""
        spare = self._spare(shape, now)
        spare.last_used = now
        for slot in spare.slots:
            slot.retry_at = min(slot.retry_at, now + WAITING_RETRY_SECONDS)

    def _spare(self, shape: Shape, now: float) -> PathSet:
        if shape not in self._spares:
            self._spares[shape] = self._new_set(shape, now)
        return self._spares[shape]

    # Sets

    def ensure(self, name: bytes, now: float, shape: Shape | None = None) -> PathSet:
        """The set of this chat, which has at least the strength of ``shape`` (None: of the usual one); new ones are
        taken from the spare. Raises ``PathError`` beyond ``MAX_SETS`` busy chats, or while another answer of the chat
        runs over weaker paths."""
        wanted = shape or self.shape
        if wanted is None:
            raise PathError("no anonymous paths are wanted here")
        found = self._sets.get(name)
        if found is not None and not self.suits(found, wanted):
            if found.busy:
                raise PathError("another answer of this chat comes over weaker paths; wait until it is complete")
            self._closing += self.drop(name, now)
            found = None
        if found is None:
            if len(self._sets) >= MAX_SETS and not any(not known.busy for known in self._sets.values()):
                raise PathError("too many chats at once; close one or wait until an answer is complete")
            found = self._spares.pop(wanted, None) or self._new_set(wanted, now)
            found.name = name
            self._spare_at = now + SPARE_AFTER_SECONDS
            self._sets[name] = found
        found.last_used = now
        return found

    @staticmethod
    def suits(known: PathSet, shape: Shape) -> bool:
        """Whether a chat's paths serve for a question that is to have ``shape``: weaker ones never; stronger ones while
        enough of them work."""
        return known.shape == shape or (
            known.shape > shape and (known.busy > 0 or len(known.open_slots()) >= known.shape.k)
        )

    def upcoming(self, name: bytes, shape: Shape | None = None) -> PathSet | None:
        """The set that :meth:`ensure` would give."""
        wanted = shape or self.shape
        found = self._sets.get(name)
        if wanted is None:
            return found
        return found if found is not None and self.suits(found, wanted) else self._spares.get(wanted)

    def keep_off(self, owner: PathSet, destinations: Collection[NodeId], now: float) -> list[CircuitEffect]:
        """From now on none of ``destinations`` is on a path of this chat; where one is, the path is drawn anew."""
        owner.destinations = frozenset(destinations)
        out: list[CircuitEffect] = []
        for slot in owner.slots:
            if slot.circuit is not None and not owner.destinations.isdisjoint(slot.hops):
                slot.retry_at = now
                out += self._close_slot(slot, now)
        return out

    def _new_set(self, shape: Shape, now: float) -> PathSet:
        self._spare_count += 1
        name = b"spare-%d" % self._spare_count
        return PathSet(name=name, shape=shape, slots=[Slot(index=index) for index in range(shape.n)], last_used=now)

    def drop(self, name: bytes, now: float) -> list[CircuitEffect]:
        """Close the paths of a chat."""
        found = self._sets.pop(name, None)
        return self._close_set(found, now) if found else []

    def _close_set(self, dropped: PathSet, now: float) -> list[CircuitEffect]:
        out: list[CircuitEffect] = []
        for slot in dropped.slots:
            out += self._close_slot(slot, now)
        return out

    def _close_slot(self, slot: Slot, now: float) -> list[CircuitEffect]:
        if slot.circuit is None:
            return []
        circuit, slot.circuit, slot.open, slot.probe_sent = slot.circuit, None, False, None
        self._by_circuit.pop(circuit, None)
        return self._circuits.close(circuit, now)

    def probe_all(self, name: bytes, now: float, *, replace: bool) -> list[CircuitEffect]:
        """Find out now which paths of a chat work, because its answer has fallen silent; with ``replace`` give up those
        that do not, as long as others show that it is not the client's own network."""
        owner = self._sets.get(name)
        slots = owner.open_slots() if owner is not None else []
        heard_at = max((slot.heard_at for slot in slots), default=0.0)
        out: list[CircuitEffect] = []
        for slot in slots:
            assert owner is not None
            if slot.probe_sent is None:
                slot.probe_at = now
                out += self._probe(owner, slot, now)
            elif replace and slot.heard_at < slot.probe_sent < heard_at and now >= slot.probe_sent + STALLED_SECONDS:
                out += self._give_up(owner, slot, now)
        return out

    def renew(self, owner: PathSet, slot: Slot, now: float) -> list[CircuitEffect]:
        """Give a path up that its user found useless (its proxy cannot deliver); another is drawn."""
        slot.retry_at = now + RETRY_SECONDS
        return self._close_slot(slot, now)

    # Events of circuits

    def on_event(self, event: CircuitEffect, now: float) -> list[SlotOpened]:
        """Take note of a circuit's event; gives what opened for the sets' users."""
        if isinstance(event, CircuitReceived):
            heard = self._by_circuit.get(event.handle)
            if heard is not None:
                slot = heard[1]
                slot.heard_at = now
                if isinstance(event.message, ProbeReply):
                    if slot.probe_sent is not None:
                        took = now - slot.probe_sent
                        slot.round_trip += (ROUND_TRIP_SHARE if slot.round_trip else 1.0) * (took - slot.round_trip)
                    slot.probe_sent = None
            return []
        if not isinstance(event, CircuitOpened | CircuitFailed | CircuitClosed):
            return []
        known = self._by_circuit.get(event.handle)
        if known is None:
            return []
        owner, slot = known
        guard = self.guard_records.setdefault(slot.hops[0], GuardRecord())
        if isinstance(event, CircuitOpened):
            slot.open, slot.opened_at, slot.proven = True, now, False
            slot.round_trip = 0.0
            slot.probe_at = now + PROBE_SECONDS
            return [SlotOpened(owner.name, slot.index)]
        del self._by_circuit[event.handle]
        self._failed(slot, event)
        was_open, slot.open, slot.circuit, slot.probe_sent = slot.open, False, None, None
        if was_open and now >= slot.opened_at + GUARD_REST_SECONDS:
            slot.failures, slot.retry_at = 0, now
        else:  # one that opens paths only to break them would else choose, by trying again, who the others are
            guard.rest_until = now + GUARD_REST_SECONDS
            slot.avoid_guard = slot.hops[0]
            slot.failures += 1
            longest = WAITING_RETRY_SECONDS if owner.busy and not owner.carries else MAX_RETRY_SECONDS
            slot.retry_at = now + min(RETRY_SECONDS * 2 ** max(0, slot.failures - QUICK_RETRIES), longest)
        return []

    def _failed(self, slot: Slot, event: CircuitFailed | CircuitClosed) -> None:
        """Judge a path that has ended. What a relay behind the guard says of a set-up can be read because the guard has
        passed it on both ways, so it is not the guard's failure; a lost link is seen as such. Everything else is: what
        a relay further on has done to it meets all guards alike, and only the difference between them counts."""
        if slot.hops[0] not in self._linked or (isinstance(event, CircuitFailed) and event.hop_index):
            return
        self.path_judged(slot.hops[0], False)

    # Time

    def tick(self, now: float, wall: float) -> list[CircuitEffect]:
        """Build what is missing, probe what is quiet, drop what is idle."""
        out, self._closing = self._closing, []
        for name in self._superfluous(now):
            out += self.drop(name, now)
        for shape in [shape for shape, known in self._spares.items() if now > known.last_used + SPARE_SECONDS]:
            if shape != self.shape:
                out += self._close_set(self._spares.pop(shape), now)
        if self.shape is not None and now >= self._spare_at:
            self._spare(self.shape, now)
        for owner in [*self._sets.values(), *self._spares.values()]:
            for slot in owner.slots:
                if slot.circuit is None and now >= slot.retry_at:
                    out += self._build(owner, slot, now, wall)
                elif slot.open:
                    out += self._probe(owner, slot, now)
        return out

    def _superfluous(self, now: float) -> list[bytes]:
        """The chats that were idle for long and, where there are too many, those that were idle longest."""
        idle = sorted((known for known in self._sets.values() if not known.busy), key=lambda known: known.last_used)
        surplus = len(self._sets) - MAX_SETS + 1
        return [
            known.name for place, known in enumerate(idle) if place < surplus or now > known.last_used + IDLE_SECONDS
        ]

    def _probe(self, owner: PathSet, slot: Slot, now: float) -> list[CircuitEffect]:
        assert slot.circuit is not None
        if not slot.proven and now >= slot.opened_at + GUARD_REST_SECONDS:
            slot.proven = True
            self.path_judged(slot.hops[0], True)
        if slot.probe_sent is not None:
            if now < slot.probe_sent + PROBE_TIMEOUT:
                return []
            return self._give_up(owner, slot, now)
        if now < slot.probe_at:
            return []
        slot.probe_at, slot.probe_sent = now + PROBE_SECONDS, now
        try:
            return self._circuits.send(slot.circuit, Probe(sent_us=int(now * 1e6)), now)
        except PathError:
            return []  # its queue is full: it is in use, which probes it well enough

    def _give_up(self, owner: PathSet, slot: Slot, now: float) -> list[CircuitEffect]:
        """A path that replies to no probe: another one is drawn."""
        self.path_judged(slot.hops[0], False)
        if now < slot.opened_at + GUARD_REST_SECONDS:  # as for one that closes so soon
            self.guard_records[slot.hops[0]].rest_until = now + GUARD_REST_SECONDS
        slot.avoid_guard, slot.retry_at = slot.hops[0], now
        return self._close_slot(slot, now)

    def _build(self, owner: PathSet, slot: Slot, now: float, wall: float) -> list[CircuitEffect]:
        in_the_way = self._in_the_way(owner, slot, now)
        if in_the_way is not None:
            slot.retry_at = max(now + RETRY_SECONDS, owner.loosen_at)
            if now < owner.loosen_at:
                return []
            owner.loosen_at = now + LOOSEN_SECONDS
            return self.renew(owner, in_the_way, now)
        try:
            hops = self._draw_hops(owner, slot, now)
            circuit, effects = self._circuits.open(hops, now, wall)
        except PathError as error:
            self.problem = said_by(error)
            slot.retry_at = now + RETRY_SECONDS
            return self._loosen(owner, slot, now)
        slot.circuit, slot.hops = circuit, tuple(hop.node_id for hop in hops)
        self._by_circuit[circuit] = (owner, slot)
        return effects

    def _draw_hops(self, owner: PathSet, slot: Slot, now: float) -> Sequence[PathHop]:
        """A path from the first guard that one can be drawn from: a live guard may be one that may not be used now."""
        used = {hop for other in owner.slots if other is not slot and other.circuit is not None for hop in other.hops}
        problem = TooFewRelaysError(say("paths.guards_linking"))
        for guard in self._candidates(used | owner.destinations, slot.avoid_guard, now):
            try:
                return self._draw_sparing(owner, slot, guard, used, now)
            except TooFewRelaysError as error:
                problem = error
        raise problem

    def _draw_sparing(
        self, owner: PathSet, slot: Slot, guard: NodeId, used: Collection[NodeId], now: float
    ) -> Sequence[PathHop]:
        """Draw until the set's other missing paths still find guards: in a small network, guards drawn as middles would
        leave the set short for ever. Drawing anew keeps the choice uniform among those that fit."""
        missing = sum(other.circuit is None for other in owner.slots if other is not slot)
        hops = self._draw((guard,), used, owner.destinations, owner.shape.length)
        known = self._linked.intersection(self._guards).difference(used, owner.destinations, (guard,))
        rested = {other for other in known if self._is_rested(other, now)}
        others = rested if len(rested) >= missing else known
        for _ in range(SPARING_DRAWS if len(others) >= missing else 0):
            if len(others.difference(hop.node_id for hop in hops)) >= missing:
                break
            hops = self._draw((guard,), used, owner.destinations, owner.shape.length)
        return hops

    def _in_the_way(self, owner: PathSet, slot: Slot, now: float) -> Slot | None:
        """Where all guards left for a path have just failed, the path of the same set that has a better one in another
        place, unless the set is in use. Those that failed may refuse on purpose: asked often enough, they would get a
        path to their taste."""
        rested = {guard for guard in self._guards if guard in self._linked and self._is_rested(guard, now)}
        others = [other for other in owner.slots if other is not slot and other.circuit is not None]
        better = rested.difference(*(other.hops for other in others), owner.destinations)
        if owner.carries or not slot.failures or better:
            return None
        return next((other for other in others if other.open and not rested.isdisjoint(other.hops[1:])), None)

    def _loosen(self, owner: PathSet, slot: Slot, now: float) -> list[CircuitEffect]:
        """A path cannot be drawn although there are guards: a path of the same set makes room, unless it is in use."""
        others = [other for other in owner.slots if other is not slot and other.open]
        guards = [guard for guard in self._guards if guard in self._linked]
        if owner.carries or len(guards) < len(owner.slots) or not others or now < owner.loosen_at:
            return []
        owner.loosen_at = now + LOOSEN_SECONDS
        return self.renew(owner, min(others, key=lambda other: other.opened_at), now)

    def _candidates(self, used: Collection[NodeId], avoid: NodeId | None, now: float) -> list[NodeId]:
        """Live guards that this set does not use: the rested ones in list order, then those that have rested longest;
        the first of the list, failing every time, would else be asked again and again until others have rested."""
        free = [guard for guard in self._guards if guard in self._linked and guard not in used]
        rest = {guard: self.guard_records[guard].rest_until for guard in free}
        return sorted(free, key=lambda guard: (now < rest[guard] or guard == avoid, max(now, rest[guard])))

    def _is_rested(self, guard: NodeId, now: float) -> bool:
        return now >= self.guard_records[guard].rest_until

    def next_deadline(self) -> float | None:
        """When :meth:`tick` wants to be called next."""
        if self._closing:
            return 0.0
        deadlines = [self._spare_at] if self.shape is not None and self.shape not in self._spares else []
        for owner in [*self._sets.values(), *self._spares.values()]:
            for slot in owner.slots:
                if slot.circuit is None:
                    deadlines.append(slot.retry_at)
                elif slot.open:
                    deadlines.append(slot.probe_at if slot.probe_sent is None else slot.probe_sent + PROBE_TIMEOUT)
        return min(deadlines, default=None)
