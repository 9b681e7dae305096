"""``gentorrent contribute``: the owner's switch, pauses and rules, over the control API of the running engine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from engine.api import schema
from engine.commands.chats_common import Data, Json, line, print_json, run
from engine.errors import ConfigurationError

if TYPE_CHECKING:
    from engine.commands.control_client import ControlClient

commands = typer.Typer(help="Answer others with this machine: switch, pauses, rules, log.", no_args_is_help=True)
rules_commands = typer.Typer(help="Show or change the rules that contributing keeps to.", invoke_without_command=True)
commands.add_typer(rules_commands, name="rules")
_UNITS = {"": 60, "m": 60, "min": 60, "h": 3600, "d": 86_400, "s": 1}
_LONGEST = 31_536_000


@commands.callback()
def _contribute() -> None:
    """All of it is done by the running engine, and holds after its end."""


@commands.command()
def show(data: Data = None, json_output: Json = False) -> None:
    """Show what is contributed now, why not, and what was given."""

    async def ask(client: ControlClient) -> tuple[schema.State, schema.Contribution]:
        return await client.state(schema.GetState()), await client.ask(schema.GetContribution(), schema.Contribution)

    state, found = run(data, ask)
    if json_output:
        print_json({"contributing": state.contributing, "relay": state.relay, "contribution": found})
        return
    for text in _lines(state, found):
        typer.echo(text)


@commands.command()
def on(data: Data = None, json_output: Json = False) -> None:
    """Answer other people's questions; ends a pause."""
    _switch(data, json_output, on=True)


@commands.command()
def off(data: Data = None, json_output: Json = False) -> None:
    """Answer nobody but yourself."""
    _switch(data, json_output, on=False)


@commands.command()
def pause(
    time: Annotated[str, typer.Argument(metavar="TIME", help="As in 90m, 1h or 2d; minutes without a unit.")] = "",
    data: Data = None,
    json_output: Json = False,
) -> None:
    """Pause for a time, or until the engine's next start."""
    _told(data, json_output, schema.PauseContributing(seconds=_seconds(time) if time else None))


@commands.command()
def resume(data: Data = None, json_output: Json = False) -> None:
    """End a pause of your own; other reasons may still hold. Without one: use the rules that hold in the place of some
    that could not be read."""
    _told(data, json_output, schema.ResumeContributing())


@commands.command()
def events(data: Data = None, json_output: Json = False) -> None:
    """Print the log: when it paused and why, oldest first."""
    found: schema.OwnerEvents = run(data, lambda client: client.ask(schema.GetEvents(), schema.OwnerEvents))
    if json_output:
        print_json(found.events)
        return
    for event in found.events:
        typer.echo(f"{_when(event.at)}  {line(event.text)}")


@rules_commands.callback()
def rules(context: typer.Context, data: Data = None, json_output: Json = False) -> None:
    """Without a command: print every rule with its value."""
    from engine.commands.rule_values import named, without_effect

    if context.invoked_subcommand is not None:
        return
    found: schema.Contribution = run(data, lambda client: client.ask(schema.GetContribution(), schema.Contribution))
    _print_rules(found, json_output)
    if not json_output:
        for name in named(found.rules):
            for note in without_effect(found, name):
                typer.echo(line(note), err=True)


@rules_commands.command(name="set")
def set_rule(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As in monthly_kwh, or DEVICE.power_cap (cpu.on).")],
    value: Annotated[str, typer.Argument(metavar="VALUE", help="A number, yes or no, a text, none, or automatic.")],
    data: Data = None,
    json_output: Json = False,
) -> None:
    """Change one rule; it holds at once and is kept.

    model is one that is on this machine, or automatic; schedule is written as in "mon-fri 0-8,18-24; sat,sun 0-24",
    exclusive_programs with commas.
    """
    from engine.commands.rule_values import changed, check_device, check_model, without_effect

    async def change(client: ControlClient) -> schema.Contribution:
        before = await client.ask(schema.GetContribution(), schema.Contribution)
        check_device(before, name)
        if name == "model":
            state = await client.state(schema.GetState())
            known = await client.ask(schema.GetCatalogue(), schema.Catalogue)
            check_model(state.models, known.models, value)
        return await client.ask(schema.SetRules(rules=changed(before.rules, name, value)), schema.Contribution)

    found = run(data, change)
    _print_rules(found, json_output)
    for note in without_effect(found, name):
        typer.echo(line(note), err=True)


