"""Why an answer ends before its end, in words for the user. Pure."""

from __future__ import annotations

from engine.errors import NetworkNotReadyError, ServingNodeLostError
from engine.sentences import say, together

LINKS_ENDED = say("machine.gone_links")
SILENT = say("machine.gone_silent")
STRANGER = say("machine.gone_stranger")


def lost_node(why: str) -> ServingNodeLostError:
    """The machine that answers is gone; ``why`` is one of the above."""
    return ServingNodeLostError(why)


def lost_paths(open_paths: int, needed: int, problem: str) -> NetworkNotReadyError:
    """The paths carry no answer; ``problem`` is a sentence about building them."""
    if open_paths < needed:
        what = together(say("paths.only_some", ready=open_paths, needed=needed), problem)
    else:
        what = say("paths.little")
    return NetworkNotReadyError(together(what, say("paths.again")))
