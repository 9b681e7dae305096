"""What the scheduler is asked for, and what it refuses before anything is computed. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from engine.errors import ContextLengthError, InvalidRequestError, OverloadedError


@dataclass(frozen=True, slots=True)
class SchedulerSettings:
    """Limits of one model.

    ``end_ids`` end an answer. ``slots``: sequences that run at the same time. ``queue_limit``: strangers' requests that
    may wait, and as many of the owner's. ``step_tokens``: most prompt tokens of one step. ``longest_wait``: seconds
    that running answers may wait for the prompt tokens of one step, as far as the measured rate can tell.
    ``whole_slots``: every slot takes memory for a whole context from the beginning (GPUs), not only for what it holds.
    ``scored_places``: places of one score whose logits are made in one step.
    """

    context_length: int
    end_ids: frozenset[int]
    slots: int = 8
    queue_limit: int = 32
    step_tokens: int = 512
    longest_wait: float = 0.25
    whole_slots: bool = False
    scored_places: int = 64


@dataclass(frozen=True, slots=True)
class Submission:
    """One answer to make. ``answer_ids`` were made elsewhere already and are continued. The first ``public_tokens`` of
    the prompt are cached for everybody, the rest under ``cache_salt`` (not at all, if it is empty). ``scored``: nothing
    is made, the logits after the last so many tokens are wanted (0: it is an answer)."""

    prompt_ids: tuple[int, ...]
    max_tokens: int | None = None
    min_tokens: int = 0
    answer_ids: tuple[int, ...] = ()
    owner: bool = False
    max_tokens_per_second: float | None = None
    public_tokens: int = 0
    cache_salt: bytes = b""
    scored: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a waiting sequence stands; ``place`` from 1, ``estimate`` in seconds to its first token."""

    key: int
    place: int
    estimate: float


@dataclass(frozen=True, slots=True)
class Work:
    """What there is to do: tokens of prompts that are not read yet (what is known to be cached left out), sequences
    that wait and run, tokens that they are expected to make, tokens whose keys and values the running ones hold; and
    how long the last ones waited for their first token."""

    queue_tokens: int
    waiting: int
    running: int
    output_tokens: int
    context_tokens: int
    first_token_seconds: float


def check(submission: Submission) -> None:
    """Raise :class:`InvalidRequestError` for what no model could do."""
    if not submission.prompt_ids:
        raise InvalidRequestError("The prompt has no tokens. Send at least one message with some text.")
    if submission.max_tokens is not None and submission.max_tokens < 1:
        raise InvalidRequestError(f"max_tokens is {submission.max_tokens}: an answer has at least 1 token.")
    if submission.min_tokens < 0:
        raise InvalidRequestError(f"min_tokens is {submission.min_tokens}: it cannot be negative.")
    if submission.public_tokens < 0:
        raise InvalidRequestError(f"The public part of the prompt has {submission.public_tokens} tokens: 0 or more.")
    if not 0 <= submission.scored <= len(submission.prompt_ids):
        raise InvalidRequestError(
            f"{submission.scored} places cannot be scored in {len(submission.prompt_ids)} tokens."
        )
    pace = submission.max_tokens_per_second
    if pace is not None and not (0 < pace < math.inf):
        raise InvalidRequestError(f"The limit of {pace} tokens per second is not a positive number.")


def answer_limit(submission: Submission, context_length: int, memory_tokens: int) -> int:
    """Tokens the answer may have, when ``memory_tokens`` are the most that fit into memory.

    Raises :class:`ContextLengthError` or, when there is no memory at all, :class:`OverloadedError`.
    """
    if memory_tokens < 1:
        raise OverloadedError(
            "There is no memory for answers of this model at the moment. Raise its memory limit, or ask another node."
        )
    held = min(context_length, memory_tokens)
    prompt = len(submission.prompt_ids)
    room = held - prompt
    needed = max(1, submission.min_tokens, len(submission.answer_ids))
    if room >= needed:
        return room if submission.max_tokens is None else min(room, submission.max_tokens)
    text = f"The conversation has {prompt} tokens and at least {needed} are needed for the answer, but "
    if held == context_length:
        raise ContextLengthError(
            f"{text}this model holds {context_length} together. Shorten the conversation or "
            "choose a model with a longer context."
        )
    raise ContextLengthError(
        f"{text}the memory that this model may use holds {held} together (the model itself could hold "
        f"{context_length}). Raise its memory limit, shorten the conversation or ask another node."
    )
