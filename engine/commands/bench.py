"""``gentorrent bench``: how fast this machine is, and how fast it could be with other software."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.clock import SystemClock
from engine.errors import ConfigurationError

commands = typer.Typer(
    help="Measure speed, against other software where there is some, in one run.", no_args_is_help=True
)


Quick = Annotated[bool, typer.Option("--quick", help="Fewer rounds: a minute or less, less certain.")]
Json = Annotated[bool, typer.Option("--json", help="Print the results as JSON.")]
Output = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="Where table, picture and JSON go (.work/bench/results).")
]


@commands.command(name="inference")
def inference(
    quick: Annotated[bool, typer.Option("--quick", help="Fewer rounds and settings: ten minutes at most.")] = False,
    json: Json = False,
    output: Output = None,
    work: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Only this, may be repeated: decode-int4, decode-fp32, prefill-int4, prefill-fp32, cached-prefix, "
            "overhead.",
        ),
    ] = None,
    shape: Annotated[str, typer.Option(metavar="NAME", help="The model's shape: qwen2.5-0.5b or tiny.")] = (
        "qwen2.5-0.5b"
    ),
) -> None:
    """Tokens per second of this engine, onnxruntime-genai, llama.cpp and transformers on the same model.

    The peers come from `make bench-setup`; without them this ends with exit code 1. Close other programs first.
    """
    from engine.bench.engines import Places
    from engine.bench.inference import Wanted, run
    from engine.bench.report import as_text, store
    from engine.bench.shapes import SHAPES
    from engine.bench.storing import results_folder
    from engine.bench.work import WORKS

    for name in work or ():
        if name not in WORKS:
            raise ConfigurationError(f"--work {name!r} is not known. Choose from: {', '.join(WORKS)}.")
    if shape not in SHAPES:
        raise ConfigurationError(f"--shape {shape!r} is not known. Choose from: {', '.join(SHAPES)}.")
    places = Places.of_checkout(shape, os.environ)
    clock = SystemClock()
    begin = clock.monotonic()

    def say(line: str) -> None:
        print(f"[{clock.monotonic() - begin:5.0f} s] {line}", file=sys.stderr, flush=True)

    results = run(Wanted(shape=shape, quick=quick, works=frozenset(work or ())), places, say).as_json()
    _tell(results, as_text(results), store(results, output or results_folder()), json=json)


@commands.command(name="sida")
def sida(quick: Quick = False, json: Json = False, output: Output = None) -> None:
    """Milliseconds to cut a message into cloves and to join them, at 1, 4 and 16 KB, and to seal it with HPKE."""
    from engine.bench import sida as bench
    from engine.bench.storing import results_folder

    results = bench.run(quick=quick)
    _tell(results, bench.as_text(results), bench.store(results, output or results_folder()), json=json)


@commands.command(name="overlay")
def overlay(quick: Quick = False, json: Json = False, output: Output = None) -> None:
    """Whole answers through four paths of three relays, and the same engine asked directly, in one run.

    Starts a network on this machine. Close other programs first: everything shares its processors.
    """
    from engine.bench import overlay as bench
    from engine.bench.storing import results_folder

    results = bench.run(quick=quick, say=_say)
    _tell(results, bench.as_text(results), bench.store(results, output or results_folder()), json=json)


@commands.command(name="pacing")
def pacing(json: Json = False, output: Output = None) -> None:
    """What gathering tokens for 40 ms and cells of one size cost, in bytes and in waiting; computed, not timed."""
    from engine.bench import pacing as bench
    from engine.bench.storing import results_folder

    results = bench.run()
    _tell(results, bench.as_text(results), bench.store(results, output or results_folder()), json=json)


@commands.command(name="governor")
def governor(quick: Quick = False, json: Json = False, output: Output = None) -> None:
    """What the governor with its sensors takes of a processor: to be less than 0.5 % of one. Five minutes."""
    from engine.bench import governor as bench
    from engine.bench.storing import results_folder

    results = bench.run(quick=quick)
    _tell(results, bench.as_text(results), bench.store(results, output or results_folder()), json=json)


@commands.command(name="paths")
def paths(quick: Quick = False, json: Json = False, output: Output = None) -> None:
    """What it costs to open a path, to pass a cell on and to keep a hundred links."""
    from engine.bench import paths as bench
    from engine.bench.storing import results_folder

    results = bench.run(quick=quick, say=_say)
    _tell(results, bench.as_text(results), bench.store(results, output or results_folder()), json=json)


@commands.command(name="directory")
def directory(
    nodes: Annotated[
        int | None, typer.Option(min=100, max=20_000, metavar="N", help="Nodes that are listed (20000; --quick: 2000).")
    ] = None,
    quick: Quick = False,
    json: Json = False,
    output: Output = None,
) -> None:
    """Bytes, processor time and memory of a large directory, for the server and for who joins and follows it."""
    from engine.bench import directory as bench
    from engine.bench.storing import results_folder

    count = nodes or (bench.QUICK_NODES if quick else bench.NODES)
    results = bench.run(nodes=count, quick=quick, say=_say)
    _tell(results, bench.as_text(results), bench.store(results, output or results_folder()), json=json)


@commands.command(name="forwarding")
def forwarding(
    policies: Annotated[
        str | None, typer.Option(metavar="NAME,…", help="Which policies, with commas between them; or all.")
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="built-in or random-0.1b (both); may be repeated."),
    ] = None,
    nodes: Annotated[int | None, typer.Option(min=2, max=32, metavar="N", help="Model nodes (4).")] = None,
    requests: Annotated[
        int | None, typer.Option(min=8, max=20_000, metavar="N", help="Questions for each policy.")
    ] = None,
    load: Annotated[
        float | None,
        typer.Option(min=0.05, max=2.0, metavar="SHARE", help="Of what the nodes can do without forwarding (0.6)."),
    ] = None,
    no_quota: Annotated[
        bool, typer.Option("--no-quota", help="Give the nodes no share of a processor by control groups.")
    ] = False,
    quick: Annotated[bool, typer.Option("--quick", help="A quarter of the questions, less certain.")] = False,
    json: Json = False,
    output: Output = None,
) -> None:
    """Forwarding policies on real model nodes that run here, beside the simulation of the same requests.

    Each node gets its share of a processor by a control group where the machine has some (Linux, root). random-0.1b
    comes from `make bench-setup`. Close other programs first.
    """
    from engine.bench.forwarding import course, report, setting
    from engine.bench.storing import results_folder
    from engine.forwarding.policies.registry import NAMES

    named = NAMES if policies == "all" else policies.split(",") if policies else setting.POLICIES
    wanted = course.Wanted(
        models=model or tuple(setting.SETTINGS),
        policies=list(dict.fromkeys(name.strip() for name in named)),
        quick=quick,
        load=load,
        nodes=nodes,
        requests=requests,
        quotas=not no_quota,
    )
    results = course.run(wanted, _say)
    _tell(results, report.as_text(results), report.store(results, output or results_folder()), json=json)


@commands.command(name="verification")
def verification(
    work: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Where `python -m engine.bench.verification tell-apart` has recorded answers (.work/verification).",
        ),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer networks and rounds: ten minutes at most.")] = False,
    part: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Only this, may be repeated: networks, liars, recorded, scoring, security. The others stay as they are"
            " stored where the results go.",
        ),
    ] = None,
    json: Json = False,
    output: Output = None,
) -> None:
    """Each adversary against honest nodes: how surely and how soon it is found, under our rule and the published one.

    And what sealing, receipts and verification take of latency and throughput: a network that runs here, with and
    without them, in turns. Close other programs first: at least while the part `security` is measured. Where a part
    fails, what the others found is printed and stored, and the exit code is 1.
    """
    from engine.bench.storing import results_folder
    from engine.bench.verification import course, page
    from engine.bench.verification.parts import PARTS, chosen, stored

    amount, folder, parts = course.QUICK if quick else course.FULL, output or results_folder(), chosen(part or [])
    before = stored(folder) if len(parts) < len(PARTS) else None
    answers = work or Path(".work/verification")
    results = course.run(amount, quick=quick, work=answers, say=_say, parts=parts, before=before)
    _tell(results, page.as_text(results), page.store(results, folder), json=json)
    course.check(results)


@commands.command(name="hr-tree")
def hr_tree(quick: Quick = False, json: Json = False, output: Output = None) -> None:
    """What it costs to know who holds which prompt prefix, in time and memory, and to gossip about it, in bytes.

    With groups of up to 1,000 members it takes some fifteen minutes; --quick leaves the large ones out.
    """
    from engine.bench import hr_tree as bench
    from engine.bench.storing import results_folder

    results = bench.run(quick=quick, say=_say)
    _tell(results, bench.as_text(results), bench.store(results, output or results_folder()), json=json)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _tell(results: dict[str, Any], words: str, files: list[Path], *, json: bool) -> None:
    """The results on standard output, as they were asked for."""
    if json:
        import msgspec

        typer.echo(msgspec.json.encode(results).decode())
    else:
        typer.echo(words)
        typer.echo("\nStored: " + ", ".join(str(file) for file in files))
