"""The doctor before servers that are well, ill, silent, elsewhere, or no servers of this network at all."""

from __future__ import annotations

import contextlib
import datetime
import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from engine.api.schema import Finding
from engine.clock import Clock, SystemClock
from engine.doctor import examine as examination
from engine.doctor.examine import Examination, examine
from engine.doctor.facts import Facts
from engine.doctor.findings import is_healthy, judge
from engine.doctor.session import Visitor
from engine.transport.bootstrap_state import BootstrapAddress, parse_bootstrap
from engine.transport.speed import SPEED_BYTES, SPEED_PATH
from tests.support.bootstrap import running_server
from tests.support.ice_server import PretendedIceServer, pretended_ice_server
from tests.support.records import identity


class Slow(Clock):
    """Five minutes behind."""

    def monotonic(self) -> float:
        return SystemClock().monotonic()

    def wall(self) -> float:
        return SystemClock().wall() - 300


@contextlib.asynccontextmanager
async def network(tmp_path: Path, entries: list[tuple[str, str, str]]) -> AsyncIterator[str]:
    """A bootstrap server that names these STUN and TURN servers (address, user name, password)."""
    data = tmp_path / "server"
    data.mkdir()
    text = "".join(
        f'[[ice_servers]]\nurls = ["{url}"]\nusername = "{name}"\ncredential = "{word}"\n'
        for url, name, word in entries
    )
    (data / "bootstrap.toml").write_text(text)
    async with running_server(data) as address:
        yield address


def turn(server: PretendedIceServer, password: str = "") -> tuple[str, str, str]:
    return f"turn:127.0.0.1:{server.port}?transport=udp", server.username, password or server.password


def stun(server: PretendedIceServer) -> tuple[str, str, str]:
    return f"stun:127.0.0.1:{server.port}", "", ""


async def ask(address: str, tmp_path: Path, clock: Clock | None = None, **more) -> tuple[Facts, dict[str, Finding]]:
    scratch = tmp_path / "scratch"
    scratch.mkdir(exist_ok=True)
    visitor = Visitor(identity(7), scratch)
    facts = await examine(Examination(parse_bootstrap(address), clock or SystemClock(), visitor, **more))
    return facts, {finding.id: finding for finding in judge(facts)}


async def test_all_is_well(tmp_path):
    async with (
        pretended_ice_server() as one,
        pretended_ice_server() as two,
        network(tmp_path, [stun(one), turn(two)]) as address,
    ):
        facts, found = await ask(address, tmp_path)
    assert is_healthy(list(found.values()))
    assert facts.server is not None
    assert facts.server.logged_in
    assert facts.server.observed_address == "127.0.0.1"
    assert facts.server.latency_ms
    assert facts.server.clock_skew_s == pytest.approx(0, abs=1)
    assert facts.nat.mapping == "none"
    assert facts.turn[0].address == "198.51.100.7"
    assert facts.bandwidth is not None
    assert facts.bandwidth.bytes == 2 * SPEED_BYTES
    assert facts.bandwidth.down_mbit_s
    assert facts.bandwidth.up_mbit_s
    assert found["turn"].status == "good"


async def test_blocked_udp_is_told(tmp_path):
    async with pretended_ice_server() as silent, network(tmp_path, [turn(silent)]) as address:
        silent.silent = True
        facts, found = await ask(address, tmp_path, bandwidth=False)
    assert facts.nat.udp_blocked
    assert found["udp"].status == found["turn"].status == "problem"
    assert "bandwidth" not in found


async def test_a_wrong_secret_of_the_turn_server_is_told(tmp_path):
    async with pretended_ice_server() as server, network(tmp_path, [turn(server, "wrong")]) as address:
        _, found = await ask(address, tmp_path, bandwidth=False)
    assert found["turn"].status == "problem"
    assert "different secrets" in found["turn"].change
    assert "udp" not in found


