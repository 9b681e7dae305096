"""A group gossips in simulated time: what is told arrives, whatever is lost, cut, restarted or lied about."""

import random

import msgspec
import pytest

from engine.forwarding import gossip, linked
from engine.forwarding.digests import BLOCK_TOKENS, Chunk, chunk_of, chunks_of, pack, set_digest
from engine.forwarding.gossip import Tell
from engine.forwarding.hr_tree import MEMBER_CHUNKS
from engine.forwarding.known import REMEMBERED, STATEMENT_BURST
from engine.forwarding.members import Load
from engine.forwarding.neighbours import FULL_MESH, group_neighbours
from engine.forwarding.pace import QUIET_SECONDS, SMALL_GROUP_SECONDS
from engine.forwarding.reckoning import EARLY_BURST, EARLY_RATE
from engine.forwarding.statements import load_message, make_statement
from engine.ids import NodeId
from engine.simulation.gossip import MODEL, NETWORK, WALL, GossipNetwork
from engine.wire.group import GroupLoad, GroupMessage, GroupNews, GroupState, GroupStatement, GroupWant, SignedStatement


def told_everywhere(net: GossipNetwork) -> bool:
    return all(net.is_known_everywhere(name) for name in net.ids if not net.members[name].down)


def fill(net: GossipNetwork, prompts: int = 2) -> dict[NodeId, list[tuple[bytes, ...]]]:
    """Everybody holds a few prompts after a common beginning."""
    system = net.prompt(10)
    held = {}
    for name in net.ids:
        held[name] = [net.prompt(5, system) for _ in range(prompts)]
        for prompt in held[name]:
            net.insert(name, prompt)
    return held


@pytest.mark.parametrize("size", [2, 8, 40])
def test_everybody_learns_who_holds_what(size: int) -> None:
    net = GossipNetwork(size, seed=size)
    held = fill(net)
    net.run(8 if size <= FULL_MESH else 20)
    assert told_everywhere(net)
    one, other = net.ids[0], net.ids[-1]
    found = net.holders(one, held[other][0])
    assert found[other] == 15 * BLOCK_TOKENS
    assert {tokens for name, tokens in found.items() if name != other} == {10 * BLOCK_TOKENS}
    assert len(found) == size
    assert len(net.machine(one).heard(net.now)) == size


@pytest.mark.parametrize("size", [4, FULL_MESH])
def test_news_in_a_small_group_takes_a_quarter_of_a_second(size: int) -> None:
    net = GossipNetwork(size, seed=1)
    net.run(3)
    prompt = net.prompt(9)
    net.insert(net.ids[0], prompt)
    net.machine(net.ids[0]).report(Load(queue_tokens=7, prefill_rate=123.4, first_token_seconds=0.25), False, net.now)
    net.run(0.45)
    assert net.holders(net.ids[3], prompt) == {net.ids[0]: 9 * BLOCK_TOKENS}
    heard = next(one for one in net.machine(net.ids[3]).heard(net.now) if one.node_id == net.ids[0])
    assert heard.load == Load(queue_tokens=7, prefill_rate=123.4, first_token_seconds=0.25)
    assert not heard.accepts
    assert net.now - 0.55 <= heard.heard <= net.now
    net.evict(net.ids[0], prompt, 3)
    net.run(0.45)
    assert net.holders(net.ids[3], prompt) == {net.ids[0]: 3 * BLOCK_TOKENS}


def test_who_gets_much_to_read_says_so_at_once_in_a_small_group_but_not_without_end() -> None:
    net = GossipNetwork(4, seed=1)
    net.run(3)
    name, other = net.ids[0], net.ids[1]
    net.machine(name).report(Load(queue_tokens=7_000, prefill_rate=1_000.0), True, net.now)
    net.run(0.15)  # the way takes 0.05 s
    heard = next(one for one in net.machine(other).heard(net.now) if one.node_id == name)
    assert heard.load.queue_tokens == 7_000
    before = net.machine(name)._me.sequence
    for step in range(400):  # up and down all the time
        net.machine(name).report(Load(queue_tokens=7_000 * (step % 2), prefill_rate=1_000.0), True, net.now)
        net.run(0.025)
    said = net.machine(name)._me.sequence - before
    assert 10 / SMALL_GROUP_SECONDS / 2 < said <= 10 * (1 / SMALL_GROUP_SECONDS + EARLY_RATE) + EARLY_BURST
    assert not net.machine(other).dropped


