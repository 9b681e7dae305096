"""View-models and small parts of the window: values in, values out."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec
import pytest
from PySide6.QtWidgets import QApplication, QPushButton

from app.engine_address import LOCK_NAME, note_started, read_address, read_note
from app.models import words
from app.models.catalogue import BUILTIN, ModelChoice, choices
from app.models.safe_text import LONGEST_LINE, short_lines, visible
from app.models.status import HOW_TO_JOIN, StatusModel
from app.models.suggestions import SUGGESTIONS
from app.models.turns import details_of
from app.options import parse
from app.style_sheet import stylesheet
from app.theme import DARK, LIGHT, Theme, contrast
from engine.api import schema
from engine.resources import resource_path

pytestmark = pytest.mark.usefixtures("qapp")
HERE = ModelChoice(BUILTIN, "local", BUILTIN)


class Engine:
    """Takes requests when it is there."""

    def __init__(self, there: bool = True) -> None:
        self.there = there
        self.requests: list[schema.Request] = []

    def send(self, request: schema.Request) -> bool:
        if self.there:
            self.requests.append(request)
        return self.there


def done(request_id: str, **fields) -> schema.ChatDone:
    values = {
        "id": request_id,
        "finish_reason": "stop",
        "model": BUILTIN,
        "prompt_tokens": 1,
        "completion_tokens": 2,
        "served_by": "local",
        "seed": 1,
        "badge": "local",
    }
    return schema.ChatDone(**(values | fields))


@pytest.mark.parametrize(("overflow", "said"), [("drop_oldest", "The 4 oldest"), ("keep_ends", "after the first turn")])
def test_details_say_what_was_left_out(overflow, said) -> None:
    details = schema.AnswerDetails(finish_reason="stop", badge="local", served_by="local", dropped=4, overflow=overflow)
    message = schema.StoredMessage(message="a", parent="q", role="assistant", text="", characters=0, details=details)
    rows = words.about(details_of(message))
    assert [row.who for row in rows] == ["Badge", "Model", "Left out"]
    assert said in rows[-1].what


def state(**fields) -> schema.State:
    values = {
        "engine_version": "0.1.0",
        "api_address": "",
        "data_directory": "",
        "started": 0.0,
        "network": schema.NetworkState(status="none"),
        "contributing": schema.ContributingState(on=False, status="off"),
        "relay": schema.RelayState(on=True),
        "worker": schema.WorkerState(status="stopped"),
    }
    return schema.State(**(values | fields))


# ------------------------------------------------------------------------------------------------------------- status


def test_no_network_says_how_to_join() -> None:
    model = StatusModel(Engine().send)
    assert not model.contribute().enabled
    model.engine_connected()
    model.receive(state())
    assert "this machine only" in model.line().text
    assert model.line().help == HOW_TO_JOIN
    assert "paste it on the page Network" in HOW_TO_JOIN


@pytest.mark.parametrize(
    ("status", "tone"),
    [("none", "neutral"), ("joining", "busy"), ("ready", "good"), ("weak", "warning"), ("offline", "error")],
)
def test_every_network_status_has_words(status: str, tone: str) -> None:
    model = StatusModel(Engine().send)
    model.engine_connected()
    model.receive(state(network=schema.NetworkState(status=status, name="Lab", reason="Because.")))
    assert model.line().tone == tone
    assert len(model.line().text) > 20


@pytest.mark.parametrize("status", ["off", "starting", "on", "paused", "draining", "failed"])
def test_every_contributing_status_has_words_and_reason(status: str) -> None:
    model = StatusModel(Engine().send)
    model.engine_connected()
    now = schema.ContributingState(on=True, status=status, reason="Because of a game.")
    model.receive(state(contributing=now))
    assert model.contribute().sentence.endswith(": Because of a game.")


def test_switch_shows_the_wish_until_the_engine_has_decided() -> None:
    engine = Engine()
    model = StatusModel(engine.send)
    model.engine_connected()
    model.receive(state())
    model.set_contributing(True)
    assert engine.requests == [schema.SetContributing(on=True)]
    model.receive(state())  # a poll that crossed the wish
    assert model.contribute().checked
    model.receive(schema.RequestFailed(request="set_contributing", code="x", text="Join a network first."))
    model.receive(state())
    assert not model.contribute().checked
    assert model.line().text == "Join a network first."
    model.forget_notice()
    assert "this machine only" in model.line().text


def test_switch_does_nothing_without_an_engine() -> None:
    engine = Engine()
    model = StatusModel(engine.send)
    model.set_contributing(True)
    assert engine.requests == []
    assert not model.contribute().checked


@pytest.mark.parametrize(
    ("on", "relay", "network", "serves"),
    [
        (True, False, "ready", True),
        (False, True, "ready", True),
        (False, True, "none", False),
        (False, False, "ready", False),
    ],
)
def test_who_loses_something_when_the_engine_stops(on: bool, relay: bool, network: str, serves: bool) -> None:
    model = StatusModel(Engine().send)
    model.engine_connected()
    model.receive(
        state(
            network=schema.NetworkState(status=network),
            relay=schema.RelayState(on=relay),
            contributing=schema.ContributingState(on=on, status="on" if on else "off"),
        )
    )
    assert model.serves_others is serves


def test_refused_relay_is_told_and_one_that_waits_is_not() -> None:
    model = StatusModel(Engine().send)
    model.engine_connected()
    model.receive(state(relay=schema.RelayState(on=True, reason="waiting for the network"), warnings=("Mind this.",)))
    assert model.notes() == ("Mind this.",)
    model.receive(state(relay=schema.RelayState(on=True, reason="The server refused this node.", refused=True)))
    assert model.notes() == ("This machine relays nothing for others: The server refused this node.",)


def test_worker_trouble_comes_before_the_network() -> None:
    model = StatusModel(Engine().send)
    model.engine_connected()
    model.receive(state(worker=schema.WorkerState(status="restarting", reason="it was killed")))
    assert model.line().text == (
        "The part of the engine that runs models ended: it was killed. It starts again, and answers go on."
    )


# -------------------------------------------------------------------------------------------------------------- words


def test_model_that_is_here_and_out_there_gives_two_entries() -> None:
    models = [
        schema.ModelState(id="a", where="both", nodes=2, tokens_per_s=40, wait=3),
        schema.ModelState(id="b", where="network", nodes=1),
    ]
    labels = {choice.key: choice.label for choice in choices(models)}
    assert labels == {
        ("a", "local"): "a · on this machine",
        ("a", "network"): "a · on the network, 2 nodes, 40 tokens/s, 3 s wait",
        ("b", "network"): "b · on the network, 1 node",
    }


def test_stage_in_words() -> None:
    stage = schema.ChatStage(id="x", stage="queued", place=3, estimate=7.4)
    assert words.stage_words(stage) == "Waiting in the queue, place 3, about 7 s"
    assert words.stage_words(schema.ChatStage(id="x", stage="warming")) == "Warming"


@pytest.mark.parametrize("hops", [1, 2, 3])
def test_who_could_know_what_on_paths_of_any_length(hops: int) -> None:
    paths = tuple(tuple(f"{name}{path}" for name in ("g", "m", "p")[:hops]) for path in range(2))
    rows = words.knowledge(done("x", served_by="n" * 30, badge="signed", paths=paths, n=4, k=3))
    nodes = [row.nodes for row in rows if row.nodes]
    expected = ["nnnnnnnn…", "g0, g1", *(["m0, m1"] if hops > 1 else []), *(["p0, p1"] if hops > 2 else [])]
    assert sorted(nodes) == sorted(expected)
    assert any("3 of 4" in row.what for row in rows)


def test_who_was_asked_first_could_know_the_question_too() -> None:
    answer = done("x", served_by="n" * 30, badge="signed", asked=("e" * 30,), machines=("h" * 30, "n" * 30))
    (row,) = [row for row in words.knowledge(answer) if row.who == "Nodes before it"]
    assert row.nodes == "eeeeeeee…, hhhhhhhh…"
    assert "Could read the question" in row.what
    alone = done("x", served_by="n" * 30, badge="signed", asked=("n" * 30,), machines=("n" * 30,))
    assert "Nodes before it" not in [row.who for row in words.knowledge(alone)]


def test_local_answer_is_known_to_nobody_else() -> None:
    rows = words.knowledge(done("x"))
    assert len(rows) == 1
    assert rows[0].what.startswith("Nothing")


def test_speed_in_words() -> None:
    facts = words.speed_words(done("x", tokens_per_s=4.25, ttft_ms=1640, finish_reason="length"))
    assert facts == ["4.3 tokens/s", "first token after 1.6 s", "cut at its length limit"]
    assert words.speed_words(done("x")) == []
    assert words.badge_words(done("x", badge="signed", badge_reason="it matches")) == "It matches."
    assert words.badge_words(done("x", badge="unverified", badge_reason="no receipt came")).endswith(
        " No receipt came."
    )


def test_text_that_would_act_is_shown_instead() -> None:
    assert visible("a\x00\x1b\x7fb\u202ec\u2066d\r\ne\tf\u2028g\ufffc\ud800\u200f") == (
        "a␀␛␡b[U+202E]c[U+2066]d\ne\tf\ng\ufffd\ufffd\u200f"
    )
    assert visible("<b>&amp;") == "<b>&amp;"
    hostile = "".join(chr(code) for code in range(0x3000))
    assert "".join(visible(character) for character in hostile) == visible(hostile)


def test_lines_are_laid_out_in_pieces() -> None:
    assert short_lines("a\n\nbcd", 2) == ["a", "", "bc", "d"]
    pieces = short_lines("x" * 64_000)
    assert "".join(pieces) == "x" * 64_000
    assert max(map(len, pieces)) == LONGEST_LINE


def test_suggestions_are_help_topics_that_are_built() -> None:
    topics = tomllib.loads(resource_path("engine/help/topics.toml").read_text("utf-8"))["topic"]
    built = {topic["id"] for topic in topics if topic["status"] == "built"}
    assert {topic for topic, _ in SUGGESTIONS} <= built
    assert len(SUGGESTIONS) == 3


# --------------------------------------------------------------------------------------------- theme, options, address


THEMES = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])


@THEMES
@pytest.mark.parametrize("ground", ["ground", "raised", "sunken", "question", "hover", "pressed", "accent_ground"])
@pytest.mark.parametrize("text", ["text", "quiet", "accent", "error", "warning", "good"])
def test_text_can_be_read(theme: Theme, text: str, ground: str) -> None:
    assert contrast(getattr(theme, text), getattr(theme, ground)) >= 4.5


@THEMES
@pytest.mark.parametrize(
    ("text", "ground"),
    [
        ("text", "found"),
        ("on_accent", "accent"),
        ("on_accent", "accent_hover"),
        ("on_accent", "accent_pressed"),
        ("good", "good_ground"),
        ("warning", "warning_ground"),
        ("error", "error_ground"),
        ("neutral", "neutral_ground"),
        *((f"syntax_{kind}", "sunken") for kind in ("keyword", "name", "type", "string", "number", "comment", "mark")),
    ],
)
def test_pairs_can_be_read(theme: Theme, text: str, ground: str) -> None:
    assert contrast(getattr(theme, text), getattr(theme, ground)) >= 4.5


@THEMES
@pytest.mark.parametrize("mark", ["strong_line", "focus", "disabled"])
def test_marks_can_be_seen(theme: Theme, mark: str) -> None:
    assert contrast(getattr(theme, mark), theme.ground) >= 3


@THEMES
def test_knob_of_a_switch_can_be_seen(theme: Theme) -> None:
    assert contrast(theme.on_accent, theme.accent) >= 3
    assert contrast(theme.knob, theme.strong_line) >= 3


def test_theme_changes_in_place_and_says_so() -> None:
    theme = Theme(LIGHT)
    told: list[str] = []
    theme.changed.connect(lambda: told.append(theme.ground))
    theme.become(DARK)
    assert told == [DARK.ground]
    assert (theme.dark, theme.medium) == (True, LIGHT.medium)
    assert stylesheet(theme, "x.svg", "y.svg") == stylesheet(DARK, "x.svg", "y.svg")


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_style_sheet_is_understood(qapp: QApplication, qtlog) -> None:
    def complaints(sheet: str) -> list[str]:
        qapp.setStyleSheet(sheet)
        QPushButton().ensurePolished()
        return [record.message for record in qtlog.records if "parse" in record.message]

    assert complaints(stylesheet(LIGHT, "x.svg", "y.svg")) == []
    assert complaints("QPushButton } {") != []
    qapp.setStyleSheet("")


def test_options_go_to_the_engine(tmp_path: Path) -> None:
    given = ["--data", str(tmp_path), "--bootstrap", "http://h:1#00", "--no-relay", "--api-port", "0"]
    options = parse(given, {})
    assert options.data_directory == tmp_path
    assert options.engine_options == ("--bootstrap", "http://h:1#00", "--api-port", "0", "--no-relay")
    assert parse([], {"GENTORRENT_DATA": str(tmp_path)}).data_directory == tmp_path
    assert parse([], {}).data_directory.name == "GenTorrent"
    with pytest.raises(SystemExit) as ended:
        parse(["--bogus"], {})
    assert ended.value.code == 2


@pytest.mark.parametrize("content", [b"", b"{", b'{"pid": 1}', b"\xff\xfe", b"[" * 5000])
def test_unreadable_lock_file_is_no_engine(tmp_path: Path, content: bytes) -> None:
    assert read_address(tmp_path) is None
    (tmp_path / LOCK_NAME).write_bytes(content)
    assert read_address(tmp_path) is None


def test_note_names_one_engine(tmp_path: Path) -> None:
    address = schema.EngineAddress(pid=7, port=1, control_token="t", started=2.5)
    assert read_note(tmp_path, address) is None
    note_started(tmp_path, address, ("--no-relay",))
    note = read_note(tmp_path, address)
    assert note is not None
    assert note.options == ("--no-relay",)
    assert read_note(tmp_path, msgspec.structs.replace(address, started=3.0)) is None
    assert b"control_token" not in (tmp_path / "window-engine.json").read_bytes()


def test_a_direct_answer_does_not_claim_that_nobody_knows_who_asked() -> None:
    privacy = schema.Privacy(
        paths=1, needed=1, hops=0, direct=True, full_paths=4, full_hops=3, weaker=True, text="Direct."
    )
    direct = done("a", served_by="node", badge="signed", n=1, k=1, privacy=privacy)
    told = {row.who: row.what for row in words.knowledge(direct)}
    assert "address" in told["Answering node"]
    assert "does not know who asked" not in told["Answering node"]
    assert told["Weaker"] == "Direct."
    assert words.privacy_words(direct) == ["direct, without relays"]
