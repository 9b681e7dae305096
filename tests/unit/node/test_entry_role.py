"""The entry node's decision goes by what its worker says of the prompt, and does without where that takes long."""

import asyncio
import random
from types import SimpleNamespace
from typing import Any, ClassVar

import msgspec
import pytest

from engine.clock import ManualClock
from engine.errors import InvalidRequestError
from engine.forwarding.digests import BLOCK_TOKENS
from engine.forwarding.policies.interface import Asked, Choice
from engine.inference.types import PromptShape
from engine.node import entry_role
from engine.node.entry_role import EntryRole
from engine.paths.forward import ForwardOver, Returned
from engine.paths.serving import ExecutionOffered, ExecutionStarted
from tests.unit.node.test_group import DIGEST, DIGESTS, PROMPT, machines, run  # noqa: F401 - a fixture
from tests.unit.node.test_serving_role import request as old_request


def request(**fields):
    """One that was sealed just now."""
    return old_request(sealed_at=ManualClock().wall() + 5, **fields)


def target(directory, chosen, *_):
    return SimpleNamespace(node_id=chosen, started=0.0)


def serving(most=None) -> Any:
    """The serving role of a machine whose owner takes requests of ``most`` tokens."""
    return SimpleNamespace(
        too_long=lambda prompt, answer: "too long" if most and prompt + answer > most else "", serves=lambda _: True
    )


class MostCached:
    """Whoever holds most of it; remembers what it was asked."""

    name: ClassVar[str] = "most-cached"

    def __init__(self) -> None:
        self.asked: list[Asked] = []

    def choose(self, asked, group, now, random):
        self.asked.append(asked)
        cached = group.cached(asked)
        return Choice(target=max(cached, key=lambda name: cached[name], default=group.myself))


class Decided:
    """The entry node's end of its links: what becomes of a request."""

    def __init__(self, sender) -> None:
        self.sender = sender
        self.serving = SimpleNamespace()
        self.started: Any = lambda _: None
        self.late = False
        self.decisions: list[tuple[str, Any]] = []
        self.dialled: list[Any] = []

    def dial(self, node_id):
        self.dialled.append(node_id)

    def serves(self, node_id, digest):
        return True

    def keep(self, request_id):
        self.decisions.append(("keep", None))
        self.started(ExecutionStarted(request_id, request(max_tokens=40, may_forward=True), b""))

    def forward(self, request_id, target, uncached):
        self.decisions.append(("forward", target.node_id))
        return not self.late

    def refuse(self, request_id, failed):
        self.decisions.append(("refuse", failed))


async def decide(machines, describe, monkeypatch):  # noqa: F811
    """What the first machine does with a request while the second one holds the prompt."""
    one, two, _ = machines
    two.cache(9)
    run(machines, 2)
    monkeypatch.setattr(entry_role, "target_of", target)
    monkeypatch.setattr(entry_role, "READ_SECONDS", 0.05)
    peer: Any = Decided(one)
    policy = MostCached()
    backend: Any = SimpleNamespace(describe=describe)
    role = EntryRole(peer, serving(), one.role, policy, one.clock, random.Random(1).randbytes, backend)
    role.attach()
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(role.run())
        await asyncio.sleep(0)
        peer.offer(ExecutionOffered(b"r" * 16, request(max_tokens=40, may_forward=True)))
        async with asyncio.timeout(5):
            while not peer.decisions:
                await asyncio.sleep(0.01)
        task.cancel()
    return two, peer, policy.asked


async def test_a_request_goes_where_its_prompt_is_cached(machines, monkeypatch):  # noqa: F811
    async def describe(generation):
        assert generation.messages
        return PromptShape(len(PROMPT) + 7, len(PROMPT), DIGESTS)

    two, peer, asked = await decide(machines, describe, monkeypatch)
    assert peer.decisions == [("forward", two.node_id)]
    (one,) = asked
    assert (one.prompt_tokens, one.public_tokens) == (len(PROMPT) + 7, len(PROMPT))
    assert (one.prefix, one.output_tokens) == (DIGESTS[-1], 40)
    seen = machines[0].role.view(b"d" * 32).member(two.node_id)
    assert (seen.sent_requests, seen.sent_tokens) == (1, len(PROMPT) + 7 - 9 * BLOCK_TOKENS)