def test_in_a_large_group_everybody_waits_for_its_turn() -> None:
    net = GossipNetwork(FULL_MESH + 4, seed=1)
    net.run(10)
    name = net.ids[0]
    before = net.machine(name)._me.sequence
    for step in range(100):
        net.machine(name).report(Load(queue_tokens=7_000 * (step % 2), prefill_rate=1_000.0), True, net.now)
        net.run(0.1)
    assert net.machine(name)._me.sequence - before <= 11


def test_without_news_little_is_said() -> None:
    net = GossipNetwork(8, seed=2)
    net.run(20)
    before = sum(net.sent_bytes().values())
    net.run(60)
    quiet = (sum(net.sent_bytes().values()) - before) / 60
    for _ in range(60):
        for name in net.ids:
            net.busy(name)
        net.run(1)
    busy = (sum(net.sent_bytes().values()) - before) / 60 - quiet
    assert quiet < busy / 3


@pytest.mark.parametrize("size", [6, 30])
def test_lost_messages_are_found_and_made_good(size: int) -> None:
    net = GossipNetwork(size, seed=3, loss=0.3)
    fill(net)
    for _ in range(8):
        net.insert(net.random.choice(net.ids), net.prompt(12))
        net.run(1)
    net.loss = 0.0
    net.run(25)
    assert told_everywhere(net)


def test_what_was_lost_while_a_small_group_was_busy_is_asked_for_in_steps_and_not_as_a_whole() -> None:
    """One member speaks as often as it may, each time of something new, and another one hears nothing of it for as long
    as it takes to ask twice."""
    net = GossipNetwork(4, seed=8)
    fill(net)
    net.run(8)
    author, deaf = net.ids[:2]
    states: list[GroupMessage] = []

    def lossy(sender: NodeId, receiver: NodeId, message: GroupMessage) -> list[GroupMessage]:
        states.extend([message] if isinstance(message, GroupState) else [])
        return [] if (sender, receiver) == (author, deaf) and net.now < 8 + 2 * gossip.RETRY_SECONDS else [message]

    net.intercept = lossy
    while net.now < 12:
        net.insert(author, net.prompt(9))
        net.busy(author)
        member = net.members[author]
        net._carry_out(member, member.machine.tick(net.now, net._wall(member)))
        net.run(0.06)
    net.run(8)
    assert net.machine(author)._me.sequence > 28
    assert told_everywhere(net)
    assert not states


def test_a_partition_heals() -> None:
    net = GossipNetwork(12, seed=4)
    fill(net)
    net.run(8)
    half = set(net.ids[:6])
    net.cut = lambda one, other: (one in half) != (other in half)
    net.run(60)
    assert len(net.machine(net.ids[0]).heard(net.now)) == 6  # the others are silent: forgotten, with what they hold
    assert not net.machine(net.ids[0]).tree.chunks(net.ids[11])
    for name in net.ids:
        net.insert(name, net.prompt(20))
    net.run(5)
    net.cut = lambda one, other: False
    net.run(20)
    assert told_everywhere(net)
    assert len(net.machine(net.ids[0]).heard(net.now)) == 12


def test_who_cannot_be_linked_is_heard_of_through_others() -> None:
    net = GossipNetwork(5, seed=5)
    one, other = net.ids[:2]
    net.cut = lambda a, b: {a, b} == {one, other}
    fill(net)
    net.run(40)
    assert told_everywhere(net)


def test_a_member_that_restarts_holds_nothing() -> None:
    net = GossipNetwork(5, seed=6)
    held = fill(net)
    net.run(8)
    name = net.ids[0]
    net.kill(name)
    net.run(2)
    net.restart(name)
    net.run(6)
    assert name not in net.holders(net.ids[1], held[name][0])
    net.insert(name, held[name][0])
    net.run(3)
    assert net.holders(net.ids[1], held[name][0])[name] == 15 * BLOCK_TOKENS
    assert told_everywhere(net)


