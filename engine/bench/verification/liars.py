"""The part ``liars`` of ``gentorrent bench verification``: members that lie about their caches, one machine behind many
identities, leaders that leave out what others have promised. Measured in simulations, told in words and tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.bench.storing import table
from engine.simulation import identities
from engine.simulation.committee import censoring
from engine.simulation.forwarding import poisoning
from engine.simulation.verification.recorded import read_recorded

Say = Callable[[str], None]
POISONING, IDENTITIES, CENSORING = "poisoned caches", "fake identities", "censoring leaders"
HEADLINE = "16 addresses in 16 networks, no work, in a day"
"""Of ``identities.ATTACKS``: the one that is told first."""


@dataclass(frozen=True, slots=True)
class Amount:
    """``groups`` with a liar, each with so many ``requests``; ``crowds`` of identities of each kind; ``schedules`` with
    a censoring leader of each kind, and ``networks`` of each cheat beside it."""

    groups: int
    requests: int
    crowds: int
    schedules: int
    networks: int


FULL = Amount(groups=12, requests=1_200, crowds=20, schedules=500, networks=50)
QUICK = Amount(groups=1, requests=400, crowds=2, schedules=50, networks=10)


def measure(amount: Amount, seed: int, say: Say) -> dict[str, Any]:
    """All three."""
    recorded = read_recorded()
    say("leaders that leave out what others have promised")
    censored = censoring.simulate(
        censoring.Plan(schedules=amount.schedules, networks=amount.networks, seed=seed), recorded
    )
    say("one machine behind many identities")
    crowds = identities.simulate(identities.Plan(networks=amount.crowds, seed=seed), recorded)
    say("members that say they hold what they do not")
    poisoned = poisoning.simulate(poisoning.Plans(groups=amount.groups, requests=amount.requests, seed=seed))
    return {POISONING: poisoned, IDENTITIES: crowds, CENSORING: censored}


def words(name: str, one: Mapping[str, Any]) -> str:
    """For the table of other adversaries: the figure that matters."""
    if name == POISONING:
        lies = one["ways"]["denies"]
        return (
            f"one of {1 / one['even_share']:.0f}, {one['groups']} groups: {percent(lies['share_early'])} of the"
            f" requests in the first {poisoning.EARLY_SECONDS:.0f} s, {percent(lies['share_later'])} after"
            f" {poisoning.LATER_SECONDS:.0f} s (honest: {percent(lies['share_later_honest'])});"
            f" {1000 * lies['delay']:.0f} ms later first tokens"
        )
    if name == IDENTITIES:
        crowd = one["attacks"][HEADLINE]
        return (
            f"{HEADLINE}: {crowd['listed']:.0f} listed beside {one['honest']},"
            f" {percent(crowd['of_questions'])} of the questions for all of them, before any is checked;"
            f" guard and proxy of {percent(crowd['guard_and_proxy_new'])} of the paths,"
            f" of {percent(crowd['guard_and_proxy_week_old'])} after a week"
        )
    with_rule, without = one["with_rule"]["calm"], one["without_rule"]["calm"]
    late = with_rule["cheats"]["epochs"]["quantised"]
    return (
        f"{percent(with_rule['leaves_out'])} of {with_rule['decided']} blocks lack a promise in a calm network"
        f" (without the rule {percent(without['leaves_out'])}); the coarse 4-bit cheat is excluded after"
        f" {late['median']:g} epochs (median; {late['max']:g} at most), {with_rule['cheats']['honest_excluded']} honest"
        " nodes"
    )


def tables(found: Mapping[str, Any]) -> dict[str, list[str]]:
    """For the page, by title."""
    return {
        "Members that say they hold what they do not": _poisoning(found[POISONING]),
        "One machine behind many identities": _identities(found[IDENTITIES]),
        "Leaders that leave out promises": _censoring(found[CENSORING]),
    }


def _poisoning(found: Mapping[str, Any]) -> list[str]:
    early, later = f"first {poisoning.EARLY_SECONDS:.0f} s", f"after {poisoning.LATER_SECONDS:.0f} s"
    head = [
        "one of eight", f"requests, {early}", "wasted", "delay, ms", f"requests, {later}", "most", "wasted", "delay, ms"
    ]  # fmt: skip
    rows = [
        [
            way,
            percent(one["share_early"]),
            percent(one["wasted_early"]),
            f"{1000 * one['delay_early']:.0f}",
            percent(one["share_later"]),
            percent(one["share_later_max"]),
            percent(one["wasted_later"]),
            f"{1000 * one['delay_later']:.0f}",
        ]
        for way, one in found["ways"].items()
    ]
    any_way = next(iter(found["ways"].values()))
    below = f"""
