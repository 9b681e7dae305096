"""What is promised of verification, held against what the long run has measured. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from engine.bench.verification.cost import scoring_share, share_of_processor
from engine.simulation.verification.adversaries import ADVERSARIES

HONEST_EPOCHS = 30_000
"""Of one node, for each way in which honest answers were recorded."""
LARGEST_SHARE = 0.03
"""That scoring may take: of what it takes to serve 200 answers as they come, and of a processor that is never idle."""
LEAST_FOUND = {"mixed-fifth": 0.85, "watches": 0.99}
"""Of those for whom no number of epochs is promised, the share that is excluded before the simulation ends."""
MOST_CHEATED = {"watches-patiently": 0.15}
"""Of an even share of traffic: what one that is never found answers badly at most."""

MOST_TRAFFIC = {"breaks-off": 0.2}
"""Of an even share: what one gets at most that does not let itself be checked."""


class Claim(NamedTuple):
    """One line of the page."""

    words: str
    measured: str
    holds: bool


def claims(found: Mapping[str, Any]) -> list[Claim]:
    """All of them."""
    honest = found["honest"]
    return [
        *_of_honest(honest),
        *_of_cheats(found["cheats"]),
        *_of_cost(honest, found["costs"]),
        *_of_speeds(found["speeds"]["simulated"]["claims"], found["speeds"]["real"]),
    ]


def _of_speeds(claimed: Mapping[str, Any], real: Mapping[str, Any]) -> Iterator[Claim]:
    for name, one in claimed.items():
        is_honest, cut = name.startswith("honest"), one["ever_cut"]
        yield Claim(
            f"speed: {name}: {'never' if is_honest else 'always'} cut",
            counted(cut, one["identities"]),
            cut == (0 if is_honest else 1),
        )
    found = real["slower"]
    yield Claim(
        "speed: of two real nodes the one that overstates is cut to what it reads (within a quarter)",
        f"cut: {cut_in_words(real)}; both read {real['reads']}",
        set(found) == {"overstating"} and 0.75 <= found["overstating"] / real["reads"] <= 1.25,
    )


def counted(share: float, of: int) -> str:
    """How many of these that is: no rounding makes all of nearly all."""
    return f"{round(share * of):,} of {of:,}"


def cut_in_words(real: Mapping[str, Any]) -> str:
    """Who of real nodes was said to be slower, and how fast."""
    return ", ".join(f"the {name} one, to {rate} tokens a second" for name, rate in real["slower"].items()) or "nobody"


def _of_honest(honest: Mapping[str, Any]) -> Iterator[Claim]:
    for source, one in honest.items():
        yield Claim(
            f"0 false exclusions in {HONEST_EPOCHS:,} epochs of one honest node ({source})",
            f"{one['false_exclusions']} in {one['honest_epochs']:,}",
            one["false_exclusions"] == 0 and one["honest_epochs"] >= HONEST_EPOCHS,
        )


def _of_cheats(cheats: Mapping[str, Mapping[str, Any]]) -> Iterator[Claim]:
    for nodes, by_name in cheats.items():
        for name, one in by_name.items():
            adversary, said = ADVERSARIES[name], f"{name}, {nodes} nodes"
            if adversary.within is not None:
                since = "failed_challenge" if adversary.turns else ""
                late = one["epochs_from_failed_challenge" if since else "epochs_to_exclusion"]
                yield Claim(
                    f"{said}: excluded within {adversary.within} epochs"
                    + (" of its first failed check" if since else ""),
                    f"{100 * one['detected']:g} % excluded, at most {late['max']} epochs",
                    one["detected"] == 1 and late["max"] <= adversary.within,
                )
            if name in LEAST_FOUND:
                yield Claim(
                    f"{said}: {100 * LEAST_FOUND[name]:g} % excluded before the simulation ends",
                    f"{100 * one['detected']:g} %",
                    one["detected"] >= LEAST_FOUND[name],
                )
            if name in MOST_CHEATED:
                yield Claim(
                    f"{said}: answers at most {100 * MOST_CHEATED[name]:g} % of an even share of traffic badly",
                    f"{100 * one['cheated_traffic_share']:.1f} %",
                    one["cheated_traffic_share"] <= MOST_CHEATED[name],
                )
            if name in MOST_TRAFFIC:
                gets = 1 - one["traffic_share_lost"]
                yield Claim(
                    f"{said}: gets at most {100 * MOST_TRAFFIC[name]:g} % of an even share of traffic",
                    f"{100 * gets:.1f} %",
                    gets <= MOST_TRAFFIC[name],
                )
            if adversary.credit is not None:
                yield Claim(
                    f"{said}: not found by the published rule, and by ours",
                    f"{100 * one['published_detected']:g} % and {100 * one['detected']:g} %",
                    one["published_detected"] == 0 and one["detected"] == 1,
                )


def _of_cost(honest: Mapping[str, Any], costs: Mapping[str, Any]) -> Iterator[Claim]:
    for model, cost in costs.items():
        for when, name in (("", "on average over 60 epochs"), ("_new", "while new"), ("_established", "established")):
            for served, share_of in (("200 answers an epoch", scoring_share), ("all the time", share_of_processor)):
                share = max(share_of(one, cost, when) for one in honest.values())
                yield Claim(
                    f"scoring takes at most {100 * LARGEST_SHARE:g} % of serving {served}, {name} ({model})",
                    f"{100 * share:.2f} % in processor seconds",
                    share <= LARGEST_SHARE,
                )