def _print_rules(found: schema.Contribution, json_output: bool) -> None:
    from engine.commands.rule_values import named

    if json_output:
        print_json(found.rules)
        return
    for name, value in named(found.rules).items():
        typer.echo(f"{name:<24} {line(value)}")
    if found.problem:
        typer.echo(line(found.problem), err=True)


def _switch(data: Data, json_output: bool, *, on: bool) -> None:
    state: schema.State = run(data, lambda client: client.state(schema.SetContributing(on=on)))
    if json_output:
        print_json(state.contributing)
    else:
        typer.echo(_status(state))


def _told(data: Data, json_output: bool, request: schema.ContributionRequest) -> None:
    found: schema.Contribution = run(data, lambda client: client.ask(request, schema.Contribution))
    if json_output:
        print_json(found)
    else:
        typer.echo(_paused(found) or "Not paused.")


def _seconds(text: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?) ?(s|m|min|h|d)?", text.strip().lower())
    seconds = float(match[1]) * _UNITS[match[2] or ""] if match else 0.0
    if not 0 < seconds <= _LONGEST:
        raise ConfigurationError(f"{text[:40]!r} is no time to pause for. Write it as in 90m, 1h or 2d.")
    return seconds


def _status(state: schema.State) -> str:
    now = state.contributing
    return line(f"{now.status}: {now.reason or now.model}" if now.on else "off")


def _paused(found: schema.Contribution) -> str:
    """The owner's own pause comes first, and its end is said whatever else holds."""
    if not found.paused:
        return ""
    own = (f"You have paused it until {_when(found.pause_until)}.",) if found.pause_until else ()
    until = (f"Until {_when(found.until)}.",) if found.until > found.pause_until else ()
    return line(" ".join(("Paused.", *own, *found.reasons[len(own) :], *until)))


def _lines(state: schema.State, found: schema.Contribution) -> Iterator[str]:
    yield f"Contributing  {_status(state)}"
    if state.contributing.on and _paused(found):
        yield f"              {_paused(found)}"
    for reason in found.slowed:
        yield f"              {line(reason)}"
    relaying = line(found.relay_reason) or ("on" if state.relay.on else "off")
    yield f"Relaying      {relaying}"
    totals = found.totals
    tokens = f"{totals.tokens_today} tokens today, {totals.tokens_month} this month"
    yield f"Given         {tokens}; {totals.answers} answers since the start"
    yield f"Used          {totals.gigabytes_month:.2f} GB this month, {_energy(found)}"
    if totals.checks is not None:
        yield f"Checked       {_checks(totals.checks)}"
    for device in found.devices:
        yield f"Device        {line(device.name)} ({line(device.device)})"
    for missing in found.missing:
        yield f"Not measured  {missing.sensor}: {line(missing.reason)}"
    if found.problem:
        yield f"Problem       {line(found.problem)}"
    if found.in_doubt:
        yield "              `gentorrent contribute rules` prints the rules that would hold, `resume` uses them."


def _checks(checks: schema.Checks) -> str:
    """What the network's verifiers found, and no more than they did."""
    if not checks.last:
        return f"no answer in the last {checks.hours:.0f} h"
    decided = checks.passed + checks.failed
    undecided = f", {checks.undecided} that say neither" if checks.undecided else ""
    return f"{checks.passed} of {decided} answers passed{undecided}; the last about {_when(checks.last)}"


def _energy(found: schema.Contribution) -> str:
    totals = found.totals
    if totals.kwh_month is None:
        return "energy not measured"
    cost = f" ({totals.cost:.2f} {line(found.rules.currency)})" if totals.cost is not None else ""
    return f"{totals.kwh_month:.3f} kWh{cost}"


def _when(at: float) -> str:
    return f"{datetime.fromtimestamp(at).astimezone():%Y-%m-%d %H:%M}"
