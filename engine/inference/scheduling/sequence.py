"""One sequence of tokens while it waits and runs. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.inference.scheduling.plan import BLOCK_TOKENS
from engine.inference.scheduling.prefix_cache import CacheNode
from engine.inference.scheduling.submission import Submission

DEFAULT_EXPECTED_TOKENS = 256
"""Tokens that an answer is expected to have when estimates are made and its limit is higher."""


def blocks_for(tokens: int) -> int:
    """Blocks that hold so many tokens."""
    return -(-tokens // BLOCK_TOKENS)


@dataclass(slots=True, eq=False)
class Sequence:
    """Prompt and answer of one request, and how much of them is in the cache memory.

    It waits while ``slot`` is -1. ``epoch`` grows whenever what a step under way computes for it loses its meaning.
    """

    key: int
    submission: Submission
    order: int  # of arrival
    limit: int  # tokens of the whole answer
    submitted: float
    tokens: list[int] = field(init=False)  # prompt and answer
    prompt_length: int = field(init=False)
    public_blocks: int = field(init=False)
    ready_at: float = field(init=False)  # the next token is not drawn before
    owner: bool = field(init=False)
    slot: int = -1
    fed: int = 0  # tokens whose keys and values lie in the slot
    blocks: int = 0  # of memory that its slot is counted for
    epoch: int = 0
    tail: CacheNode | None = None  # the deepest block of its path that was known to be cached
    cached_tokens: int | None = None  # of the prompt; None until it ran
    admitted: bool = False  # has ever had a slot
    paced: bool = False
    over: bool = False  # the answer is complete
    gave_way: int = 0  # how often its place was taken from it
    waited: float = 0.0  # seconds before its first token that did not go into reading its prompt
    suspect: int = 0  # feeding up to here failed once: it runs alone until it is past

    def __post_init__(self) -> None:
        submission = self.submission
        self.ready_at = self.submitted
        self.tokens = [*submission.prompt_ids, *submission.answer_ids]
        self.prompt_length = len(submission.prompt_ids)
        self.public_blocks = min(submission.public_tokens, self.prompt_length) // BLOCK_TOKENS
        self.owner = submission.owner

    @property
    def answer_length(self) -> int:
        """Tokens of the answer so far."""
        return len(self.tokens) - self.prompt_length

    @property
    def expected(self) -> int:
        """Tokens it is expected to make still."""
        return max(1, min(self.limit, DEFAULT_EXPECTED_TOKENS) - self.answer_length)

    @property
    def promise(self) -> int:
        """Blocks that it must be able to take without anybody giving way: all its tokens, and one to grow into."""
        return min(blocks_for(len(self.tokens)) + 1, blocks_for(self.prompt_length + self.limit))

    @property
    def remaining(self) -> int:
        """Tokens to feed still, without those that are known to be cached."""
        return len(self.tokens) - max(self.fed, self.tail.depth * BLOCK_TOKENS if self.tail is not None else 0)

    @property
    def wanted_from(self) -> int:
        """The first of its tokens after which logits are needed."""
        return len(self.tokens) - (self.submission.scored or 1)

    def wanted(self, start: int, end: int) -> int:
        """After how many of its tokens from ``start`` to ``end`` logits are needed; they are the last ones."""
        return max(0, end - max(start, self.wanted_from))

    @property
    def decoding(self) -> bool:
        """Whether all but its newest token is in its slot."""
        return self.fed > 0 and len(self.tokens) - self.fed == 1

    def available(self, now: float) -> int:
        """Tokens that a step may feed now. The last one is kept back while a paced answer is ahead of its time, and it
        does not begin (anew) before."""
        if self.over:
            return 0
        pending = len(self.tokens) - self.fed
        if self.ready_at <= now:
            return pending
        return pending - 1 if self.fed else 0

    def reset(self) -> None:
        """Nothing of it is in the cache memory any more."""
        self.fed = 0
        self.blocks = 0
        self.tail = None
        self.epoch += 1

    def pace(self, now: float) -> None:
        """A token came: when may the next one come?"""
        rate = self.submission.max_tokens_per_second
        if rate is None:
            self.ready_at = now
            return
        # One interval after the last due time: late steps do not add up to a burst, and early ones not to a drift.
        due = self.ready_at if self.paced else now
        self.paced = True
        self.ready_at = max(due + 1 / rate, now)
