"""Everything that the engine says with a code is said by the window in its language, and nothing is left out."""

from __future__ import annotations

import ast
import errno
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QTranslator

from app import i18n
from app.models.engine_words import CODES, from_engine, in_words
from app.models.words import badge_words, choice_words, stage_words
from engine.api import schema
from engine.errors import REQUEST_ERRORS
from engine.sentences import (
    SENTENCES,
    Sentence,
    from_lines,
    listed,
    said_by,
    say,
    to_line,
    together,
    words_of,
)
from engine.storage.files import storage_error
from tests.ui.test_models import done

ENGINE = Path(__file__).resolve().parents[2] / "engine"
SPOKEN = (
    "api/badge.py",
    "chats/answering.py",
    "chats/collection.py",
    "chats/conversation.py",
    "chats/history.py",
    "chats/session.py",
    "chats/store.py",
    "config.py",
    "directory/sampling.py",
    "doctor/examine.py",
    "doctor/findings.py",
    "doctor/server_check.py",
    "inference/models/files.py",
    "inference/models/folder.py",
    "inference/models/graph_file.py",
    "inference/models/model_config.py",
    "inference/models/templates.py",
    "inference/models/variants.py",
    "inference/runtime/graph.py",
    "inference/runtime/self_test.py",
    "inference/runtime/signature.py",
    "inference/supervisor/ending.py",
    "inference/supervisor/life.py",
    "inference/supervisor/pool.py",
    "inference/supervisor/wanted.py",
    "node/answers.py",
    "node/bringing_samples.py",
    "node/hosting.py",
    "node/library_service.py",
    "node/network_answer.py",
    "node/overlay_client.py",
    "node/path_choice.py",
    "node/privacy.py",
    "node/receipt_chain.py",
    "node/reporting_samples.py",
    "node/status.py",
    "node/target_choice.py",
    "paths/direct.py",
    "paths/losses.py",
    "storage/data_directory.py",
    "storage/files.py",
    "storage/state.py",
)
"""Modules whose every sentence for people has a code."""
OWN_MISTAKES = ("AssertionError", "ValueError")
"""What tells a programmer."""
NOTICES = ("notice", "_notice", "on_notice", "_on_notice")
"""What tells a sentence to the owner of the engine."""
ELSEWHERE = (
    "This is no request about chats.",
    "The keys belong to another program here.",
    "A prompt of token ids means nothing to other machines",
)
"""How sentences begin that only a program can be told, never somebody at the window."""


@pytest.fixture(autouse=True)
def _english_again() -> Iterator[None]:
    yield
    i18n.use("en")


def speaking() -> Iterator[tuple[str, ast.AST]]:
    """(file, node) of everything in the modules that say something with a code, or hand on one to be said."""
    for path in sorted(ENGINE.rglob("*.py")):
        source = path.read_text("utf-8")
        if "from engine.sentences import" in source or "damaged=" in source:
            for node in ast.walk(ast.parse(source)):
                yield path.relative_to(ENGINE).as_posix(), node


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def codes_in(node: ast.expr) -> set[str]:
    """The codes that an argument may be, as far as it says so itself."""
    found = {one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)}
    return found & set(SENTENCES)


def test_every_code_is_said_with_its_values_and_none_is_idle() -> None:
    constants: set[str] = set()
    for file, node in speaking():
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            constants.add(node.value)
        if isinstance(node, ast.keyword) and node.arg == "damaged":  # as load_state says it
            for code in codes_in(node.value):
                assert fields(SENTENCES[code]) == {"path", "error"}, f"{file}: {code}"
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say"):
            continue
        given = {keyword.arg for keyword in node.keywords}
        for code in codes_in(node.args[0]):
            assert fields(SENTENCES[code]) == given, f"{file}:{node.lineno} {code}"
        if isinstance(node.args[0], ast.Constant):
            assert node.args[0].value in SENTENCES, f"{file}:{node.lineno}"
    assert {code for code in SENTENCES if code.removesuffix("_young") not in constants} == set()


