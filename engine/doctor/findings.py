"""What the facts mean and what to change: pure, and the only place that judges."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from engine.directory import CLOCK_SKEW_SECONDS
from engine.doctor.facts import Facts, IceFact, ServerFacts

SLOW_MBIT = 1.0
"""Below this relaying and answering for others is noticeably slow."""
FAR_MS = 1000.0
STARTING_SECONDS = 60.0
"""An engine that joins for longer than this is stuck."""


SLOW = "So slow a connection delays new links, not answers."
NOT_VISITED = (
    "The running engine uses this private network's only login, so no link was tried; stop it and run this again if you"
    " want that."
)
_RELAY_REFUSED = (
    "Do what the reason says (gentorrent identity tells and changes under which identity this machine relays), or start"
    " the engine with --no-relay."
)


class Finding(Struct, frozen=True, kw_only=True):
    """``id`` is stable; ``change`` is empty where there is nothing to do. A "note" is worth knowing and works."""

    id: str
    status: Literal["good", "note", "problem"]
    found: str
    meaning: str = ""
    change: str = ""


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
            found="No network is named.",
            meaning="Without a bootstrap server's address there is nothing to connect to; answers are made here only.",
            change="Ask a network's operator for its address and pass it with --bootstrap URL#NETWORKID.",
        )
        return
    if server.problem:
        yield _server_problem(server)
        return
    far = server.latency_ms is not None and server.latency_ms > FAR_MS
    found = f'The bootstrap server of "{server.name}" answers in {server.latency_ms:.0f} ms'
    if server.logged_in:
        found += f"; {server.nodes} nodes are listed, {server.relays} of them relays"
    if server.silent:
        found += f". It is used because {', '.join(server.silent)}, which should be first, does not answer"
    yield Finding(
        id="bootstrap",
        status="note" if far or server.silent else "good",
        found=f"{found}.",
        meaning=NOT_VISITED if server.private and not server.logged_in else SLOW if far else "",
    )


def _server_problem(server: ServerFacts) -> Finding:
    said = f"{server.url}: {server.detail}"
    words = {
        "unreachable": (
            f"The bootstrap server does not answer ({said}).",
            "Nothing new can be joined. Engines that run go on with their neighbours for up to a day.",
            "Check the address and whether other sites open. If they do, the server is down: ask its operator.",
        ),
        "certificate": (
            f"The bootstrap server's certificate is not trusted ({said}).",
            "Either its operator uses a certificate of his own, or somebody on the way reads along.",
            "Ask the operator. Behind a company's inspecting proxy its certificate must be installed in this system.",
        ),
        "portal": (
            f"Something else answers in the place of the bootstrap server ({said}).",
            "Usually this is the login page of a hotel's or company's network, or the address is wrong.",
            "Open any web page in a browser and log in there; if none asks you to, check the address.",
        ),
        "other network": (
            f"The server belongs to another network ({said}).",
            "The address names a network that this server does not serve.",
            "Ask the operator for the current address.",
        ),
    }
    found, meaning, change = words.get(
        server.problem,
        (
            f"The bootstrap server answers, but logging in failed: {server.detail}",
            "This machine cannot take part before that is mended.",
            "Do what the reason says.",
        ),
    )
    return Finding(id="bootstrap", status="problem", found=found, meaning=meaning, change=change)


def _clock(facts: Facts) -> Iterator[Finding]:
    skew = facts.server.clock_skew_s if facts.server else None
    if skew is None:
        return
    off = abs(skew)
    found = f"This computer's clock is {_duration(off)} {'behind' if skew > 0 else 'ahead of'} the server's."
    if off > CLOCK_SKEW_SECONDS:
        yield Finding(
            id="clock",
            status="problem",
            found=found,
            meaning="Logins and questions carry the time and are refused when it is more than "
            f"{CLOCK_SKEW_SECONDS / 60:.0f} minutes off.",
            change="Switch on automatic time in the system's settings.",
        )
    elif off > CLOCK_SKEW_SECONDS / 4:
        yield Finding(
            id="clock",
            status="note",
            found=found,
            meaning="It still works, but not for long if the clock goes on like this.",
            change="Switch on automatic time in the system's settings.",
        )
    else:
        yield Finding(id="clock", status="good", found="The clock is right.")


def _udp_and_nat(facts: Facts) -> Iterator[Finding]:
    nat = facts.nat
    relay = any(one.reached for one in facts.turn)
    if not facts.stun and not facts.turn:
        yield Finding(
            id="nat",
            status="note",
            found="The kind of router could not be found out: no STUN or TURN server is known.",
            meaning="Links are tried directly; behind strict routers some of them fail.",
            change="Ask the network's operator to run a TURN server (operator guide).",
        )
        return
    if nat.udp_blocked:
        yield Finding(
            id="udp",
            status="note" if relay else "problem",
            found="UDP is blocked here: no STUN or TURN server answered over it.",
            meaning="All links go through a TURN server over TCP or TLS, which is slower."
            if relay
            else "Links need UDP or a TURN server by TCP or TLS, and neither works.",
            change="If the firewall is yours, allow outgoing UDP."
            + ("" if relay else " Otherwise ask the operator for a TURN server over TLS on port 443."),
        )
        return
    kinds = {
        "none": ("This machine has a public address of its own.", "Links are direct."),
        "endpoint-independent": ("The router maps one public port for all (a cone NAT).", "Most links are direct."),
    }
    if nat.mapping in kinds:
        found, meaning = kinds[nat.mapping]
        yield Finding(id="nat", status="good", found=f"{found} {_seen(facts)}", meaning=meaning)
    elif nat.mapping == "endpoint-dependent":
        yield Finding(
            id="nat",
            status="note" if relay else "problem",
            found=f"The router maps a new public port for every peer (a symmetric NAT). {_seen(facts)}",
            meaning="Links with others behind such routers go through a TURN server."
            if relay
            else "Links with others behind such routers fail, as no TURN server can be used.",
            change="A router with another NAT setting (often called full cone or open), or a port forwarding, makes "
            "direct links possible." + ("" if relay else " Else ask the operator for a TURN server."),
        )
    else:
        yield Finding(
            id="nat",
            status="note",
            found=f"UDP works; fewer than two servers answered, so the kind of router is not known. {_seen(facts)}",
            change="The operator can name a second STUN server.",
        )


def _seen(facts: Facts) -> str:
    return f"From outside it is seen as {facts.nat.public_address}." if facts.nat.public_address else ""


def _turn(facts: Facts) -> Iterator[Finding]:
    if not facts.turn:
        if facts.stun:
            yield Finding(
                id="turn",
                status="note",
                found="The network's operator offers no TURN server.",
                meaning="Pairs of machines that are both behind strict routers cannot be linked.",
                change="Ask the operator to run one (operator guide).",
            )
        return
    good = [one for one in facts.turn if one.reached]
    bad = [one for one in facts.turn if not one.reached]
    if good:
        best = f"{good[0].transport} in {good[0].latency_ms:.0f} ms"
        others = "".join(f"; {one.url}: {one.error}" for one in bad)
        yield Finding(
            id="turn",
            status="note" if bad else "good",
            found=f"A TURN server lends addresses by {best}{others}.",
            meaning="One transport is enough; the others are for networks that block it." if bad else "",
            change=_turn_change(bad) if bad else "",
        )
    else:
        yield Finding(
            id="turn",
            status="problem",
            found="No TURN server can be used: " + "; ".join(f"{one.url}: {one.error}" for one in bad) + ".",
            meaning="Links that cannot be direct fail.",
            change=_turn_change(bad),
        )


def _turn_change(bad: list[IceFact]) -> str:
    if any("user name and password" in one.error for one in bad):
        return "Tell the operator: the TURN server and the bootstrap server have different secrets."
    if any("certificate" in one.error for one in bad):
        return (
            "Tell the operator to use a certificate that systems trust, or have his authority's certificate and name it"
            " with --turn-ca FILE."
        )
    if any(one.error.startswith("refused:") for one in bad):
        return "Do what the reason says, or tell the operator."
    return "Tell the operator that it does not answer, unless your firewall blocks its ports."


def _links(facts: Facts) -> Iterator[Finding]:
    server = facts.server
    if server is None or not server.logged_in:
        return
    opened = [one for one in facts.links if one.opened]
    relayed = sum(one.relayed for one in opened)
    if not facts.links:
        yield Finding(
            id="links",
            status="note",
            found="No other relay is listed, so no link could be tried.",
            meaning="Whether others can be reached is not known.",
        )
    elif not opened:
        yield Finding(
            id="links",
            status="problem",
            found=f"None of {len(facts.links)} listed relays could be linked.",
            meaning="Questions cannot be asked on the network from here.",
            change="Follow what is said about UDP, the router and TURN; if all of that is good, a local firewall may "
            "block this program. Where few relays are listed they may just have left: run this again in a minute.",
        )
    else:
        slowest = max(one.seconds or 0.0 for one in opened)
        missed = len(facts.links) - len(opened)
        yield Finding(
            id="links",
            status="note" if missed or relayed else "good",
            found=f"{len(opened)} of {len(facts.links)} relays were linked within {slowest:.1f} s, "
            f"{len(opened) - relayed} directly and {relayed} through a TURN server.",
            meaning="This machine can be reached from outside: each direct link carries packets that the relay sends to"
            " our address."
            if len(opened) > relayed
            else "This machine can be reached from outside through the TURN server only.",
        )


def _bandwidth(facts: Facts) -> Iterator[Finding]:
    measured = facts.bandwidth
    if measured is None:
        return
    if measured.down_mbit_s is None or measured.up_mbit_s is None:
        yield Finding(id="bandwidth", status="note", found=f"Bandwidth could not be measured: {measured.error}.")
        return
    slow = min(measured.down_mbit_s, measured.up_mbit_s) < SLOW_MBIT
    yield Finding(
        id="bandwidth",
        status="note" if slow else "good",
        found=f"{measured.down_mbit_s:.1f} Mbit/s from the bootstrap server and {measured.up_mbit_s:.1f} Mbit/s to it "
        f"(measured with {measured.bytes / 1e6:.0f} MB).",
        meaning="Enough to ask; too little to relay well for others." if slow else "",
        change="Consider --no-relay, or a connection by cable." if slow else "",
    )


def _ipv6(facts: Facts) -> Iterator[Finding]:
    if facts.nat.ipv6:
        yield Finding(id="ipv6", status="good", found="This machine has a way out by IPv6.")
    else:
        yield Finding(
            id="ipv6",
            status="note",
            found="There is no IPv6 here.",
            meaning="Nothing is missing: IPv4 is enough. With IPv6 more links are direct.",
        )


def _engine(facts: Facts) -> Iterator[Finding]:
    engine = facts.engine
    if engine is None:
        return
    starting = engine.status == "joining" and engine.running_s < STARTING_SECONDS
    fine = starting or engine.status in ("ready", "weak")
    way = f", {engine.links_relayed} through {engine.turn_server or 'a TURN server'}" if engine.links_relayed else ""
    yield Finding(
        id="engine",
        status="good" if engine.status == "ready" else "note" if fine else "problem",
        found=f"The running engine is {engine.status}: {engine.links} links{way}, "
        f"{engine.paths} of {engine.paths_wanted} paths.",
        meaning=engine.reason,
        change="" if fine else _engine_change(facts),
    )
    if engine.relay_refused or (engine.relay_reason and not starting):
        yield Finding(
            id="relaying",
            status="problem" if engine.relay_refused else "note",
            found=f"The running engine relays nothing for others: {engine.relay_reason}",
            meaning="Questions can be asked all the same.",
            change=_RELAY_REFUSED if engine.relay_refused else "",
        )
    for text in engine.warnings:
        yield Finding(id="engine-says", status="note", found=f"The running engine says: {text}")


def _engine_change(facts: Facts) -> str:
    if facts.server is not None and facts.server.problem == "refused":
        return "Mend first why the bootstrap server refuses this machine."
    return "If everything else here is good, restart the engine and run this again."


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} minutes"
