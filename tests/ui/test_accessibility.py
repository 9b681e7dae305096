"""Every page for who sees nothing, who has no mouse and who reads another language: names, keys, translations."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QLabel,
    QPlainTextEdit,
    QScrollArea,
    QTextEdit,
    QWidget,
)

from app import i18n
from app.i18n import catalogue
from app.theme import LIGHT, Theme
from app.views.keys_dialog import keys_dialog
from app.views.link_dialog import LinkDialog
from app.views.navigation import PAGES
from tests.support.played_library import some_models
from tests.ui.conftest import Drive, NoProcess, PlayedEngine, Window, open_window, played_engine, until
from tests.ui.test_window import type_question

VIEWS = ("first", *PAGES, "answer", "editor", "search", "setup", "picker", "link")
ROLES = QAccessible.Role
CONTROLS = {
    ROLES.Button,
    ROLES.ButtonMenu,
    ROLES.CheckBox,
    ROLES.RadioButton,
    ROLES.ComboBox,
    ROLES.EditableText,
    ROLES.Link,
    ROLES.List,
    ROLES.Slider,
    ROLES.SpinBox,
    ROLES.Dialog,
    ROLES.Document,
}
DATA = {
    "GenTorrent",
    "gentorrent-builtin",
    "someone/Model-7B",
    "Model-7B",
    "English",
    "Deutsch",
    "http://127.0.0.1:1/v1",
    "https://user@example.org/page",
    "example.org",
    "elsewhere.org",
    "0.1.0",
    "Hello",
    "Relays carry sealed data.",
    "Who can read my questions?",
    "How do I contribute?",
    "What is a receipt?",
    *(text for model in some_models() for text in (model.title, model.text) if text),
}
"""What comes from the engine, from the user, or is the same in every language."""


@pytest.fixture(autouse=True)
def _english_again() -> Iterator[None]:
    yield
    i18n.use("en")


def look(drive: Drive, directory: Path, view: str, check: Callable[[QWidget], None], **preferences: object) -> None:
    """Show ``view`` over an engine that says something about everything, and ``check`` it."""

    async def scenario() -> None:
        engine = PlayedEngine(network="ready", contributing=True)
        async with (
            played_engine(directory, engine),
            open_window(directory, NoProcess(), first=view == "first", **preferences) as window,
        ):
            window.window.resize(1500, 800)  # nothing is cut
            await until(lambda: window.status.models)
            if view in PAGES:
                window.window.open_page(view)
            if view in ("answer", "editor", "search"):
                type_question(window, "Hello")
                await until(lambda: window.turn.state == "done")
            shown = await opened(window, view)
            # A page gives the focus away a moment after it is shown, and so does a window that becomes the active one.
            await until(lambda: shown.isActiveWindow() and QApplication.focusWidget() is not None)
            check(shown)

    drive(scenario())


async def opened(window: Window, view: str) -> QWidget:
    """Open what ``view`` has beside its page; the window or dialog that is shown then."""
    page = window.window.chat_page
    match view:
        case "answer":
            window.view.who.click()
        case "editor":
            window.view.asked.begin_edit()
        case "search":
            page.chats.search.setText("Hello")
            await until(lambda: window.chats.hits and not window.chats.searching)
        case "setup":
            page.toggle_setup()
        case "picker":
            page.header.models.showPopup()
            assert page.models.picker is not None
            return page.models.picker
        case "link":
            dialog = LinkDialog(Theme(LIGHT), "https://user@example.org/page", "elsewhere.org", window.window)
            dialog.show()
            return dialog
    return window.window


def interfaces(interface: QAccessibleInterface) -> Iterator[QAccessibleInterface]:
    """``interface`` and all below it that are there for the user now."""
    states = interface.state()
    if getattr(states, "invisible", False) and interface.role() is not ROLES.Window:
        return
    yield interface
    for index in range(interface.childCount()):
        child = interface.child(index)
        if child is not None:
            yield from interfaces(child)


@pytest.mark.parametrize("view", VIEWS)
def test_every_control_has_a_name(drive: Drive, tmp_path: Path, view: str) -> None:
    def check(frame: QWidget) -> None:
        found = [
            (interface.role().name, interface.text(QAccessible.Text.Name))
            for interface in interfaces(QAccessible.queryAccessibleInterface(frame))
            if interface.role() in CONTROLS
        ]
        assert len(found) >= (4 if frame.parent() is None else 2)
        assert [role for role, name in found if not name.strip()] == []

    look(drive, tmp_path, view, check)


def test_unnamed_control_would_be_found(qtbot) -> None:
    window = QWidget()
    button = QAbstractButtonForTest(window)
    qtbot.addWidget(window)
    window.show()
    (found,) = [
        interface
        for interface in interfaces(QAccessible.queryAccessibleInterface(window))
        if interface.role() in CONTROLS
    ]
    assert found.text(QAccessible.Text.Name) == ""
    button.setAccessibleName("Named")
    assert found.text(QAccessible.Text.Name) == "Named"


class QAbstractButtonForTest(QAbstractButton):
    def paintEvent(self, event) -> None:
        pass


@pytest.mark.parametrize("view", VIEWS)
def test_tab_reaches_every_control(drive: Drive, tmp_path: Path, view: str) -> None:
    def check(frame: QWidget) -> None:
        wanted = {
            widget
            for widget in frame.findChildren(QWidget)
            if isinstance(widget, QAbstractButton | QComboBox | QTextEdit | QPlainTextEdit | QScrollArea)
            and widget.isVisible()
            and widget.isEnabled()
            and widget.accessibleName()
        }
        reached: list[QWidget | None] = []
        for _ in range(100):
            focused = QApplication.focusWidget()
            assert focused is not None
            if focused in reached:
                break
            reached.append(focused)
            QTest.keyClick(focused, Qt.Key.Key_Tab)
        assert len(reached) > (4 if frame.parent() is None else 1)
        missing = {widget for widget in wanted if widget.focusPolicy() is not Qt.FocusPolicy.NoFocus} - set(reached)
        assert [widget.accessibleName() for widget in missing] == []
        pointless = [widget for widget in wanted if isinstance(widget, QAbstractButton) and widget not in reached]
        assert [widget.accessibleName() for widget in pointless] == []

    look(drive, tmp_path, view, check)


class Marked(catalogue.Catalogue):
    """A language in which every translated text can be told from one that was forgotten."""

    def find(self, text: str, comment: str = "", count: int | None = None) -> str:
        return f"⟦{super().find(text, comment, count)}⟧"


def shown(frame: QWidget) -> Iterator[tuple[QObject, str]]:
    """Every text of ``frame`` that a user sees, hears or finds under the pointer."""
    for widget in [frame, *frame.findChildren(QWidget)]:
        if not widget.isVisible():
            continue
        yield widget, widget.accessibleName()
        yield widget, widget.accessibleDescription()
        yield widget, widget.toolTip()
        if isinstance(widget, QLabel | QAbstractButton):
            yield widget, widget.text()
        if isinstance(widget, QComboBox):
            yield from ((widget, widget.itemText(index)) for index in range(widget.count()))
        if isinstance(widget, QPlainTextEdit):
            yield widget, widget.placeholderText()


def forgotten(frame: QWidget, data: set[str]) -> list[str]:
    found = []
    for _, text in shown(frame):
        rest = re.sub("⟦.*⟧", "", text, flags=re.S)
        for known in sorted(data, key=len, reverse=True):
            rest = rest.replace(known, "")
        if re.search("[A-Za-z]{2,}", rest):
            found.append(text)
    return found


@pytest.mark.parametrize("view", VIEWS)
def test_no_text_is_left_untranslated(drive: Drive, tmp_path: Path, view: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def use(language: str) -> None:
        monkeypatch.setattr(catalogue, "_used", Marked("en"))

    monkeypatch.setattr(i18n, "use", use)

    def check(frame: QWidget) -> None:
        assert forgotten(frame, DATA | {str(tmp_path)}) == []
        dialog = keys_dialog(frame, Theme(LIGHT))
        dialog.show()
        assert forgotten(dialog, {"Close"}) == []
        dialog.close()

    look(drive, tmp_path, view, check)
