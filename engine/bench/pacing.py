"""``gentorrent bench pacing``: what gathering tokens and sending cells of one size costs, in bytes and in waiting."""

from __future__ import annotations

import os
import statistics
from collections import deque
from pathlib import Path
from typing import Any

from engine import __version__
from engine.bench.charts import draw_bars
from engine.bench.machine import commit
from engine.bench.storing import make_page, store_results, table
from engine.crypto.symmetric import aead_open
from engine.ids import NodeId, RequestId
from engine.paths import keys
from engine.paths.answer_receiver import AnswerReceiver
from engine.paths.answer_sender import COALESCE_SECONDS, AnswerSender, CloveOut
from engine.paths.cells import CELL_LENGTH, PAYLOAD_LENGTH
from engine.paths.fragments import fragment
from engine.wire.answer import (
    Acknowledge,
    ControlClove,
    Finished,
    FrameEvent,
    Tokens,
    control_decoder,
    delivery_decoder,
)
from engine.wire.circuit import Dispatch, Return
from engine.wire.codec import encode
from engine.wire.link import DeliverClove, ReturnClove

PACES = (10, 30, 100)
"""Tokens per second."""
GATHERED_MS = (0, 20, 40, 80, 150)
TOKENS = 300
N, K, HOPS = 4, 3, 3
ONE_WAY = 0.05
"""Seconds."""
METHOD = f"""
Computed, not timed: the code of model node and client cuts an answer of {TOKENS} tokens (5 letters each, as in English)
into frames, cloves (n = {N}, k = {K}) and cells in simulated time, and joins them again. Every byte that it and its
acknowledgements put on {HOPS} hops of four paths, and on the links between proxies and model node, is counted, on paths
that take {ONE_WAY * 1000:.0f} ms one way. UDP, DTLS and SCTP headers (about 80 bytes for each cell) come on top.
*Waiting* is from the making of a token to the frame that takes it along. *Without cells* is what the same messages
would take in packets of their own length, each with a cell's header and tags.
"""


def run() -> dict[str, Any]:
    """Compute; the documented keys."""
    rows = []
    for pace in PACES:
        for gathered in GATHERED_MS:
            counted = _Answer(pace, gathered / 1000)
            counted.run()
            rows.append(
                {
                    "tokens_per_s": pace,
                    "gathered_ms": gathered,
                    "frames_per_s": round(counted.frames / (TOKENS / pace), 1),
                    "kb_per_token": round(counted.wire / TOKENS / 1000, 2),
                    "kb_per_token_without_cells": round(counted.unpadded / TOKENS / 1000, 2),
                    "wait_ms_mean": round(statistics.mean(counted.waits) * 1000, 1),
                    "wait_ms_longest": round(max(counted.waits) * 1000, 1),
                    "wait_ms_first": round(counted.waits[0] * 1000, 1),
                }
            )
    return {
        "machine": {},
        "versions": {"gentorrent": __version__, "commit": commit(Path(__file__).resolve().parents[2])},
        "chosen_ms": round(COALESCE_SECONDS * 1000),
        "rows": rows,
    }


def as_text(results: dict[str, Any]) -> str:
    """What is printed."""
    head = [
        "answers",
        "gathered, ms",
        "frames/s",
        "KB on the wire per token",
        "without cells",
        "waiting, ms, mean",
        "longest",
        "first token",
    ]
    rows = [[f"{row['tokens_per_s']} tokens/s", *list(row.values())[1:]] for row in results["rows"]]
    chosen = f"The network gathers for {results['chosen_ms']} ms."
    return "\n".join([*table(head, rows), "", chosen])


def store(results: dict[str, Any], folder: Path) -> list[Path]:
    """Write pacing.json, pacing.md and pacing.svg."""
    groups = [
        (
            f"{pace} tokens/s",
            {
                f"gathered for {row['gathered_ms']} ms": row["kb_per_token"]
                for row in results["rows"]
                if row["tokens_per_s"] == pace
            },
        )
        for pace in PACES
    ]
    picture = draw_bars("Kilobytes on the wire per token", groups, "All hops of four paths; shorter is better", "KB")
    page = make_page(
        "Pacing: what it costs",
        "bench pacing",
        "pacing.svg",
        results,
        findings=as_text(results).splitlines(),
        method=METHOD,
    )
    return store_results("pacing", results, page, picture, folder)


