"""What the doctor makes of facts: every fault is named with what to change, and what works is no problem."""

from __future__ import annotations

import pytest
from msgspec import structs

from engine.doctor.facts import BandwidthFacts, EngineFacts, Facts, IceFact, LinkFact, NatFacts, ServerFacts
from engine.doctor.findings import is_healthy, judge

SERVER = ServerFacts(
    url="http://h", reached=True, latency_ms=20.0, clock_skew_s=0.2, name="test", logged_in=True, nodes=5, relays=4
)
STUN = IceFact(url="stun:h:1", transport="udp", reached=True, address="203.0.113.9", latency_ms=9.0)
UDP = IceFact(url="turn:h:1?transport=udp", transport="udp", reached=True, address="198.51.100.7", latency_ms=9.0)
TLS = structs.replace(UDP, url="turns:h:443?transport=tcp", transport="tls")
LINK = LinkFact(node="abc", opened=True, seconds=0.2)
CONE = NatFacts(mapping="endpoint-independent", public_address="203.0.113.9", ipv6=True)
FINE = Facts(
    server=SERVER,
    nat=CONE,
    stun=(STUN, STUN),
    turn=(UDP, TLS),
    links=(LINK,),
    bandwidth=BandwidthFacts(down_mbit_s=50.0, up_mbit_s=10.0, bytes=2_000_000),
    engine=EngineFacts(status="ready", links=4, paths=4, paths_wanted=4),
)


def silent(one: IceFact, error: str = "no answer within 1.8 s") -> IceFact:
    return structs.replace(one, reached=False, address="", latency_ms=None, error=error)


def but(**changes: object) -> Facts:
    return structs.replace(FINE, **changes)


def server(**changes: object) -> Facts:
    return but(server=structs.replace(SERVER, **changes))


BLOCKED = structs.replace(CONE, mapping="unknown", udp_blocked=True)
SYMMETRIC = structs.replace(CONE, mapping="endpoint-dependent")


def test_where_all_is_well_nothing_is_to_be_done():
    findings = judge(FINE)
    assert [one.id for one in findings] == ["bootstrap", "clock", "nat", "turn", "links", "bandwidth", "ipv6", "engine"]
    assert {one.status for one in findings} == {"good"}
    assert not any(one.change for one in findings)


@pytest.mark.parametrize(
    ("facts", "name", "said"),
    [
        (Facts(), "network", "--bootstrap"),
        (server(problem="unreachable", detail="no answer"), "bootstrap", "ask its operator"),
        (server(problem="certificate", detail="self-signed"), "bootstrap", "inspecting proxy"),
        (server(problem="portal", detail="status 200"), "bootstrap", "log in there"),
        (server(problem="other network", detail="x"), "bootstrap", "current address"),
        (server(problem="refused", detail="revoked"), "bootstrap", "reason"),
        (server(clock_skew_s=300.0), "clock", "automatic time"),
        (server(clock_skew_s=-300.0), "clock", "automatic time"),
        (but(nat=BLOCKED, stun=(silent(STUN),), turn=(silent(UDP), silent(TLS))), "udp", "port 443"),
        (but(nat=SYMMETRIC, turn=()), "nat", "TURN server"),
        (but(turn=(silent(UDP, "refused: it does not accept our user name and password"),)), "turn", "secrets"),
        (but(turn=(silent(TLS, "its certificate is not trusted: self-signed"),)), "turn", "--turn-ca"),
        (but(turn=(silent(UDP),)), "turn", "firewall"),
        (but(links=(LinkFact(node="abc", opened=False, error="no"),)), "links", "local firewall"),
        (but(engine=EngineFacts(status="offline", reason="why")), "engine", "restart"),
        (but(engine=EngineFacts(status="joining", running_s=100.0)), "engine", "restart"),
        (
            structs.replace(server(problem="refused", detail="revoked"), engine=EngineFacts(status="offline")),
            "engine",
            "refuses this machine",
        ),
        (
            but(engine=EngineFacts(status="ready", relaying=True, relay_reason="not admitted.", relay_refused=True)),
            "relaying",
            "--no-relay",
        ),
    ],
)
def test_every_fault_is_a_problem_with_something_to_change(facts, name, said):
    findings = judge(facts)
    assert not is_healthy(findings)
    (finding,) = [one for one in findings if one.id == name]
    assert finding.status == "problem"
    assert finding.found
    assert finding.meaning or name == "engine"
    assert said in finding.change


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        (server(latency_ms=3000.0), "bootstrap"),
        (server(clock_skew_s=60.0), "clock"),
        (but(nat=BLOCKED, stun=(silent(STUN),), turn=(silent(UDP), TLS)), "udp"),
        (but(nat=SYMMETRIC), "nat"),
        (but(nat=structs.replace(CONE, mapping="unknown")), "nat"),
        (but(stun=(), turn=()), "nat"),
        (but(turn=(UDP, silent(TLS))), "turn"),
        (but(turn=()), "turn"),
        (but(links=()), "links"),
        (but(links=(LINK, LinkFact(node="x", opened=False))), "links"),
        (but(links=(structs.replace(LINK, relayed=True),)), "links"),
        (but(bandwidth=BandwidthFacts(down_mbit_s=0.5, up_mbit_s=0.2, bytes=2_000_000)), "bandwidth"),
        (but(bandwidth=BandwidthFacts(error="busy")), "bandwidth"),
        (but(nat=structs.replace(CONE, ipv6=False)), "ipv6"),
        (but(engine=EngineFacts(status="ready", running_s=100.0, relaying=True, relay_reason="refused")), "relaying"),
        (server(private=True, logged_in=False, latency_ms=3000.0), "bootstrap"),
        (server(silent=("http://first",)), "bootstrap"),
        (but(engine=EngineFacts(status="ready", warnings=("--signaling-address does not work",))), "engine-says"),
        (but(engine=EngineFacts(status="joining", running_s=5.0)), "engine"),
        (but(engine=EngineFacts(status="weak", links=1, links_relayed=1)), "engine"),
    ],
)
def test_what_works_with_a_limit_is_noted_and_is_no_problem(facts, name):
    findings = judge(facts)
    assert is_healthy(findings)
    assert {one.status for one in findings if one.id == name} == {"note"}


def test_a_server_that_is_away_hides_nothing_that_is_known_without_it():
    facts = but(server=ServerFacts(url="http://h", problem="unreachable", detail="no"), links=(), bandwidth=None)
    assert [one.id for one in judge(facts)] == ["bootstrap", "nat", "turn", "ipv6", "engine"]
