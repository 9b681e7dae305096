"""Who may serve a request at all, whatever the policy: the rules of the network, its clients and its owners."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.forwarding.members import Member
from engine.forwarding.policies.interface import Asked, Choice, Group, Random

NEWCOMER_SHARE = 0.03
"""Of all forwards that go to members without standing, drawn at random: whatever they say, they attract no more."""
NEWCOMER_DRAWS = 8

NOBODY = "No machine of this model's group takes new requests now; try again in a moment."
NOT_HERE = "This machine takes no new requests now, and the request must not be forwarded to another one."
NO_STANDING = "No machine of this model's group has the standing that the request asks for."


def may_serve(member: Member, asked: Asked) -> bool:
    """Its owner lets it, and the client too."""
    return member.accepts and member.standing >= asked.minimum_standing


def newcomer(asked: Asked, group: Group, random: Random, share: float = NEWCOMER_SHARE) -> Member | None:
    """Now and then a member without standing, by lot among them: all of them together get at most ``share`` of the
    requests, and none more than a quarter of an even share (it is the draws that find few of few)."""
    if not asked.may_forward or random.random() >= share or not group.members:
        return None
    for _ in range(NEWCOMER_DRAWS):
        drawn = group.members[random.randrange(len(group.members))]
        if not drawn.established and drawn.node_id != group.myself and may_serve(drawn, asked):
            return drawn
    return None


def candidates(asked: Asked, group: Group, random: Random) -> list[Member]:
    """Whom a policy may choose from, in the order of the group; empty: the request is refused.

    Without the client's permission to forward that is the entry node alone. Else it is now and then one newcomer, and
    otherwise everybody with standing. The entry node always counts as established: it knows itself."""
    myself = group.myself
    if not asked.may_forward:
        entry = group.member(myself)
        return [entry] if entry is not None and may_serve(entry, asked) else []
    drawn = newcomer(asked, group, random)
    if drawn is not None:
        return [drawn]
    minimum = asked.minimum_standing
    return [
        member
        for member in group.members
        if member.accepts and member.standing >= minimum and (member.established or member.node_id == myself)
    ]


def refusal(asked: Asked, group: Group) -> Choice:
    """Nobody may serve: why, in words that the client can show."""
    if not asked.may_forward:
        return Choice(target=None, reason=NOT_HERE)
    standing = any(member.standing >= asked.minimum_standing for member in group.members)
    return Choice(target=None, reason=NOBODY if standing else NO_STANDING)


def lowest(members: Sequence[Member], value: Callable[[Member], float], random: Random) -> Member:
    """The member with the lowest value; of equal ones each is as likely as the others. ``members`` is not empty."""
    values = [value(member) for member in members]
    least = min(values)
    best = [member for member, found in zip(members, values, strict=True) if found == least]
    return best[0] if len(best) == 1 else best[random.randrange(len(best))]


def outstanding(member: Member) -> int:
    """Requests that it has, as far as one knows here."""
    return member.load.running + member.load.waiting + member.sent_requests


def outstanding_tokens(member: Member) -> int:
    """Tokens that it still has to read and write, as far as one knows here."""
    load = member.load
    return load.queue_tokens + load.output_tokens + member.sent_tokens + member.sent_output_tokens
