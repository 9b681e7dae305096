"""How long a client waits for an answer, for its paths and for the machine that makes it. Pure.

When a running answer is given up because another machine can go on with it is in ``silence.py``.
"""

from __future__ import annotations

from engine.paths.running_answer import RunningAnswer
from engine.paths.slots import PathSet

FIRST_FRAME_SECONDS = 12.0
"""Without any frame this long after sending, the node is taken for lost."""
CONTINUED_FRAME_SECONDS = 4.0
"""The same where it goes on with an answer that another one began."""
GONE_SECONDS = 1.5
"""Proxies' reports that the node is gone are believed after so long without a frame."""
SILENCE_SECONDS = 6.0
"""Frames leave every 150 ms; so long without one, on paths that work, and the node is taken for lost."""
PATHS_SECONDS = 25.0
"""So long may paths be missing before an answer has begun."""
RESUME_SECONDS = 40.0
"""So long may an answer that has begun lack paths, or stand still, before it is given up; the node keeps it longer."""
PROBE_AFTER_SECONDS = 2.0
"""After so much silence the paths themselves are asked whether they work,"""
PROBE_AGAIN_SECONDS = 1.0
"""so often."""
RESEND_SECONDS = 2.5
"""Request cloves, and what replaces a path, go again this often until something comes over their path."""


def first_frame_limit(answer: RunningAnswer) -> float:
    """Seconds until the first frame. Somebody is reading an answer that is continued."""
    return CONTINUED_FRAME_SECONDS if answer.outgoing.request.continue_tokens else FIRST_FRAME_SECONDS


def patience(answer: RunningAnswer) -> float:
    """Seconds without paths, or without progress, before an answer is given up."""
    return RESUME_SECONDS if answer.receiver.frames else PATHS_SECONDS


def deadlines_of(answer: RunningAnswer, path_set: PathSet | None) -> list[float]:
    """When something may be due for an answer, besides its acknowledgements."""
    if answer.cancelled_at is not None:
        return [answer.cancelled_at + FIRST_FRAME_SECONDS + 0.01]
    deadlines = [] if answer.unhealthy_since is None else [answer.unhealthy_since + patience(answer) + 0.01]
    if answer.sent_at is None:
        return deadlines
    heard = answer.receiver.heard_at
    if path_set is not None:
        deadlines += answer.silence.deadlines(path_set.round_trip(), answer.looked_at)
    progress = max(answer.sent_at, answer.receiver.progress_at or 0.0)
    deadlines.append(max(progress + PROBE_AFTER_SECONDS + 0.01, answer.probe_at))
    if len(answer.gone_reports) > answer.n - answer.k:
        deadlines.append((heard or answer.sent_at) + GONE_SECONDS + 0.01)
    return [*deadlines, answer.resend_at]
