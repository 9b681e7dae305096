"""Why an answer ends before its end, in words for the user. Pure."""

from __future__ import annotations

from engine.errors import NetworkNotReadyError, ServingNodeLostError

LINKS_ENDED = "Its links with our paths have ended."
SILENT = "It has fallen silent while our paths work."
STRANGER = "Another one that may not answer this has answered in its place."


def lost_node(why: str) -> ServingNodeLostError:
    """The machine that answers is gone; ``why`` is a sentence."""
    return ServingNodeLostError(
        f"The machine that was answering is gone. {why} What has arrived is kept; ask again and another one answers."
    )


def lost_paths(open_paths: int, needed: int, problem: str) -> NetworkNotReadyError:
    """The paths carry no answer; ``problem`` is a sentence about building them."""
    if open_paths < needed:
        what = f"Only {open_paths} of the {needed} anonymous paths that an answer needs could be built. {problem}"
    else:
        what = "Too little of the answer comes through the anonymous paths."
    return NetworkNotReadyError(f"{what} Wait a moment and ask again.")