async def hang(generation):
    await asyncio.Event().wait()


async def refuse(generation):
    raise InvalidRequestError("not like this")


async def fail(generation):
    raise KeyError("a fault of ours")


async def know_nothing(generation):
    return None


@pytest.mark.parametrize("describe", [hang, refuse, fail, know_nothing])
async def test_without_the_workers_word_it_is_decided_all_the_same(machines, describe, monkeypatch):  # noqa: F811
    _, peer, asked = await decide(machines, describe, monkeypatch)
    assert peer.decisions == [("keep", None)]
    assert asked[0].prompt_tokens >= 1
    assert asked[0].public_tokens == 0


@pytest.mark.parametrize(("found", "believed"), [(9 * BLOCK_TOKENS, True), (BLOCK_TOKENS, False)])
async def test_who_did_not_have_what_it_had_told_is_left_out(machines, found, believed, monkeypatch):  # noqa: F811
    async def describe(generation):
        return PromptShape(len(PROMPT) + 7, len(PROMPT), DIGESTS)

    two, peer, _ = await decide(machines, describe, monkeypatch)
    peer.served(b"x" * 16, 0)  # of nothing that was passed on
    peer.served(b"r" * 16, found)
    cached = machines[0].role.view(b"d" * 32, DIGESTS).cached(Asked(prompt_tokens=1_000))
    assert cached == ({two.node_id: 9 * BLOCK_TOKENS} if believed else {})


async def test_a_policy_that_fails_ends_nobodys_answers(machines, monkeypatch):  # noqa: F811
    def fail(self, asked, group, now, random):
        self.asked.append(asked)
        raise ZeroDivisionError

    monkeypatch.setattr(MostCached, "choose", fail)
    _, peer, asked = await decide(machines, know_nothing, monkeypatch)
    assert peer.decisions == [("keep", None)]
    assert len(asked) == 1


def test_who_refuses_is_taken_for_one_that_takes_no_requests(machines):  # noqa: F811
    one, two, three = machines

    def takes():
        return {member.node_id: member.accepts for member in one.role.view(DIGEST).members}

    one.role.refused(DIGEST, two.node_id)
    one.role.refused(b"?" * 32, three.node_id)  # a group that this machine has left
    assert takes() == {one.node_id: True, two.node_id: False, three.node_id: True}
    run(machines, 1.5)
    assert takes()[two.node_id]
    one.role.refused(DIGEST, two.node_id)
    one.role.took(DIGEST, two.node_id)
    assert takes()[two.node_id]


def choosing(machines, monkeypatch):  # noqa: F811
    """The first machine decides, and is not linked with the second one, of which it hears from the third."""
    one, two, three = machines
    two.cache(10)
    three.cache(1)
    run(machines, 2)
    monkeypatch.setattr(one, "links", lambda: frozenset({three.node_id}))
    monkeypatch.setattr(entry_role, "target_of", target)
    peer: Any = Decided(one)
    role = EntryRole(peer, serving(), one.role, MostCached(), one.clock, random.Random(1).randbytes)
    shape = PromptShape(len(PROMPT) + 7, len(PROMPT), DIGESTS)

    def decide(number):
        offered = ExecutionOffered(b"r%15d" % number, request(max_tokens=40, may_forward=True))
        role.decide(offered, shape)

    return decide, peer, two, three


def test_in_a_large_group_the_best_linked_one_serves_and_a_better_one_is_linked(machines, monkeypatch):  # noqa: F811
    decide, peer, two, three = choosing(machines, monkeypatch)
    decide(0)
    assert peer.decisions == [("forward", three.node_id)]
    assert peer.dialled == [two.node_id]
    three.cache(9)
    run(machines, 2)
    decide(1)
    assert peer.dialled == [two.node_id]  # one block more is not worth it


