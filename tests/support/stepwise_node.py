"""A model node that makes every step, one by one: what the simulator's node, which jumps while nothing is read, is
compared with. No cache, no memory limit; first come first served places; a step reads for the oldest its quarter and
for whoever has least left the rest."""

from __future__ import annotations

from dataclasses import dataclass

from engine.inference.scheduling.sharing import OLDEST_SHARE
from engine.simulation.forwarding.node_kinds import NodeKind


@dataclass
class Asked:
    arrives: float
    prompt_tokens: int
    output_tokens: int
    left: float = 0.0
    written: int = 0
    first_token: float = 0.0
    finished: float = 0.0


def play(kind: NodeKind, requests: list[Asked]) -> list[float]:
    """Fill in when each has its first token and when its last. Returns when steps ended."""
    waiting = sorted(requests, key=lambda one: one.arrives)
    for one in waiting:
        one.left = kind.reading_seconds(0, one.prompt_tokens)
    running: list[Asked] = []
    now, ends = 0.0, []
    while waiting or running:
        while waiting and waiting[0].arrives <= now and len(running) < kind.slots:
            running.append(waiting.pop(0))
        if not running:
            now = waiting[0].arrives
            continue
        now = _step(kind, running, now)
        ends.append(now)
    return ends


def _step(kind: NodeKind, running: list[Asked], now: float) -> float:
    writing = [one for one in running if one.left <= 0]
    reading = [one for one in running if one.left > 0]
    read = _read(kind.chunk_seconds if writing else kind.chunk_seconds_alone, reading)
    context = sum(one.prompt_tokens + one.written for one in writing)
    if kind.overlaps:
        now += max(kind.step_seconds, read)
    else:
        now += read + (kind.step_seconds if writing else 0.0)
    now += len(writing) * kind.answer_seconds + context * kind.kv_token_seconds
    for one in [*writing, *(one for one in reading if one.left <= 1e-12)]:
        one.left = 0.0
        one.written += 1
        if one.written == 1:
            one.first_token = now
        if one.written == one.output_tokens:
            one.finished = now
            running.remove(one)
    return now


def _read(budget: float, reading: list[Asked]) -> float:
    """Share the seconds of one step; ``reading`` is in the order of arrival. Returns how many were used."""
    used, order = 0.0, sorted(reading, key=lambda one: one.left)
    if len(reading) > 1:
        used = min(budget / OLDEST_SHARE, reading[0].left)
        reading[0].left -= used
    for one in order:
        part = min(budget - used, one.left)
        one.left -= part
        used += part
    return used