def self_signed(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, private = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    file = folder / "both.pem"
    file.write_bytes(made.public_bytes(pem) + key.private_bytes(pem, private, serialization.NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@contextlib.asynccontextmanager
async def other_server(text: str, kind: str, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Something that answers everything with this text."""

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text=text, content_type=kind)

    application = web.Application()
    application.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    try:
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


async def test_an_unknown_authority_of_a_turn_server_is_told(tmp_path):
    async with (
        other_server("", "text/plain", self_signed(tmp_path)) as port,
        network(tmp_path, [(f"turns:localhost:{port}?transport=tcp", "u", "p")]) as address,
    ):
        _, found = await ask(address, tmp_path, bandwidth=False)
    assert found["turn"].status == "problem"
    assert "--turn-ca" in found["turn"].change


async def test_an_unknown_authority_of_the_bootstrap_server_is_told(tmp_path):
    async with other_server("{}", "application/json", self_signed(tmp_path)) as port:
        facts, found = await ask(f"https://localhost:{port}", tmp_path)
    assert facts.server is not None
    assert facts.server.problem == "certificate"
    assert "self-signed" in found["bootstrap"].found


async def test_a_server_that_is_away_is_told(tmp_path):
    async with other_server("", "text/plain") as port:
        pass
    facts, found = await ask(f"http://127.0.0.1:{port}", tmp_path)
    assert facts.server is not None
    assert not facts.server.reached
    assert found["bootstrap"].status == "problem"
    assert "does not answer" in found["bootstrap"].found


async def test_the_next_server_is_looked_at_while_the_first_is_away(tmp_path):
    async with other_server("", "text/plain") as port:
        pass
    async with running_server(tmp_path / "s") as address:
        facts, found = await ask(f"http://127.0.0.1:{port},{address}", tmp_path)
    assert facts.server is not None
    assert facts.server.logged_in
    assert facts.server.silent == (f"http://127.0.0.1:{port}",)
    assert found["bootstrap"].status == "note"
    assert "does not answer" in found["bootstrap"].found


@pytest.mark.parametrize(
    "told", ['{"network_id": "zz", "name": "x"}', '{"network_id": ["a"], "name": 3}', "[" * 50_000]
)
async def test_a_health_report_that_names_no_network_is_none(tmp_path, told):
    async with other_server(told, "application/json") as port:
        facts, found = await ask(f"http://127.0.0.1:{port}", tmp_path)
    assert facts.server is not None
    assert facts.server.problem == "portal"
    assert found["bootstrap"].status == "problem"


async def test_a_login_page_in_the_place_of_the_server_is_told(tmp_path):
    async with other_server("<html>Welcome to our hotel", "text/html") as port:
        facts, found = await ask(f"http://127.0.0.1:{port}", tmp_path)
    assert facts.server is not None
    assert facts.server.problem == "portal"
    assert "log in there" in found["bootstrap"].change


async def test_another_network_is_told(tmp_path):
    async with network(tmp_path, []) as address:
        _, found = await ask(f"{parse_bootstrap(address).url}#{'0' * 64}", tmp_path)
    assert "another network" in found["bootstrap"].found


async def test_a_clock_that_is_five_minutes_off_is_told(tmp_path):
    async with network(tmp_path, []) as address:
        facts, found = await ask(address, tmp_path, Slow())
    assert facts.server is not None
    assert facts.server.clock_skew_s == pytest.approx(300, abs=2)
    assert found["clock"].status == "problem"
    assert "5 minutes behind" in found["clock"].found
    assert found["bootstrap"].status == "problem"  # the login was refused for it


async def test_no_ipv6_is_no_problem(tmp_path, monkeypatch):
    monkeypatch.setattr(examination, "has_ipv6", lambda: False)
    async with network(tmp_path, []) as address:
        facts, found = await ask(address, tmp_path, bandwidth=False)
    assert not facts.nat.ipv6
    assert found["ipv6"].status == "note"
    assert is_healthy(list(found.values()))


async def test_without_a_network_there_is_nothing_to_examine():
    facts = await examine(Examination(None, SystemClock()))
    assert not is_healthy(judge(facts))


async def test_a_measurement_is_bounded_on_the_server_too(tmp_path):
    async with network(tmp_path, []) as address, aiohttp.ClientSession() as session:
        url = f"{BootstrapAddress(parse_bootstrap(address).url, None).url}{SPEED_PATH}"
        async with session.post(url, data=b"x" * 10) as response:
            assert (response.status, await response.text()) == (200, "10\n")
        async with session.post(url, data=b"x" * (SPEED_BYTES + 1)) as response:
            assert response.status == 413
        async with session.get(url) as response:
            assert len(await response.read()) == SPEED_BYTES


def test_the_facts_are_json(tmp_path):
    from engine.doctor.report import report

    facts = Facts()
    told = json.loads(json.dumps(report(facts, judge(facts))))
    assert list(told) == [
        "version", "healthy", "findings", "server", "nat", "stun", "turn", "links", "bandwidth", "engine",
    ]  # fmt: skip
    assert told["healthy"] is False
