"""The check of the connection on the page Network: its steps, what was found, the report, and the servers."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from PySide6.QtGui import QGuiApplication

from app import i18n
from app.models.contribution_words import when_words
from app.models.doctor import DoctorModel, server_words
from app.models.engine_words import from_engine
from engine.api import schema
from engine.sentences import say
from tests.ui.conftest import Drive, NoProcess, PlayedEngine, open_window, played_engine, until
from tests.ui.test_hosting import OPTIONS, page_of

FOUND = schema.Examined(
    ref="",
    healthy=False,
    findings=(
        schema.Finding(id="clock", status="good", found=say("doctor.clock")),
        schema.Finding(
            id="network",
            status="problem",
            found=say("doctor.no_network"),
            meaning=say("doctor.no_network_means"),
            change=say("doctor.no_network_do"),
        ),
        schema.Finding(id="engine-says", status="note", found="<b>bold</b>\u202egnp"),
    ),
    servers=(
        schema.ProbedServer(kind="stun", address="stun:example.org", reached=True, milliseconds=12.4),
        schema.ProbedServer(kind="bootstrap", address="https://example.org", reached=True, used=True, milliseconds=38),
        schema.ProbedServer(kind="turn", address="turn:example.org", reached=False, problem="no answer"),
    ),
    report="{}",
)


@pytest.mark.parametrize("language", ["en", "de"])
def test_steps_findings_report_and_servers(drive: Drive, tmp_path: Path, language: str) -> None:
    async def scenario() -> None:
        engine = PlayedEngine(network="ready")
        engine.hosting.found = FOUND
        async with (
            played_engine(tmp_path, engine),
            open_window(tmp_path, NoProcess(), language=language) as window,
        ):
            await until(lambda: window.status.state)
            page = page_of(window)
            card = page.doctor
            assert not card.status.isVisible()
            assert not card.report.isVisible()
            card.bandwidth.setChecked(False)
            card.check.click()
            await until(lambda: window.status.doctor.step == "links")
            assert not card.check.isEnabled()
            assert card.bar.isVisible()
            assert 50 < card.bar.value() < 100
            engine.hosting.examined.set()
            await until(lambda: card.report.isVisible())
            asked = engine.hosting.requests[-1]
            assert isinstance(asked, schema.ExamineConnection)
            assert not asked.bandwidth
            tones = [tone for tone, *_ in card.findings.shown]
            assert tones == ["error", "warning", "good"], "what is wrong stands first"
            found = card.findings.shown[0]
            words = {
                "en": ("1 problem found", "No network is named."),
                "de": ("1 Problem gefunden", "Kein Netz ist genannt."),
            }
            assert (card.status.text.whole_text, found[1]) == words[language]
            assert "page Network" in found[3] or "Seite Netz" in found[3]
            card.copy.click()
            assert QGuiApplication.clipboard().text() == "{}"
            rows = [(tone, name) for tone, name, *_ in page.servers.rows.shown]
            assert [tone for tone, _ in rows] == ["good", "error", "good"]
            assert rows[0][1].endswith("https://example.org")
            engine.hosting.refusal = "An examination is going on already."
            card.check.click()
            await until(lambda: "An examination is going on already" in card.status.reason.whole_text)
            assert card.check.isEnabled()

    try:
        drive(scenario())
    finally:
        i18n.use("en")


def test_an_engine_that_goes_away_ends_the_check(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = PlayedEngine()
        async with open_window(tmp_path, NoProcess()) as window:
            async with played_engine(tmp_path, engine) as played:
                await until(lambda: window.status.state)
                card = page_of(window).doctor
                card.check.click()
                await until(lambda: window.status.doctor.step)
                await played.kill()
            await until(lambda: not window.status.doctor.running)
            assert window.status.doctor.problem

    drive(scenario())


@pytest.mark.timeout(240)
@pytest.mark.usefixtures("engines_end_with_the_tests")
def test_the_real_engine_examines_itself(drive: Drive, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_window(tmp_path, None, *OPTIONS, "--bootstrap", "http://127.0.0.1:9") as window:
            await until(lambda: window.status.state, 90)
            card = page_of(window).doctor
            card.check.click()
            await until(lambda: window.status.doctor.result, 90)
            result = window.status.doctor.result
            assert not result.healthy
            assert result.findings[0].id == "bootstrap"
            await until(lambda: card.findings.shown and "does not answer" in card.findings.shown[0][1])
            assert "nothing takes connections there" in card.findings.shown[0][1]
            i18n.use("de")
            found = from_engine(result.findings[0], "found")
            i18n.use("en")
            assert (
                found == "Der Bootstrap-Server antwortet nicht (http://127.0.0.1:9: dort nimmt nichts Verbindungen an)."
            )
            report = json.loads(result.report)
            assert report["findings"][0]["id"] == "bootstrap"
            assert str(tmp_path) not in result.report
            assert "http://127" not in result.report, "addresses are taken out"
            assert [one.problem != "" for one in result.servers] == [True]

    drive(scenario())


def test_since_when_servers_are_reached_and_list_this_machine(qapp) -> None:
    model = DoctorModel(lambda _: True)
    first, second = "http://one", "http://two"
    network = schema.NetworkState(
        status="ready", bootstrap=first, bootstrap_others=(second,), bootstrap_connected=True, bootstrap_used=first,
        bootstrap_since=1e9, listed_since=1e9 + 60,
    )  # fmt: skip

    def words(network: schema.NetworkState) -> list[str]:
        return [server_words(one, network)[2] for one in model.servers(network)]

    at, listed = when_words(1e9), when_words(1e9 + 60)
    assert words(network) == [
        f"in use · connected since {at} · this machine is listed there since {listed}",
        "used while the first does not answer",
    ]
    elsewhere = msgspec.structs.replace(network, bootstrap_used=second, listed_since=0.0)
    assert words(elsewhere) == ["", f"in use · connected since {at}"]
    away = msgspec.structs.replace(elsewhere, bootstrap_connected=False)
    assert words(away) == [f"not reached since {at}", "used while the first does not answer"]
    unknown = msgspec.structs.replace(away, bootstrap_since=0.0)
    assert words(unknown)[0] == ""