@pytest.mark.parametrize("language", [code for code in i18n.languages() if code != "en"])
@pytest.mark.parametrize("code", SENTENCES)
def test_every_code_is_translated(language: str, code: str) -> None:
    translator = QTranslator()
    assert translator.load(str(ENGINE.parent / f"resources/app/translations/gentorrent_{language}.qm"))
    translated = translator.translate("", SENTENCES[code])
    assert translated
    assert fields(translated) == fields(SENTENCES[code])
    i18n.use(language)
    values: dict[str, str | int] = {name: 3 if name in ("when", "count") else name for name in fields(SENTENCES[code])}
    shown = from_engine(schema.RequestFailed(request="x", code="x", text=say(code, **values)))
    assert shown
    assert "{" not in shown
    if not fields(SENTENCES[code]) and code != "list.and":
        assert shown == translated


@pytest.mark.parametrize("file", SPOKEN)
def test_no_sentence_is_without_a_code(file: str) -> None:
    tree = ast.parse((ENGINE / file).read_text("utf-8"))
    bare = [text for text in said_bare(tree) if not text.startswith(ELSEWHERE)]
    assert bare == []


def test_whatever_is_wrong_with_a_model_s_folder_has_a_code() -> None:
    """Wherever that is found: the sentence is one with a code, or the one that another error has said."""
    bare = [
        f"{path.relative_to(ENGINE).as_posix()}:{node.lineno}"
        for path in sorted(ENGINE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "ModelFolderError"
        and isinstance(node.args[0], ast.Constant | ast.JoinedStr | ast.BinOp)
    ]
    assert bare == []


def test_every_notice_has_a_code() -> None:
    bare = [
        f"{path.relative_to(ENGINE).as_posix()}:{node.lineno}"
        for path in sorted(ENGINE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).rpartition(".")[2] in NOTICES
        and node.args
        and isinstance(node.args[0], ast.Constant | ast.JoinedStr | ast.BinOp)
    ]
    assert bare == []


def said_bare(tree: ast.AST) -> Iterator[str]:
    """Texts of several words that are raised, or given as ``text``, ``reason`` or ``problem``, without a code."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        told = [one.value for one in node.keywords if one.arg in ("text", "reason", "problem")]
        if name.endswith("Error") and name not in OWN_MISTAKES:
            told += node.args[:1]
        for value in told:
            text = ast.unparse(value)
            if isinstance(value, ast.Constant | ast.JoinedStr) and text.count(" ") >= 2:
                yield text.strip("f'\"")


def test_every_code_of_an_error_has_a_meaning() -> None:
    told = {
        node.value
        for path in (
            *(ENGINE / "chats").glob("*.py"),
            *(ENGINE / "api").glob("control.py"),
            ENGINE / "node/library_service.py",
        )
        for call in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(call, ast.Call)
        for keyword in call.keywords
        if keyword.arg == "code" and isinstance(node := keyword.value, ast.Constant)
    }
    assert (set(REQUEST_ERRORS) | told | {"storage_failed", "hub_failed", "worker_restarting"}) - set(CODES) == set()


def test_sentences_are_said_with_their_values() -> None:
    shape = say("shape.paths", paths=2, relays=3)
    assert say("choice.shape", shape=shape) == "use 2 paths of 3 relays"
    said = together(say("paths.some", ready=1, wanted=4), "", "Something else.", say("paths.again"))
    assert said == (
        "1 of 4 anonymous paths work; the others are being built. Something else. Wait a moment and ask again."
    )
    assert [part.code for part in said.parts] == ["paths.some", "", "paths.again"]
    assert listed("list.or", ["a", "b", "c"]) == "a; or b; or c"
    error = ValueError(said)
    assert said_by(error) == said
    assert said_by(ValueError("plain")) == "plain"


def test_words_travel_as_codes_with_values() -> None:
    failed = schema.ChatFailed(
        id="x", code="too_few_relays", text=say("paths.not_ready", problem=say("paths.no_relays"))
    )
    sent = schema.encode(failed)
    assert '"text":"The anonymous paths are not ready: No relays are known yet.' in sent
    got = schema.event_decoder.decode(sent)
    assert got == failed
    assert isinstance(got, schema.ChatFailed)
    assert got.words["text"] == (Sentence("paths.not_ready", {"problem": (Sentence("paths.no_relays"),)}),)


def test_the_window_says_them_in_its_language() -> None:
    i18n.use("de")
    stage = schema.ChatStage(id="x", stage="connecting", text=say("stage.paths"), estimate=3)
    assert stage_words(stage) == "Anonyme Pfade werden gewählt, etwa 3 s"
    words = badge_words(done("x", badge="signed", badge_reason=together(say("badge.signed"), "Machine abc is new.")))
    assert words.startswith("Unterschrieben von dem Rechner")
    assert words.endswith("Machine abc is new.")
    shape = say("shape.paths", paths=3, relays=2)
    choice = schema.WeakerChoice(privacy=schema.PrivacyChoice(), paths=3, hops=2, text=say("choice.shape", shape=shape))
    assert choice_words(choice) == "3 Pfade mit 2 Relays benutzen"
    overflow = together(say("chat.overflow", used=5000, model="m", limit=4096), say("chat.overflow_drop", droppable=2))
    event = schema.ContextOverflow(
        ref="",
        chat="c",
        used=5000,
        limit=4096,
        droppable=2,
        exact=True,
        text=overflow,
    )
    assert from_engine(event).startswith("Diese Unterhaltung hat 5.000 Tokens")
    warned = schema.NetworkState(status="none", reason=say("network.none"))
    assert from_engine(warned, "reason").startswith("Es ist kein Netz eingerichtet")


def test_words_of_others_come_after_what_their_code_means() -> None:
    strange = schema.AnswerProblem(code="overloaded", text="Node is at capacity.")
    known = schema.AnswerProblem(code="overloaded", text=SENTENCES["asked.full"])
    assert from_engine(strange) == "Node is at capacity."
    i18n.use("de")
    assert from_engine(known).startswith("Der gefragte Rechner")
    assert from_engine(strange) == "Gerade ist zu viel zu tun. (Node is at capacity)"
    newer = schema.AnswerProblem(code="x", text="A new sentence.", words={"text": (Sentence("not.yet.known"),)})
    assert from_engine(newer) == "A new sentence."


def test_what_a_program_says_at_its_end_keeps_its_words() -> None:
    said = say("start.directory_is_file", folder="/x")
    assert from_lines(["before", said, to_line(said)]) == said
    assert words_of(from_lines([said, to_line(said)])) == said.parts
    assert to_line("from elsewhere") == ""
    assert from_lines([]) == ""
    assert from_lines(["only this"]) == "only this"
    assert words_of(from_lines(["text", "gentorrent-words: [half"])) == ()
    assert from_lines(["text", "gentorrent-words: [half"]) == "text"
    i18n.use("de")
    assert in_words(said).startswith("Der Datenordner /x ist eine Datei.")
    assert in_words("from elsewhere") == "from elsewhere"


def test_reasons_within_reasons_are_said_in_the_language_of_the_window() -> None:
    full = storage_error("write", Path("/data/rules.json"), OSError(errno.ENOSPC, "No space left on device"))
    kept = schema.Contribution(rules=schema.Rules(), problem=say("governor.rules_not_kept", problem=said_by(full)))
    i18n.use("de")
    assert from_engine(kept, "problem").endswith(
        "/data/rules.json ließ sich nicht schreiben: Die Platte ist voll. Nichts wurde geändert. Schaff etwas Platz."
    )


def test_warnings_are_said_one_by_one() -> None:
    from tests.ui.test_models import state

    told = state(warnings=("From elsewhere.", say("keys.plain")))
    assert told.warnings[1].startswith("The keys of this engine")
    i18n.use("de")
    assert from_engine(told, "warnings[0]") == "From elsewhere."
    assert from_engine(told, "warnings[1]").startswith("Die Schlüssel")
