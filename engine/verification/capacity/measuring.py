"""What one long question tells of a node's speed. Counts are in the model's own tokens; times are the client's."""

from __future__ import annotations

from dataclasses import dataclass

READING_SECONDS = 4.0
"""A prompt is so long that a node that is as fast as it says reads it in this time: then its way and the first
token's own step are small beside it."""
LEAST_TOKENS, MOST_CONTEXT_SHARE = 256, 0.75
"""Of a prompt: never fewer tokens, nor more than this share of the model's context."""
WAIT_SHARE = 0.5
"""A node that says that it had to let others wait for longer than this share of the time was busy: such a moment counts
only where it has no calm ones. Then no more than this share is believed, so who always says that it is busy gains a
factor of two at most."""
LEAST_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Short questions and then a long one to the same node, with prompts that no cache can hold.

    ``tokens``: how much longer the long one's prompt was. ``long_seconds``: until the first token; ``short_seconds``:
    the same of the fastest short one.
    ``waited_seconds``: for how long the node said at once that the long one had to wait for others."""

    tokens: int
    short_seconds: float
    long_seconds: float
    waited_seconds: float = 0.0


def prompt_tokens(claimed_rate: float, context: int) -> int:
    """How long the long prompt has to be for a node that claims to read ``claimed_rate`` tokens a second."""
    return max(LEAST_TOKENS, min(int(claimed_rate * READING_SECONDS), int(context * MOST_CONTEXT_SHARE)))


def is_calm(probe: Probe) -> bool:
    """Whether the node has hardly been busy with other people's questions, by its own word."""
    return probe.waited_seconds <= WAIT_SHARE * probe.long_seconds


def measured_rate(probe: Probe) -> float:
    """Tokens a second that the node has read."""
    took = probe.long_seconds - probe.short_seconds
    waited = min(max(probe.waited_seconds, 0.0), WAIT_SHARE * took)
    return probe.tokens / max(took - waited, LEAST_SECONDS)


def measured_share(probe: Probe, claimed_rate: float) -> float:
    """Measured over claimed speed, at most 1."""
    return min(1.0, measured_rate(probe) / claimed_rate) if claimed_rate > 0 else 1.0
