"""``gentorrent models``: the models that this machine has, could have, and can ask. One module for every few commands.

Nothing is decided here: ``engine.library`` does the work.
"""

from __future__ import annotations

import typer

from engine.commands.models import disk, download, fit, keeping, listing, publishing, running, search

commands = typer.Typer(help="Find, download and keep models; list what can be asked.", no_args_is_help=True)


@commands.callback()
def _models() -> None:
    """Find, download and keep models; list what can be asked."""


commands.command(name="list")(listing.list_models)
commands.command(name="search")(search.search)
commands.command(name="fit")(fit.fit)
commands.command(name="download")(download.download)
commands.command(name="import")(keeping.import_model)
commands.command(name="remove")(keeping.remove)
commands.command(name="catalogue")(running.catalogue)
commands.command(name="start")(running.start)
commands.command(name="pause")(running.pause)
commands.command(name="discard")(running.discard)
commands.command(name="disk")(disk.disk)
commands.command(name="verify")(keeping.verify)
commands.command(name="publish")(publishing.publish)
commands.command(name="withdraw")(publishing.withdraw)
commands.command(name="published")(publishing.list_published)
commands.command(name="add-manifest")(publishing.add_manifest)
commands.command(name="confirm")(publishing.confirm)
commands.add_typer(publishing.publishers, name="publishers")

__all__ = ["commands"]
