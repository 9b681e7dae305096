"""``python -m engine.bench.verification``: a random model, 4-bit weights told from full ones, conversations recorded.

    python -m engine.bench.verification random-model FOLDER [--eight-bits]
    python -m engine.bench.verification tell-apart [--samples N] [--cheat NAME=SAMPLES] [--eight-bits] [--work FOLDER]
        [--json FILE]
    python -m engine.bench.verification record-conversations [--conversations N] [--python FILE] [--work FOLDER]
    python -m engine.bench.verification scoring-cost [--model FOLDER] [--conversations N] [--json]
    python -m engine.bench.verification ask-pool [--conversations N] [--work FOLDER]
    python -m engine.bench.verification ask-timed [--conversations N] [--tokens N] [--work FOLDER]

``tell-apart`` takes the built-in model with its weights in float32 as the reference: 16- and 32-bit machines are
honest, cheats round the weights to 4 bits or do other things. With ``--eight-bits`` the reference is the built-in model
as it comes with the program, so the cheats claim 8 bits. What was recorded in ``--work`` is used again.
``record-conversations`` writes what ``gentorrent simulate verification`` draws its answers from. ``scoring-cost``
measures processor seconds of real workers that make answers and that score them. ``ask-pool`` has the challenges' own
conversations and says how much of each kind tells of who answers. ``ask-timed`` does so with the questions that time
how fast a node reads, answered by who reads all of a prompt and by who does not.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from engine.bench.machine import commit, describe_machine
from engine.bench.verification.asking import ask_pool, asked_table
from engine.bench.verification.conditions import CHEATS, FOUR_BITS, HONEST, OTHER_PRECISION, Condition, with_slots
from engine.bench.verification.conversations import MAKERS, record_conversations, recorded_file, store_recorded
from engine.bench.verification.cost import cost_line, scoring_cost
from engine.bench.verification.evaluating import SAMPLE, Evaluation, as_table, evaluate
from engine.bench.verification.measuring import Record, Study, perplexities, read_records, record
from engine.bench.verification.questions import Questions
from engine.bench.verification.random_model import make_random_model
from engine.bench.verification.remade_models import remake
from engine.bench.verification.timed import ask_timed, timed_table
from engine.errors import ConfigurationError
from engine.inference.models.folder import ModelFolder
from engine.inference.models.installed import BUILTIN_MODEL, Catalogue
from engine.inference.runtime.session import runtime_version
from engine.library.calibrations import known_calibrations
from engine.node.challenge_pool import load_pool
from engine.resources import resource_path
from engine.verification.scoring.calibration import Calibration

ROOT = Path(__file__).resolve().parents[3]
NEAREST = FOUR_BITS[1].name
"""The 4-bit scheme with the worst perplexity that is still within 5 % of the honest one."""
LEARN = 10_000
"""Tokens of each condition that the calibration is made of."""
EIGHT_BITS = "eight-bits"
"""The folder of what was recorded with them as the reference."""
ENTROPY_ANSWERS = 300
"""Honest answers whose perplexity is compared."""


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("random-model", help="write a model of 0.1 billion random weights")
    making.add_argument("folder", type=Path)
    making.add_argument("--eight-bits", action="store_true", help="of a weight, and not 32")
    telling = commands.add_parser("tell-apart", help="measure how well cheats are told from honest answers")
    telling.add_argument("--samples", type=int, default=1000, help="honest ones, of 300 tokens")
    telling.add_argument("--cheat", action="append", metavar="NAME=SAMPLES", help=f"repeat it; {NEAREST}=1000")
    telling.add_argument("--eight-bits", action="store_true", help="which the cheats claim, and not 16 or 32")
    telling.add_argument("--work", type=Path, default=Path(".work/verification"))
    telling.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    recording = commands.add_parser("record-conversations", help="answers for `gentorrent simulate verification`")
    recording.add_argument("--conversations", type=int, default=192, help="with each maker of answers (192)")
    recording.add_argument("--python", type=Path, help="of an environment with another ONNX Runtime")
    recording.add_argument("--work", type=Path, default=Path(".work/verification"))
    costing = commands.add_parser("scoring-cost", help="processor seconds of scoring an answer and of making it")
    costing.add_argument("--model", type=Path, help="a model folder (the built-in model)")
    costing.add_argument("--conversations", type=int, default=32, help="of two answers each (32)")
    costing.add_argument("--json", action="store_true", help="print the figures as JSON")
    asking = commands.add_parser("ask-pool", help="what the challenges' own questions tell")
    asking.add_argument("--conversations", type=int, default=12, help="of each kind with each maker (12)")
    asking.add_argument("--work", type=Path, default=Path(".work/verification"))
    timing = commands.add_parser("ask-timed", help="what answers to timed questions tell")
    timing.add_argument("--conversations", type=int, default=30, help="with each maker (30)")
    timing.add_argument("--tokens", type=int, default=1000, help="of the long prompts, about (1000)")
    timing.add_argument("--work", type=Path, default=Path(".work/verification"))
    options = parser.parse_args()
    if options.command == "ask-pool":
        asyncio.run(_ask(options.conversations, options.work))
    elif options.command == "ask-timed":
        asyncio.run(_ask_timed(options.conversations, options.tokens, options.work))
    elif options.command == "random-model":
        make_random_model(options.folder, eight_bit=options.eight_bits)
    elif options.command == "record-conversations":
        asyncio.run(_record(options.conversations, options.python, options.work))
    elif options.command == "scoring-cost":
        model = Catalogue(None).open(BUILTIN_MODEL) if options.model is None else open_folder(options.model)
        measured = asyncio.run(scoring_cost(model, options.conversations))
        if options.model is not None:
            measured["model"] = options.model.resolve().name
        print(msgspec.json.encode(measured).decode() if options.json else cost_line(measured))
    else:
        cheats = dict(_named(one) for one in options.cheat or [f"{NEAREST}=1000"])
        found = asyncio.run(tell_apart(options.samples, cheats, options.work, eight_bits=options.eight_bits))
        if options.json is not None:
            write(options.json, found, commits_of(options.work / EIGHT_BITS if options.eight_bits else options.work))


async def _record(count: int, python: Path | None, work: Path) -> None:
    """Record what is missing, and store it among the program's own files."""
    reference = Catalogue(None).open(BUILTIN_MODEL)
    weights = resource_path("engine/builtin/weights/model.safetensors")
    study = Study(reference, work, Questions(BUILTIN_MODEL, varied=False), weights=weights, python=python)
    pool = load_pool(work / "questions")
    makers = [one for one in MAKERS if python is not None or not one.other_runtime]
    for maker in makers:
        await record_conversations(study, pool, maker, count, _say)
    calibration = known_calibrations().find(reference.digest, reference.precision)
    if calibration is None:
        raise ConfigurationError("No calibration of the built-in model is known: run `gentorrent calibrate` first.")
    found = recorded_file(study, makers, BUILTIN_MODEL, calibration, count)
    store_recorded(resource_path("engine/catalogue.json").parent / "verification" / "answers.json", found)


