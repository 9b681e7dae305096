"""What a member would need for a request, predicted from its last statement. Pure.

A statement is true at one moment. What happened since is reckoned: the member has worked on at its rates, and what this
machine sent there has been added. Rates are believed times ``Member.trust``.
"""

from __future__ import annotations

from math import exp
from typing import NamedTuple

from engine.forwarding.members import Member
from engine.forwarding.policies.interface import Asked

UNMEASURED_PREFILL = 500.0
UNMEASURED_DECODE = 15.0
"""Tokens/s of who has not measured itself yet: a modest machine, so that it is tried and not flooded."""
LEAST_RATE = 0.05
"""Tokens/s; what is slower counts as this slow, so that no division overflows."""
LONGEST_DRAIN = 10.0
"""Seconds for which a silent member is assumed to have worked on."""
SILENCE = 15.0
"""Seconds without a statement after which every further one counts as waiting: it may have died."""
SHARE_OF_SHORTEST = 0.75
STEP_TOKENS = 512
BATCH_SLOPE = 0.02
"""What an answer beside it costs another one, as a share of a step alone, where no batch has been measured."""


class Prediction(NamedTuple):
    """Seconds, as one expects them now."""

    wait: float  # until it begins to read this prompt: others' prompts, a free place, free memory
    read: float  # of the prompt's tokens that its cache lacks
    write: float  # of the expected answer, beside the others
    others: float  # that all other answers there together would lose
    network: float  # the round trip
    room: bool  # False: never, however long one waits

    @property
    def first_token(self) -> float:
        """Seconds until the first token is here."""
        return self.network + self.wait + self.read


def prefill_rate(member: Member) -> float:
    """Prompt tokens/s, as far as they are believed."""
    return max((member.load.prefill_rate or UNMEASURED_PREFILL) * member.trust, LEAST_RATE)


def predict(
    member: Member,
    asked: Asked,
    cached: int,
    now: float,
    typical: float = 0.0,
    busy: float = 0.0,
    known: int = 0,
) -> Prediction:
    """What ``member`` would need for ``asked`` when its cache holds ``cached`` leading tokens.

    ``busy``: seconds for which it certainly still reads what this machine has sent (a send in the middle of the
    statement's age has not had the whole age to be worked off); ``known``: tokens of ``sent_tokens`` that this machine
    knows its cache to save."""
    load, trust = member.load, member.trust
    silent = max(now - member.heard, 0.0)
    age = min(silent, LONGEST_DRAIN)
    prefill = max((load.prefill_rate or UNMEASURED_PREFILL) * trust, LEAST_RATE)
    alone = max((load.decode_rate_alone or load.decode_rate or UNMEASURED_DECODE) * trust, LEAST_RATE)
    decode = max((load.decode_rate or load.decode_rate_alone or UNMEASURED_DECODE) * trust, LEAST_RATE)
    reading = max((load.queue_tokens + max(member.sent_tokens - known, 0)) / prefill - age, busy, 0.0)
    read = max(asked.prompt_tokens - cached, 1) / prefill

    answers = float(load.running + load.waiting + member.sent_requests)
    to_write = load.output_tokens + member.sent_output_tokens
    left = max(to_write - decode * age, 0.0)
    if to_write > 0:
        answers *= left / to_write
    mean = left / answers if answers > 0 else 0.0

    uncached = read * prefill
    wait, behind = reading, 0.0
    if reading > 0 and typical > 0:
        size = uncached / typical
        longer = exp(-size)
        ahead = reading * (1.0 - longer * (1.0 + size))
        wait = min((ahead + read) / SHARE_OF_SHORTEST - read, reading)
        behind = reading * prefill / typical * longer
    over = answers + 1.0 - load.slots
    if over > 0 and mean > 0:
        wait = max(wait, over * mean / decode)
    room = load.slots > 0
    if load.kv_total > 0:
        room = room and asked.prompt_tokens + asked.output_tokens <= load.kv_total
        short = asked.prompt_tokens + asked.output_tokens + reading * prefill - load.kv_free
        if short > 0 and left > 0:  # ending answers give back all they hold, over the time they still write
            wait = max(wait, short * left / (decode * (load.context_tokens + left)))
    if silent > SILENCE:
        wait += silent - SILENCE

    step = 1.0 / alone
    slope = max((load.running / decode - step) / (load.running - 1), 0.0) if load.running > 1 else BATCH_SLOPE * step
    beside = min(answers, max(load.slots - 1, 0))
    each = step + slope * beside
    mixed = max(each, STEP_TOKENS / prefill)
    during = min(asked.output_tokens, max(reading - wait, 0.0) / mixed)
    write = during * mixed + (asked.output_tokens - during) * each
    others = (beside + behind) * read + beside * slope * min(asked.output_tokens, mean)
    return Prediction(wait, read, write, others, member.round_trip, room)