def test_who_is_silent_is_forgotten_and_who_leaves_is_forgotten_at_once() -> None:
    net = GossipNetwork(5, seed=7)
    held = fill(net)
    net.run(8)
    dead, gone, here = net.ids[:3]
    net.leave(gone)
    net.run(0.2)
    assert gone not in net.holders(here, held[gone][0])
    assert gone not in {one.node_id for one in net.machine(here).heard(net.now)}
    net.kill(dead)
    net.run(gossip.SILENT_INTERVALS * QUIET_SECONDS + 2 * gossip.REPAIR_SECONDS)
    assert dead not in net.holders(here, held[dead][0])
    assert dead not in {one.node_id for one in net.machine(here).heard(net.now)}


def test_clocks_that_are_wrong_make_nobody_older_or_younger() -> None:
    net = GossipNetwork(4, seed=8)
    net.members[net.ids[0]].clock = -100.0
    net.members[net.ids[1]].clock = 60.0
    for _ in range(10):
        for name in net.ids:
            net.busy(name)
        net.run(1)
    for name in net.ids:
        assert len(net.machine(name).heard(net.now)) == 4
        assert all(net.now - 1.5 < one.heard <= net.now for one in net.machine(name).heard(net.now))


@pytest.mark.parametrize("step", [-150.0, -20.0, 20.0, 150.0])
@pytest.mark.parametrize("whose", [0, 1])
def test_a_clock_that_jumps_makes_nobody_look_silent(whose: int, step: float) -> None:
    """Neither the one whose clock it is to others, nor all others to it."""
    net = GossipNetwork(4, seed=8)

    def look() -> None:
        for _ in range(10):
            for name in net.ids:
                net.busy(name)
            net.run(1)
        for name in net.ids:
            assert all(net.now - 1.5 < one.heard <= net.now for one in net.machine(name).heard(net.now))
            assert len(net.machine(name).heard(net.now)) == 4

    look()
    net.members[net.ids[whose]].clock += step
    look()
    net.members[net.ids[whose]].clock -= step
    look()


def test_a_member_whose_clock_was_put_back_is_heard_again() -> None:
    net = GossipNetwork(3, seed=31)
    fill(net)
    net.run(8)
    name = net.ids[0]
    net.kill(name)
    net.members[name].clock = -150.0
    net.run(5)
    net.restart(name)
    net.run(10)
    judge = net.machine(net.ids[1])
    assert judge.dropped["known"] > 0  # what it says now seems to be older than its last words
    net.run(2 * gossip.CLOCK_SKEW + 20)
    net.insert(name, net.prompt(9))
    net.run(10)
    assert net.is_known_everywhere(name)
    assert name in {one.node_id for one in judge.heard(net.now)}


def test_a_newcomer_gets_large_caches_from_whoever_has_them() -> None:
    net = GossipNetwork(4, seed=9)
    author, late = net.ids[0], net.ids[3]
    net.kill(late)
    for _ in range(40):
        for _ in range(10):
            net.insert(author, net.prompt(100))
        net.run(1)
    assert len(net.machine(author).sentry.told) > 5_000
    net.restart(late)
    net.cut = lambda one, other: {one, other} == {author, late}
    net.run(20)
    assert net.is_known_everywhere(author)
    assert net.sent_bytes()["GroupState"] > 50_000


def test_gossip_sends_changes_not_states() -> None:
    """A delta is at least ten times smaller than all that a member holds (performance target)."""
    net = GossipNetwork(3, seed=10)
    author = net.ids[0]
    for _ in range(40):
        net.insert(author, net.prompt(60))
    net.run(10)
    before = net.members[author].sent["GroupNews"]
    net.insert(author, net.prompt(60))
    net.run(1.2)
    delta = (net.members[author].sent["GroupNews"] - before) / 2
    assert delta * 10 < len(pack(net.machine(author).sentry.told))
    assert told_everywhere(net)


# -------------------------------------------------------------------------------------------------------------- liars


def forged_chunk(source: random.Random) -> Chunk:
    """A prefix of eight blocks that nobody has."""
    return chunk_of(8, source.randbytes(32))