@pytest.mark.parametrize(
    ("sealed", "started", "decision"),
    [(0, -100, "forward"), (-200, -100, "keep"), (-200, -300, "forward"), (-250, -900, "keep"), (90, -100, "keep")],
)
def test_what_another_member_might_drop_is_kept(machines, monkeypatch, sealed, started, decision):  # noqa: F811
    """A client could else make it look as if that member took no requests: it drops what was sealed before its start,
    or too long ago by its own clock, without a word."""
    one, two, _ = machines
    two.cache(9)
    run(machines, 2)
    wall = one.clock.wall()
    listed = SimpleNamespace(node_id=two.node_id, started=wall + started)
    monkeypatch.setattr(entry_role, "target_of", lambda *_: listed)
    peer: Any = Decided(one)
    role = EntryRole(peer, serving(), one.role, MostCached(), one.clock, random.Random(1).randbytes)
    asked = msgspec.structs.replace(request(max_tokens=4, may_forward=True), sealed_at=wall + sealed)
    role.decide(ExecutionOffered(b"r" * 16, asked), PromptShape(len(PROMPT) + 7, len(PROMPT), DIGESTS))
    assert [name for name, _ in peer.decisions] == [decision]


@pytest.mark.parametrize(("most", "decision"), [(len(PROMPT) + 46, "refuse"), (len(PROMPT) + 47, "keep")])
def test_what_the_owner_finds_too_long_is_sent_elsewhere_before_it_is_begun(machines, most, decision):  # noqa: F811
    one, two, three = machines
    peer: Any = Decided(one)
    role = EntryRole(peer, serving(most), one.role, MostCached(), one.clock, random.Random(1).randbytes)
    offered = ExecutionOffered(b"r" * 16, request(max_tokens=40, may_forward=False))
    role.decide(offered, PromptShape(len(PROMPT) + 7, len(PROMPT), DIGESTS))
    ((name, failed),) = peer.decisions
    assert name == decision
    if failed is not None:
        assert (failed.code, failed.text) == ("overloaded", "too long")
        assert set(failed.alternatives) == {two.node_id, three.node_id}


def test_links_for_caches_are_bounded(machines, monkeypatch):  # noqa: F811
    decide, peer, _, _ = choosing(machines, monkeypatch)
    for number in range(50):
        decide(number)
    assert len(peer.dialled) == entry_role.NEW_LINKS_BURST
    run(machines, 60)
    monkeypatch.setattr(entry_role, "MAX_LINKED", 1)
    decide(99)
    assert len(peer.dialled) == entry_role.NEW_LINKS_BURST


def test_who_lies_about_its_cache_again_afterwards_is_found_out_by_the_time(machines, monkeypatch):  # noqa: F811
    """It reads everything anew, which takes seconds, and claims that it held it."""
    one, two, _ = machines
    two.cache(9)
    run(machines, 2)
    monkeypatch.setattr(entry_role, "target_of", target)
    peer: Any = Decided(one)
    role = EntryRole(peer, serving(), one.role, MostCached(), one.clock, random.Random(1).randbytes)
    role.attach()
    shape = PromptShape(len(PROMPT) + 7, len(PROMPT), DIGESTS)
    believed = []
    for number in range(4):
        name = b"r%15d" % number
        role.decide(ExecutionOffered(name, request(max_tokens=4, may_forward=True)), shape)
        run(machines, 6)
        peer.begun(name)
        peer.served(name, 9 * BLOCK_TOKENS)
        peer.forward_over(ForwardOver(name, Returned(one.clock.monotonic(), 4)))
        believed.append(two.node_id in one.role.view(DIGEST, DIGESTS).cached(Asked(prompt_tokens=1_000)))
    assert believed == [True, True, False, False]
    assert peer.decisions == [("forward", two.node_id)] * 3 + [("keep", None)]


class MostFree:
    """Whoever has least to read."""

    name: ClassVar[str] = "most-free"

    def choose(self, asked, group, now, random):
        load = {one.node_id: one.load.queue_tokens + one.sent_tokens for one in group.members}
        return Choice(target=min(load, key=lambda name: (load[name], name != group.myself)))


