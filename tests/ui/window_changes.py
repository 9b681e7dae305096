"""Measure what the whole window takes for another look and for another width."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QApplication

from app.appearance import Appearance
from app.models.chat_setup import ChatSetup
from app.models.chats import ChatsModel
from app.models.library import LibraryModel
from app.models.status import StatusModel
from app.models.transcript import ChatTranscript
from app.theme import LIGHT, Theme
from app.views.main_window import MainWindow
from tests.support.transcripts import filled, long_answer, turn

SIZE = (1100, 800)
LONG = 120_000
"""Characters of the long answer."""
Do = Callable[[Callable[[], object], Callable[[], bool]], None]
"""Does it, and lets the loop run while the second says so."""


def another_look(application: QApplication, do: Do, times: int) -> None:
    """Change between light and dark in a chat of 100 messages."""
    appearance = Appearance(application, "light")
    window, chat = _window(appearance.theme)
    filled(chat, 50)
    window.show()
    _settle(application, window)
    for number in range(times):
        do(lambda look=("dark", "light")[number % 2]: appearance.choose(look), lambda: _busy(window))  # type: ignore[misc]
    appearance.choose("light")
    _settle(application, window)
    window.close()
    window.deleteLater()


def another_width(application: QApplication, do: Do, times: int) -> None:
    """Make the window wider and narrower while a long answer shows."""
    window, chat = _window(Theme(LIGHT))
    answer = long_answer()
    chat.turns.append(turn("Everything?", (answer * (LONG // len(answer) + 1))[:LONG]))
    chat.cleared.emit()
    window.show()
    _settle(application, window)
    for number in range(times):
        width = SIZE[0] - 20 * (1 + number % 7)
        do(lambda width=width: window.resize(width, SIZE[1]), lambda: _busy(window))  # type: ignore[misc]
    window.close()
    window.deleteLater()


def _window(theme: Theme) -> tuple[MainWindow, ChatTranscript]:
    chat = ChatTranscript(_taken)
    window = MainWindow(
        theme, chat, ChatsModel(_taken), ChatSetup(chat, _taken), LibraryModel(_taken), StatusModel(_taken)
    )
    window.resize(*SIZE)
    return window, chat


def _taken(request: object) -> bool:
    return True


def _settle(application: QApplication, window: MainWindow) -> None:
    """Until all that shows is laid out."""
    application.processEvents()
    while _busy(window):
        application.processEvents()


def _busy(window: MainWindow) -> bool:
    return window.transcript.busy or window.dressing.busy
