"""What this machine knows of its own links, paths and groups, for its owner's eyes."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Literal

from engine.api.schema import MOST_LINKS, MOST_MEMBERS, MOST_PATHS, GroupMember, OwnLink, OwnPath, Topology
from engine.ids import node_id_text

if TYPE_CHECKING:
    from engine.forwarding.members import Member
    from engine.node.group import GroupRole
    from engine.node.node import Node
    from engine.node.presence import Presence
    from engine.paths.path_sets import PathSets


def topology(node: Node, opened: Collection[bytes]) -> Topology:
    """The picture of this moment. ``opened``: names of the path sets of the chat that is looked at."""
    links = [*_links(node.client, "client"), *_links(node.peer, "node")]
    client = node.client.client if node.client else None
    paths = list(own_paths(client.machine.paths, opened)) if client else []
    group = node.peer.group if node.peer else None
    members = list(group_members(group)) if group else []
    return Topology(
        links=tuple(links[:MOST_LINKS]),
        paths=tuple(paths[:MOST_PATHS]),
        members=tuple(members[:MOST_MEMBERS]),
        links_left_out=max(0, len(links) - MOST_LINKS),
        paths_left_out=max(0, len(paths) - MOST_PATHS),
        members_left_out=max(0, len(members) - MOST_MEMBERS),
    )


def _links(presence: Presence | None, holder: Literal["client", "node"]) -> Iterator[OwnLink]:
    mesh = presence.mesh if presence is not None else None
    for peer in sorted(mesh.links()) if mesh is not None else ():
        assert mesh is not None
        yield OwnLink(
            peer=node_id_text(peer),
            holder=holder,
            round_trip_ms=_milliseconds(mesh.round_trip(peer)),
            relayed=bool(mesh.is_relayed(peer)),
        )


def own_paths(sets: PathSets, opened: Collection[bytes]) -> Iterator[OwnPath]:
    """The open paths, those of the chat that is looked at first."""
    chats, spares = sets.all_sets()
    for known in sorted(chats, key=lambda one: one.name not in opened):
        for slot in known.open_slots():
            yield OwnPath(
                relays=tuple(map(node_id_text, slot.hops)),
                use="open" if known.name in opened else "chat",
                busy=known.busy > 0,
                round_trip_ms=_milliseconds(slot.round_trip),
            )
    for known in spares:
        for slot in known.open_slots():
            yield OwnPath(relays=tuple(map(node_id_text, slot.hops)), round_trip_ms=_milliseconds(slot.round_trip))


def group_members(group: GroupRole) -> Iterator[GroupMember]:
    """The members of all groups of this machine, itself first in each."""
    for info in group.models():
        view = group.view(info.digest)
        if view is None:
            continue
        for member in sorted(view.members, key=lambda one: (one.node_id != view.myself, one.node_id)):
            yield _member(member, info.model_id, here=member.node_id == view.myself)


def _member(member: Member, model: str, *, here: bool) -> GroupMember:
    return GroupMember(
        node=node_id_text(member.node_id),
        model=model,
        here=here,
        running=member.load.running,
        waiting=member.load.waiting,
        slots=member.load.slots,
        round_trip_ms=_milliseconds(member.round_trip),
        standing=round(member.standing, 3),
        established=member.established,
        accepts=member.accepts,
    )


def _milliseconds(seconds: float | None) -> float:
    return round((seconds or 0.0) * 1000, 1)
