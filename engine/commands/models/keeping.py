"""``gentorrent models import``, ``remove`` and ``verify``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.commands.models import licence
from engine.commands.models.running import imported_by_engine, removed_by_engine
from engine.commands.models.shared import Data, Json, Yes, models_folder, shown_progress, split_variant
from engine.commands.terminal import harmless
from engine.errors import ConfigurationError

if TYPE_CHECKING:
    from engine.library.folders import ModelsFolder


def import_model(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder laid out like a repository of the hub.")],
    as_name: Annotated[
        str | None, typer.Option("--as", metavar="NAME", help="What the model is called here; the folder's name.")
    ] = None,
    variant: Annotated[
        str | None, typer.Option(metavar="NAME", help="Which of several variants to copy; the best one without it.")
    ] = None,
    link: Annotated[
        bool, typer.Option("--link", help="Do not copy: link to the folder, which then has to stay where it is.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Accept the licence and do not ask.")] = False,
    data: Data = None,
    json_output: Json = False,
) -> None:
    """Take a model that lies in a folder already (exported, or downloaded with another program).

    It is read and checked first, and the licence that lies with it is shown and has to be accepted. Then the files of
    one variant are copied, hashed and pinned: by the engine where one runs on this data directory, so that its window
    shows it.
    """
    from engine.api.schema import ImportModel
    from engine.library.keeping import check_importable, import_folder

    models, source = models_folder(data), folder.absolute()
    name, chosen = as_name or source.name, variant or ""
    with shown_progress(json_output) as meter:
        check_importable(source, models, name, meter, chosen)
    _accept(source, name, models, yes)
    with shown_progress(json_output) as meter:
        request = ImportModel(folder=str(source), name=name, variant=chosen, link=link)
        if imported_by_engine(request, data, meter):
            model = models.catalogue().open(name)
        else:
            model = import_folder(source, models, meter, name=name, variant=chosen, link=link)
    if json_output:
        told = {
            "name": model.model_id,
            "variant": model.variant,
            "digest": model.digest.hex(),
            "size": model.size,
            "folder": str(model.path),
            "linked": link,
        }
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        typer.echo(f"{model.model_id} ({model.variant}) is on this machine now.")


def _accept(source: Path, name: str, models: ModelsFolder, yes: bool) -> None:
    """The text of the licence, where one lies in the folder, and what the owner says to it, which is remembered."""
    from engine.library.licences import licence_in, terms_in

    found = licence_in(source)
    if not found.name:
        return
    terms = terms_in(source, found).digest
    if not licence.is_new(models.agreements, name, terms):
        return
    if not yes:
        licence.ask(name, found.name, found.name, found.text, "import")
    models.agreements.agree(name, "", terms)


def remove(
    model: Annotated[str, typer.Argument(metavar="NAME[:VARIANT]", help="A model on this machine.")],
    yes: Yes = False,
    stop: Annotated[bool, typer.Option("--stop", help="Stop answering others with it first, if that is done.")] = False,
    data: Data = None,
    json_output: Json = False,
) -> None:
    """Delete a model, or one of its variants, and what interrupted downloads of it have left.

    Of a model that the running engine contributes, answers under way go on at other machines, or are finished, as
    the rules say; then the engine chooses another one to contribute.
    """
    from engine.api.schema import RemoveModel
    from engine.library.keeping import check_removable
    from engine.library.keeping import remove as delete
    from engine.library.sizes import gigabytes

    name, variant = split_variant(model, None)
    models = models_folder(data)
    check_removable(models, name, variant)
    if not yes:
        if not sys.stdin.isatty():
            raise ConfigurationError(f"Removing {name} cannot be undone. Add --yes.")
        if not typer.confirm(f"Delete {model} from {models.path}?", err=True):
            raise typer.Exit(1)
    freed = removed_by_engine(RemoveModel(model=name, variant=variant, stop=stop), data, ask_first=not yes)
    if freed is None:
        freed = delete(models, name, variant)
    if json_output:
        typer.echo(json.dumps({"name": name, "variant": variant, "freed": freed}))
    else:
        typer.echo(f"{model} is removed; {gigabytes(freed)} became free.")


def verify(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", help="Models; all of them without it.")] = None,
    data: Data = None,
    json_output: Json = False,
) -> None:
    """Hash the files of models again and compare them with what was downloaded or imported.

    Exit code 1 if anything differs, with the names of what does.
    """
    from engine.library.keeping import verify as check

    with shown_progress(json_output) as meter:
        results = check(models_folder(data), meter, list(names or ()))
    if json_output:
        rows = [
            {"name": one.name, "pinned": one.pinned, "files": one.checked, "wrong": list(one.wrong)} for one in results
        ]
        typer.echo(json.dumps(rows, ensure_ascii=False))
    else:
        for one in results:
            state = (
                f"{one.checked} files as they were" if one.pinned else "not pinned: there is nothing to compare with"
            )
            typer.echo(f"{one.name:40} {'DIFFERS' if one.wrong else state}")
            for line in one.wrong:
                typer.echo(f"    {harmless(line)}")
        if not results:
            typer.echo("There are no models to verify besides the one that comes with the program.", err=True)
    if any(one.wrong for one in results):
        raise typer.Exit(1)
