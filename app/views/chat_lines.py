"""What stands in the list of chats, line by line, and the items that show it."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QListWidgetItem

from app.i18n import tr
from app.models.chats import ChatsModel, Group, title_of
from app.models.safe_text import visible
from app.theme import Theme
from app.views.chat_row import CHAT, FOLDER, MESSAGE, NAME, WORDS
from app.views.icons import icon
from engine.api import schema

ICON = 12
"""Pixels of the marks before titles."""
_LATIN = "\u0250"
"""Letters before this one come from the font of the list, and all have its height."""


class Line(NamedTuple):
    """A chat, a place that was found in one (``message``, ``snippet`` and ``words``), or a heading: of a folder with so
    many chats, or of a day. ``look``: whatever else decides how it looks, where its look depends on that."""

    name: str
    chat: str = ""
    folder: str = ""
    message: str = ""
    snippet: str = ""
    words: str = ""
    state: str = ""  # "writing", "new", "temporary"; of a folder "folded" or "open"
    current: bool = False
    inside: int = 0
    look: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """The chat, or the folder that it is the heading of; for a day both are empty."""
        return self.chat, "" if self.chat else self.folder

    @property
    def height(self) -> tuple[bool, ...] | None:
        """Lines of the same are of the same height; None: no other is."""
        plain = max(self.name, default="") < _LATIN and max(self.snippet, default="") < _LATIN
        return (bool(self.chat), bool(self.snippet), bool(self.state), self.current) if plain else None


def lines(chats: ChatsModel, look: str) -> list[Line]:
    """What there is to show."""
    if chats.query:
        return [_found(chats, hit, look) for hit in chats.hits]
    found: list[Line] = []
    for group in chats.groups():
        found.append(_heading(group, look))
        if not group.collapsed:
            found += [_chat(chats, chat, look, group.folder) for chat in group.chats]
    return found


def _found(chats: ChatsModel, hit: schema.ChatHit, look: str) -> Line:
    line = _chat(chats, hit.chat, look)
    return line._replace(message=hit.message, snippet=hit.snippet if hit.message else "", words=chats.query)


def _chat(chats: ChatsModel, chat: schema.ChatEntry, look: str, folder: str = "") -> Line:
    known = chats.entry(chat.chat)
    state = ""
    if known is not None and known.answering:
        state = "writing"
    elif chat.chat in chats.unread:
        state = "new"
    elif known is not None and known.temporary:
        state = "temporary"
    current = chat.chat == chats.current
    return Line(title_of(chat), chat.chat, folder, state=state, current=current, look=look if state or current else "")


def _heading(group: Group, look: str) -> Line:
    state = ("folded" if group.collapsed else "open") if group.folder else ""
    return Line(group.name, "", group.folder, state=state, inside=len(group.chats) if group.folder else 0, look=look)


def item_of(line: Line, theme: Theme, font: QFont) -> QListWidgetItem:
    """An item that shows it; ``font`` is that of the list."""
    return _chat_item(line, theme, font) if line.chat else _heading_item(line, theme, font)


def _heading_item(line: Line, theme: Theme, font: QFont) -> QListWidgetItem:
    name = _one_line(line.name)
    item = QListWidgetItem(f"{name} ({line.inside})" if line.folder else name)
    small = QFont(font)
    small.setPointSizeF(theme.caption)
    small.setWeight(QFont.Weight.DemiBold)
    item.setFont(small)
    item.setFlags(Qt.ItemFlag.NoItemFlags)
    if line.folder:
        item.setData(FOLDER, line.folder)
        item.setData(NAME, line.name)
        item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
        folded = line.state == "folded"
        item.setIcon(icon("chevron-right" if folded else "open", theme.quiet, size=ICON))
        state = tr("folded away") if folded else tr("shown")
        words = tr("Folder {name}, %Ln chat(s), {state}", "", line.inside, name=name, state=state)
        item.setData(int(Qt.ItemDataRole.AccessibleTextRole), words)
    return item


def _chat_item(line: Line, theme: Theme, font: QFont) -> QListWidgetItem:
    title, snippet = _one_line(line.name), _one_line(line.snippet)
    item = QListWidgetItem(f"{title}\n{snippet}" if snippet else title)
    for role, value in (
        (CHAT, line.chat),
        (MESSAGE, line.message),
        (FOLDER, line.folder),
        (NAME, title),
        (WORDS, line.words),
    ):
        if value:
            item.setData(role, value)
    state = ""
    if line.state == "writing":
        state = tr("an answer is being written")
        item.setIcon(icon("writing", theme.busy, size=ICON))
    elif line.state == "new":
        state = tr("a new answer")
        item.setIcon(icon("mark", theme.accent, size=ICON))
    elif line.state == "temporary":
        state = tr("temporary")
        item.setIcon(icon("temporary", theme.quiet, size=ICON))
    if line.current:
        strong = QFont(font)
        strong.setWeight(QFont.Weight.DemiBold)
        item.setFont(strong)
    item.setData(int(Qt.ItemDataRole.AccessibleTextRole), ", ".join(filter(None, (title, state, snippet))))
    return item


def _one_line(text: str) -> str:
    return " ".join(visible(text).split())


def differing(made: list[Line], wanted: list[Line]) -> tuple[int, int]:
    """How many lines are the same at the beginning of both, and how many of the others at their end."""
    least = min(len(made), len(wanted))
    begin = next((at for at in range(least) if made[at] != wanted[at]), least)
    end = next((at for at in range(least - begin) if made[-1 - at] != wanted[-1 - at]), least - begin)
    return begin, end


def staying(old: list[Line], new: list[Line]) -> set[Line]:
    """Lines of ``old`` that need not be made for ``new``, as they follow each other there as they do here. A single one
    that moved is at an end of what differs; with it those at the other ends are made anew."""
    both = set(old) & set(new)
    for kept in (both, both - {line for lines in (old, new) for line in (*lines[:1], *lines[-1:])}):
        if [line for line in old if line in kept] == [line for line in new if line in kept]:
            return kept
    return set()
