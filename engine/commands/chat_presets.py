"""``gentorrent chats presets`` and ``chats set``: how chats are asked, for scripts and terminals."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from engine.api import schema
from engine.commands.terminal import harmless
from engine.errors import ConfigurationError, InvalidRequestError, StorageError
from engine.refused_values import why_refused

if TYPE_CHECKING:
    from engine.commands.control_client import ControlClient

commands = typer.Typer(help="List, save and delete presets: named ways to ask.", no_args_is_help=True)
Data = Annotated[Path | None, typer.Option(metavar="DIR", help="Data directory of the engine to use. GENTORRENT_DATA.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON, and nothing else on standard output.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Of the preset; capitals do not matter.")]


@commands.callback()
def _presets() -> None:
    """Presets hold a system prompt and parameters, to be copied into chats. Needs a running engine."""


@commands.command(name="list")
def list_presets(data: Data = None, json_output: Json = False) -> None:
    """List presets with what they say. New chats begin with the one that is marked as default."""
    presets = _run(data, _all)
    if json_output:
        typer.echo(json.dumps(msgspec.to_builtins(presets), ensure_ascii=False))
        return
    for one in presets:
        mark = "  [default]" if one.preset == schema.DEFAULT_PRESET else ""
        typer.echo(f"{harmless(one.name)}{mark}")
        for line in _lines(one):
            typer.echo(f"    {line}")


@commands.command()
def save(
    name: Name,
    system: Annotated[str, typer.Option(metavar="TEXT", help="System prompt.")] = "",
    system_file: Annotated[Path | None, typer.Option(metavar="FILE", help="Read the system prompt from here.")] = None,
    temperature: Annotated[float | None, typer.Option(min=0, max=10, help="0: always the likeliest token.")] = None,
    top_p: Annotated[float | None, typer.Option(min=0, max=1, help="Least share of the likeliest tokens.")] = None,
    top_k: Annotated[int | None, typer.Option(min=0, max=1_000_000, help="So many likeliest tokens; 0: all.")] = None,
    min_p: Annotated[float | None, typer.Option(min=0, max=1, help="Least share of the likeliest's chance.")] = None,
    repetition_penalty: Annotated[float | None, typer.Option(min=0.01, max=100, help="1: none.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, max=(1 << 53) - 1, help="The same answer again.")] = None,
    max_tokens: Annotated[int | None, typer.Option(min=1, max=1_000_000, help="Longest answer.")] = None,
    stop: Annotated[list[str] | None, typer.Option(metavar="TEXT", help="Ends an answer; several times.")] = None,
    default: Annotated[bool, typer.Option("--default", help="New chats begin with it.")] = False,
    data: Data = None,
) -> None:
    """Save a preset; one of the same name is replaced. What is left out is as suits the model."""
    if system_file is not None:
        try:
            system = system_file.read_text("utf-8")
        except (OSError, UnicodeError) as error:
            raise ConfigurationError(f"The system prompt cannot be read from {system_file} ({error}).") from error
    given = {
        "temperature": temperature,
        "top_p": top_p,
        "top_k": top_k,
        "min_p": min_p,
        "repetition_penalty": repetition_penalty,
        "seed": seed,
    }
    sampling = {key: value for key, value in given.items() if value is not None}

    async def work(client: ControlClient) -> schema.Accepted:
        there = next((one for one in await _all(client) if one.name.casefold() == name.casefold()), None)
        wanted = {
            "preset": schema.DEFAULT_PRESET if default else there.preset if there else uuid.uuid4().hex,
            "name": name,
            "system": system,
            "sampling": sampling or None,
            "max_tokens": max_tokens,
            "stop": stop or [],
        }
        try:
            preset = msgspec.convert(wanted, schema.Preset)
        except msgspec.ValidationError as error:
            raise InvalidRequestError(why_refused(error, schema.Preset, wanted)) from error
        if there is not None and there.preset != preset.preset:
            await client.ask(schema.DeletePreset(preset=there.preset), schema.Accepted)
        return await client.ask(schema.SavePreset(preset=preset), schema.Accepted)

    _saved(_run(data, work))


@commands.command()
def rename(
    name: Name, to: Annotated[str, typer.Argument(metavar="NEW", help="Its new name.")], data: Data = None
) -> None:
    """Give a preset another name."""

    async def work(client: ControlClient) -> schema.Accepted:
        preset = msgspec.structs.replace(await find(client, name), name=to)
        return await client.ask(schema.SavePreset(preset=preset), schema.Accepted)

    _saved(_run(data, work))


@commands.command()
def delete(name: Name, data: Data = None) -> None:
    """Delete a preset. Chats that were set up by it stay as they are."""

    async def work(client: ControlClient) -> schema.Accepted:
        return await client.ask(schema.DeletePreset(preset=(await find(client, name)).preset), schema.Accepted)

    _saved(_run(data, work))


async def find(client: ControlClient, name: str) -> schema.Preset:
    """The preset of that name or id."""
    presets = await _all(client)
    for one in presets:
        if name in (one.preset, one.name) or one.name.casefold() == name.casefold():
            return one
    names = ", ".join(one.name for one in presets) or "none"
    raise InvalidRequestError(f"There is no preset {name!r}. There are: {names}.")


async def set_up(
    client: ControlClient, chat: str, preset: str | None, overflow: str | None, local_only: bool | None
) -> schema.ChatSettings:
    """Change how a chat is asked; its settings then."""
    opened = await client.ask(schema.OpenChat(chat=chat, limit=1), schema.ChatOpened)
    changes: dict[str, Any] = {}
    if overflow is not None:
        changes["overflow"] = OVERFLOWS[overflow]
    if local_only is not None:
        changes["local_only"] = local_only
    settings = msgspec.structs.replace(opened.settings, **changes)
    request = schema.UpdateChat(chat=chat, settings=settings)
    if preset is not None:
        request = msgspec.structs.replace(request, preset=(await find(client, preset)).preset)
    await client.ask(request, schema.Accepted)
    return (await client.ask(schema.OpenChat(chat=chat, limit=1), schema.ChatOpened)).settings


OVERFLOWS: dict[str, schema.Overflow] = {"ask": "refuse", "drop-oldest": "drop_oldest", "keep-ends": "keep_ends"}
"""What ``--overflow`` takes."""


async def _all(client: ControlClient) -> tuple[schema.Preset, ...]:
    return (await client.ask(schema.ListChats(limit=1, watch=False), schema.ChatList)).presets


def _lines(preset: schema.Preset) -> list[str]:
    """What a preset says, for a terminal."""
    lines = [f"system: {' '.join(harmless(preset.system).split())}"] if preset.system else []
    if preset.sampling is not None:
        chosen = {
            key: value
            for key, value in msgspec.structs.asdict(preset.sampling).items()
            if value != getattr(schema.SamplingChoice(), key) or key == "temperature"
        }
        lines.append(", ".join(f"{key} {value}" for key, value in chosen.items()))
    if preset.max_tokens is not None:
        lines.append(f"at most {preset.max_tokens} tokens")
    if preset.stop:
        lines.append(f"ends at {', '.join(map(repr, preset.stop))}")
    return lines


def _saved(accepted: schema.Accepted) -> None:
    if not accepted.saved:
        raise StorageError(accepted.problem)


def _run(data: Path | None, work: Any) -> Any:
    from engine.commands.control_client import with_engine  # loads aiohttp

    return with_engine(data, work)
