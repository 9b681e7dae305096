"""What the judged answers of a block do to everybody's standing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import msgspec

from engine.ids import NodeId
from engine.verification.chain.state import MAX_STANDINGS, ChainState, OpenEpoch, newcomer_again_after
from engine.verification.reputation.rule import Rule
from engine.wire.blocks import Block, NodeStanding
from engine.wire.challenges import Score


@dataclass(frozen=True, slots=True)
class Judged:
    """What a block says of one answer: who signed it, in which epoch and by whose challenge, the turn of the
    conversation that it was, and its score."""

    node: NodeId
    epoch: int
    author: int
    turn: int
    score: Score


Said = Mapping[tuple[int, int, NodeId], int]
"""(epoch, author, node) → what blocks have counted against the node of that author's results, thousandths."""


def standings_of(state: ChainState, block: Block, epochs: dict[int, OpenEpoch]) -> dict[NodeId, NodeStanding]:
    """Everybody's standing after what a block's entries say. Of ``epochs`` those that stay open learn what was said."""
    judged = [Judged(NodeId(entry.node), entry.epoch, entry.author, entry.turn, entry.score) for entry in block.entries]
    oldest = block.epoch - newcomer_again_after(state.genesis)
    before: Said = {
        (epoch, state.members.index(member), node): against
        for epoch, found in state.epochs.items()
        for (member, node), against in found.said.items()
        if member in state.members
    }
    for (epoch, author, node), against in said_by(judged, before, state.rule).items():
        if (found := epochs.get(epoch)) is not None:
            said = MappingProxyType({**found.said, (state.members[author], node): against})
            epochs[epoch] = replace(found, said=said)
    return standings_after(state.standings, judged, oldest, state.rule, before)


def said_by(judged: Sequence[Judged], before: Said, rule: Rule) -> Said:
    """Of those who say something in one block: what is counted after it. ``before``: after the blocks before."""
    results: dict[tuple[int, int, NodeId], list[Score]] = {}
    for one in sorted(judged, key=lambda one: one.turn):
        results.setdefault((one.epoch, one.author, one.node), []).append(one.score)
    return {key: _counted(before.get(key), rule.against(scores)) for key, scores in results.items()}


def _counted(before: int | None, now: int) -> int:
    """Of one verifier's results in several blocks: the most that was counted against the node, else whether something
    was counted for it."""
    if before is None:
        return now
    return max(before, now) if max(before, now) > 0 else min(before, now)


def standings_after(
    before: Mapping[NodeId, NodeStanding],
    judged: Sequence[Judged],
    oldest: int,
    rule: Rule,
    said: Said = MappingProxyType({}),
) -> dict[NodeId, NodeStanding]:
    """Everybody's standing after one block with these results, in its order; ``said``: in the blocks before it, of the
    same epochs. Who signed no answer since epoch ``oldest`` is a newcomer again; who has contradicted itself not."""
    by_node: dict[NodeId, list[Judged]] = {}
    for one in judged:
        by_node.setdefault(one.node, []).append(one)
    standings = {
        node: standing
        for node, standing in before.items()
        if standing.signed >= oldest or standing.contradicted or node in by_node
    }
    for node, results in by_node.items():
        standing = standings.get(node)
        if standing is not None and standing.contradicted:
            continue  # nothing brings it back
        if standing is None or standing.signed < oldest:
            standing = rule.newcomer(node)
        by_epoch: dict[int, dict[int, list[Score]]] = {}
        for one in sorted(results, key=lambda one: one.turn):
            by_epoch.setdefault(one.epoch, {}).setdefault(one.author, []).append(one.score)
        judged_until = standing.signed
        for epoch, by_author in sorted(by_epoch.items()):
            duties = [scores for _, scores in sorted(by_author.items())]
            earlier = [said.get((epoch, author, node)) for author in sorted(by_author)]
            standing = rule.judge(standing, duties, again=epoch <= judged_until, earlier=earlier)
        standings[node] = msgspec.structs.replace(standing, signed=max(standing.signed, *by_epoch))
    if len(standings) > MAX_STANDINGS:
        newest = sorted(standings.items(), key=lambda item: (-item[1].signed, item[0]))
        standings = dict(newest[:MAX_STANDINGS])
    return standings
