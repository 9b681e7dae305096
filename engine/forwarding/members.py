"""What a member of a group says of its load, and what is known of it here. Pure data."""

from __future__ import annotations

import math
from dataclasses import dataclass

from engine.ids import NodeId


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One member's statement about itself at one moment. Tokens are the model's; rates are measured, 0 until then."""

    queue_tokens: int = 0  # of prompts, still to be read; what its cache holds of them is not counted
    waiting: int = 0  # requests without a place yet
    running: int = 0  # answers that are being written
    output_tokens: int = 0  # expected of all running and waiting answers
    context_tokens: int = 0  # keys and values that running answers hold
    kv_free: int = 0  # tokens; what only the prefix cache holds counts as free
    kv_total: int = 0
    slots: int = 1  # answers that can run at the same time
    prefill_rate: float = 0.0  # tokens/s while prompts are read
    decode_rate: float = 0.0  # tokens/s of all running answers together
    decode_rate_alone: float = 0.0  # tokens/s of an answer that runs alone
    first_token_seconds: float = 0.0  # recent time to first token, smoothed


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member as another one sees it: its last statement and what is known beside it."""

    node_id: NodeId
    load: Load
    heard: float  # when the statement was made, by this machine's clock (monotonic seconds)
    silence: float = math.inf  # seconds; who has been silent for longer has got nothing since then
    round_trip: float = 0.0  # seconds, of the link with it; 0 for oneself
    standing: float = 1.0  # reputation in [0, 1]; everybody's is 1 where no committee judges
    established: bool = True  # has standing; who has none gets a bounded share whatever it says
    accepts: bool = True  # its owner takes new requests now
    trust: float = 1.0  # measured over advertised speed, at most 1 (see ``beliefs`` and ``advertised`` here)
    sent_tokens: int = 0  # uncached prompt tokens that this machine has sent there since the statement
    sent_requests: int = 0  # and how many requests
    sent_output_tokens: int = 0  # and what they are expected to write