def statement(net: GossipNetwork, name: NodeId, sequence: int = 50, **fields: object) -> GroupStatement:
    said = GroupStatement(
        incarnation=int(WALL * 1000),
        sequence=sequence,
        based_on=0,
        made=WALL + net.now,
        load=load_message(Load()),
        accepts=True,
        leaving=False,
        state=bytes(16),
    )
    return msgspec.structs.replace(said, **fields)


def news(net: GossipNetwork, author: NodeId, said: GroupStatement, signer: NodeId | None = None) -> GroupNews:
    signed = make_statement(net.members[signer or author].identity, NETWORK, MODEL, said).signed
    return GroupNews(MODEL, (SignedStatement(author, signed.record, signed.signature),))


def hand(net: GossipNetwork, sender: NodeId, receiver: NodeId, message: GroupMessage) -> None:
    net.send(sender, Tell(receiver, message))
    net.run(0.1)


def calm(seed: int) -> tuple[GossipNetwork, NodeId, NodeId, NodeId]:
    net = GossipNetwork(4, seed)
    fill(net)
    net.run(8)
    liar, victim, judge = net.ids[:3]
    return net, liar, victim, judge


def test_nobody_speaks_for_another_member() -> None:
    net, liar, victim, judge = calm(20)
    chunks = net.machine(judge).tree.chunks(victim)
    hand(net, liar, judge, news(net, victim, statement(net, victim, removed=pack(chunks)), signer=liar))
    assert net.machine(judge).tree.chunks(victim) == chunks
    assert net.machine(judge).dropped["forged"] == 1
    hand(net, liar, judge, news(net, liar, statement(net, liar, 60)))
    assert net.machine(judge).dropped["muted"] >= 1  # for a while nothing is heard from who forges
    assert told_everywhere(net)


def test_replayed_and_reordered_statements_change_nothing() -> None:
    net = GossipNetwork(4, seed=21)
    liar, victim, judge = net.ids[:3]
    recorded: list[GroupNews] = []

    def record(sender: NodeId, receiver: NodeId, message: GroupMessage) -> tuple[GroupMessage, ...]:
        if isinstance(message, GroupNews) and sender == victim and receiver == liar:
            recorded.append(message)
        return (message,)

    net.intercept = record
    for _ in range(6):
        net.insert(victim, net.prompt(9))
        net.run(1)
    net.evict(victim, net.prompt(1), 0)
    net.run(3)
    assert len(recorded) > 5
    random.Random(1).shuffle(recorded)
    for message in recorded:
        hand(net, liar, judge, message)
    assert net.machine(judge).dropped["known"] >= len(recorded)
    assert net.is_known_everywhere(victim)
    net.kill(victim)
    net.run(40)
    for message in recorded:  # of somebody who is gone
        hand(net, liar, judge, message)
    assert not net.machine(judge).tree.chunks(victim)
    net.run(gossip.CLOCK_SKEW)
    hand(net, liar, judge, recorded[0])
    assert net.machine(judge).dropped["old"] >= 1


def test_statements_in_the_wrong_order_are_put_in_order() -> None:
    net = GossipNetwork(2, seed=22)
    one, other = net.ids
    held_back: list[GroupNews] = []

    def swap(sender: NodeId, receiver: NodeId, message: GroupMessage) -> tuple[GroupMessage, ...]:
        if sender != one or not isinstance(message, GroupNews):
            return (message,)
        held_back.append(message)
        if len(held_back) < 4:
            return ()
        late = tuple(reversed(held_back))
        held_back.clear()
        return late

    net.intercept = swap
    for _ in range(8):
        net.insert(one, net.prompt(9))
        net.run(1.01)
    assert net.machine(other)._known[one].content > 3
    net.intercept = lambda sender, receiver, message: (message,)
    net.run(8)
    assert net.is_known_everywhere(one)
    assert net.sent_bytes()["GroupState"] == 0