One member of a group of eight says it holds every public prefix that any member has told of; {found["groups"]}
groups with requests of their own (`{poisoning.TRACE}`, half of what the machines can do), each played without
lies, too: there that member gets {percent(any_way["share_early_honest"])} of the requests at first and
{percent(any_way["share_later_honest"])} later, and the first token comes after
{1000 * any_way["honest_first_token"]:.0f} ms. *Admits*: with the answer it says what its cache held, so
look-ups leave it out for a time that doubles; *denies*: it lies then, too, and only three late answers in a row
show it; *overstates*: besides it claims ten times its speed. *Wasted*: of all requests, those that went there
for what it had not. *Delay*: how much later the first token comes, the mean over all users. Look-ups,
statements, beliefs and doubts are those of real members."""
    return [*table(head, rows), *below.splitlines()]


def _identities(found: Mapping[str, Any]) -> list[str]:
    head = [
        "attack", "listed", "seconds of work", "of the relays", "on paths: new", "guard and proxy", "after a week",
        "guard and proxy", "questions: new", "after 1 epoch", "after 3", "after 10", "excluded by then",
    ]  # fmt: skip
    rows = [
        [
            name,
            f"{one['listed']:.0f}",
            f"{one['work_seconds']:.0f}",
            *(
                percent(one[key])
                for key in (
                    "of_relays", "on_paths_new", "guard_and_proxy_new", "on_paths_week_old",
                    "guard_and_proxy_week_old", "of_questions", "of_questions_after_1", "of_questions_after_3",
                    "of_questions_after_10", "excluded",
                )
            ),
        ]
        for name, one in found["attacks"].items()
    ]  # fmt: skip
    honest_excluded = sum(one["honest_excluded"] for one in found["attacks"].values())
    below = f"""
{found["networks"]} networks for each line, of {found["honest"]} honest relays in networks of their own, half of
which answer; each attack wants 512 identities. Entrance, caps and prices are the server's; a proof of work
costs the expected number of hashes, of a core that makes {identities.HASHES_PER_SECOND / 1e6:.1f} million in a
second. *On paths*: of the paths that clients draw, those with a fake relay anywhere; *guard and proxy*: both
are fake, which connects who asks with whom. *Questions*: the share of all questions that all of them get
together, where they answer with a smaller model and are checked; {honest_excluded:g} honest nodes were
excluded. Newcomers together get 3 % at most, so honest newcomers get less while the crowd is there; how soon
all of a crowd are excluded is a question of the room in blocks. Work slows a crowd and stops nobody who waits;
the caps for each address hold, and so does the week until a relay can be a guard."""
    return [*table(head, rows), *below.splitlines()]


def _censoring(found: Mapping[str, Any]) -> list[str]:
    head = [
        "members", "network", "blocks lack a promise", "lack all", "decided in round", "at most",
        *(f"epochs until {name} is out" for name in censoring.CHEATS), "honest excluded",
    ]  # fmt: skip
    rows = []
    for rule, who in (("with_rule", "refuse such blocks"), ("without_rule", "take them")):
        for when in ("calm", "hostile"):
            one = found[rule][when]
            rows.append(
                [
                    who,
                    when,
                    percent(one["leaves_out"]),
                    percent(one["leaves_out_all"]),
                    f"{one['rounds_median']:g}",
                    one["rounds_max"],
                    *_epochs(one["cheats"]),
                ]
            )
    rows.append(["no censor", "", "—", "—", "—", "—", *_epochs(found["no_censor"]["cheats"])])
    below = f"""
{found["with_rule"]["calm"]["schedules"]} agreements of {found["members"]} members for each line, in each of
which the one that leaves out makes the first block. *Calm*: messages arrive and all had promised before;
*hostile*: members crash, and the network loses, delays and divides, as in `gentorrent simulate committee`. A
refused block costs a round: at 600 s the next leader's comes ten seconds later. *Epochs* (median, most of
{found["networks"]} networks of four nodes): nobody is checked behind a quarter of such blocks, as the censor
leads as often as anybody. That is more than it could do: what others promised still counts in a block that
lacks a part."""
    return [*table(head, rows), *below.splitlines()]


def _epochs(cheats: Mapping[str, Any]) -> list[object]:
    spread = [cheats["epochs"][name] for name in censoring.CHEATS]
    return [*(f"{one['median']:g}, {one['max']:g}" for one in spread), cheats["honest_excluded"]]


def percent(share: float) -> str:
    """In words, to three digits."""
    return f"{100 * share:.3g} %"
