"""The driver of groups on the memory internet: cache events and loads of some machines reach the others' policies."""

import asyncio
from dataclasses import dataclass, field

import msgspec
import pytest

from engine.clock import ManualClock, SystemClock
from engine.crypto.identity import Identity
from engine.directory.directory import Directory, DirectoryNode
from engine.directory.standing import StandingBook
from engine.forwarding.digests import BLOCK_TOKENS, prefix_digests, root_digest
from engine.forwarding.members import Load
from engine.forwarding.policies.interface import Asked
from engine.forwarding.reckoning import LEAST_SECONDS
from engine.ids import NetworkId, NodeId
from engine.inference.supervisor.devices import PROCESSOR
from engine.inference.types import CacheChange, CacheNews, ModelInfo
from engine.node import loop as driver
from engine.node.cached_prefixes import CachedPrefixes
from engine.node.group import GroupRole
from engine.node.group_view import UNKNOWN_ROUND_TRIP
from engine.transport.link import Channel
from engine.verification.reputation.page import OURS
from engine.wire.group import GroupMessage
from engine.wire.link import link_decoder
from engine.wire.records import Descriptor, Parameters, ServedModel
from tests.support.judging import score

NETWORK = NetworkId(b"n" * 32)
DIGEST, TOKENIZER = b"d" * 32, b"t" * 32
PROMPT = tuple(range(10 * BLOCK_TOKENS))
DIGESTS = prefix_digests(root_digest(DIGEST, TOKENIZER), PROMPT, len(PROMPT))
ASKED = Asked(prompt_tokens=len(PROMPT) - 1, public_tokens=len(PROMPT) - 1)


@dataclass
class Machine:
    """An engine as far as groups go: a back end that reports, links to everybody in ``net``."""

    net: dict[NodeId, "Machine"]
    clock: ManualClock
    seed: int
    info: ModelInfo = ModelInfo(
        model_id="m", digest=DIGEST, tokenizer_digest=TOKENIZER, context_length=4096, slots=4, prefill_rate=100.0
    )
    linked: bool = True
    prefixes: CachedPrefixes = field(default_factory=CachedPrefixes)

    def __post_init__(self) -> None:
        self.identity = Identity.from_seed(bytes([self.seed]) * 32)
        self.role = GroupRole(self.identity, NETWORK, self, self.prefixes, self.clock, lambda n: bytes(n))
        self.role.sender = self
        self.net[self.node_id] = self

    @property
    def node_id(self) -> NodeId:
        return self.identity.node_id

    # InferenceBackend and LinkSender

    def models(self) -> list[ModelInfo]:
        return [self.info]

    def generate(self, request):
        raise NotImplementedError

    def links(self) -> frozenset[NodeId]:
        return frozenset(name for name, one in self.net.items() if one is not self and one.linked and self.linked)

    def send(self, peer: NodeId, channel: Channel, data: bytes) -> bool:
        assert channel is Channel.CONTROL
        if peer not in self.links():
            return False
        message = link_decoder.decode(data)
        assert isinstance(message, GroupMessage)
        self.net[peer].role.heard(self.node_id, message)
        return True

    def round_trip(self, peer: NodeId) -> float | None:
        return 0.02 if peer in self.links() else None

    def backlog(self, peer): ...
    def heard_at(self, peer): ...
    def probe(self, peer): ...
    def disconnect(self, peer, reason): ...

    def cache(self, depth: int, inserted: bool = True) -> None:
        """The prompt's first blocks are in the cache now, or the ones from there on are not any more."""
        depths = range(1, depth + 1) if inserted else range(len(DIGESTS), depth, -1)
        changes = tuple(CacheChange(inserted, DIGESTS[:one], ()) for one in depths)
        self.prefixes.heard(PROCESSOR, CacheNews("m", changes))


def directory(machines: list[Machine], away: frozenset[NodeId] = frozenset()) -> Directory:
    served = ServedModel("m", DIGEST, TOKENIZER, 4096, 4, 0.0, 0.0, 0, 0)
    nodes = []
    for one in machines:
        keys = (1, NETWORK, one.identity.public_key, 0, 1 << 40, 0, 1, 1)
        described = Descriptor(*keys, False, (), (), (served,), 0, "", "test")
        nodes.append(DirectoryNode(one.node_id, described, "10.0.0.0/16", 0, 0, 0.0, 1.0, one.node_id in away))
    return Directory(nodes, parameters=Parameters(), created=0, epoch=1, issued=0, digest=bytes(32))