class _Answer:
    """One answer on its way from a model node to a client, in steps of a millisecond."""

    def __init__(self, pace: float, gathered: float) -> None:
        """``pace``: tokens per second, gathered for ``gathered`` seconds."""
        node, secret = NodeId(bytes(20)), os.urandom(32)
        secrets = tuple(os.urandom(32) for _ in range(N))
        self.wire = self.unpadded = 0
        self.waits: list[float] = []
        self._pace = pace
        self._sender = AnswerSender(secret, node, 0, N, K, os.urandom, 0.0, coalesce=gathered)
        for index, clove_secret in enumerate(secrets):
            self._sender.attach(index, NodeId(bytes([index]) * 20), bytes([index]) * 16, clove_secret)
        self._receiver = AnswerReceiver(RequestId(bytes(16)), secret, secrets, N, K, os.urandom)
        self._control_key = keys.control_key(secret, self._sender.frame_salt)
        self._coming: deque[tuple[float, CloveOut]] = deque()
        self._going: deque[tuple[float, Acknowledge]] = deque()
        self._made: list[float] = []

    def run(self) -> None:
        """Until everything is acknowledged."""
        step = 0
        while not self._sender.done:
            self._step(step / 1000)
            step += 1

    @property
    def frames(self) -> int:
        """Frames that have arrived."""
        return self._receiver.frames

    def _step(self, now: float) -> None:
        out: list[CloveOut] = []
        if len(self._made) < TOKENS and len(self._made) / self._pace <= now:
            token = len(self._made)
            self._made.append(now)
            out += self._sender.push(Tokens(token, (50_000 + token,), " words"), now)
            if token == TOKENS - 1:
                out += self._sender.push(Finished("stop", 20, TOKENS, bytes(300), bytes(64)), now)
        if now >= self._sender.next_deadline():
            out += self._sender.tick(now)
        while self._going and self._going[0][0] <= now:
            out += self._sender.acknowledge(self._going.popleft()[1], now)
        for clove in out:
            self._coming.append((now + ONE_WAY, clove))
            inside = encode(Return(handle=clove.handle, clove=clove.clove))
            self._count(len(encode(ReturnClove(handle=clove.handle, clove=clove.clove))), inside)
        self._arrive(now)

    def _arrive(self, now: float) -> None:
        events: list[FrameEvent] = []
        while self._coming and self._coming[0][0] <= now:
            clove = self._coming.popleft()[1]
            events += self._receiver.receive(clove.proxy[0], clove.clove, now)
        for event in events:
            if isinstance(event, Tokens):
                self.waits += [now - ONE_WAY - self._made[token - 50_000] for token in event.ids]
        said = self._receiver.acknowledge(now, force=any(isinstance(event, Finished) for event in events))
        if said is None:
            return
        control = delivery_decoder.decode(said)
        assert isinstance(control, ControlClove)
        opened = aead_open(self._control_key, int.from_bytes(control.nonce, "big"), control.sealed)
        acknowledgement = control_decoder.decode(opened)
        assert isinstance(acknowledgement, Acknowledge)
        self._going.append((now + ONE_WAY, acknowledgement))
        inside = encode(Dispatch(destination=bytes(20), handle=bytes(16), clove=said))
        self._count(len(encode(DeliverClove(handle=bytes(16), clove=said))), inside)

    def _count(self, on_proxys_link: int, inside: bytes) -> None:
        """A message of a circuit, and what it is on the link between proxy and model node."""
        cells = len(fragment(0, inside))
        self.wire += on_proxys_link + HOPS * cells * CELL_LENGTH
        self.unpadded += on_proxys_link + HOPS * (len(inside) + CELL_LENGTH - PAYLOAD_LENGTH)
