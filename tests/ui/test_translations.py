"""No text of the window is left untranslated: in the code, in the files for translators, in what the program loads."""

from __future__ import annotations

import ast
import re
import string
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.i18n import best_language, languages, mark, native_name, number, tr, use
from tools import translations

ROOT = Path(__file__).resolve().parents[2]
NOT_SHOWN = {
    "app/autostart/linux.py": "a desktop entry",
    "app/autostart/macos.py": "a property list",
    "app/markdown/highlight.py": "names of languages that authors write behind a fence",
    "app/markdown/languages.py": "names of languages that authors write behind a fence",
    "app/markdown/maths.py": "names of signs in LaTeX",
    "app/main.py": "writes to a terminal, before Qt is known to load",
    "app/models/suggestions.py": "questions to the built-in model, which reads English only",
    "app/options.py": "the command line speaks English, as gentorrent --help does",
    "app/style_sheet.py": "a style sheet",
}
NAMES = {"GenTorrent", "Fusion", "Authorization", "Bearer ", "English", "delete all my data"}
"""Names and words of protocols, which are the same in every language."""
UNSEEN_CALLS = {"tr", "mark", "EngineUnreachableError", "QKeySequence", "setObjectName", "print"}
UNSEEN_METHODS = {"debug", "info", "warning", "error", "exception", "setObjectName", "setProperty", "setStyleSheet"}
WORDS = re.compile(r"[A-Za-zÄÖÜäöüß’']{2,}")

POLITE = re.compile(
    r"\bIhnen\b|\bIhre[mnrs]?\b|(?<![.:!?„(\n]) (Sie|Ihr)\b|\w{2,}e[rl]?n Sie\b"
    r"|\bSie (haben|können|müssen|dürfen|sollten|sollen|wollen|möchten|brauchen|werden)\b"
)
"""German to somebody who is not called "du". At the beginning of a sentence "Sie" may be "she", "it" or "they"."""


@pytest.fixture(autouse=True)
def _english_again() -> Iterator[None]:
    yield
    use("en")


def sources() -> list[Path]:
    mine = [path for path in sorted((ROOT / "app").rglob("*.py")) if "i18n" not in path.parts]
    return [*mine, *sorted((ROOT / "engine" / "sentences").glob("*.py"))]


def reads_like_text(value: str) -> bool:
    """Two words and more, or one with a capital: what a person reads. "tray-on" and "set_contributing" do not."""
    words = WORDS.findall(value)
    if value in NAMES or not words:
        return False
    return (" " in value.strip() and len(words) > 1) or bool(re.fullmatch(r"\s*[A-Z][a-z]+\W*", value))


def called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def untranslated(node: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, text) of what reads like text and passes through no translation."""
    if isinstance(node, ast.Call) and called(node) in UNSEEN_CALLS | UNSEEN_METHODS:
        for keyword in node.keywords:
            yield from untranslated(keyword.value)
        return
    if isinstance(node, ast.Dict):
        for value in node.values:
            yield from untranslated(value)
        return
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return  # a docstring
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == "Literal":
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and reads_like_text(node.value):
        yield node.lineno, node.value
    for child in ast.iter_child_nodes(node):
        yield from untranslated(child)


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("label.setText('Two words')", True),
        ("label.setText(f'{n} nodes online')", True),
        ("PlainLabel('Off', 'caption')", True),
        ("X = {'on': 'Turned on'}", True),
        ("label.setText(tr('Two words'))", False),
        ("X = {'on': mark('On')}", False),
        ("_log.info('a thing happened')", False),
        ("'''A docstring of a module.'''", False),
        ("icon('tray-on')", False),
    ],
)
def test_search_finds_what_it_is_for(code: str, found: bool) -> None:
    assert bool(list(untranslated(ast.parse(code)))) is found


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.stem)
def test_every_text_is_translated(path: Path) -> None:
    name = path.relative_to(ROOT).as_posix()
    if name in NOT_SHOWN:
        return
    assert list(untranslated(ast.parse(path.read_text("utf-8")))) == []


def literals() -> Iterator[tuple[str, str]]:
    """(file, text) of every call of tr and mark with a literal."""
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and called(node) in ("tr", "mark") and isinstance(node.args[0], ast.Constant):
                yield path.name, str(node.args[0].value)


def test_translators_get_every_text() -> None:
    """Qt's tool overlooks calls in f-strings and the like."""
    file = translations.FOLDER / "gentorrent_de.ts"
    given = {message.findtext("source") for message in ET.parse(file).iter("message")}
    assert [(name, text) for name, text in literals() if text not in given] == []
    assert len(given) > 100