def test_who_says_too_much_too_fast_is_not_listened_to() -> None:
    net, liar, _, judge = calm(23)
    source = random.Random(2)
    before = net.machine(liar)._speaker._sequence
    content = net.machine(judge)._known[liar].content
    for number in range(1, 60):
        added = pack([forged_chunk(source) for _ in range(2_000)])
        said = statement(net, liar, before + number, based_on=content, added=added)
        hand(net, liar, judge, news(net, liar, said))
        content = before + number
    judging = net.machine(judge)
    assert judging.dropped["too fast"] > 20
    assert judging.tree.count(liar) <= MEMBER_CHUNKS
    assert judging.tree.count(net.ids[3]) == len(net.machine(net.ids[3]).sentry.told)


def test_who_says_too_much_costs_no_signature_checks() -> None:
    """A checked signature takes as long as reading ten statements, and a message holds 64."""
    net, liar, _, judge = calm(32)
    machine, checked = net.machine(judge), 0

    def check(*fields: object) -> None:
        nonlocal checked
        checked += 1

    machine._check = check
    for number in range(40):
        told = (news(net, liar, statement(net, liar, 1_000 + 64 * number + place)) for place in range(64))
        many = tuple(one.statements[0] for one in told)
        machine.receive(liar, GroupNews(MODEL, many), net.now, WALL + net.now)
    assert machine.dropped["too fast"] > 2_000
    assert checked <= STATEMENT_BURST + 1


def test_what_is_malformed_is_dropped_and_its_sender_muted() -> None:
    net, liar, _, judge = calm(24)
    for said in (
        statement(net, liar, 60, based_on=60),
        statement(net, liar, 60, added=b"x" * 11),
        statement(net, liar, 60, added=pack([forged_chunk(random.Random(1))]) * 2),
        statement(net, liar, 60, added=(chunk := pack([forged_chunk(random.Random(1))])), removed=chunk),
    ):
        before = net.machine(judge).dropped["malformed"]
        hand(net, liar, judge, news(net, liar, said))
        assert net.machine(judge).dropped["malformed"] == before + 1
        net.run(linked.MUTED_SECONDS)


def test_only_listed_members_are_heard() -> None:
    net, one, other, judge = calm(25)
    net.kill(one)  # it says nothing but what is handed over here
    del net.keys[one]
    for name in net.ids[1:]:
        net.machine(name).set_members(net.keys, net.now)
    hand(net, one, judge, news(net, one, statement(net, one, 60)))
    hand(net, other, judge, news(net, one, statement(net, one, 60)))
    dropped = net.machine(judge).dropped
    assert (dropped["stranger"], dropped["not listed"]) == (1, 1)
    assert not net.machine(judge).tree.chunks(one)
    other_model = GroupWant(b"x" * 32, ((other[:8], 0, 0),))
    hand(net, other, judge, other_model)
    assert dropped["stranger"] == 2


def test_a_state_that_its_author_has_not_signed_is_refused() -> None:
    """Whoever passes on what another member holds can change nothing."""
    net = GossipNetwork(3, seed=26)
    author, liar, late = net.ids
    net.kill(late)
    for _ in range(REMEMBERED + 8):
        net.insert(author, net.prompt(30))
        net.run(1)
    net.restart(late)
    net.cut = lambda one, other: {one, other} == {author, late}

    def lie(sender: NodeId, receiver: NodeId, message: GroupMessage) -> tuple[GroupMessage, ...]:
        if sender == liar and isinstance(message, GroupState):
            return (msgspec.structs.replace(message, chunks=message.chunks[:-10]),)
        return (message,)

    net.intercept = lie
    net.run(30)
    assert net.machine(late).dropped["state not as signed"] >= 1
    assert not net.machine(late).tree.chunks(author)
    net.cut = lambda one, other: {one, other} == {liar, late}
    net.run(20)
    assert net.is_known_everywhere(author)


def test_a_liar_cannot_make_honest_members_mute_each_other() -> None:
    """It signs another digest than that of what it tells, so that who passes its state on looks like a forger."""
    net = GossipNetwork(4, seed=31)
    liar, late, *honest = net.ids
    net.kill(late)
    for _ in range(REMEMBERED + 8):
        net.insert(liar, net.prompt(30))
        net.run(1)
    net.machine(liar)._speaker._state = bytes(16)  # as its cache does not change any more, so it stays
    net.run(6)
    net.restart(late)
    net.cut = lambda one, other: {one, other} == {liar, late}
    for _ in range(30):
        net.insert(honest[0], net.prompt(9))
        net.run(1)
    judge = net.machine(late)
    assert judge.dropped["state not as signed"] >= 1
    assert judge.dropped["muted"] == 0
    assert not judge.tree.chunks(liar)
    assert net.is_known_everywhere(honest[0])


