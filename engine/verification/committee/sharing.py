"""What members tell each other that they have, and what they send to one who lacks it.

The algorithm takes for granted that what one honest member has heard reaches all. Links lose messages, and liars show
each member something else; so everybody says again and again what it has of its round, and gets the rest.
"""

from __future__ import annotations

from collections.abc import Callable

from engine.verification.committee.committee import NO_BLOCK
from engine.verification.committee.state import Known
from engine.wire.blocks import CommitteeHave, CommitteeNews, CommitteePrevotes

Lacking = list[CommitteeNews | CommitteePrevotes]


def have(known: Known, height: int, number: int, block: Callable[[bytes], bytes | None]) -> CommitteeHave:
    """What a member in round ``number`` has; ``block`` finds the blocks that are here."""
    here = known.round(number)
    wanted = here.precommits.majority or known.quorum_of(number) or NO_BLOCK
    return CommitteeHave(
        height=height,
        round=number,
        proposal=any(known.can_judge(one) for one in here.proposals),
        quorum=known.quorum_of(number) is not None,
        prevotes=here.prevotes.bitmap(),
        precommits=here.precommits.bitmap(),
        want=wanted if block(wanted) is None else NO_BLOCK,
    )


def lacking(known: Known, height: int, present: int, there: CommitteeHave) -> Lacking:
    """What a member in round ``present`` sends to one that has said what is ``there``: the rest of that round, and
    what shows that later ones have begun."""
    if there.round > present:
        return []
    messages: Lacking = []
    for number in sorted({there.round + 1, present - 1, present} if there.round < present else ()):
        if number > there.round:
            messages += _of_round(known, height, number, CommitteeHave(height, number, False, False, b"", b"", b""))
    messages += _of_round(known, height, there.round, there)
    wanted = known.offered(there.want) if there.want else None
    if wanted is not None:
        messages.append(CommitteeNews(wanted.item))
    return messages


def _of_round(known: Known, height: int, number: int, there: CommitteeHave) -> Lacking:
    one = known.rounds.get(number)
    if one is None:
        return []
    items: Lacking = []
    offered = next((found for found in one.proposals if known.can_judge(found)), None)
    if not there.proposal and offered is not None:
        items += _quorum(known, height, offered.proposal.valid_round - 1)
        items.append(CommitteeNews(offered.item))
    if not there.quorum:
        items += _quorum(known, height, number)
    items += (CommitteeNews(item) for item in one.prevotes.missing(there.prevotes))
    items += (CommitteeNews(item) for item in one.precommits.missing(there.precommits))
    return items


def _quorum(known: Known, height: int, number: int) -> Lacking:
    digest = known.quorum_of(number)
    if digest is None:
        return []
    return [CommitteePrevotes(height, number, digest, known.quorum_signatures(number))]
