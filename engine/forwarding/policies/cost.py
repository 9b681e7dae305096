"""``cost``: whoever is predicted to answer soonest, counting what the others there would lose.

The cost of a member, in seconds: the prediction (``engine.forwarding.prediction``) of first token and answer, plus
what prompts and answers that are there would lose, plus what its place is worth to those who come later
(``engine.forwarding.places``), plus ``work_weight`` of reading what another cache holds, because whatever is read
twice delays somebody later and drives something out of a cache. That last part is also the hysteresis of
copies: a member whose cache lacks a prefix that another one holds has to be faster by several times the reading. It
is smaller for prefixes that are asked for often: their copies serve many.

What keeps many entry nodes with old news from doing the same thing at the same moment:

- what this machine has sent counts at once, and so does what the target's cache will hold because of it;
- what others have probably sent since the news counts, too, and it went to whoever had least to do then
  (``habits.py``, ``unseen.py``);
- a prefix has homes, the members after its place on a hash ring: one more than hold it now. Reading it anew is cheaper
  there, so that all entry nodes make the next copy in the same place, once, and those of different prefixes in
  different places;
- among nearly equal costs the lot decides, in proportion to what is left of each gap.

In large groups only some are looked at: the homes, holders of the prefix, those that had the least to do last time
(M. Mitzenmacher, B. Prabhakar, D. Shah, "Load Balancing with Memory", FOCS 2002), and a few at random.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from math import inf
from typing import ClassVar, NamedTuple

from engine.forwarding.members import Member
from engine.forwarding.places import PlacePrices
from engine.forwarding.policies.candidates import NEWCOMER_SHARE, may_serve, newcomer, outstanding, refusal
from engine.forwarding.policies.habits import Habits
from engine.forwarding.policies.interface import Asked, Choice, Group, Random
from engine.forwarding.policies.ring import Ring
from engine.forwarding.policies.unseen import filled
from engine.forwarding.policies.usual import Usual, usual_of
from engine.forwarding.prediction import BATCH_SLOPE, NOTHING_SEEN, Prediction, Traffic, predict, prefill_rate
from engine.ids import NodeId

RING_POINTS = 16
MOST_PREFIXES = 2048
MOST_HOMES = 8
ALTERNATIVES = 3
USUAL_SECONDS = 5.0
"""In a large group, between two looks at what is usual among all of it."""
LEAST_SHARE = 0.01
"""Of the lot, among near-equals, for who had no less to do than the others."""

NO_ROOM = "No machine of this model's group has room for a prompt of this length."
TOO_LONG = "Every machine of this model's group has too much to do; the first token would take about {seconds:.0f} s."


@dataclass(slots=True)
class _Sent:
    """What this machine has sent to a member lately."""

    at: float  # the last time
    busy_until: float  # when it will have read it
    heard: float  # the statement since which ``known`` counts
    known: int = 0  # tokens, of what was sent, that its cache saves though no news says so yet


class _Weighed(NamedTuple):
    """A member with its cost in seconds, and how far below the level it was that others have probably filled since."""

    cost: float
    member: Member
    prediction: Prediction
    gap: float


@dataclass(slots=True)
class Cost:
    """Lowest cost in seconds; by lot among near-equals; refuses what would wait too long."""

    name: ClassVar[str] = "cost"
    delays_weight: float = 1.0  # of what prompts that wait there would lose
    others_weight: float = 1.0  # of what answers that are written there would lose
    places_weight: float = 4.0  # of what those would lose who come when its places are taken; turns come back to it
    work_weight: float = 8.0  # of the tokens to be read, at the usual rate, where nobody else asks for the prefix
    popular: float = 3.0  # requests a minute for each copy of a prefix, at which a further copy is half as dear
    home_bonus: float = 0.3  # of the seconds for reading the public part
    near_seconds: float = 0.01  # above the lowest cost: what is not farther above is as good
    batch_weight: float = 0.25  # of what answers beside each other cost: others fill a gap before an answer ends
    unseen: float = 1.0  # times what others have probably sent since the news
    longest_wait: float = 30.0  # seconds before reading begins; beyond, the request is refused
    warming_seconds: float = 5.0  # how long this machine remembers whom it has sent a prefix to
    newcomer_share: float = NEWCOMER_SHARE
    small_group: int = 32  # up to here everybody is looked at
    holders: int = 12  # in larger ones: so many that hold the prefix,
    remembered: int = 6  # that had the least to do,
    sampled: int = 12  # and drawn at random
    _ring: Ring = field(default_factory=lambda: Ring(RING_POINTS), init=False)
    _sent: dict[NodeId, _Sent] = field(default_factory=dict, init=False)
    _warming: OrderedDict[bytes, dict[NodeId, tuple[int, float]]] = field(default_factory=OrderedDict, init=False)
    _habits: Habits = field(default_factory=Habits, init=False)
    _traffic: Traffic = field(default=NOTHING_SEEN, init=False)
    _least: list[NodeId] = field(default_factory=list, init=False)
    _usual: Usual = field(default=Usual(), init=False)
    _usual_at: float = field(default=inf, init=False)

    def choose(self, asked: Asked, group: Group, now: float, random: Random) -> Choice:
        """Who serves, with the predicted seconds to its first token; or a refusal with the best alternatives."""
        members = len(group.members) if group.member(group.myself) is not None else 0
        self._look_around(group, now)
        self._traffic = self._habits.asked(now, members, asked.output_tokens, self._usual.reading)
        claims = group.cached(asked)
        news = _of_those_with_standing(claims, group)
        cached = self._expected(asked, news, now)
        drawn = newcomer(asked, group, random, self.newcomer_share)
        if drawn is not None:
            prediction = self._predict(drawn, asked, claims.get(drawn.node_id, 0), now)
            if prediction.room and prediction.wait <= self.longest_wait:
                return self._taken(drawn, prediction, asked, news, cached, group, now)
        homes = self._homes(asked, group, cached, now)
        looked_at = self._looked_at(asked, group, cached, homes, random)
        if not looked_at:
            return refusal(asked, group)
        work_weight = self._work_weight(asked, cached, members, now)
        costs = self._weighed(asked, looked_at, cached, homes, work_weight, now)
        self._remember(costs, group)
        able = [one for one in costs if one.prediction.room and one.prediction.wait <= self.longest_wait]
        if not able:
            return self._refused(costs, group)
        chosen = self._drawn(able, group.myself, random)
        return self._taken(chosen.member, chosen.prediction, asked, news, cached, group, now)

    def _look_around(self, group: Group, now: float) -> None:
        """What is usual in the group; in a large one it takes too long to find out each time."""
        if len(group.members) <= self.small_group or not self._usual_at <= now < self._usual_at + USUAL_SECONDS:
            self._usual, self._usual_at = usual_of(group.members, group.myself), now

    def _drawn(self, able: Sequence[_Weighed], myself: NodeId, random: Random) -> _Weighed:
        """One of those that are nearly as good as the best: oneself, who has less to do for certain, or else by lot, in
        proportion to what they had less to do. How old the news is does not count, or who speaks often would be drawn
        often."""
        bound = min(one.cost for one in able) + self.near_seconds
        near = [one for one in able if one.cost <= bound]
        if (here := next((one for one in near if one.gap > 0 and one.member.node_id == myself), None)) is not None:
            return here
        least = LEAST_SHARE * max(sum(one.gap for one in near), LEAST_SHARE)
        left = random.random() * sum(one.gap + least for one in near)
        for one in near:
            left -= one.gap + least
            if left <= 0:
                return one
        return near[-1]

    def _weighed(
        self,
        asked: Asked,
        members: list[Member],
        cached: Mapping[NodeId, int],
        homes: frozenset[NodeId],
        work_weight: float,
        now: float,
    ) -> list[_Weighed]:
        """Each member's cost. Whoever had less to do than the others has been sent to since: its load counts as the
        level up to which such gaps have been filled."""
        predictions = [self._predict(member, asked, cached.get(member.node_id, 0), now) for member in members]
        places = PlacePrices(self._usual.busy)
        loads = [
            one.wait
            + one.write
            + self.delays_weight * one.delays
            + self.others_weight * one.others
            + self.places_weight * one.write * places.of(outstanding(member), member.load.slots)
            for member, one in zip(members, predictions, strict=True)
        ]
        level = 0.0
        if self._traffic.requests > 0:
            added = [
                len(members) * self._added(_age(member, now), one.write)
                for member, one in zip(members, predictions, strict=True)
            ]
            level = filled(loads, added)
        most = min(max((cached.get(member.node_id, 0) for member in members), default=0), asked.prompt_tokens)
        costs = []
        for member, prediction, load in zip(members, predictions, loads, strict=True):
            held = cached.get(member.node_id, 0)
            work = max(most - held, 0) / max(self._usual.reading, prefill_rate(member))
            value = max(load, level) + prediction.network + prediction.read + work_weight * work
            if member.node_id in homes:
                value -= self.home_bonus * max(asked.public_tokens - held, 0) / prefill_rate(member)
            costs.append(_Weighed(value, member, prediction, max(level - load, 0.0)))
        return costs

    def _added(self, age: float, write: float) -> float:
        """Seconds by which the load of a member with news of this ``age`` has grown by what others have sent there, if
        it got its part of it: reading, as far as it is not over yet, and answers beside this one, ``write`` seconds
        long."""
        traffic, age = self._traffic, max(age, 0.0)
        reading = traffic.reading / traffic.requests
        busy = 2.0 * reading / (1.0 - traffic.reading)
        beside = 2.0 * self.batch_weight * BATCH_SLOPE * write
        return self.unseen * traffic.requests * (reading * min(age, busy) + beside * min(age, write))

    def _work_weight(self, asked: Asked, cached: Mapping[NodeId, int], members: int, now: float) -> float:
        """A copy of what is asked for often pays; of what is not, it drives out what is."""
        if not asked.prefix:
            return self.work_weight
        uses = self._habits.popularity(asked.prefix, now, members)
        holders = sum(1 for tokens in cached.values() if tokens > asked.public_tokens / 2)
        return self.work_weight / (1.0 + uses / max(max(holders, 1) * self.popular, LEAST_SHARE))

    def _predict(self, member: Member, asked: Asked, cached: int, now: float) -> Prediction:
        sent = self._sent.get(member.node_id)
        busy, known = 0.0, 0
        if sent is not None and sent.at >= member.heard:
            busy, known = max(sent.busy_until - now, 0.0), sent.known if sent.heard == member.heard else 0
        slope = self.batch_weight * self._habits.slope(member)
        return predict(member, asked, cached, now, self._traffic, busy, known, slope)

    # ------------------------------------------------------------------------------------------------ whom to look at

    def _looked_at(
        self, asked: Asked, group: Group, cached: Mapping[NodeId, int], homes: Iterable[NodeId], random: Random
    ) -> list[Member]:
        myself, minimum = group.myself, asked.minimum_standing
        entry = group.member(myself)
        if not asked.may_forward:
            return [entry] if entry is not None and may_serve(entry, asked) else []
        members = group.members
        if len(members) > self.small_group:
            ids = dict.fromkeys((myself, *homes, *self._some_holders(asked, cached, random), *self._least))
            found = [group.member(node_id) for node_id in ids]
            some = [member for member in found if member is not None]
            for _ in range(self.sampled):
                drawn = members[random.randrange(len(members))]
                if drawn.node_id not in ids:
                    ids[drawn.node_id] = None
                    some.append(drawn)
            members = some
        return [
            member
            for member in members
            if member.accepts and member.standing >= minimum and (member.established or member.node_id == myself)
        ]

    def _some_holders(self, asked: Asked, cached: Mapping[NodeId, int], random: Random) -> list[NodeId]:
        """Some of those that hold most of the prompt."""
        if len(cached) <= self.holders:
            return list(cached)
        deep = 0.9 * min(max(cached.values()), asked.prompt_tokens)
        holders = [node_id for node_id, tokens in cached.items() if tokens >= deep]
        if len(holders) <= self.holders:
            return holders
        return [holders[random.randrange(len(holders))] for _ in range(self.holders)]

    def _homes(self, asked: Asked, group: Group, cached: Mapping[NodeId, int], now: float) -> frozenset[NodeId]:
        """The members with standing after the prefix's place on the ring: one more than hold it; nobody where it has
        many holders."""
        if not asked.prefix or not asked.may_forward:
            return frozenset()
        holders = (tokens for tokens in cached.values() if tokens > asked.public_tokens / 2)
        count = 1 + sum(1 for _ in islice(holders, MOST_HOMES))
        if count > MOST_HOMES:
            return frozenset()
        self._ring.update([member for member in group.members if member.established], now)
        return frozenset(islice(self._ring.after(asked.prefix), count))

    def _remember(self, costs: list[_Weighed], group: Group) -> None:
        if len(group.members) > self.small_group:
            idle = sorted(costs, key=lambda one: one.prediction.wait)
            self._least = [one.member.node_id for one in idle[: self.remembered]]

    # ---------------------------------------------------------------------------------------------- what was sent there

    def _expected(self, asked: Asked, cached: Mapping[NodeId, int], now: float) -> Mapping[NodeId, int]:
        """What caches hold by the news and by what this machine has just sent there."""
        warming = self._warming.get(asked.prefix) if asked.prefix else None
        if not warming or len(cached) > self.small_group:  # so many hold it that a further one changes nothing
            return cached
        expected = dict(cached)
        for node_id, (tokens, until) in warming.items():
            if until > now:
                expected[node_id] = max(expected.get(node_id, 0), min(tokens, asked.public_tokens))
        return expected

    def _taken(
        self,
        member: Member,
        prediction: Prediction,
        asked: Asked,
        news: Mapping[NodeId, int],
        cached: Mapping[NodeId, int],
        group: Group,
        now: float,
    ) -> Choice:
        node_id = member.node_id
        uncached = max(asked.prompt_tokens - cached.get(node_id, 0), 1)
        if member.established:
            self._habits.chosen(uncached)
        said = news.get(node_id, 0)
        known = max(cached.get(node_id, 0) - said, 0)
        sent = self._sent.get(node_id)
        if sent is not None and sent.heard == member.heard:
            known += sent.known
        self._sent[node_id] = _Sent(now, now + prediction.queue + prediction.read, member.heard, known)
        if len(self._sent) > 2 * len(group.members) + 16:
            self._sent = {other: sent for other, sent in self._sent.items() if group.member(other) is not None}
        if asked.prefix and asked.public_tokens > said:
            warming = self._warming.setdefault(asked.prefix, {})
            for other in [other for other, (_, until) in warming.items() if until <= now]:
                del warming[other]
            warming[node_id] = (asked.public_tokens, now + prediction.wait + prediction.read + self.warming_seconds)
            self._warming.move_to_end(asked.prefix)
            if len(self._warming) > MOST_PREFIXES:
                self._warming.popitem(last=False)
        return Choice(target=node_id, estimate=prediction.first_token)

    def _refused(self, costs: list[_Weighed], group: Group) -> Choice:
        """Nobody could begin soon: who would be the best, and after how long."""
        possible = sorted((one.prediction.first_token, index) for index, one in enumerate(costs) if one.prediction.room)
        if not possible:
            return Choice(target=None, reason=NO_ROOM)
        estimate = possible[0][0]
        best = [costs[index].member.node_id for _, index in possible]
        others = tuple(node_id for node_id in best if node_id != group.myself)[:ALTERNATIVES]
        return Choice(target=None, estimate=estimate, alternatives=others, reason=TOO_LONG.format(seconds=estimate))


def _age(member: Member, now: float) -> float:
    """Seconds in which something may have come there that nobody has told of."""
    return min(now - member.heard, member.silence + member.round_trip / 2)


def _of_those_with_standing(claims: Mapping[NodeId, int], group: Group) -> Mapping[NodeId, int]:
    """What caches hold, but for what members without standing say: it would count as copies that there are."""
    return {
        node_id: tokens
        for node_id, tokens in claims.items()
        if node_id == group.myself or ((member := group.member(node_id)) is not None and member.established)
    }
