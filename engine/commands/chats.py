"""``gentorrent chats``: the chats that the engine keeps, for scripts and terminals."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from engine.api import schema
from engine.commands import chat_folders, chat_presets
from engine.commands.chats_common import ChatName, Data, Json, entries_of, find_chat, line, print_json, run
from engine.commands.terminal import harmless
from engine.errors import ConfigurationError, GenTorrentError, StorageError

if TYPE_CHECKING:
    from engine.commands.control_client import ControlClient

commands = typer.Typer(help="List, search, show, export, move and delete chats on this machine.", no_args_is_help=True)
commands.add_typer(chat_folders.folders, name="folders")
commands.command(name="move")(chat_folders.move)
commands.add_typer(chat_presets.commands, name="presets")
_MARK, _UNMARK = "\x1b[1m", "\x1b[0m"


@commands.callback()
def _chats() -> None:
    """List, search, show, export, move and delete chats on this machine. Needs a running engine."""


@commands.command(name="list")
def list_chats(
    folder: Annotated[str | None, typer.Option(metavar="NAME", help="Only chats of this folder.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, metavar="N", help="Most chats to list.")] = 50,
    data: Data = None,
    json_output: Json = False,
) -> None:
    """List chats, the newest first: id, when something happened last, title."""

    async def work(client: ControlClient) -> list[schema.ChatEntry]:
        chosen = None if folder is None else (await chat_folders.find_folder(client, folder)).folder
        return await entries_of(client, limit, chosen)

    entries = run(data, work)
    if json_output:
        print_json(entries)
        return
    for entry in entries:
        marks = "".join(
            mark
            for mark, shown in ((" [temporary]", entry.temporary), (" [being answered]", bool(entry.answering)))
            if shown
        )
        typer.echo(f"{entry.chat:20}  {_when(entry.updated)}  {line(entry.title) or 'New chat'}{marks}")


@commands.command()
def search(
    query: Annotated[str, typer.Argument(metavar="WORDS", help='Words that must all be there; "in quotes": together.')],
    limit: Annotated[int, typer.Option(min=1, max=50, metavar="N", help="Most results.")] = 20,
    data: Data = None,
    json_output: Json = False,
) -> None:
    """Search titles and texts. The ends of words may be left out; capitals and accents do not matter."""

    async def work(client: ControlClient) -> schema.ChatsFound:
        return await client.ask(schema.SearchChats(query=query, limit=limit), schema.ChatsFound)

    hits = run(data, work).hits
    if json_output:
        print_json(hits)
        return
    for hit in hits:
        where = {"user": "question", "assistant": "answer"}.get(hit.role, "title")
        typer.echo(f"{hit.chat.chat:20}  {where:8}  {line(hit.chat.title)}")
        typer.echo(f"    {_marked(hit)}")


@commands.command()
def show(chat: ChatName, data: Data = None, json_output: Json = False) -> None:
    """Print a chat: the branch that is shown, oldest message first."""

    async def work(client: ControlClient) -> tuple[schema.ChatEntry, list[schema.StoredMessage]]:
        entry = await find_chat(client, chat)
        return entry, await _messages(client, entry.chat)

    entry, messages = run(data, work)
    if json_output:
        print_json({"chat": entry, "messages": messages})
        return
    typer.echo(f"{line(entry.title) or 'New chat'}\n")
    for message in messages:
        who = "You" if message.role == "user" else message.model
        typer.echo(f"--- {harmless(who)}, {_when(message.created)}")
        for file in message.attachments:
            typer.echo(f"[{line(file.name)}, {file.characters} characters]")
        typer.echo(harmless(message.text))
        if message.problem is not None:
            typer.echo(f"({harmless(message.problem.text)})")
        typer.echo("")


@commands.command()
def export(
    chat: ChatName,
    form: Annotated[
        str,
        typer.Option("--format", metavar="FORMAT", help="markdown: the branch that is shown; json: everything."),
    ] = "markdown",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to this file, not to standard output.")
    ] = None,
    data: Data = None,
) -> None:
    """Export a chat as Markdown, or as JSON with all branches, details and receipts."""
    if form not in ("markdown", "json"):
        raise ConfigurationError(f"--format is {form!r}. It is markdown or json.")

    async def work(client: ControlClient) -> str:
        entry = await find_chat(client, chat)
        request = schema.ExportChat(chat=entry.chat, format="json" if form == "json" else "markdown")
        pieces = []
        async for piece in client.replies(request, schema.ExportPiece):
            pieces.append(piece.text)
            if piece.last:
                break
        return "".join(pieces)

    text = run(data, work)
    if output is None:
        sys.stdout.write(harmless(text) if sys.stdout.isatty() else text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StorageError(f"The chat cannot be written to {output} ({error.strerror}). Name another file.") from error


@commands.command(name="set")
def set_up(
    chat: ChatName,
    preset: Annotated[str | None, typer.Option(metavar="NAME", help="Copy what this preset says.")] = None,
    overflow: Annotated[
        str | None,
        typer.Option(metavar="WAY", help="Where the context is full: ask, drop-oldest, or keep-ends (first and last)."),
    ] = None,
    local_only: Annotated[
        bool | None, typer.Option("--local-only/--anywhere", help="Never ask another machine, or allow it again.")
    ] = None,
    data: Data = None,
    json_output: Json = False,
) -> None:
    """Say how a chat is asked from now on; what is left out stays."""
    if overflow is not None and overflow not in chat_presets.OVERFLOWS:
        ways = ", ".join(chat_presets.OVERFLOWS)
        raise typer.BadParameter(f"{overflow!r} is none of: {ways}.", param_hint="--overflow")

    async def work(client: ControlClient) -> schema.ChatSettings:
        entry = await find_chat(client, chat)
        return await chat_presets.set_up(client, entry.chat, preset, overflow, local_only)

    settings = run(data, work)
    if json_output:
        print_json(settings)


@commands.command()
def delete(
    chats: Annotated[list[str] | None, typer.Argument(metavar="CHAT...", help="Ids, or their beginnings.")] = None,
    everything: Annotated[
        bool, typer.Option("--everything", help="All chats, drafts, receipts, folders and presets, without undo.")
    ] = False,
    keys: Annotated[
        bool,
        typer.Option(
            "--keys", help="With --everything: this machine's keys and memory of its networks, too; the engine ends."
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    data: Data = None,
    json_output: Json = False,
) -> None:
    """Delete chats. The engine removes them for good after five minutes, or at its next start."""
    if bool(chats) == everything:
        raise ConfigurationError("Name the chats to delete, or --everything.")
    if keys and not everything:
        raise ConfigurationError("--keys belongs to --everything.")

    async def find(client: ControlClient) -> list[schema.ChatEntry]:
        return [await find_chat(client, name) for name in chats or ()]

    entries = run(data, find)
    what = (
        f"everything that is kept of chats{' and the keys of this machine' if keys else ''}"
        if everything
        else ", ".join(line(one.title) or one.chat for one in entries)
    )
    if not yes:
        if not sys.stdin.isatty():
            raise ConfigurationError("Nothing was deleted: add --yes where nobody can be asked.")
        if not typer.confirm(f"Delete {what}?", err=True):
            raise typer.Exit(1)

    async def work(client: ControlClient) -> schema.Accepted:
        if everything:
            return await client.ask(schema.DeleteEverything(confirm="delete all my data", keys=keys), schema.Accepted)
        return await client.ask(schema.DeleteChats(chats=tuple(one.chat for one in entries)), schema.Accepted)

    accepted = run(data, work)
    if json_output:
        print_json({"deleted": [one.chat for one in entries], "everything": everything, "saved": accepted.saved})
    if not accepted.saved:
        raise StorageError(accepted.problem)


async def _messages(client: ControlClient, chat: str) -> list[schema.StoredMessage]:
    """The whole branch, with whole texts."""
    messages: list[schema.StoredMessage] = []
    before = ""
    while True:
        page = await client.ask(schema.GetMessages(chat=chat, before=before, limit=200), schema.MessagePage)
        messages[:0] = [await _whole(client, chat, message) for message in page.messages]
        if not page.earlier:
            return messages
        before = page.messages[0].message


async def _whole(client: ControlClient, chat: str, message: schema.StoredMessage) -> schema.StoredMessage:
    text = message.text
    while len(text) < message.characters:
        request = schema.GetText(chat=chat, message=message.message, at=len(text))
        piece = await client.ask(request, schema.TextPiece)
        if not piece.text:
            raise GenTorrentError("The chat was changed meanwhile. Try again.")
        text += piece.text
    return msgspec.structs.replace(message, text=text)


def _when(seconds: float) -> str:
    """In the time of this machine."""
    try:
        return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError, OSError):
        return "????-??-?? ??:??"


def _marked(hit: schema.ChatHit) -> str:
    """The snippet in one line; on a terminal with the words that were found in bold."""
    begin_mark, end_mark = (_MARK, _UNMARK) if sys.stdout.isatty() else ("", "")
    pieces, end = [], 0
    for begin, stop in hit.marks:
        pieces += [harmless(hit.snippet[end:begin]), begin_mark, harmless(hit.snippet[begin:stop]), end_mark]
        end = stop
    return " ".join("".join([*pieces, harmless(hit.snippet[end:])]).split())
