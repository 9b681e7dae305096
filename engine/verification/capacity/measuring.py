"""What one long question tells of a node's speed. Counts are in the model's own tokens; times are the client's."""

from __future__ import annotations

from engine.wire.challenges import SpeedMeasured

READING_SECONDS = 2.0
"""A prompt is so long that a node that is as fast as it says reads it in this time: then its way and the first
token's own step are small beside it."""
LEAST_TOKENS, MOST_TOKENS, MOST_CONTEXT_SHARE = 256, 8_192, 0.75
"""Of a prompt: never fewer tokens, nor more than this many or this share of the model's context. Longer prompts are
read more slowly than the ordinary ones by which a node knows its speed, as each token looks at all before it."""
LONGEST_SECONDS = 60.0
"""For which a first token is waited for; who has not come so far has read no faster than that."""
WAITED_PARTS = 2
"""One part in so many of the time is believed to have gone to other questions. A moment at which a node says that more
has counts only where it has no calm ones, so who always says that it is busy gains a factor of two."""
LEAST_MS = 50
WHOLE = 1_000
"""Thousandths."""


def prompt_tokens(claimed_rate: float, context: int) -> int:
    """How long the long prompt has to be for a node that claims to read ``claimed_rate`` tokens a second."""
    most = min(MOST_TOKENS, int(context * MOST_CONTEXT_SHARE))
    return max(min(LEAST_TOKENS, most), min(int(claimed_rate * READING_SECONDS), most))


def is_calm(one: SpeedMeasured) -> bool:
    """Whether the node has hardly been busy with other people's questions, by its own word."""
    return WAITED_PARTS * one.waited_ms <= _took(one)


def measured_rate(one: SpeedMeasured) -> int:
    """Tokens a second that the node has read."""
    took = _took(one)
    waited = min(one.waited_ms, took // WAITED_PARTS)
    return one.tokens * 1_000 // max(took - waited, LEAST_MS)


def measured_share(one: SpeedMeasured) -> int:
    """Measured over claimed speed in thousandths, at most a whole."""
    return min(WHOLE, measured_rate(one) * WHOLE // one.claimed)


def _took(one: SpeedMeasured) -> int:
    return max(one.long_ms - one.short_ms, LEAST_MS)
