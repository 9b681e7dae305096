"""``gentorrent simulate``: networks larger than one machine can hold, computed instead of run."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.commands import simulate_days
from engine.errors import ConfigurationError

commands = typer.Typer(
    help="Compute how a large network behaves, with the code that real nodes run.", no_args_is_help=True
)


commands.command(name="days")(simulate_days.run)


@commands.callback()
def _group() -> None:
    """Keep its commands below ``simulate`` also while there is only one."""


@commands.command(name="anonymity")
def anonymity(
    quick: Annotated[bool, typer.Option("--quick", help="Fewer draws: a minute or less, less certain.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
    output: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where table, picture and JSON go (.work/bench/results).")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="The same seed gives the same numbers.")] = 1,
) -> None:
    """Who could find out who asked, with a share of all relays hostile: the published curves, and ours beside them.

    Networks of 96 relays (a mesh), 1,000 and 10,000 (rings). Run it in a checkout, which has the published curves.
    """
    from engine.bench import anonymity_page
    from engine.bench.storing import results_folder
    from engine.simulation.anonymity.run import run

    results = run(quick=quick, seed=seed, say=lambda line: print(line, file=sys.stderr, flush=True))
    files = anonymity_page.store(results, output or results_folder())
    if json:
        import msgspec

        typer.echo(msgspec.json.encode(results).decode())
    else:
        typer.echo(anonymity_page.as_text(results))
        typer.echo("\nStored: " + ", ".join(str(file) for file in files))


@commands.command(name="churn")
def churn(
    relays: Annotated[int, typer.Option(min=12, max=20_000, metavar="N", help="Relays of the network.")] = 60,
    answers: Annotated[int, typer.Option(min=1, metavar="M", help="Questions in all.")] = 100,
    churn_per_minute: Annotated[
        float, typer.Option(min=0.0, max=1.0, metavar="X", help="Share of the relays that die in a minute.")
    ] = 0.1,
    seed: Annotated[int, typer.Option(metavar="S", help="The same seed gives the same run.")] = 1,
    clients: Annotated[
        int, typer.Option(min=1, max=1000, metavar="C", help="Clients, with ten answers running each.")
    ] = 4,
    every: Annotated[
        float, typer.Option(min=0.0, max=600.0, metavar="SECONDS", help="They die together so often (0: one by one).")
    ] = 0.0,
    json: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
) -> None:
    """Answers of 20 s while relays die without a word and as many join or come back.

    Says how many answers were complete within twice the undisturbed time and 15 s, and explains every other one. Exit
    code 1 if one was missing. Takes about a second for ten answers.
    """
    from engine.simulation.churn import simulate
    from engine.simulation.churn_report import ChurnPlan, as_text

    plan = ChurnPlan(
        relays=relays,
        answers=answers,
        per_minute=churn_per_minute,
        seed=seed,
        clients=clients,
        models=max(3, clients // 2),  # 20 answers each, on average: a node that has 64 refuses
        every=every,
    )
    result = simulate(plan, lambda line: print(line, file=sys.stderr, flush=True))
    if json:
        import msgspec

        typer.echo(msgspec.json.encode(result.as_json()).decode())
    else:
        typer.echo(as_text(result))
    raise typer.Exit(1 if result.misses else 0)


@commands.command(name="self-organisation")
def self_organisation(
    relays: Annotated[int, typer.Option(min=100, max=5_000, metavar="N", help="Relays of the network.")] = 500,
    minutes: Annotated[float, typer.Option(min=1, max=1440, metavar="M", help="Simulated minutes of churn.")] = 20.0,
    churn: Annotated[
        float, typer.Option(min=0.0, max=1.0, metavar="X", help="Share of the relays that leave in ten minutes.")
    ] = 0.3,
    unreachable: Annotated[
        float, typer.Option(min=0.0, max=0.5, metavar="X", help="Share of the pairs that nothing can link.")
    ] = 0.02,
    seed: Annotated[int, typer.Option(metavar="S", help="The same seed gives the same run.")] = 1,
    json: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
) -> None:
    """Relays that find their links by themselves while others leave, come back and join, with and without the server.

    Exit code 1 if they fell apart, or fewer than nine tenths of the paths opened at the first try. 500 relays take less
    than a minute, 2,000 a few.
    """
    from engine.simulation.self_organisation.run import Plan, as_text, simulate

    plan = Plan(relays=relays, minutes=minutes, churn=churn, unreachable=unreachable, seed=seed)
    report = simulate(plan, lambda line: print(line, file=sys.stderr, flush=True))
    _print(report, as_text, json)
    raise typer.Exit(1 if report["problems"] else 0)


@commands.command(name="coalition")
def coalition(
    relays: Annotated[int, typer.Option(min=100, max=5_000, metavar="N", help="Relays of the network.")] = 500,
    share: Annotated[
        float, typer.Option(min=0.01, max=0.5, metavar="X", help="Share of them that is in the coalition.")
    ] = 0.2,
    chats: Annotated[int, typer.Option(min=1, max=1_000, metavar="M", help="Chats of each client.")] = 24,
    rounds: Annotated[
        int, typer.Option(min=1, max=100, metavar="R", help="Networks, in each of which all relays are guards twice.")
    ] = 1,
    seed: Annotated[int, typer.Option(metavar="S", help="The same seed gives the same numbers.")] = 1,
    json: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
) -> None:
    """What relays that conspire capture of other people's paths: by where they stand, and by what they refuse.

    Beside our rules the same without one of them: neighbours that relays declare themselves, beacons that are known in
    advance, places that outlast absence. Exit code 1 if a coalition that chooses where its relays stand captures more
    than its share. Takes a minute or two.
    """
    from engine.simulation.coalition.run import Plan, as_text, simulate

    plan = Plan(relays=relays, share=share, chats=chats, rounds=rounds, seed=seed)
    report = simulate(plan, lambda line: print(line, file=sys.stderr, flush=True))
    _print(report, as_text, json)
    raise typer.Exit(1 if report["problems"] else 0)


@commands.command(name="verification")
def verification(
    nodes: Annotated[int, typer.Option(min=1, max=5_000, metavar="N", help="Model nodes of a network.")] = 4,
    verifiers: Annotated[int, typer.Option(min=1, max=64, metavar="N", help="Members of its committee.")] = 4,
    epochs: Annotated[
        int,
        typer.Option(
            min=1, max=100_000, metavar="N", help="Of each network; ten times as many where a node turns later."
        ),
    ] = 60,
    networks: Annotated[int, typer.Option(min=1, max=100_000, metavar="N", help="Networks for each adversary.")] = 50,
    adversary: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="quantised, smaller-model, ...; may be repeated. all (if nothing is said); none."
        ),
    ] = None,
    share: Annotated[
        float, typer.Option(min=0.0, max=1.0, metavar="FRACTION", help="Of the nodes that cheat; at least one does.")
    ] = 0.25,
    unchecked: Annotated[
        float,
        typer.Option(
            min=0.0,
            max=0.9,
            metavar="FRACTION",
            help="Of the epochs, in which nobody is checked, as the block before leaves out all commitments.",
        ),
    ] = 0.0,
    maker: Annotated[
        str, typer.Option(metavar="NAME", help="Of the answers of every cheat while it cheats (its own ones).")
    ] = "",
    source: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="How honest answers are made; may be repeated (all that were recorded)."),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="S", help="The same seed gives the same numbers.")] = 1,
    json: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
) -> None:
    """Nodes that cheat, and how soon the committee excludes them, over many epochs; honest nodes beside them.

    Duties, scores and rules are those of real networks; answers are drawn from recorded ones. The published rule of
    reputation sees the same answers. Exit code 1 if an honest node was excluded or a cheat was not found in time.
    """
    from engine.simulation.verification.run import Plan, chosen_adversaries, simulate
    from engine.simulation.verification.text import as_text

    plan = Plan(
        nodes=nodes,
        verifiers=verifiers,
        epochs=epochs,
        networks=networks,
        share=share,
        unchecked=unchecked,
        maker=maker,
        seed=seed,
        adversaries=chosen_adversaries(adversary or []),
        sources=tuple(source or ()),
    )
    report = simulate(plan, lambda line: print(line, file=sys.stderr, flush=True))
    _print(report, as_text, json)
    raise typer.Exit(1 if report["problems"] else 0)


@commands.command(name="forwarding")
def forwarding(
    policy: Annotated[
        str, typer.Option(metavar="NAME", help="How entry nodes choose: none, random, least-load, ...; oracle.")
    ] = "none",
    nodes: Annotated[int, typer.Option(min=1, max=5_000, metavar="N", help="Model nodes of the group.")] = 8,
    trace: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Requests as JSON lines, or the name of a generated trace: tooluse (if nothing is said), coding, "
            "longdoc, mixed, chat, bursts.",
        ),
    ] = None,
    load: Annotated[
        float | None,
        typer.Option(
            min=0.01,
            max=10.0,
            metavar="FRACTION",
            help="Let requests arrive at this share of what the group can do at most without forwarding "
            "(as the trace says).",
        ),
    ] = None,
    node_kind: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND", help="Of the nodes, in turn if repeated; see resources/engine/node_kinds.toml."),
    ] = None,
    newcomers: Annotated[
        float, typer.Option(min=0.0, max=1.0, metavar="FRACTION", help="Share of the nodes that have no standing.")
    ] = 0.0,
    overstating: Annotated[
        float,
        typer.Option(min=0.0, max=1.0, metavar="FRACTION", help="Share that says it is ten times as fast as it is."),
    ] = 0.0,
    beliefs: Annotated[
        bool,
        typer.Option("--beliefs/--no-beliefs", help="Entry nodes believe others' speed as far as they measure it."),
    ] = True,
    requests: Annotated[
        int, typer.Option(min=1, max=1_000_000, metavar="N", help="Requests of a generated trace.")
    ] = 6_000,
    parameter: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A parameter of the policy; may be repeated.")
    ] = None,
    gossip_seconds: Annotated[
        float | None,
        typer.Option(
            min=0.01,
            max=600.0,
            metavar="SECONDS",
            help="Between two statements of a node (0.25; 1 above 16 nodes, more above 128). With another number nodes "
            "never speak before their turn.",
        ),
    ] = None,
    access_ms: Annotated[
        float, typer.Option(min=0.0, max=10_000.0, metavar="MS", help="Mean one-way delay of a node's connection.")
    ] = 7.5,
    churn_per_minute: Annotated[
        float, typer.Option(min=0.0, max=10.0, metavar="X", help="Share of the nodes that die in a minute.")
    ] = 0.0,
    warm_up: Annotated[
        float,
        typer.Option(min=0.0, max=0.9, metavar="FRACTION", help="Of the first requests, which only fill the caches."),
    ] = 0.0,
    seed: Annotated[int, typer.Option(metavar="S", help="The same seed gives the same numbers.")] = 1,
    compare: Annotated[
        str | None,
        typer.Option(metavar="all", help="All policies at 30, 50, 70 and 90 % load: table, page, picture."),
    ] = None,
    policies: Annotated[
        str | None,
        typer.Option(metavar="NAME,NAME", help="Compare only these, none, cost and oracle."),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, max=64, metavar="N", help="Processes that compare.")] = 2,
    output: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where a comparison goes (.work/bench/results).")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
) -> None:
    """A group of model nodes that forward requests: times to the first token and to the end, cache hits, goodput.

    Nodes have real prefix caches and hear of each other as late as gossip makes it. --compare all plays every generated
    trace (or the one of --trace) under every policy. Method and results: docs/benchmarks/forwarding.md.
    """
    import msgspec

    from engine.bench import forwarding_page
    from engine.bench.storing import results_folder
    from engine.simulation.forwarding.compare import Case, Results
    from engine.simulation.forwarding.compare import compare as compare_all
    from engine.simulation.forwarding.generated import TRACES
    from engine.simulation.forwarding.options import chosen_policies, make_plan, make_trace
    from engine.simulation.forwarding.run import as_text, simulate
    from engine.simulation.forwarding.saturation import at_load, saturation_goodput

    if compare is not None:
        if compare != "all":
            raise ConfigurationError(f"--compare {compare!r} is not known; there is: all.")
        case = Case(
            trace=trace or "tooluse",
            requests=requests,
            nodes=nodes,
            kinds=tuple(node_kind or ()),
            newcomers=newcomers,
            overstating=overstating,
            beliefs=beliefs,
            gossip_seconds=gossip_seconds,
            access_seconds=access_ms / 1000,
            churn_per_minute=churn_per_minute,
            warm_up=warm_up or 0.25,
            seed=seed,
        )
        results = Results(jobs, say=lambda line: print(line, file=sys.stderr, flush=True))
        chosen = chosen_policies(policies)
        comparison = compare_all(case, results, [trace] if trace else list(TRACES), policies=chosen)
        files = forwarding_page.store(comparison, output or results_folder())
        if json:
            typer.echo(msgspec.json.encode(comparison).decode())
        else:
            typer.echo(forwarding_page.as_text(comparison))
            typer.echo("\nStored: " + ", ".join(str(file) for file in files))
        return
    plan = make_plan(
        policy=policy,
        nodes=nodes,
        kinds=node_kind or [],
        parameters=parameter or [],
        newcomers=newcomers,
        overstating=overstating,
        beliefs=beliefs,
        gossip_seconds=gossip_seconds,
        access_seconds=access_ms / 1000,
        churn_per_minute=churn_per_minute,
        seed=seed,
    )
    played = make_trace(trace or "tooluse", requests, seed)
    if load is not None:
        played = at_load(played, saturation_goodput(plan, played), load)
    result = simulate(plan, played, warm_up=warm_up)
    typer.echo(msgspec.json.encode(result).decode() if json else as_text(result))


@commands.command(name="committee")
def committee(
    members: Annotated[int, typer.Option(min=4, max=64, metavar="N", help="Members of the committee.")] = 4,
    faulty: Annotated[
        int | None,
        typer.Option(min=0, max=21, metavar="F", help="Of them, those that lie or are silent (as many as it bears)."),
    ] = None,
    schedules: Annotated[int, typer.Option(min=1, max=1_000_000, metavar="K", help="Schedules to run.")] = 300,
    seed: Annotated[int, typer.Option(metavar="S", help="The same seed gives the same schedules.")] = 1,
    json: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
) -> None:
    """The committee agrees on a block while an adversary holds, loses, doubles and reorders messages, cuts the network,
    crashes members, and has as many liars among them as it bears.

    Says how often two honest members decided differently (never, or it is a defect), and whether all decided soon after
    messages came through again. Exit code 1 if not. A second for 50 to 200 schedules.
    """
    from engine.simulation.committee.run import Plan, as_text, simulate

    result = simulate(Plan(members=members, faulty=faulty, schedules=schedules, seed=seed))
    _print(result, as_text, json)
    if result["safety_violations"] or result["liveness_violations"]:
        raise typer.Exit(1)


@commands.command(name="capacity")
def capacity(
    networks: Annotated[int, typer.Option(min=1, max=100_000, metavar="N", help="Networks for each claim.")] = 100,
    verifiers: Annotated[int, typer.Option(min=1, max=64, metavar="N", help="Members of the committee.")] = 4,
    seed: Annotated[int, typer.Option(metavar="S", help="The same seed gives the same numbers.")] = 1,
    json: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
) -> None:
    """Long questions to all nodes of a group at one moment: what becomes of false claims of speed, and of honest ones.

    Also what times tell of nodes that pass all questions on. Exit code 1 if an honest node's claim was cut.
    """
    from engine.simulation.capacity.run import Plan, as_text, simulate

    plan = Plan(networks=networks, verifiers=verifiers, seed=seed)
    report = simulate(plan, lambda line: print(line, file=sys.stderr, flush=True))
    _print(report, as_text, json)
    if report["problems"]:
        raise typer.Exit(1)


def _print(report: dict[str, Any], as_text: Callable[[dict[str, Any]], str], json: bool) -> None:
    """The results, for people or for programs."""
    if json:
        import msgspec

        typer.echo(msgspec.json.encode(report).decode())
    else:
        typer.echo(as_text(report))
