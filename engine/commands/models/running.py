"""``gentorrent models catalogue``, ``start``, ``pause``, ``discard``: the running engine does it, as for its window. So
it does, where one runs, for ``import`` and ``remove``."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from engine.api import schema
from engine.commands.chats_common import Data, Json, line, print_json, run
from engine.errors import InvalidRequestError, LicenceNeededError, ModelInUseError

if TYPE_CHECKING:
    from engine.commands.control_client import ControlClient
    from engine.library.progress import Meter

_UNDER_WAY = ("waiting", "downloading", "paused")
_BEGUN = (*_UNDER_WAY, "failed")
_OfDownload = schema.DownloadModel | schema.StopDownload | schema.DiscardDownload
Name = Annotated[str, typer.Argument(metavar="NAME", help="A model as `gentorrent models catalogue` calls it.")]


def catalogue(data: Data = None, json_output: Json = False) -> None:
    """Every model that the running engine knows: those here, on their way, and those that would fit best."""

    async def ask(client: ControlClient) -> schema.Catalogue:
        return await client.ask(schema.GetCatalogue(), schema.Catalogue)

    found: schema.Catalogue = run(data, ask)
    if json_output:
        print_json(found)
        return
    from engine.library.sizes import gigabytes

    for one in found.models:
        use = f", {one.use}" if one.use else ""
        share = f" {100 * one.done // one.size} %" if one.done and one.size else ""
        verdict = one.fit.verdict.replace("_", " ")
        size = gigabytes(one.size) if one.size else "?"
        typer.echo(f"{line(one.model):44} {one.state + share + use:24} {size:>9}  {verdict}")
        if one.text:
            typer.echo(f"    {line(one.text)}")
    limit = f" of {gigabytes(found.room.limit)} that the rules allow" if found.room.limit else ""
    typer.echo(f"Models take {gigabytes(found.room.used)}{limit}; {gigabytes(found.room.left)} are left for more.")


def start(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Accept the licence, which is needed once.")] = False,
    data: Data = None,
    json_output: Json = False,
) -> None:
    """Have the running engine download a model, or go on with it, behind those that were wanted before."""
    try:
        _done(schema.DownloadModel(model=name), data, json_output)
    except LicenceNeededError as needed:
        terms = _accepted(name, str(needed), data, yes=yes)
        _done(schema.DownloadModel(model=name, terms=terms), data, json_output)


def pause(name: Name, data: Data = None, json_output: Json = False) -> None:
    """Pause a download of the running engine; what has arrived is kept."""
    _done(schema.StopDownload(model=name), data, json_output, of=_UNDER_WAY)


def discard(name: Name, data: Data = None, json_output: Json = False) -> None:
    """End a download of the running engine and delete what has arrived."""
    _done(schema.DiscardDownload(model=name), data, json_output, of=_BEGUN)


def removed_by_engine(request: schema.RemoveModel, data: Data, *, ask_first: bool) -> int | None:
    """The bytes that became free, or None where no engine is running. One that contributes the model is asked to end
    that with ``stop``, or with ``ask_first`` where somebody at a terminal says so."""
    from engine.commands.api_client import EngineUnreachableError
    from engine.commands.control_client import refused

    async def ask(client: ControlClient) -> schema.ModelRemoved:
        async for event in client.events(request):  # answers may be finished first
            match event:
                case schema.ModelRemoved(ref="ask"):
                    return event
                case schema.RequestFailed(ref="ask"):
                    raise refused(event)
        raise AssertionError("events() ends with an error alone")

    try:
        reply: schema.ModelRemoved = run(data, ask)
    except EngineUnreachableError:
        return None
    except ModelInUseError as error:
        if not ask_first or not sys.stdin.isatty():
            raise ModelInUseError(f"{error} With --stop that is done first.", "model_contributed") from error
        if not typer.confirm(f"This machine answers others with {request.model}. Stop that and delete it?", err=True):
            raise typer.Exit(1) from None
        return removed_by_engine(msgspec.structs.replace(request, stop=True), data, ask_first=False)
    return reply.freed


def imported_by_engine(request: schema.ImportModel, data: Data, meter: Meter) -> bool:
    """Whether a running engine has imported a folder, which its window shows meanwhile. False where none runs, or it
    goes away over it: what it began is locked by nobody then. Who breaks the command off stops the import."""
    from engine.commands.api_client import EngineUnreachableError

    try:
        run(data, partial(_import, request, meter))
    except EngineUnreachableError:
        return False
    return True


async def _import(request: schema.ImportModel, meter: Meter, client: ControlClient) -> None:
    import asyncio

    from engine.commands.control_client import refused

    try:
        async for event in client.events(request):
            match event:
                case schema.ImportProgress(model=request.name):
                    meter.begin(event.model, event.total, event.done)
                    meter.stage(event.stage)
                case schema.RequestFailed(ref="ask"):
                    raise refused(event)
                case schema.ImportEnded(model=request.name):
                    if event.code:
                        raise refused(event)
                    meter.stage("done")
                    return
    except asyncio.CancelledError:  # Ctrl+C
        await client.send(schema.StopImport(model=request.name), "stop")
        raise


def _accepted(name: str, needed: str, data: Data, *, yes: bool) -> str:
    """The terms that the owner accepts; ``needed``: what the engine says about them."""
    from engine.commands.models import licence

    async def read(client: ControlClient) -> schema.LicenceText:
        return await client.ask(schema.GetLicence(model=name), schema.LicenceText)

    found: schema.LicenceText = run(data, read)
    if not yes:
        typer.echo(line(needed), err=True)
        licence.ask(name, found.licence, found.name, found.text)
    return found.terms


def _done(request: _OfDownload, data: Data, json_output: bool, of: tuple[str, ...] = ()) -> None:
    """``of``: the states of which one has to be that of a model here, else there is nothing to do it to."""

    async def ask(client: ControlClient) -> schema.Accepted:
        if of:
            found = await client.ask(schema.GetCatalogue(), schema.Catalogue)
            wanted = request.model.lower()
            if not any(one.state in of and wanted in (one.model.lower(), one.origin.lower()) for one in found.models):
                raise InvalidRequestError(
                    f"There is no download of {request.model[:100]!r}. Names are in: gentorrent models catalogue."
                )
        return await client.ask(request, schema.Accepted)

    reply = run(data, ask)
    if json_output:
        print_json(reply)
    else:
        typer.echo("Done. See: gentorrent models catalogue")
