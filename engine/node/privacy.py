"""What carried an answer, said to its reader: the shape that was used against the one that the network wants. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from engine.api.schema import Privacy, PrivacyChoice
from engine.directory.shapes import Accepted, Shape
from engine.ids import NodeId
from engine.sentences import say, together

DIRECT_WORDS = say("privacy.direct")


def accepted_of(choice: PrivacyChoice | None) -> Accepted | None:
    """What a request accepts; None: it says nothing."""
    if choice is None:
        return None
    return Accepted(paths=choice.least_paths, hops=choice.least_hops, direct=choice.direct)


def privacy_of(paths: Sequence[Sequence[NodeId]], n: int, k: int, full: Shape) -> Privacy:
    """``paths`` are those that carried the answer at its end, with all their relays; none: it came directly. ``n`` and
    ``k`` are the request's, so a path that was just being replaced counts."""
    hops = min((len(path) for path in paths), default=0)
    used = Shape(hops, n, k)
    weaker = used < full
    text: str = DIRECT_WORDS if used.direct else ""
    if weaker and used.direct:
        text = together(say("privacy.weaker_direct", full=full.words), text)
    elif weaker:
        text = say("privacy.weaker", shape=used.words, full=full.words)
    return Privacy(
        paths=n,
        needed=k,
        hops=hops,
        direct=used.direct,
        full_paths=full.n,
        full_hops=full.length,
        weaker=weaker,
        text=text,
    )


def sending_words(shape: Shape, full: Shape) -> str:
    """The stage in which a question is sent."""
    if shape.direct:
        return say("stage.sending_direct")
    if shape < full:
        return say("stage.sending_weaker", shape=shape.words)
    return say("stage.sending")