def open_folder(path: Path) -> ModelFolder:
    """The model in a folder."""
    catalogue = Catalogue(None, path)
    return catalogue.open(next(iter(catalogue.folders())))


async def _ask(count: int, work: Path) -> None:
    """Print the table."""
    study, calibration = _builtin_study(work)
    found = await ask_pool(study, load_pool(work / "questions"), calibration, count, _say)
    print("\n".join(asked_table(found)))


async def _ask_timed(count: int, tokens: int, work: Path) -> None:
    """Print the table and the cost."""
    study, calibration = _builtin_study(work)
    found, cost = await ask_timed(study, load_pool(work / "questions"), calibration, count, tokens, _say)
    print("\n".join(timed_table(found)))
    print(", ".join(f"{name} {value:.0f}" for name, value in cost.items()))


def _builtin_study(work: Path) -> tuple[Study, Calibration]:
    reference = Catalogue(None).open(BUILTIN_MODEL)
    weights = resource_path("engine/builtin/weights/model.safetensors")
    study = Study(reference, work, Questions(BUILTIN_MODEL, varied=False), weights=weights)
    calibration = known_calibrations(work / "calibrations").find(reference.digest)
    if calibration is None:
        raise ConfigurationError("There is no calibration of the built-in model.")
    return study, calibration


