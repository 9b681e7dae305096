"""Two ends in the laboratory are linked: how, and how long it takes. Their pipes are the signaling service."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import queue
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.bootstrap.turn import turn_credentials
from engine.clock import SystemClock
from engine.ids import NodeId
from tests.nat.laboratory import SECOND_STUN, SECRET, Laboratory, Side

CLOCK = SystemClock()
PATIENCE = 20.0
TEXT = "Greetings from the other side."


class Party:
    """One end, as the test sees it."""

    def __init__(self, laboratory: Laboratory, side: Side, seed: int) -> None:
        self.side = side
        self.peers: dict[str, Party] = {}
        self.signals: list[bytes] = []
        self._laboratory = laboratory
        self._memory = laboratory.folder / f"memory-{seed}.json"
        self._news: queue.Queue[dict[str, Any]] = queue.Queue()
        self._process: subprocess.Popen[bytes] = laboratory.popen(
            side, sys.executable, "-m", "tests.nat.end", str(seed)
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._node = ""

    @property
    def node(self) -> str:
        """The node id, in hex digits."""
        if not self._node:
            self._node = str(self.expect("ready")["node"])
        return self._node

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            news = json.loads(line)
            if news["news"] == "signal":
                self.signals.append(base64.b64decode(news["payload"]))
                peer = self.peers.get(news["peer"])
                if peer is not None:
                    peer.order(do="signal", peer=self.node, payload=news["payload"])
            else:
                self._news.put(news)
        self._news.put({"news": "ended"})

    def close(self) -> None:
        """The end leaves, politely if it still can."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(5.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._reader.join(5.0)
        self._process.stdout.close()

    def order(self, **order: Any) -> None:
        """Tell the end what to do."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()

    def expect(self, news: str, seconds: float = PATIENCE) -> dict[str, Any]:
        """The next news of this kind; others are passed over."""
        until = CLOCK.monotonic() + seconds
        seen: list[dict[str, Any]] = []
        while (left := until - CLOCK.monotonic()) > 0:
            try:
                item = self._news.get(timeout=left)
            except queue.Empty:
                break
            if item["news"] == news:
                return item
            seen.append(item)
            if item["news"] == "ended":
                break
        raise AssertionError(f"{self.side.name}: no {news!r} within {seconds:.0f} s; it said {seen}")

    def forget(self) -> None:
        """The next join is the first one on this network."""
        Path(self._memory).unlink(missing_ok=True)

    def join(self, **more: Any) -> None:
        """Begin; the answer is ``joined``."""
        username, password = turn_credentials(
            SECRET.encode(), NodeId(bytes.fromhex(self.node)), int(CLOCK.wall()) + 3600
        )
        entries = [[list(self._laboratory.turn_urls()), username, password], [[SECOND_STUN], "", ""]]
        self.order(
            do="join",
            entries=entries,
            memory=str(self._memory),
            authority=str(self._laboratory.authority),
            **more,
        )

    def report(self) -> tuple[str, bool]:
        """Kind of NAT and whether UDP is blocked, as the end's own probes found."""
        self.order(do="report")
        report = self.expect("report")
        return report["mapping"], report["udp_blocked"]

    def leave(self) -> None:
        """The end has no mesh afterwards."""
        self.order(do="leave")
        self.expect("left")

    def relay(self, url: str, **more: Any) -> dict[str, Any]:
        """Borrow addresses of a TURN server; what came of it."""
        username = f"{int(CLOCK.wall()) + 600}:{self.node[:16]}"
        password = base64.b64encode(hmac.new(SECRET.encode(), username.encode(), hashlib.sha1).digest()).decode()
        self.order(do="relay", url=url, user=username, password=password, **more)
        return self.expect("relay")


@dataclass(frozen=True)
class Outcome:
    """Of one link. ``first`` and ``second``: seconds from the start of both engines' network part to the open link,
    without and with the memory of what works. ``turn``: the TURN servers that the two ends chose."""

    kind: str
    first: float
    second: float
    turn: tuple[str, str]


def link(one: Party, other: Party, **more: Any) -> tuple[str, float, tuple[dict[str, Any], dict[str, Any]]]:
    """Start both ends, link them and send on both channels in both directions; ends with both stopped."""
    one.peers, other.peers = {other.node: other}, {one.node: one}
    try:
        one.join(**more)
        other.join(**more)
        joined = one.expect("joined"), other.expect("joined")
        one.order(do="dial", peer=other.node)
        ups = one.expect("up"), other.expect("up")
        for party, peer in ((one, other), (other, one)):
            party.order(do="send", peer=peer.node, text=TEXT)
        for party in (one, other):
            heard = [party.expect("message") for _ in range(2)]
            assert {item["channel"] for item in heard} == {"control", "cells"}
            assert {base64.b64decode(item["text"]).decode() for item in heard} == {TEXT}
            assert party.report() == reports(party.side.kind)
    finally:
        for party in (one, other):
            party.leave()
    kind = "relayed" if any(up["relayed"] for up in ups) else "direct"
    return kind, max(up["seconds"] for up in ups), joined


def try_pair(one: Party, other: Party) -> Outcome:
    """Link them on networks that they do not know, then once more."""
    for party in (one, other):
        party.forget()
    kind, first, joined = link(one, other)
    again, second, _ = link(one, other)
    kinds = kind if kind == again else f"{kind}, then {again}"
    return Outcome(kinds, first, second, (joined[0]["turn"], joined[1]["turn"]))


def reports(kind: str) -> tuple[str, bool]:
    """What an end behind this kind of router must find out by itself."""
    if kind in ("udp-blocked", "only-443", "ipv6"):
        return "unknown", kind != "ipv6"
    return ("endpoint-dependent" if kind == "symmetric" else "endpoint-independent"), False


def expected(one: str, other: str) -> str:
    """What RFC 4787's behaviours allow: ``direct`` or ``relayed``."""
    pair = {one, other}
    if pair & {"udp-blocked", "only-443"}:
        return "relayed"
    if "ipv6" in pair:
        return "direct" if pair <= {"ipv6", "dual-stack"} else "relayed"
    strict = {"symmetric", "port-restricted", "dual-stack"}
    return "relayed" if "symmetric" in pair and pair <= strict else "direct"