@pytest.fixture
def machines() -> list[Machine]:
    clock = ManualClock()
    net: dict[NodeId, Machine] = {}
    made = [Machine(net, clock, seed) for seed in (1, 2, 3)]
    for one in made:
        one.role.update_directory(directory(made))
        one.role.offer(frozenset({"m"}))
    run(made, 3)
    return made


def run(machines: list[Machine], seconds: float) -> None:
    for _ in range(round(seconds * 4)):
        machines[0].clock.advance(0.25)
        for one in machines:
            one.role._tick()


def test_caches_and_loads_reach_the_policies_of_others(machines: list[Machine]) -> None:
    one, two, three = machines
    two.cache(10)
    three.cache(4)
    two.info = ModelInfo(
        model_id="m",
        digest=DIGEST,
        tokenizer_digest=TOKENIZER,
        context_length=4096,
        slots=4,
        prefill_rate=123.4,
        decode_rate=20.0,
        queue_tokens=77,
        running=2,
        waiting=1,
        first_token_seconds=0.5,
    )
    run(machines, 2)
    view = one.role.view(DIGEST, DIGESTS)
    assert view is not None
    assert view.myself == one.node_id
    assert [member.node_id for member in view.members] == sorted(one.net)
    assert view.cached(ASKED) == {two.node_id: len(PROMPT) - 1, three.node_id: 4 * BLOCK_TOKENS}
    seen = view.member(two.node_id)
    assert seen is not None
    assert seen.load == Load(
        queue_tokens=77,
        running=2,
        waiting=1,
        slots=4,
        prefill_rate=123.4,
        decode_rate=20.0,
        decode_rate_alone=20.0,
        first_token_seconds=0.5,
    )
    assert (seen.round_trip, seen.standing, seen.established, seen.accepts) == (0.02, 1.0, True, True)
    assert one.clock.monotonic() - 2 < seen.heard <= one.clock.monotonic()


def test_standings_reach_the_policies_and_who_is_excluded_is_no_member(machines: list[Machine]) -> None:
    one, two, three = machines
    three.cache(4)
    run(machines, 2)

    def seen(book: StandingBook) -> dict[NodeId, tuple[float, bool]]:
        one.role.update_standings(book)
        view = one.role.view(DIGEST, DIGESTS)
        assert view is not None
        assert view.cached(ASKED).keys() <= {member.node_id for member in view.members}
        members = [member for member in view.members if member.node_id != one.node_id]
        return {member.node_id: (member.standing, member.established) for member in members}

    assert seen(StandingBook(True)) == {two.node_id: (0.3, True), three.node_id: (0.3, True)}, "all are new"
    good = OURS.judge(OURS.newcomer(two.node_id), [[score(-3_000)]] * 2)
    bad = OURS.judge(OURS.newcomer(three.node_id), [[score(5_000)]] * 3)
    assert seen(StandingBook(True, {two.node_id: good})) == {two.node_id: (0.433, True), three.node_id: (0.3, False)}
    assert seen(StandingBook(True, {two.node_id: good, three.node_id: bad})) == {two.node_id: (0.433, True)}


def test_a_load_that_has_changed_is_told_within_a_quarter_of_a_second(machines: list[Machine]) -> None:
    one, two, _ = machines
    two.info = msgspec.structs.replace(two.info, queue_tokens=5_000)
    changed = one.clock.monotonic()
    due = two.role._next_deadline()
    assert due is not None
    assert due <= changed + 0.25  # nobody has told it
    one.clock.advance(due - changed)
    two.role._tick()
    view = one.role.view(DIGEST)
    member = view.member(two.node_id) if view is not None else None
    assert member is not None
    assert member.load.queue_tokens == 5_000


def test_a_long_prompt_that_comes_is_told_at_once(machines: list[Machine]) -> None:
    one, two, _ = machines
    begun = two.clock.monotonic()
    two.role._tick()
    two.clock.advance(LEAST_SECONDS)
    two.info = msgspec.structs.replace(two.info, queue_tokens=5_000)
    two.role.loads_changed()
    due = two.role._next_deadline()
    assert due is not None
    assert due <= begun + 2 * LEAST_SECONDS
    two.clock.advance(LEAST_SECONDS)
    two.role._tick()
    view = one.role.view(DIGEST)
    member = view.member(two.node_id) if view is not None else None
    assert member is not None
    assert member.load.queue_tokens == 5_000 - two.info.prefill_rate * LEAST_SECONDS  # it reads on