def test_states_that_nobody_asked_for_are_dropped() -> None:
    net, liar, victim, judge = calm(27)
    known = net.machine(judge)._known[victim]
    state = GroupState(MODEL, victim, known.incarnation, known.content, 0, 1, b"")
    hand(net, liar, judge, state)
    assert net.machine(judge).dropped["not asked for"] == 1
    assert told_everywhere(net)


def test_who_asks_too_much_gets_no_more() -> None:
    net = GossipNetwork(3, seed=28)
    greedy, author = net.ids[:2]
    for _ in range(30):
        for _ in range(10):
            net.insert(author, net.prompt(100))
        net.run(1)
    before = net.members[author].sent["GroupState"]
    for _ in range(100):
        hand(net, greedy, author, GroupWant(MODEL, ((author[:8], 0, 0),)))
    assert net.machine(author).dropped["asks too much"] > 50
    served = net.members[author].sent["GroupState"] - before
    assert served < linked.SERVED_BURST + 11 * linked.SERVED_RATE
    for _ in range(1_000):
        net.send(greedy, Tell(author, GroupWant(MODEL, ((b"nobody..", 0, 0),))))
    net.run(0.1)
    assert net.machine(author).dropped["too many messages"] > 500


def test_a_liar_wastes_one_forward() -> None:
    """It says that it holds what everybody asks for. Who was disappointed looks elsewhere, longer each time."""
    net, liar, honest, judge = calm(29)
    prompt = net.prompt(16)
    net.insert(liar, prompt)  # that is what it says; there is no cache behind it
    net.insert(honest, prompt[:8])
    net.run(3)
    judging = net.machine(judge)
    forwards = 0
    for _ in range(600):
        held = net.holders(judge, prompt)
        target = max(held, key=lambda name: held[name])
        if target == liar:
            forwards += 1
            judging.disappointed(liar, net.now)
        else:
            judging.content(target, net.now)
        net.run(1)
    assert forwards <= 7
    assert net.holders(judge, prompt)[honest] == 8 * BLOCK_TOKENS
    other = net.ids[3]
    assert net.holders(other, prompt)[honest] == 8 * BLOCK_TOKENS


# --------------------------------------------------------------------------------------------------------- neighbours


@pytest.mark.parametrize("size", [1, 2, 16, 17, 64, 300])
def test_neighbours_are_mutual_few_and_connected(size: int) -> None:
    names = [NodeId(random.Random(size + number).randbytes(20)) for number in range(size)]
    near = {name: group_neighbours(names, name, MODEL) for name in names}
    assert all(name in near[other] for name in names for other in near[name])
    assert all(name not in near[name] for name in names)
    reached, waiting = {names[0]}, [names[0]]
    while waiting:
        new = near[waiting.pop()] - reached
        reached |= new
        waiting += new
    assert len(reached) == size
    most = max(len(one) for one in near.values())
    assert most == size - 1 if size <= FULL_MESH else most <= 2 * size.bit_length()


def test_the_whole_state_is_signed_in_ascending_order() -> None:
    net = GossipNetwork(2, seed=30)
    prompt = net.prompt(9)
    net.insert(net.ids[0], prompt)
    net.run(3)
    known = net.machine(net.ids[1])._known[net.ids[0]]
    chunks = chunks_of(prompt)
    assert known.newest is not None
    assert known.newest.said.state == set_digest([chunks[8], chunks[7]])


def test_loads_beyond_what_the_wire_holds_are_cut() -> None:
    wire = load_message(Load(queue_tokens=1 << 60, slots=0, kv_free=1 << 60, prefill_rate=1e30))
    assert isinstance(wire, GroupLoad)
    assert (wire.queue_tokens, wire.slots, wire.kv_free) == (0xFFFF_FFFF, 1, (1 << 53) - 1)