def test_translations_are_complete_and_up_to_date() -> None:
    assert translations.check(translations.FOLDER) == []


def test_check_sees_what_is_missing(tmp_path: Path) -> None:
    file = tmp_path / "gentorrent_de.ts"
    whole = (translations.FOLDER / file.name).read_text("utf-8")
    file.write_text(whole.replace("<translation>Neuer Chat</translation>", '<translation type="unfinished"/>'), "utf-8")
    problems = translations.check(tmp_path)
    assert any("not translated: 'New chat'" in problem for problem in problems)
    assert any(problem.startswith("gentorrent_de.qm") for problem in problems)


@pytest.mark.parametrize("language", translations.known_languages(translations.FOLDER))
def test_translations_have_the_fields_of_their_texts(language: str) -> None:
    for message in ET.parse(translations.FOLDER / f"gentorrent_{language}.ts").iter("message"):
        source = message.findtext("source", "")
        translation = message.find("translation")
        assert translation is not None
        for text in [form.text for form in translation.iter("numerusform")] or [translation.text]:
            assert fields(text or "") == fields(source), source
            assert ("%Ln" in (text or "")) == ("%Ln" in source), source


@pytest.mark.parametrize(
    ("text", "polite"),
    [
        ("Nehmen Sie https://.", True),
        ("Es geht weiter. Vergleichen Sie die Nummer.", True),
        ("Sie haben es angehalten.", True),
        ("Nur Ihre Netze", True),
        ("Ob sie Ihnen passen", True),
        ("Sie wird neu gestartet.", False),
        ("Die Antwort endete: Sie ist zu lang. Ihr Text ist da.", False),
        ("Sieh nach, ob sie dir passen.", False),
    ],
)
def test_search_finds_who_is_not_on_first_name_terms(text: str, polite: bool) -> None:
    assert bool(POLITE.search(text)) is polite


def test_german_says_du() -> None:
    """One form of address everywhere, the one that CONTRIBUTING.md names."""
    for message in ET.parse(translations.FOLDER / "gentorrent_de.ts").iter("message"):
        text = "".join(message.find("translation").itertext())
        assert not POLITE.search(text), text


def fields(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


def test_language_is_the_users() -> None:
    assert languages() == ["de", "en"]
    assert best_language(["fr-FR", "de-AT", "en-US"]) == "de"
    assert best_language(["C"]) == best_language([]) == "en"
    assert [native_name(code) for code in languages()] == ["Deutsch", "English"]


def test_texts_plurals_and_numbers_are_of_the_language() -> None:
    assert [tr("%Ln node(s)", "", count) for count in (0, 1, 2, 1200)] == [
        "0 nodes",
        "1 node",
        "2 nodes",
        "1,200 nodes",
    ]
    assert number(1234.5, 1) == "1,234.5"
    use("de")
    assert tr("New chat") == "Neuer Chat"
    assert tr("Node {id}", id="ab{c}") == "Knoten ab{c}"
    assert tr("%Ln node(s)", "", 1200) == "1.200 Knoten"
    assert tr(mark("On")) == "An"
    assert number(1234.5, 1) == "1.234,5"
    assert tr("something that nobody has translated") == "something that nobody has translated"


def test_qt_speaks_the_language_too(qapp) -> None:
    use("de")
    assert qapp.translate("QPlatformTheme", "Cancel") == "Abbrechen"
    use("en")
    assert qapp.translate("QPlatformTheme", "Cancel") == "Cancel"
