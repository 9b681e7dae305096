"""A request at one simulated node."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from engine.inference.scheduling.prefix_cache import CacheNode
from engine.simulation.forwarding.trace import Block, Prompt, PublicText

NEVER = math.inf


@dataclass(slots=True, eq=False)
class Job:
    """``answer`` are blocks of prompt and answer together, as far as a later turn shows them."""

    key: int
    prompt: Prompt
    prompt_tokens: int
    output_tokens: int
    expected: int  # output tokens, as one can know beforehand
    public: PublicText
    salt: bytes
    answer: tuple[Block, ...] = ()
    arrived: float = 0.0
    order: int = 0
    tail: CacheNode | None = None  # the deepest block of its prompt that was found or made
    cached: int = 0  # tokens of the prompt that came from the cache
    left: float = 0.0  # seconds of reading
    work: float = 0.0  # seconds of reading, in all
    told: float = 0.0  # tokens of its prompt that were read before the step that is being made
    begun: bool = False
    blocked: bool = False
    first_token: float = NEVER
    started: float = 0.0  # the node's clock at the first token
    finished: float = NEVER
    written: int = 0  # output tokens, when its node left
    counted: bool = False  # whoever asked has been told of its first token
    pending: list[CacheNode] = field(default_factory=list)
    held: int = 0  # blocks

    @property
    def uncached(self) -> int:
        """Tokens of the prompt to be read."""
        return self.prompt_tokens - self.cached
