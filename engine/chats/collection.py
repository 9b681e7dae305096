"""Requests about the chats as a whole: the list, search, folders, presets, deletion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET

from engine.api.schema import (
    DEFAULT_PRESET,
    Accepted,
    ChatHit,
    ChatList,
    ChatSettings,
    ChatsFound,
    CreateChat,
    DeleteChats,
    DeleteFolder,
    DeletePreset,
    Folder,
    FoldersChanged,
    ListChats,
    Preset,
    PresetsChanged,
    RestoreChats,
    SaveFolder,
    SavePreset,
    SearchChats,
)
from engine.chats.database import Database, Hit
from engine.chats.live import LiveChat
from engine.chats.rows import ChatRow, FolderRow, PresetRow
from engine.chats.words import clean, marked, match_expression, one_line
from engine.errors import ChatNotFoundError, InvalidRequestError
from engine.sentences import say

if TYPE_CHECKING:
    from engine.chats.history import ChatHistory

MAX_FOLDERS = 200
MAX_PRESETS = 100
MAX_PRESET_TEXT = 300_000
"""Characters of the system prompts of all presets: they are told together."""


async def listed(history: ChatHistory, request: ListChats) -> ChatList:
    """A page of the list; the first one has folders, presets and temporary chats, too."""
    folders = await history.disk.folders()
    known = {folder.id for folder in folders}
    rows = await history.disk.chats(request.folder, request.before, request.limit + 1)
    more = len(rows) > request.limit
    entries = [history.entry(row) for row in rows[: request.limit]]
    entries = [entry if entry.folder in known else msgspec.structs.replace(entry, folder="") for entry in entries]
    if not request.before and request.folder in (None, ""):
        entries += [live.entry() for live in history.temporaries()]
        entries.sort(key=lambda entry: -entry.activity)
    return ChatList(
        ref=request.ref,
        chats=tuple(entries),
        before=rows[request.limit - 1].activity if more else 0,
        folders=tuple(Folder(folder.id, folder.name) for folder in folders),
        presets=tuple(row.preset for row in await history.disk.presets()),
    )


async def found(history: ChatHistory, request: SearchChats) -> ChatsFound:
    """Titles, then messages, in one ranking that goes on over pages; or the messages of one chat in their order."""
    expression = match_expression(request.query)
    if not expression:
        return ChatsFound(ref=request.ref, hits=())
    wanted = request.limit + 1
    if request.chat:
        hits = await history.disk.ask(Database.find_texts, expression, wanted, request.offset, request.chat)
    else:
        hits = await _found_anywhere(history, expression, wanted, request.offset)
    shown = tuple(_hit(history, hit) for hit in hits[: request.limit])
    return ChatsFound(ref=request.ref, hits=shown, more=len(hits) > request.limit)


async def _found_anywhere(history: ChatHistory, expression: str, wanted: int, offset: int) -> list[Hit]:
    hits = await history.disk.ask(Database.find_titles, expression, wanted, offset)
    if len(hits) < wanted:
        titles = offset + len(hits) if hits else await _all_titles(history, expression, offset)
        after = max(0, offset - titles)
        hits += await history.disk.ask(Database.find_texts, expression, wanted - len(hits), after)
    return hits


async def _all_titles(history: ChatHistory, expression: str, most: int) -> int:
    return len(await history.disk.ask(Database.find_titles, expression, most, 0)) if most else 0


def _hit(history: ChatHistory, hit: Hit) -> ChatHit:
    snippet, marks = marked(hit.snippet)
    return ChatHit(
        chat=history.entry(hit.chat),
        message=hit.message,
        role=hit.role,
        created=hit.created,
        snippet=snippet,
        marks=marks,
    )


async def create(history: ChatHistory, request: CreateChat) -> Accepted:
    """A new chat; one that exists already stays as it is."""
    name = request.chat or history.new_id()
    try:
        async with history.use(name) as live:
            return Accepted(ref=request.ref, request="create_chat", chat=live.id)
    except ChatNotFoundError:
        pass
    store = history.memory if request.temporary else history.disk
    if await history.disk.chat(name) is not None or history.live(name) is not None:
        raise InvalidRequestError(say("chat.id_deleted", chat=name), "chat")
    if request.temporary:
        history.check_temporary_room()
    store.check_room()
    settings = request.settings
    if settings is UNSET:
        default = await preset(history, DEFAULT_PRESET)
        settings = with_preset(ChatSettings(), default) if default is not None else ChatSettings()
    settings = kept_settings(settings)
    now = history.clock.wall()
    row = ChatRow(
        id=name,
        title=one_line(request.title),
        folder=request.folder,
        created=now,
        updated=now,
        activity=history.next_activity(),
        settings=settings,
    )
    live = history.add_live(row, request.temporary)
    saved = await store.save(row)
    history.changed(live)
    return Accepted(ref=request.ref, request="create_chat", chat=name, saved=saved, problem=store.problem)


async def delete(history: ChatHistory, request: DeleteChats) -> Accepted:
    """Chats out of the list; temporary ones for good. Unknown ones are gone already."""
    gone = []
    for name in dict.fromkeys(request.chats):
        try:
            live = await _deleted(history, name)
        except ChatNotFoundError:
            continue
        if live.temporary:
            await history.forget(live)
        else:
            gone.append(name)
    history.deleted(gone)
    history.removed(request.chats)
    return Accepted(
        ref=request.ref, request="delete_chats", saved=not history.disk.problem, problem=history.disk.problem
    )


async def _deleted(history: ChatHistory, name: str) -> LiveChat:
    """A chat, marked as deleted. An answer under way is stopped and kept as it is, also one that another client asks
    for in that very moment."""
    while True:
        async with history.use(name) as live:
            if live.running is None:
                live.row = msgspec.structs.replace(live.row, deleted=True)
                live.listeners.clear()
                if not live.temporary:
                    await live.store.save(live.row)
                return live
        await history.stop(live)


async def restore(history: ChatHistory, request: RestoreChats) -> Accepted:
    """Undo; all of them or, when one is gone for good, none."""
    rows = [await history.disk.chat(name) for name in dict.fromkeys(request.chats)]
    there = [row for row in rows if row is not None and row.id not in history.purging]
    if len(there) < len(rows):
        raise ChatNotFoundError(say("chat.too_late"))
    restored = [msgspec.structs.replace(row, deleted=False) for row in there]
    history.restored([row.id for row in restored])
    saved = await history.disk.save(*restored)
    for row in restored:
        live = history.live(row.id)
        if live is not None:
            live.row = msgspec.structs.replace(live.row, deleted=False)
        async with history.use(row.id) as live:
            history.changed(live)
    return Accepted(ref=request.ref, request="restore_chats", saved=saved, problem=history.disk.problem)


async def change_folder(history: ChatHistory, request: SaveFolder | DeleteFolder) -> Accepted:
    """Make, rename or delete a folder."""
    folders = {row.id: row for row in await history.disk.folders()}
    if isinstance(request, DeleteFolder):
        saved = await history.disk.save(gone=[(FolderRow, request.folder)])
        name = "delete_folder"
    else:
        if not one_line(request.folder.name):
            raise InvalidRequestError(say("folder.nameless"), "folder")
        if request.folder.folder not in folders and len(folders) >= MAX_FOLDERS:
            raise InvalidRequestError(say("folder.most", most=MAX_FOLDERS))
        saved = await history.disk.save(FolderRow(id=request.folder.folder, name=one_line(request.folder.name)))
        name = "save_folder"
    rows = await history.disk.folders()
    history.tell_watchers(FoldersChanged(folders=tuple(Folder(row.id, row.name) for row in rows)))
    return Accepted(ref=request.ref, request=name, saved=saved, problem=history.disk.problem)


async def change_preset(history: ChatHistory, request: SavePreset | DeletePreset) -> Accepted:
    """Make, change or delete a preset."""
    presets = {row.id: row for row in await history.disk.presets()}
    if isinstance(request, DeletePreset):
        saved = await history.disk.save(gone=[(PresetRow, request.preset)])
        name = "delete_preset"
    else:
        wanted = _checked_preset(request.preset, [row.preset for row in presets.values()])
        saved = await history.disk.save(PresetRow(id=wanted.preset, preset=wanted))
        name = "save_preset"
    rows = await history.disk.presets()
    history.tell_watchers(PresetsChanged(presets=tuple(row.preset for row in rows)))
    return Accepted(ref=request.ref, request=name, saved=saved, problem=history.disk.problem)


def _checked_preset(wanted: Preset, there: Sequence[Preset]) -> Preset:
    """A preset as it is kept; :class:`InvalidRequestError` says what is wrong with it."""
    others = [one for one in there if one.preset != wanted.preset]
    name = one_line(wanted.name)
    if not name:
        raise InvalidRequestError(say("preset.nameless"), "preset.name")
    if any(one.name.casefold() == name.casefold() for one in others):
        raise InvalidRequestError(say("preset.taken", name=name), "preset.name")
    if len(others) >= MAX_PRESETS:
        raise InvalidRequestError(say("preset.most", most=MAX_PRESETS))
    if sum(len(one.system) for one in others) + len(wanted.system) > MAX_PRESET_TEXT:
        raise InvalidRequestError(say("preset.text_most", most=MAX_PRESET_TEXT))
    return msgspec.structs.replace(wanted, name=name, system=clean(wanted.system))


def kept_settings(settings: ChatSettings) -> ChatSettings:
    """Settings without what neither a database nor JSON can hold."""
    return msgspec.structs.replace(settings, system=clean(settings.system), stop=tuple(map(clean, settings.stop)))


async def preset(history: ChatHistory, name: str) -> Preset | None:
    """The preset of that id."""
    return next((row.preset for row in await history.disk.presets() if row.id == name), None)


def with_preset(settings: ChatSettings, found: Preset) -> ChatSettings:
    """``settings`` with what a preset says copied into them."""
    return msgspec.structs.replace(
        settings,
        system=found.system,
        sampling=found.sampling,
        max_tokens=found.max_tokens,
        stop=found.stop,
        preset=found.preset,
    )
