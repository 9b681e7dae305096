"""``gentorrent bench verification``: everything that is known of adversaries and of the cost of finding them, in one
run."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from engine import __version__
from engine.bench.machine import commit, describe_machine
from engine.bench.verification import liars, protection
from engine.bench.verification.conditions import CHEATS, HONEST, OTHER_PRECISION, Condition, with_slots
from engine.bench.verification.cost import scoring_cost, scoring_share, share_of_processor
from engine.bench.verification.evaluating import SAMPLE, evaluate
from engine.bench.verification.hostile import TRIES
from engine.bench.verification.measuring import read_records_in
from engine.bench.verification.parts import LIARS, NETWORKS, PARTS, RECORDED, SCORING, SECURITY
from engine.bench.verification.rules_compared import Outcome, cliff, compare
from engine.bench.verification.security_shares import cost, of_saturated
from engine.bench.verification.served import Conversations, Told, served_by, tell
from engine.errors import BenchmarkError, GenTorrentError
from engine.inference.models.installed import BUILTIN_MODEL, Catalogue
from engine.simulation.capacity import run as capacity
from engine.simulation.committee import run as committee
from engine.simulation.verification import run as simulation
from engine.simulation.verification.adversaries import ADVERSARIES, Adversary
from engine.simulation.verification.recorded import Recorded, judged, read_recorded_file

Say = Callable[[str], None]
LEARN = 10_000
"""Tokens of each recorded condition that the calibration is made of; the others are told apart."""
LEAST_SAMPLES = 100
"""Of a class, below which recorded answers are left aside."""


@dataclass(frozen=True, kw_only=True)
class Amount:
    """How much of everything. ``networks`` for each adversary, ``honest_networks`` without any; ``samples`` of 300
    tokens, ``repeats`` of the bootstrap; ``courses`` under both rules; ``forged`` things of each kind; ``schedules`` of
    each committee; ``speeds``: networks for each claim of speed; ``scored`` conversations by real workers."""

    networks: int
    honest_networks: int
    epochs: int = 60
    samples: int
    repeats: int
    courses: int
    forged: int
    schedules: int
    speeds: int
    scored: int
    security: protection.Amount
    liars: liars.Amount
    seed: int = 1
    adversaries: tuple[str, ...] = tuple(ADVERSARIES)


FULL = Amount(
    networks=50,
    honest_networks=130,
    samples=1000,
    repeats=200,
    courses=100,
    forged=10_000,
    schedules=500,
    speeds=100,
    scored=32,
    security=protection.FULL,
    liars=liars.FULL,
)
QUICK = Amount(
    networks=10,
    honest_networks=10,
    samples=300,
    repeats=50,
    courses=20,
    forged=500,
    schedules=40,
    speeds=10,
    scored=16,
    security=protection.QUICK,
    liars=liars.QUICK,
)


def run(
    amount: Amount,
    *,
    quick: bool,
    work: Path | None,
    say: Say,
    parts: Sequence[str] = tuple(PARTS),
    before: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Measure these parts, the others are those of ``before``; the documented keys and more. ``work``: a folder in
    which ``tell-apart`` has recorded answers. A part that fails leaves its keys out, or as they are in ``before``, and
    is named in ``failed`` with its reason; :class:`BenchmarkError` only where nothing was measured."""
    machine = describe_machine()
    versions = {"gentorrent": __version__, "commit": commit(Path(__file__).resolve().parents[3])}
    facts = {"commit": versions["commit"], "date": time.strftime("%Y-%m-%d"), "machine": machine}
    measured, failed, is_new = dict((before or {}).get("parts", {})), dict[str, str](), False
    results: dict[str, Any] = {**(before or {}), "machine": machine, "versions": versions, "quick": quick}
    for part in parts:
        try:
            found = _measure(part, amount, work, results, say)
        except GenTorrentError as error:
            failed[part] = str(error)
            say(f"the part {part} failed: {error}")
            continue
        if found:
            results |= found
            measured[part], is_new = facts, True
    if failed and not is_new:
        raise _failure(failed)
    try:
        return together({"four_bits": {}, **results, "parts": measured, "failed": failed})
    except KeyError as error:
        raise BenchmarkError(
            f"Of what is stored one part was measured by a version that did not know {error}. Measure it as well: name"
            " it with --part, or run without --part."
        ) from error


def check(results: Mapping[str, Any]) -> None:
    """:class:`BenchmarkError` names the parts that failed in this run, if any did."""
    if results["failed"]:
        raise _failure(results["failed"])


def _failure(failed: Mapping[str, str]) -> BenchmarkError:
    again = " ".join(f"--part {name}" for name in failed)
    why = " ".join(f"{name}: {reason}" for name, reason in failed.items())
    return BenchmarkError(f"Not everything was measured. Run it again with {again}. What failed: {why}")


