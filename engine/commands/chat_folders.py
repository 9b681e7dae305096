"""``gentorrent chats folders`` and ``gentorrent chats move``: folders of the chats that the engine keeps."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Annotated

import typer

from engine.api import schema
from engine.commands.chats_common import Data, Json, find_chat, line, print_json, run
from engine.errors import ConfigurationError, InvalidRequestError, StorageError

if TYPE_CHECKING:
    from engine.commands.control_client import ControlClient

folders = typer.Typer(help="List, make, rename and delete folders of chats.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(metavar="NAME", help="The folder's name, or its id.")]


@folders.command(name="list")
def list_folders(data: Data = None, json_output: Json = False) -> None:
    """List folders by name, with how many chats are in each."""

    async def work(client: ControlClient) -> list[dict[str, object]]:
        found = []
        for folder in await _folders(client):
            page = await client.ask(schema.ListChats(folder=folder.folder, limit=200, watch=False), schema.ChatList)
            count = len(page.chats)
            while page.before:
                request = schema.ListChats(folder=folder.folder, before=page.before, limit=200, watch=False)
                page = await client.ask(request, schema.ChatList)
                count += len(page.chats)
            found.append({"folder": folder.folder, "name": folder.name, "chats": count})
        return found

    found = run(data, work)
    if json_output:
        print_json(found)
        return
    for one in found:
        typer.echo(f"{line(one['name'])}  {one['chats']}")


@folders.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name.")], data: Data = None, json_output: Json = False
) -> None:
    """Make a folder."""

    async def work(client: ControlClient) -> schema.Folder:
        if any(folder.name == name for folder in await _folders(client)):
            raise InvalidRequestError(f"There is a folder {name!r} already.")
        return await _save(client, schema.Folder(secrets.token_hex(10), name))

    made = run(data, work)
    if json_output:
        print_json(made)


@folders.command()
def rename(
    folder: Name, name: Annotated[str, typer.Argument(metavar="NEW", help="Its new name.")], data: Data = None
) -> None:
    """Rename a folder."""

    async def work(client: ControlClient) -> schema.Folder:
        return await _save(client, schema.Folder((await find_folder(client, folder)).folder, name))

    run(data, work)


@folders.command()
def delete(folder: Name, data: Data = None) -> None:
    """Delete a folder. Its chats stay, outside of all folders."""

    async def work(client: ControlClient) -> schema.Accepted:
        request = schema.DeleteFolder(folder=(await find_folder(client, folder)).folder)
        return _kept(await client.ask(request, schema.Accepted))

    run(data, work)


def move(
    chats: Annotated[list[str], typer.Argument(metavar="CHAT...", help="Ids, or their beginnings.")],
    folder: Annotated[str | None, typer.Option("--to", metavar="NAME", help="Into this folder.")] = None,
    out: Annotated[bool, typer.Option("--out", help="Out of the folder that they are in.")] = False,
    data: Data = None,
) -> None:
    """Move chats into a folder, or out of it."""
    if (folder is None) != out:
        raise ConfigurationError("Say where to: --to NAME, or --out.")

    async def work(client: ControlClient) -> None:
        where = "" if folder is None else (await find_folder(client, folder)).folder
        entries = [await find_chat(client, name) for name in chats]
        for entry in entries:
            _kept(await client.ask(schema.UpdateChat(chat=entry.chat, folder=where), schema.Accepted))

    run(data, work)


async def find_folder(client: ControlClient, name: str) -> schema.Folder:
    """The folder of that id, or the only one of that name."""
    known = await _folders(client)
    found = [one for one in known if one.folder == name] or [
        one for one in known if one.name.casefold() == name.casefold()
    ]
    if len(found) == 1:
        return found[0]
    if found:
        raise InvalidRequestError(
            f"There are {len(found)} folders {name!r}. Name one by its id: {', '.join(one.folder for one in found)}."
        )
    names = ", ".join(one.name for one in known) or "none"
    raise InvalidRequestError(f"There is no folder {name!r}. There are: {names}.")


async def _folders(client: ControlClient) -> tuple[schema.Folder, ...]:
    return (await client.ask(schema.ListChats(limit=1, watch=False), schema.ChatList)).folders


async def _save(client: ControlClient, folder: schema.Folder) -> schema.Folder:
    _kept(await client.ask(schema.SaveFolder(folder=folder), schema.Accepted))
    return folder


def _kept(accepted: schema.Accepted) -> schema.Accepted:
    if not accepted.saved:
        raise StorageError(accepted.problem)
    return accepted
