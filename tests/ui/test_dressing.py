"""Another look comes to the window part by part, and shows when all of it is there."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QWidget

from app.appearance import Appearance, dress
from app.models.chat_setup import ChatSetup
from app.models.chats import ChatsModel
from app.models.library import LibraryModel
from app.models.status import StatusModel
from app.models.transcript import ChatTranscript
from app.theme import DARK, LIGHT, Theme
from app.views import markdown_recolour
from app.views.icons import icon
from app.views.keys_dialog import keys_dialog
from app.views.main_window import MainWindow
from tests.support.transcripts import filled, turn


@pytest.fixture
def appearance(qapp: QApplication) -> Iterator[Appearance]:
    dress(qapp)
    made = Appearance(qapp, "light")
    yield made
    made.choose("light")


@pytest.fixture
def window(appearance: Appearance) -> Iterator[MainWindow]:
    chat = ChatTranscript(taken)
    theme = appearance.theme
    made = MainWindow(theme, chat, ChatsModel(taken), ChatSetup(chat, taken), LibraryModel(taken), StatusModel(taken))
    made.resize(1100, 800)
    filled(chat, 20)
    made.show()
    settle(made)
    yield made
    made.close()
    made.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def taken(request: object) -> bool:
    return True


def settle(window: MainWindow) -> None:
    for _ in range(2000):
        QTest.qWait(1)
        if not window.dressing.busy and not window.transcript.busy:
            return
    raise AssertionError("the window never comes to rest")


def dark(part: QWidget, theme: Theme = DARK) -> bool:
    return theme.sunken in part.styleSheet()


def shows(window: QWidget, theme: Theme) -> bool:
    """Whether a ground of this look shows, on more than single points of icons."""
    picture = window.grab().toImage()
    grounds = {theme.ground, theme.raised, theme.sunken}
    places = [(x, y) for x in range(4, picture.width(), 40) for y in range(4, picture.height(), 40)]
    return sum(picture.pixelColor(x, y).name() in grounds for x, y in places) > len(places) / 100


def test_what_the_new_colours_take_and_style_sheets_have_turns_of_their_own(
    appearance: Appearance, window: MainWindow
) -> None:
    appearance.choose("dark")
    QApplication.processEvents()
    assert not any(dark(part) for part in (window.navigation, window.transcript, window.status_bar))
    settle(window)
    assert dark(window.transcript)


def test_an_icon_of_the_theme_is_drawn_at_no_size_that_nobody_sees(qapp: QApplication) -> None:
    sizes = sorted(size.width() for size in icon("copy", DARK.quiet, size=18).availableSizes())
    assert sizes == [18, 36]


def test_all_that_shows_changes_in_pieces_and_at_once(appearance: Appearance, window: MainWindow) -> None:
    held = []
    begin = time.thread_time()
    appearance.choose("dark")
    held.append(time.thread_time() - begin)
    assert not window.updatesEnabled()
    while window.dressing.busy:
        assert not window.updatesEnabled()
        begin = time.thread_time()
        QApplication.processEvents()
        held.append(time.thread_time() - begin)
    assert len(held) > 2
    assert max(held) < 0.05
    for part in (window.navigation, window.transcript, window.header, window.chat_page.chats, window.status_bar):
        assert dark(part)
    assert not dark(window.chat_page.setup)  # which does not show
    settle(window)
    assert window.updatesEnabled()
    assert not shows(window, LIGHT)


def test_the_window_stands_still_until_the_text_that_shows_has_its_colours(
    appearance: Appearance, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = window.transcript._transcript
    chat.turns.append(turn("And?", "```python\n" + "x = 1\n" * 300 + "```\n"))
    chat.cleared.emit()
    settle(window)
    monkeypatch.setattr(window.transcript._time, "_seconds", 0.0005)
    monkeypatch.setattr(markdown_recolour, "TOGETHER", 1)
    appearance.choose("dark")
    turns = 0
    while window.dressing.busy:
        assert not window.updatesEnabled()
        turns += window.transcript.old_look
        QApplication.processEvents()
    assert window.updatesEnabled()
    assert not window.transcript.old_look
    assert turns > 0
    settle(window)


def test_what_is_hidden_changes_when_it_is_shown(appearance: Appearance, window: MainWindow) -> None:
    window.open_page("settings")
    appearance.choose("dark")
    settle(window)
    assert dark(window.page_widget("settings"))
    assert not dark(window.transcript)
    window.open_page("chat")
    assert dark(window.transcript)
    window.chat_page.toggle_setup()
    assert dark(window.chat_page.setup)
    settle(window)
    assert not shows(window, LIGHT)


def test_what_is_typed_on_a_page_that_does_not_show_stays(appearance: Appearance, window: MainWindow) -> None:
    window.open_page("network")
    page = window.page_widget("network")
    entry = page.findChildren(QLineEdit)[0]
    entry.setText("typed")
    window.open_page("chat")
    appearance.choose("dark")
    settle(window)
    window.open_page("network")
    settle(window)
    assert window.page_widget("network") is page
    assert entry.text() == "typed"
    assert dark(page)
    assert not shows(window, LIGHT)


def test_a_look_that_changes_back_meanwhile_is_the_last(appearance: Appearance, window: MainWindow) -> None:
    appearance.choose("dark")
    QApplication.processEvents()
    appearance.choose("light")
    settle(window)
    assert not shows(window, DARK)
    window.chat_page.toggle_setup()
    assert dark(window.chat_page.setup, LIGHT)


def test_a_hidden_window_has_the_new_look_when_it_comes_back(appearance: Appearance, window: MainWindow) -> None:
    window.hide()
    appearance.choose("dark")
    settle(window)
    window.show()
    settle(window)
    assert not shows(window, LIGHT)


def test_dialogs_of_the_window_change_with_it(appearance: Appearance, window: MainWindow) -> None:
    dialog = keys_dialog(window.dialog_owner, appearance.theme)
    dialog.open()
    QTest.qWait(1)
    assert shows(dialog, LIGHT)
    appearance.choose("dark")
    settle(window)
    assert shows(dialog, DARK)
    assert not shows(dialog, LIGHT)
    labels = dialog.findChildren(QLabel)
    assert {label.palette().windowText().color().name() for label in labels} == {DARK.text}
    assert all(label.height() >= label.heightForWidth(label.width()) for label in labels)
    dialog.reject()