def _measure(part: str, amount: Amount, work: Path | None, results: Mapping[str, Any], say: Say) -> dict[str, Any]:
    """What one part adds to the ``results``; nothing where there is nothing to measure it of."""
    if part == NETWORKS:
        return find_out(amount, say)
    if part == LIARS:
        return {"liars": liars.measure(amount.liars, amount.seed, say)}
    if part == RECORDED:
        found = _four_bits(work, say) if work is not None else {}
        return {"four_bits": found} if found else {}
    if part == SCORING:
        say("what scoring an answer takes, beside making it")
        return {"scoring_cost": asyncio.run(scoring_cost(Catalogue(None).open(BUILTIN_MODEL), amount.scored))}
    if "readings_per_answer" not in results:
        raise BenchmarkError(f"It needs what the part {NETWORKS} finds: how many answers verifiers read again.")
    say("sealing, receipts and verification on and off")
    return cost(protection.measure(amount.security, results["readings_per_answer"], say))


def together(results: Mapping[str, Any]) -> dict[str, Any]:
    """What follows from several parts, as far as they are there."""
    parts, found = results["parts"], dict(results)
    if NETWORKS in parts:
        found["adversaries"] = {
            name: {**one, **_of_records(results["four_bits"].get("cheats", ()), one["maker"])}
            if ADVERSARIES[name].share == 1 and not ADVERSARIES[name].later_turns
            else one
            for name, one in results["adversaries"].items()
        }
        if SCORING in parts:
            found |= of_processors(results, results["scoring_cost"])
        if SECURITY in parts:
            found |= of_saturated(results["security"]["saturated"], results["challenge_share"])
    return found


def find_out(amount: Amount, say: Say) -> dict[str, Any]:
    """Everything that is computed of answers that come with the program."""
    file = read_recorded_file()
    recorded, makers = judged(file), served_by(file)
    say("many epochs of networks with one cheat of each kind, and of honest nodes")
    plan = simulation.Plan(
        networks=amount.networks, epochs=amount.epochs, seed=amount.seed, adversaries=amount.adversaries
    )
    played = simulation.simulate(plan, say, recorded)["adversaries"]
    honest = simulation.simulate(
        simulation.Plan(networks=amount.honest_networks, epochs=amount.epochs, seed=amount.seed, adversaries=()),
        say,
        recorded,
    )
    adversaries = {}
    for name in amount.adversaries:
        adversaries[name] = _adversary(ADVERSARIES[name], played[name], amount, recorded, makers)
        say(f"{name}: AUC {adversaries[name]['auc']:.4f} of 300 tokens")
    return {
        "amount": {name: value for name, value in _fields(amount).items() if name not in ("security", "liars")},
        "model": recorded.model,
        "adversaries": adversaries,
        "others": _others(amount, recorded, say),
        "cliff": cliff(
            recorded, ADVERSARIES["quantised"], epochs=amount.epochs, courses=amount.courses // 4, seed=amount.seed
        ),
        **_honest(honest, amount, recorded),
    }


def _fields(amount: Amount) -> dict[str, Any]:
    found = msgspec.to_builtins(amount)
    assert isinstance(found, dict)
    return found


def _adversary(
    adversary: Adversary,
    played: Mapping[str, Any],
    amount: Amount,
    recorded: Recorded,
    makers: Mapping[str, Conversations],
) -> dict[str, Any]:
    """One adversary: told apart, excluded in the simulation, and under both rules."""
    sources = list(recorded.honest)
    told = tell(adversary, makers, sources, samples=amount.samples, seed=amount.seed, repeats=amount.repeats)
    rules = {}
    if not adversary.watches:  # what it does depends on the rule that it watches
        rules = compare(recorded, adversary, sources, epochs=amount.epochs, courses=amount.courses, seed=amount.seed)
    epochs = played["epochs_to_exclusion"]
    return {
        "words": adversary.words,
        "maker": adversary.maker,
        **_told(told, amount),
        "detected": played["detected"],
        "median_tokens": played["tokens_until_exclusion"]["median"],
        "epochs_to_exclusion": epochs["median"],
        "epochs_p90": epochs["p90"],
        "epochs_max": epochs["max"],
        "epochs_to_failed_challenge": played["epochs_to_failed_challenge"],
        "epochs_from_failed_challenge": played["epochs_from_failed_challenge"],
        "traffic_share_lost": played["traffic_share_lost"],
        "networks": played["nodes"],
        "rules": {name: _outcome(one) for name, one in rules.items()},
    }


def _told(told: Told, amount: Amount) -> dict[str, Any]:
    return {
        "auc": round(told.auc, 5),
        "auc_low95": round(told.low, 5),
        "auc_published": round(told.published, 5),
        "auc_of": f"{amount.samples} samples a class, drawn from {told.conversations} conversations",
        "detected_after_tokens": {str(tokens): round(share, 4) for tokens, share in told.detected.items()},
    }


def _outcome(one: Outcome) -> dict[str, Any]:
    return {"excluded": one.excluded, "epochs": one.epochs}