def test_the_own_cache_is_known_at_once(machines: list[Machine]) -> None:
    one, *others = machines
    one.cache(7)
    view = one.role.view(DIGEST, DIGESTS)
    assert view is not None
    assert view.cached(ASKED) == {one.node_id: 7 * BLOCK_TOKENS}
    one.cache(3, inserted=False)
    run(machines, 2)
    for other in others:
        view = other.role.view(DIGEST, DIGESTS)
        assert view is not None
        assert view.cached(ASKED) == {one.node_id: 3 * BLOCK_TOKENS}


def test_a_cache_that_was_filled_before_joining_is_told(machines: list[Machine]) -> None:
    one, two, _ = machines
    one.role.offer(frozenset())
    run(machines, 1)
    view = two.role.view(DIGEST, DIGESTS)
    assert view is not None
    assert view.member(one.node_id) is None
    one.cache(10)  # its owner asked something
    one.role.offer(frozenset({"m"}))
    run(machines, 3)
    view = two.role.view(DIGEST, DIGESTS)
    assert view is not None
    assert view.cached(ASKED)[one.node_id] == len(PROMPT) - 1


def test_what_was_sent_counts_until_the_next_statement(machines: list[Machine]) -> None:
    one, two, _ = machines
    one.clock.advance(0.1)
    one.role.sent(DIGEST, two.node_id, 300, 50)
    one.role.sent(DIGEST, two.node_id, 100, 50)
    view = one.role.view(DIGEST)
    assert view is not None
    seen = view.member(two.node_id)
    assert seen is not None
    assert (seen.sent_requests, seen.sent_tokens, seen.sent_output_tokens) == (2, 400, 100)
    run(machines, 6)
    view = one.role.view(DIGEST)
    assert view is not None
    assert (after := view.member(two.node_id)) is not None
    assert after.sent_requests == 0


def test_who_disappoints_is_left_out(machines: list[Machine]) -> None:
    one, two, three = machines
    two.cache(10)
    three.cache(4)
    run(machines, 2)
    one.role.found(DIGEST, two.node_id, promised=10 * BLOCK_TOKENS, cached=0)
    one.role.found(DIGEST, three.node_id, promised=4 * BLOCK_TOKENS, cached=4 * BLOCK_TOKENS)
    view = one.role.view(DIGEST, DIGESTS)
    assert view is not None
    assert view.cached(ASKED) == {three.node_id: 4 * BLOCK_TOKENS}


def test_nobody_is_a_member_who_does_not_serve_the_model(machines: list[Machine]) -> None:
    one, two, _ = machines
    assert one.role.view(b"x" * 32) is None
    one.role.leave()
    assert one.role.view(DIGEST) is None
    assert one.role.neighbours() == frozenset()
    run(machines, 1)
    assert (view := two.role.view(DIGEST)) is not None
    assert view.member(one.node_id) is None


def test_links_are_wanted_with_members_that_are_there(machines: list[Machine]) -> None:
    one, two, three = machines
    assert one.role.neighbours() == {two.node_id, three.node_id}
    one.role.update_directory(directory(machines, frozenset({two.node_id})))
    assert one.role.neighbours() == {three.node_id}


def test_without_a_link_the_round_trip_is_unknown(machines: list[Machine]) -> None:
    one, two, _ = machines
    two.linked = False
    one.role.links_changed()
    assert (view := one.role.view(DIGEST)) is not None
    assert (seen := view.member(two.node_id)) is not None
    assert seen.round_trip == UNKNOWN_ROUND_TRIP


async def test_a_model_that_is_put_back_is_joined_again_while_its_worker_reports(
    machines: list[Machine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each report wakes the loop, and without the model no deadline is there."""
    monkeypatch.setattr(driver, "SLOWEST_SECONDS", 0.05)
    one, *_ = machines
    info = one.info
    monkeypatch.setattr(one.role.loop, "_clock", SystemClock())

    async def until(there: bool) -> None:
        while (one.role.view(DIGEST) is not None) is not there:
            one.role.loads_changed()
            await asyncio.sleep(0)

    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        task = tasks.create_task(one.role.loop.run())
        monkeypatch.setattr(one, "models", list)
        await until(False)
        one.role._tick()
        assert not one.role._machines
        monkeypatch.setattr(one, "models", lambda: [info])
        await until(True)
        task.cancel()


def test_another_version_of_the_model_is_another_group(machines: list[Machine]) -> None:
    one, two, _ = machines
    other = b"e" * 32
    one.info = ModelInfo(model_id="m", digest=other, tokenizer_digest=TOKENIZER, context_length=4096, slots=4)
    run(machines, 2)
    assert one.role.view(DIGEST) is None
    assert (view := one.role.view(other)) is not None
    assert [member.node_id for member in view.members] == [one.node_id]
    assert (view := two.role.view(DIGEST)) is not None
    assert view.member(one.node_id) is None
