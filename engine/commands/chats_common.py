"""What the commands about kept chats share: options, finding a chat, printing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from engine.api import schema
from engine.commands.terminal import harmless
from engine.errors import InvalidRequestError

if TYPE_CHECKING:
    from engine.commands.control_client import ControlClient

Data = Annotated[Path | None, typer.Option(metavar="DIR", help="Data directory of the engine to use. GENTORRENT_DATA.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON, and nothing else on standard output.")]
ChatName = Annotated[str, typer.Argument(metavar="CHAT", help="Its id, or the beginning of it; see chats list.")]


def run(data: Path | None, work: Any) -> Any:
    """What ``work`` gives with the engine at ``data``."""
    from engine.commands.control_client import with_engine  # loads aiohttp

    return with_engine(data, work)


async def entries_of(client: ControlClient, limit: int, folder: str | None = None) -> list[schema.ChatEntry]:
    """The newest chats, of one folder or of all."""
    entries: list[schema.ChatEntry] = []
    before = 0
    while len(entries) < limit:
        request = schema.ListChats(folder=folder, before=before, limit=min(200, limit - len(entries)), watch=False)
        page = await client.ask(request, schema.ChatList)
        entries += page.chats
        before = page.before
        if not before:
            break
    return entries[:limit]


async def find_chat(client: ControlClient, name: str) -> schema.ChatEntry:
    """The chat of that id, or the only one whose id begins so."""
    entries = await entries_of(client, 100_000)
    found = [one for one in entries if one.chat == name] or [one for one in entries if one.chat.startswith(name)]
    if len(found) != 1:
        why = "Several chats begin with" if found else "There is no chat"
        raise InvalidRequestError(f"{why} {name!r}. List them with: gentorrent chats list.")
    return found[0]


def print_json(value: Any) -> None:
    """On standard output, and nothing else."""
    typer.echo(json.dumps(msgspec.to_builtins(value), ensure_ascii=False))


def line(text: str) -> str:
    """Text of others in one harmless line."""
    return " ".join(harmless(text).split())
