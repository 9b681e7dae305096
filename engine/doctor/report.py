"""What an examination hands over: the whole report, and the same for the control API."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from engine.api.schema import DoctorStep, Examined, Finding, ProbedServer
from engine.clock import Clock
from engine.config import Configuration
from engine.doctor.examine import examine
from engine.doctor.facts import Facts, IceFact, ServerFacts
from engine.doctor.findings import is_healthy, judge
from engine.doctor.prepare import prepare
from engine.sentences import plain

REPORT_VERSION = 1


async def look(
    configuration: Configuration, clock: Clock, progress: Callable[[DoctorStep], None], *, bandwidth: bool
) -> Facts:
    """Everything that can be found out; raises ``GenTorrentError`` where it cannot even begin."""
    with tempfile.TemporaryDirectory(prefix="gentorrent-doctor-") as scratch:
        prepared = await prepare(configuration, Path(scratch), clock, progress, bandwidth=bandwidth)
        return await examine(prepared)


def report(facts: Facts, findings: list[Finding]) -> dict[str, object]:
    """The ``--json`` object (user guide)."""
    engine = facts.engine
    if engine is not None:
        engine = msgspec.structs.replace(
            engine,
            reason=plain(engine.reason),
            relay_reason=plain(engine.relay_reason),
            warnings=tuple(map(plain, engine.warnings)),
        )
    bandwidth = facts.bandwidth
    if bandwidth is not None:
        bandwidth = msgspec.structs.replace(bandwidth, error=plain(bandwidth.error))
    facts = msgspec.structs.replace(
        facts,
        engine=engine,
        server=_plain_server(facts),
        stun=_plain(facts.stun),
        turn=_plain(facts.turn),
        bandwidth=bandwidth,
    )
    told: dict[str, object] = msgspec.to_builtins(facts)
    judged = {"healthy": is_healthy(findings), "findings": msgspec.to_builtins(findings)}
    return {"version": REPORT_VERSION, **judged, **told}


def _plain_server(facts: Facts) -> ServerFacts | None:
    server = facts.server
    return server and msgspec.structs.replace(server, detail=plain(server.detail))


def _plain(probed: tuple[IceFact, ...]) -> tuple[IceFact, ...]:
    return tuple(msgspec.structs.replace(one, error=plain(one.error)) for one in probed)


def examined(ref: str, facts: Facts, redact: Callable[[object], object]) -> Examined:
    """The reply of the control API; ``redact`` takes out of the report what is nobody else's business."""
    findings = judge(facts)
    text = json.dumps(redact(report(facts, findings)), indent=1, ensure_ascii=False)
    return Examined(
        ref=ref,
        healthy=is_healthy(findings),
        findings=tuple(findings),
        servers=tuple(_servers(facts)),
        report=text,
    )


def _servers(facts: Facts) -> list[ProbedServer]:
    """Those that were asked, the bootstrap server first."""
    found = []
    server = facts.server
    if server is not None:
        found += [ProbedServer(kind="bootstrap", address=url, reached=False) for url in server.silent]
        found.append(
            ProbedServer(
                kind="bootstrap",
                address=server.url,
                reached=server.reached and not server.problem,
                used=server.reached and not server.problem,
                milliseconds=server.latency_ms or 0.0,
                problem=server.detail if server.problem else "",
            )
        )
    in_use = facts.engine.turn_server if facts.engine is not None else ""
    for one in facts.stun:
        found.append(
            ProbedServer(
                kind="stun", address=one.url, reached=one.reached, milliseconds=one.latency_ms or 0.0, problem=one.error
            )
        )
    for one in facts.turn:
        found.append(
            ProbedServer(
                kind="turn",
                address=one.url,
                reached=one.reached,
                used=bool(in_use) and one.url == in_use,
                milliseconds=one.latency_ms or 0.0,
                problem=one.error,
            )
        )
    return found
