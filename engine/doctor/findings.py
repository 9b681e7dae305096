"""What the facts mean and what to change: pure, and the only place that judges."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce

from engine.api.schema import Finding
from engine.directory import CLOCK_SKEW_SECONDS
from engine.doctor.facts import Facts, IceFact, LinkFact, ServerFacts
from engine.sentences import say, together
from engine.transport.probes import failures

SLOW_MBIT = 1.0
"""Below this relaying and answering for others is noticeably slow."""
FAR_MS = 1000.0
STARTING_SECONDS = 60.0
"""An engine that joins for longer than this is stuck."""


def judge(facts: Facts) -> list[Finding]:
    """Everything that is to be said, in the order in which it is looked for."""
    out = [*_server(facts), *_clock(facts)]
    if facts.stun or facts.turn or (facts.server is not None and facts.server.logged_in):
        out += [*_udp_and_nat(facts), *_turn(facts), *_links(facts)]
    out += _bandwidth(facts)
    return [*out, *_ipv6(facts), *_engine(facts)]


def is_healthy(findings: list[Finding]) -> bool:
    """Whether nothing is wrong."""
    return all(finding.status != "problem" for finding in findings)


def _server(facts: Facts) -> Iterator[Finding]:
    server = facts.server
    if server is None:
        yield Finding(
            id="network",
            status="problem",
            found=say("doctor.no_network"),
            meaning=say("doctor.no_network_means"),
            change=say("doctor.no_network_do"),
        )
        return
    if server.problem:
        yield _server_problem(server)
        return
    far = server.latency_ms is not None and server.latency_ms > FAR_MS
    found = say("doctor.server", name=server.name, milliseconds=round(server.latency_ms or 0))
    if server.logged_in:
        found = together(found, say("doctor.server_lists", nodes=server.nodes, relays=server.relays))
    if server.silent:
        found = together(found, say("doctor.server_silent", servers=", ".join(server.silent)))
    unvisited = server.private and not server.logged_in
    yield Finding(
        id="bootstrap",
        status="note" if far or server.silent else "good",
        found=found,
        meaning=say("doctor.not_visited") if unvisited else say("doctor.server_slow") if far else "",
    )


def _server_problem(server: ServerFacts) -> Finding:
    said = say("probe.at", server=server.url, reason=server.detail)
    match server.problem:
        case "unreachable":
            words = (
                say("doctor.unreachable", said=said),
                say("doctor.unreachable_means"),
                say("doctor.unreachable_do"),
            )
        case "certificate":
            words = (
                say("doctor.certificate", said=said),
                say("doctor.certificate_means"),
                say("doctor.certificate_do"),
            )
        case "portal":
            words = (say("doctor.portal", said=said), say("doctor.portal_means"), say("doctor.portal_do"))
        case "other network":
            words = (say("doctor.other", said=said), say("doctor.other_means"), say("doctor.other_do"))
        case _:
            words = (
                say("doctor.refused", detail=server.detail),
                say("doctor.refused_means"),
                say("doctor.do_as_said"),
            )
    return Finding(id="bootstrap", status="problem", found=words[0], meaning=words[1], change=words[2])


def _clock(facts: Facts) -> Iterator[Finding]:
    skew = facts.server.clock_skew_s if facts.server else None
    if skew is None:
        return
    off = abs(skew)
    if off <= CLOCK_SKEW_SECONDS / 4:
        yield Finding(id="clock", status="good", found=say("doctor.clock"))
        return
    time = say("doctor.seconds", count=round(off)) if off < 120 else say("doctor.minutes", count=round(off / 60))
    wrong = off > CLOCK_SKEW_SECONDS
    means = say("doctor.clock_wrong_means", minutes=round(CLOCK_SKEW_SECONDS / 60))
    yield Finding(
        id="clock",
        status="problem" if wrong else "note",
        found=say("doctor.clock_behind", time=time) if skew > 0 else say("doctor.clock_ahead", time=time),
        meaning=means if wrong else say("doctor.clock_off_means"),
        change=say("doctor.clock_do"),
    )


def _udp_and_nat(facts: Facts) -> Iterator[Finding]:
    nat = facts.nat
    relay = any(one.reached for one in facts.turn)
    if not facts.stun and not facts.turn:
        yield Finding(
            id="nat",
            status="note",
            found=say("doctor.nat_unknown"),
            meaning=say("doctor.nat_unknown_means"),
            change=say("doctor.ask_for_turn"),
        )
        return
    if nat.udp_blocked:
        change = say("doctor.udp_do")
        yield Finding(
            id="udp",
            status="note" if relay else "problem",
            found=say("doctor.udp"),
            meaning=say("doctor.udp_means") if relay else say("doctor.udp_alone_means"),
            change=change if relay else together(change, say("doctor.udp_alone_do")),
        )
        return
    seen = say("doctor.seen", address=nat.public_address) if nat.public_address else ""
    if nat.mapping == "none":
        yield Finding(
            id="nat", status="good", found=together(say("doctor.nat_none"), seen), meaning=say("doctor.nat_none_means")
        )
    elif nat.mapping == "endpoint-independent":
        yield Finding(
            id="nat", status="good", found=together(say("doctor.nat_cone"), seen), meaning=say("doctor.nat_cone_means")
        )
    elif nat.mapping == "endpoint-dependent":
        change = say("doctor.nat_strict_do")
        yield Finding(
            id="nat",
            status="note" if relay else "problem",
            found=together(say("doctor.nat_strict"), seen),
            meaning=say("doctor.nat_strict_means") if relay else say("doctor.nat_strict_alone_means"),
            change=change if relay else together(change, say("doctor.nat_strict_alone_do")),
        )
    else:
        yield Finding(
            id="nat", status="note", found=together(say("doctor.nat_few"), seen), change=say("doctor.nat_few_do")
        )


def _turn(facts: Facts) -> Iterator[Finding]:
    if not facts.turn:
        if facts.stun:
            yield Finding(
                id="turn",
                status="note",
                found=say("doctor.no_turn"),
                meaning=say("doctor.no_turn_means"),
                change=say("doctor.ask_for_turn"),
            )
        return
    good = [one for one in facts.turn if one.reached]
    bad = [one for one in facts.turn if not one.reached]
    failed = failures((one.url, one.error) for one in bad)
    if good:
        found = say("doctor.turn", transport=good[0].transport, milliseconds=round(good[0].latency_ms or 0))
        yield Finding(
            id="turn",
            status="note" if bad else "good",
            found=together(found, say("doctor.turn_others", failed=failed)) if bad else found,
            meaning=say("doctor.turn_others_means") if bad else "",
            change=_turn_change(bad) if bad else "",
        )
    else:
        yield Finding(
            id="turn",
            status="problem",
            found=say("doctor.turn_fails", failed=failed),
            meaning=say("doctor.turn_fails_means"),
            change=_turn_change(bad),
        )


def _turn_change(bad: list[IceFact]) -> str:
    if any("user name and password" in one.error for one in bad):
        return say("doctor.turn_secret_do")
    if any("certificate" in one.error for one in bad):
        return say("doctor.turn_certificate_do")
    if any(one.error.startswith("refused:") for one in bad):
        return say("doctor.turn_refused_do")
    return say("doctor.turn_silent_do")


def _links(facts: Facts) -> Iterator[Finding]:
    server = facts.server
    if server is None or not server.logged_in:
        return
    opened = [one for one in facts.links if one.opened]
    if not facts.links:
        yield Finding(id="links", status="note", found=say("doctor.no_relays"), meaning=say("doctor.no_relays_means"))
    elif not opened:
        yield Finding(
            id="links",
            status="problem",
            found=say("doctor.no_links", count=len(facts.links)),
            meaning=say("doctor.no_links_means"),
            change=say("doctor.no_links_do"),
        )
    else:
        yield _linked(opened, len(facts.links))


def _linked(opened: list[LinkFact], tried: int) -> Finding:
    relayed = sum(one.relayed for one in opened)
    direct = len(opened) - relayed
    seconds = round(max(one.seconds or 0.0 for one in opened), 1)
    return Finding(
        id="links",
        status="note" if relayed or len(opened) < tried else "good",
        found=say(
            "doctor.links", opened=len(opened), tried=tried, seconds=float(seconds), direct=direct, relayed=relayed
        ),
        meaning=say("doctor.links_means") if direct else say("doctor.links_relayed_means"),
    )


def _bandwidth(facts: Facts) -> Iterator[Finding]:
    measured = facts.bandwidth
    if measured is None:
        return
    if measured.down_mbit_s is None or measured.up_mbit_s is None:
        yield Finding(id="bandwidth", status="note", found=say("doctor.no_bandwidth", error=measured.error))
        return
    slow = min(measured.down_mbit_s, measured.up_mbit_s) < SLOW_MBIT
    yield Finding(
        id="bandwidth",
        status="note" if slow else "good",
        found=say(
            "doctor.bandwidth",
            down=_rate(measured.down_mbit_s),
            up=_rate(measured.up_mbit_s),
            megabytes=round(measured.bytes / 1e6),
        ),
        meaning=say("doctor.bandwidth_means") if slow else "",
        change=say("doctor.bandwidth_do") if slow else "",
    )


def _rate(mbit_s: float) -> int | float:
    return round(mbit_s) if mbit_s >= 10 else round(mbit_s, 1)


def _ipv6(facts: Facts) -> Iterator[Finding]:
    if facts.nat.ipv6:
        yield Finding(id="ipv6", status="good", found=say("doctor.ipv6"))
    else:
        yield Finding(id="ipv6", status="note", found=say("doctor.no_ipv6"), meaning=say("doctor.no_ipv6_means"))


_STATES = {
    "none": "doctor.engine_none",
    "joining": "doctor.engine_joining",
    "ready": "doctor.engine_ready",
    "weak": "doctor.engine_weak",
    "offline": "doctor.engine_offline",
}


def _engine(facts: Facts) -> Iterator[Finding]:
    engine = facts.engine
    if engine is None:
        return
    starting = engine.status == "joining" and engine.running_s < STARTING_SECONDS
    fine = starting or engine.status in ("ready", "weak")
    sentences = [
        say(_STATES[engine.status]),
        say("doctor.engine_has", links=engine.links, paths=engine.paths, wanted=engine.paths_wanted),
    ]
    if engine.links_relayed:
        sentences.append(say("doctor.engine_relayed", count=engine.links_relayed, server=engine.turn_server or "TURN"))
    yield Finding(
        id="engine",
        status="good" if engine.status == "ready" else "note" if fine else "problem",
        found=reduce(together, sentences),
        meaning=engine.reason,
        change="" if fine else _engine_change(facts),
    )
    if engine.relay_refused or (engine.relay_reason and not starting):
        yield Finding(
            id="relaying",
            status="problem" if engine.relay_refused else "note",
            found=say("doctor.relays_nothing", reason=engine.relay_reason),
            meaning=say("doctor.relays_nothing_means"),
            change=say("doctor.relays_nothing_do") if engine.relay_refused else "",
        )
    for text in engine.warnings:
        yield Finding(id="engine-says", status="note", found=say("doctor.engine_says", said=text))


def _engine_change(facts: Facts) -> str:
    if facts.server is not None and facts.server.problem == "refused":
        return say("doctor.engine_refused_do")
    return say("doctor.engine_do")
