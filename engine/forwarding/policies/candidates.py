"""Who may serve a request at all, whatever the policy: the rules of the network, its clients and its owners."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.forwarding.members import Member
from engine.forwarding.policies.interface import Asked, Choice, Group, Random

NEWCOMER_SHARE = 0.03
"""Of all forwards that go to members without standing, drawn at random: whatever they say, they attract no more."""

NOBODY = "No machine of this model's group takes new requests now; try again in a moment."
NOT_HERE = "This machine takes no new requests now, and the request must not be forwarded to another one."
NO_STANDING = "No machine of this model's group has the standing that the request asks for."


def may_serve(member: Member, asked: Asked) -> bool:
    """Its owner lets it, and the client too."""
    return member.accepts and member.standing >= asked.minimum_standing


def candidates(asked: Asked, group: Group, random: Random, newcomer_share: float = NEWCOMER_SHARE) -> list[Member]:
    """Whom a policy may choose from, in the order of the group; empty: the request is refused.

    Without the client's permission to forward that is the entry node alone. Else, at random, one of the members that
    have no standing yet (``newcomer_share`` of all requests, and none of them gets more than an even share); else
    everybody with standing. The entry node always counts as established: it knows itself."""
    if not asked.may_forward:
        entry = group.member(group.myself)
        return [entry] if entry is not None and may_serve(entry, asked) else []
    minimum, myself = asked.minimum_standing, group.myself
    fit = [member for member in group.members if member.accepts and member.standing >= minimum]
    newcomers = [member for member in fit if not member.established and member.node_id != myself]
    if not newcomers:
        return fit
    if random.random() < min(newcomer_share, len(newcomers) / len(fit)):
        return [newcomers[random.randrange(len(newcomers))]]
    return [member for member in fit if member.established or member.node_id == myself]


def refusal(asked: Asked, group: Group) -> Choice:
    """Nobody may serve: why, in words that the client can show."""
    if not asked.may_forward:
        return Choice(target=None, reason=NOT_HERE)
    standing = any(member.standing >= asked.minimum_standing for member in group.members)
    return Choice(target=None, reason=NOBODY if standing else NO_STANDING)


def lowest(members: Sequence[Member], value: Callable[[Member], float], random: Random) -> Member:
    """The member with the lowest value; of equal ones each is as likely as the others. ``members`` is not empty."""
    best: list[Member] = []
    least = float("inf")
    for member in members:
        found = value(member)
        if found < least:
            best, least = [member], found
        elif found == least:
            best.append(member)
    return best[0] if len(best) == 1 else best[random.randrange(len(best))]


def outstanding(member: Member) -> int:
    """Requests that it has, as far as one knows here."""
    return member.load.running + member.load.waiting + member.sent_requests


def outstanding_tokens(member: Member) -> int:
    """Tokens that it still has to read and write, as far as one knows here."""
    load = member.load
    return load.queue_tokens + load.output_tokens + member.sent_tokens + member.sent_output_tokens