def _honest(report: Mapping[str, Any], amount: Amount, recorded: Recorded) -> dict[str, Any]:
    rules = compare(
        recorded, None, list(recorded.honest), epochs=amount.epochs, courses=amount.courses, seed=amount.seed
    )
    copied = (
        "honest_epochs", "honest_nodes", "honest_answers_judged", "false_exclusions", "highest_suspicion", "honest",
        "checks_per_node_epoch", "checks_per_new_node_epoch", "checks_per_established_node_epoch",
        "challenge_share", "challenge_share_new", "challenge_share_established", "scorers",
    )  # fmt: skip
    return {name: report[name] for name in copied} | {
        "honest_rules": {name: _outcome(one) for name, one in rules.items()},
        "readings_per_answer": report["scorers"] * report["challenge_share"],
    }


def of_processors(results: Mapping[str, Any], measured: Mapping[str, Any]) -> dict[str, Any]:
    """What all scorers take of the processor time of serving 200 answers as they come, of those all made at once, and
    of a processor that serves all the time."""
    found = {}
    for when in ("", "_new", "_established"):
        found[f"scoring_share{when}"] = scoring_share(results, measured, when)
        found[f"scoring_share_at_once{when}"] = scoring_share(results, measured, when, "ratio_at_once")
        found[f"scoring_share_of_processor{when}"] = share_of_processor(results, measured, when)
    return {name: round(share, 5) for name, share in found.items()}


# ------------------------------------------------------------------------------------------------- recorded conditions


def _four_bits(work: Path, say: Say) -> dict[str, Any]:
    """What ``tell-apart`` recorded in ``work``, told apart; empty where there is too little."""
    needed = LEARN + LEAST_SAMPLES * SAMPLE
    ways = (HONEST[2], with_slots(OTHER_PRECISION, 32), *(with_slots(one, 32) for one in CHEATS))
    recorded = {way: records for way in ways if (records := read_records_in(work, way))}
    enough = {way: records for way, records in recorded.items() if sum(len(one.ids) for one in records) >= needed}
    if {way.kind for way in enough} != {"honest", "cheat"}:
        say(f"{work} holds too few recorded answers to tell them apart; they are left aside")
        return {}
    say(f"telling recorded answers apart: {', '.join(way.name for way in enough)}")
    found = evaluate(enough, dict[Condition, float](), LEARN, model="", digest="0" * 64, precision="fp32")
    return {"honest": found.honest, "cheats": msgspec.to_builtins(found.cheats, str_keys=True)}


def _of_records(cheats: Sequence[Mapping[str, Any]], maker: str) -> dict[str, Any]:
    """What takes the place of figures from few conversations where more was recorded."""
    for one in cheats:
        if maker and one["name"] == maker:
            apart = one["separation"]
            return {
                "auc": round(apart["auc"], 5),
                "auc_low95": round(min(apart["auc_low95"], apart["auc_low95_bootstrap"]), 5),
                "auc_of": f"{apart['honest']} honest samples and {apart['cheat']} of it, recorded by tell-apart",
                "detected_after_tokens": {str(tokens): share for tokens, share in one["detected"].items()},
            }
    return {}


# --------------------------------------------------------------------------------------------------- other adversaries


def _others(amount: Amount, recorded: Recorded, say: Say) -> dict[str, Any]:
    """What is tried of those who are no makers of text."""
    found: dict[str, Any] = {}
    for name, attempt in TRIES.items():
        found[name] = msgspec.to_builtins(attempt(amount.forged, amount.seed))
        say(f"{name}: {found[name]['refused']} of {found[name]['tried']} refused")
    for members in (4, 7):
        result = committee.simulate(committee.Plan(members=members, schedules=amount.schedules, seed=amount.seed))
        kept = ("schedules", "safety_violations", "liveness_violations", "members", "contradictions_shown")
        found[f"committee of {members}"] = {name: result[name] for name in kept}
        say(f"committee of {members}: {result['safety_violations']} violations of safety")
    found["claimed speeds"] = _claimed_speeds(amount, say)
    for name in ("quantised", "smaller-model"):
        rules = compare(
            recorded,
            ADVERSARIES[name],
            list(recorded.honest),
            epochs=amount.epochs,
            courses=amount.courses,
            seed=amount.seed,
            friends=1,
        )
        found[f"{name} with a friend among its verifiers"] = _outcome(rules["ours"])
    return found


def _claimed_speeds(amount: Amount, say: Say) -> dict[str, Any]:
    """What timing claims makes of false ones, and of honest ones under whatever load."""
    claims = capacity.simulate(capacity.Plan(networks=amount.speeds, seed=amount.seed))["claims"]
    honest = [one for name, one in claims.items() if name.startswith("honest")]
    false = [one for name, one in claims.items() if not name.startswith("honest")]
    found = {
        "false_claims": sum(one["identities"] for one in false),
        "cut": statistics.fmean(one["ever_cut"] for one in false),
        "moments_to_cut": statistics.median(one["moments_to_cut"] for one in false),
        "honest": sum(one["identities"] for one in honest),
        "honest_cut": round(sum(one["ever_cut"] * one["identities"] for one in honest)),
    }
    say(f"claimed speeds: {found['honest_cut']} of {found['honest']} honest ones cut")
    return found