def test_a_burst_is_not_kept_whole_while_the_model_counts_nothing_of_it(machines, monkeypatch):  # noqa: F811
    one, two, three = machines
    one.cache(9)
    monkeypatch.setattr(entry_role, "target_of", target)
    peer: Any = Decided(one)
    serving = SimpleNamespace(too_long=lambda *_: "", serves=lambda _: True)
    role = EntryRole(peer, serving, one.role, MostFree(), one.clock, random.Random(1).randbytes)
    role.attach()
    peer.started = serving.begins
    shape = PromptShape(len(PROMPT) + 7, len(PROMPT), DIGESTS)

    def decide():
        request_id = b"r%15d" % len(peer.decisions)
        role.decide(ExecutionOffered(request_id, request(max_tokens=40, may_forward=True)), shape)
        return request_id

    def mine():
        seen = one.role.view(DIGEST).member(one.node_id)
        return seen.sent_requests, seen.sent_tokens, seen.sent_output_tokens

    first = decide()
    assert mine() == (1, len(PROMPT) + 7 - 9 * BLOCK_TOKENS, 40)
    for _ in range(8):
        decide()
    kept = [name for name, _ in peer.decisions].count("keep")
    assert kept == 7, "its cache saves it nine tenths, and each of the others reads one whole prompt meanwhile"
    assert sorted(to for name, to in peer.decisions if name == "forward") == sorted([two.node_id, three.node_id])
    serving.uncounted.taken(first, one.clock.monotonic())
    assert mine()[0] == kept
    one.role.loads_changed()
    assert mine()[0] == kept - 1
    serving.uncounted.over(decide())
    assert mine()[0] == kept - 1


def test_what_a_member_does_not_take_counts_here(machines, monkeypatch):  # noqa: F811
    one, two, _ = machines
    two.cache(9)
    run(machines, 2)
    monkeypatch.setattr(entry_role, "target_of", target)
    peer: Any = Decided(one)
    serving = SimpleNamespace(too_long=lambda *_: "", serves=lambda _: True)
    role = EntryRole(peer, serving, one.role, MostCached(), one.clock, random.Random(1).randbytes)
    role.attach()
    asked = request(max_tokens=40, may_forward=True)
    role.decide(ExecutionOffered(b"r" * 16, asked), PromptShape(len(PROMPT) + 7, len(PROMPT), DIGESTS))
    assert one.role.view(DIGEST).member(one.node_id).sent_requests == 0
    peer.forward_over(ForwardOver(b"r" * 16, None, refused=True))
    serving.begins(ExecutionStarted(b"r" * 16, asked, b""))
    seen = one.role.view(DIGEST).member(one.node_id)
    assert (seen.sent_requests, seen.sent_tokens) == (1, len(PROMPT) + 7)


@pytest.mark.parametrize(("entry", "tokens"), [(None, 1), (b"e" * 20, 77)])
def test_what_was_passed_on_counts_as_its_entry_node_says(machines, entry, tokens):  # noqa: F811
    """Until the model has it; of what nobody has looked at the length of the text says how much it is."""
    one, *_ = machines
    serving = SimpleNamespace(too_long=lambda *_: "", serves=lambda _: True)
    peer: Any = Decided(one)
    EntryRole(peer, serving, one.role, MostCached(), one.clock, random.Random(1).randbytes).attach()
    serving.begins(ExecutionStarted(b"r" * 16, request(max_tokens=40), b"", entry, 77))
    seen = one.role.view(DIGEST).member(one.node_id)
    assert (seen.sent_requests, seen.sent_tokens, seen.sent_output_tokens) == (1, tokens, 40)


def test_a_decision_that_comes_too_late_counts_nowhere(machines, monkeypatch):  # noqa: F811
    one, two, _ = machines
    two.cache(9)
    run(machines, 2)
    monkeypatch.setattr(entry_role, "target_of", target)
    peer: Any = Decided(one)
    peer.late = True
    role = EntryRole(peer, serving(), one.role, MostCached(), one.clock, random.Random(1).randbytes)
    asked = request(max_tokens=40, may_forward=True)
    role.decide(ExecutionOffered(b"r" * 16, asked), PromptShape(len(PROMPT) + 7, len(PROMPT), DIGESTS))
    assert peer.decisions == [("forward", two.node_id)]
    assert role.forwarded == 0
    assert one.role.view(DIGEST).member(two.node_id).sent_requests == 0