def write(file: Path, found: Evaluation, recorded: Sequence[str]) -> None:
    """The figures, with what they were found by: when, on which machine, by which commit, and by which ones the answers
    were ``recorded``."""
    facts = {"commit": commit(ROOT), "recorded_by": list(recorded), "date": time.strftime("%Y-%m-%d")}
    said = facts | {"machine": describe_machine()} | msgspec.to_builtins(found, str_keys=True)
    file.write_bytes(msgspec.json.format(msgspec.json.encode(said), indent=1) + b"\n")


def commits_of(work: Path) -> list[str]:
    """By which commits the answers in a folder were recorded, the first one first."""
    file = work / "commits"
    return file.read_text(encoding="utf-8").split() if file.exists() else []


def _note_commit(work: Path) -> None:
    """Answers are recorded by this commit now."""
    work.mkdir(parents=True, exist_ok=True)
    now = commit(ROOT)
    if now and now not in commits_of(work):
        with (work / "commits").open("a", encoding="utf-8") as file:
            file.write(f"{now}\n")


def _named(text: str) -> tuple[str, int]:
    name, _, count = text.rpartition("=")
    if not count.isdecimal():
        raise ConfigurationError(f"--cheat is NAME=SAMPLES, not {text!r}.")
    return name, int(count)


def study_of(work: Path, *, eight_bits: bool) -> tuple[Study, str]:
    """What is told apart, and what its reference is called: the built-in model as it is, or in float32."""
    builtin, questions = Catalogue(None).open(BUILTIN_MODEL), Questions(BUILTIN_MODEL, varied=False)
    weights = resource_path("engine/builtin/weights/model.safetensors")
    if eight_bits:
        return Study(builtin, work / EIGHT_BITS, questions, weights=weights), BUILTIN_MODEL
    base = work / "reference"
    if not base.exists():
        remake(builtin, base, weights=weights)
    return Study(Catalogue(None, base).open(BUILTIN_MODEL), work, questions), f"{BUILTIN_MODEL} in float32"


async def tell_apart(count: int, cheats: dict[str, int], work: Path, *, eight_bits: bool = False) -> Evaluation:
    """Record what is missing, and print the table."""
    study, name = study_of(work, eight_bits=eight_bits)
    reference = study.reference
    half = LEARN + -(-count // 2) * SAMPLE
    wanted: dict[Condition, int] = {HONEST[2]: half, with_slots(OTHER_PRECISION, 32): half}
    known = {condition.name: with_slots(condition, 32) for condition in CHEATS}
    for cheat, share in cheats.items():
        if cheat not in known:
            raise ConfigurationError(f"--cheat {cheat!r} is not known. Choose from: {'; '.join(known)}.")
        wanted[known[cheat]] = LEARN + share * SAMPLE
    recorded: dict[Condition, list[Record]] = {}
    for condition, tokens in wanted.items():
        if sum(len(one.ids) for one in read_records(study, condition)) < tokens:
            _note_commit(study.folder)
        recorded[condition] = await record(study, condition, tokens, _say)
    text = recorded[HONEST[2]][:ENTROPY_ANSWERS]
    entropies = {
        condition: await perplexities(study, condition, text)
        for condition in wanted
        if condition == HONEST[2] or (condition.kind == "cheat" and condition.model and not condition.greedy)
    }
    found = evaluate(
        recorded,
        entropies,
        LEARN,
        model=name,
        digest=reference.digest.hex(),
        precision=reference.precision,
        machine=str(describe_machine()["processor"]),
        runtime=f"onnxruntime {'.'.join(str(one) for one in runtime_version())}",
    )
    for line in as_table(found):
        print(line)
    return found


def _say(line: str) -> None:
    print(f"[verification] {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
