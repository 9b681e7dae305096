"""What a member would need for a request, predicted from its last statement. Pure.

A statement is true at one moment. What happened since is reckoned: the member has worked on at its rates, and what this
machine sent there has been added. Rates are believed times ``Member.trust``.
"""

from __future__ import annotations

from math import exp
from typing import NamedTuple

from engine.forwarding.members import Load, Member
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
"""Of every step's prompt tokens, for whoever has least to read; the rest is for whoever came first."""
STEP_TOKENS = 512
"""Prompt tokens of a step while there are enough to read; every running answer gets one token meanwhile."""
BATCH_SLOPE = 0.02
"""What an answer beside it costs another one, as a share of a step alone, where no batch has been measured."""


class Prediction(NamedTuple):
    """Seconds, as one expects them now."""

    queue: float  # until all prompts that are there now have been read
    wait: float  # until it begins to read this prompt: others' prompts, a free place, free memory
    read: float  # of the prompt's tokens that its cache lacks
    write: float  # of the expected answer, beside the others
    delays: float  # that all prompts that wait there would lose together
    others: float  # and all answers that are being written there
    network: float  # the round trip
    room: bool  # False: never, however long one waits

    @property
    def first_token(self) -> float:
        """Seconds until the first token is here."""
        return self.network + self.wait + self.read


def prefill_rate(member: Member) -> float:
    """Prompt tokens/s, as far as they are believed."""
    return max((member.load.prefill_rate or UNMEASURED_PREFILL) * member.trust, LEAST_RATE)


class Traffic(NamedTuple):
    """What one has seen of the requests to the group, and takes for what others see."""

    typical: float = 0.0  # tokens of a prompt that have to be read, on average; 0: unknown
    requests: float = 0.0  # per second, that others send to each member
    reading: float = 0.0  # seconds that these take to be read, per second
    answer: float = 0.0  # tokens of an answer, on average; 0: unknown


NOTHING_SEEN = Traffic()


def predict(
    member: Member,
    asked: Asked,
    cached: int,
    now: float,
    traffic: Traffic = NOTHING_SEEN,
    busy: float = 0.0,
    known: int = 0,
    slope: float | None = None,
) -> Prediction:
    """What ``member`` would need for ``asked`` when its cache holds ``cached`` leading tokens.

    What others have sent there since its statement is not in it (``policies/unseen.py``). ``traffic``: where the
    typical prompt is not known, prompts are taken to be read in the order of arrival. ``busy``: seconds for which it
    certainly still reads what this machine has sent (a send in the middle of the statement's age has not had the whole
    age to be worked off). ``known``: tokens of ``sent_tokens`` that this machine knows its cache to save. ``slope``:
    what one more answer adds to a step there, in seconds (None: by the statement)."""
    load, trust = member.load, member.trust
    silent = max(now - member.heard, 0.0)
    age = min(silent, LONGEST_DRAIN)
    prefill = max((load.prefill_rate or UNMEASURED_PREFILL) * trust, LEAST_RATE)
    alone = alone_rate(member)
    decode = max((load.decode_rate or load.decode_rate_alone or UNMEASURED_DECODE) * trust, LEAST_RATE)

    sent = load.queue_tokens + max(member.sent_tokens - known, 0)
    queue = max(sent / prefill - age, busy, 0.0)
    read = max(asked.prompt_tokens - cached, 1) / prefill
    answers: float = load.running + load.waiting + member.sent_requests
    to_write = max(load.output_tokens + member.sent_output_tokens, answers * traffic.answer)
    # Who says nothing new has as many answers as it said: others have come for those that ended.
    answers, left = _still_written(answers, to_write, decode * min(age, member.silence))

    wait, behind = _turn(queue, read, traffic.typical / prefill) if queue > 0 and traffic.typical > 0 else (queue, 0.0)
    wait = max(wait, _place(load, asked, queue * prefill, answers, left, decode))
    if silent > SILENCE:
        wait += silent - SILENCE
    room = load.slots > 0 and (load.kv_total == 0 or asked.prompt_tokens + asked.output_tokens <= load.kv_total)

    if slope is None:
        slope = batch_slope(member)
    beside = min(answers, max(load.slots - 1, 0))
    each = 1.0 / alone + slope * beside
    mixed = max(each, STEP_TOKENS / prefill)
    during = min(asked.output_tokens, max(queue - wait, 0.0) / mixed)
    write = during * mixed + (asked.output_tokens - during) * each
    mean = left / answers if answers > 0 else 0.0
    others = beside * (read * (1.0 - each / mixed) + slope * min(asked.output_tokens, mean))
    return Prediction(queue, wait, read, write, behind * read, others, member.round_trip, room)


def alone_rate(member: Member) -> float:
    """Tokens/s of an answer that runs alone, as far as it is believed."""
    load = member.load
    return max((load.decode_rate_alone or load.decode_rate or UNMEASURED_DECODE) * member.trust, LEAST_RATE)


def batch_slope(member: Member) -> float:
    """Seconds that one more answer adds to each step of the others, by its last statement."""
    load, alone = member.load, alone_rate(member)
    decode = max((load.decode_rate or load.decode_rate_alone or UNMEASURED_DECODE) * member.trust, LEAST_RATE)
    if load.running <= 1:
        return BATCH_SLOPE / alone
    return max((load.running / decode - 1.0 / alone) / (load.running - 1), 0.0)


def _still_written(answers: float, left: float, written: float) -> tuple[float, float]:
    """How many of so many answers, with so many tokens ``left`` of all together, are not ended after so many tokens
    have been ``written``, and what they have left. Lengths are taken to be distributed exponentially: who has written
    more than one expects has as much to go as the others (what one expects of it says that it is about to end, and it
    is not)."""
    if answers <= 0 or left <= 0:
        return 0.0, 0.0
    share = exp(-written / left)
    return answers * share, left * share


def _turn(queue: float, read: float, typical: float) -> tuple[float, float]:
    """Seconds until its turn comes, and how many others it makes wait, when prompts that need ``queue`` seconds are to
    be read, ``typical`` on average: whoever has least to read goes first, but for the share of the oldest
    (``engine.inference.scheduling.sharing``). Lengths are taken to be distributed exponentially."""
    longer = exp(-read / typical)  # share of the others that need longer
    ahead = queue * (1.0 - longer * (1.0 + read / typical))
    return min((ahead + read) / SHARE_OF_SHORTEST - read, queue), queue / typical * longer


def _place(load: Load, asked: Asked, unread: float, answers: float, left: float, decode: float) -> float:
    """Seconds until it has a free slot and free memory, while ``answers`` write ``left`` tokens at ``decode`` a
    second."""
    wait, over = 0.0, answers + 1.0 - load.slots
    if over > 0 and answers > 0:
        wait = over * left / answers / decode
    short = asked.prompt_tokens + asked.output_tokens + unread - load.kv_free
    if load.kv_total > 0 and short > 0 and left > 0:
        # Ending answers give back all they hold, over the time they still write.
        wait = max(wait, short * left / (decode * (load.context_tokens + left)))
    return wait
