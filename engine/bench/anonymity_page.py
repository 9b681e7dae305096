"""The simulation of anonymity as text, page and picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine import __version__
from engine.bench.charts import Curve, Panel, draw_panels
from engine.bench.machine import commit
from engine.bench.storing import store_results, table

ASSUMPTIONS = """
Each relay is hostile with probability f, on its own. The share f is of relays, not of users: nothing here says how hard
it is to run many relays (see the threat model).

**The published metric** is PlanetServe's. The relays of one path conspire. If a path has a hostile relay, the one
before the first of them is taken for the sender with probability 1 / (n l - s), s of all n l relays being hostile; the
rest is spread evenly over all other honest ones of 10,000 nodes. Anonymity is the expected entropy of that distribution
over log2(10,000): 1 is perfect, 0 means named. Confidentiality is the probability that fewer than k cloves meet a
hostile relay.

**Ours** is the same metric on our paths: n = 4, k = 3, l = 3. The twelve relays of a chat are all different, so the
graph and the guards do not change its expectation: without refusals the formula is exact, on the mesh and on the rings.
With refusals, hostile relays break off paths that bring them nothing, and the client draws anew from another of its
eight guards; drawn here with the code that clients run (on the rings: by the same rule), thousands of times. That
guards whose paths fail too often are retired is left out, which favours the adversary. The number given is that of the
worst strategy, where it is worse beyond chance (three standard errors). Confidentiality is 1 because the request is
sealed to the model node before it is cut: relays that gather k cloves read nothing. How often they could gather them
stands beside it.

**What the published metric does not say.** It has no timing: hostile relays at both ends of a path are as ignorant as
elsewhere. In our network a guard *knows* that its neighbour is a client, and two relays of one path can recognise each
other by timing. So these adversaries are counted apart, and they succeed whenever they are in place:

- *guard and proxy* of one path conspire: together they know that this client talks to that model node.
- *guard and serving node* conspire: they know who asked what. One hostile guard of four is enough.

A chat keeps its paths, so a number for an answer is the number for its chat. Twelve new chats have new middles and
proxies but the same guards; without lasting guards most clients would meet a bad pair sooner or later.

**The serving node with the log of links.** A model node that answers is given the bootstrap server's log (which client
has which guards), all links between relays, which four guards serve, and that all chats it sees are of one client. It
weighs 10,000 clients by the number of ways from their guards to the proxies it saw. 1 is perfect, 0 is named. The last
row is the share of senders who are alone the most likely one.
"""


def as_text(results: dict[str, Any]) -> str:
    """What is printed."""
    return "\n".join([*_metric(results), "", *_adversaries(results), "", *_refusals(results), "", *_log(results)])


def store(results: dict[str, Any], folder: Path) -> list[Path]:
    """Write anonymity.json, anonymity.md and anonymity.svg."""
    versions = {"gentorrent": __version__, "commit": commit(Path(__file__).resolve().parents[2])}
    return store_results(
        "anonymity", {**results, "versions": versions}, _page(results, versions), _picture(results), folder
    )


def _page(results: dict[str, Any], versions: dict[str, str]) -> str:
    quick = " --quick" if results["quick"] else ""
    off = results["deviation"]
    return "\n".join(
        [
            "# Who could find out who asked",
            "",
            f"Written by `gentorrent simulate anonymity{quick} --seed {results['seed']}`; do not edit. Computed, not",
            "measured on people's machines.",
            "",
            "![Anonymity and confidentiality](anonymity.svg)",
            "",
            "In short:",
            "",
            *_claims(results),
            "",
            "## By the published metric",
            "",
            *_metric(results),
            "",
            "Published, l = 3: the formula of PlanetServe (arXiv 2504.20101, NSDI '26) at its deployed path length;",
            "the curves in [data](data/README.md) are for l = 4. Largest difference of each from its formula here:",
            "",
            *table(["curve", "difference"], [[name, f"{value:.1g}"] for name, value in off.items()]),
            "",
            "The confidentiality curves were themselves drawn by lot (50,000 times), so they are off by that much.",
            "",
            "## By named adversaries",
            "",
            *_adversaries(results),
            "",
            "## With refusals",
            "",
            *_refusals(results),
            "",
            "Refusing keeps hostile relays off paths where they would learn little, so the published metric rises",
            "while the share of bad pairs rises as well: the metric alone is not enough to judge by.",
            "",
            "## The serving node with the log of links",
            "",
            *_log(results),
            "",
            "## Model and assumptions",
            "",
            ASSUMPTIONS.strip(),
            "",
            "## Versions",
            "",
            *(f"- {name}: {value}" for name, value in versions.items()),
            "",
        ]
    )


def _claims(results: dict[str, Any]) -> list[str]:
    tenth, bad = results["ours"]["0.1"], results["adversaries"]["0.1"]
    sizes = results["networks"]
    refusing = max(found["guard_and_proxy"] for found in sizes[0]["exposure"]["0.1"])
    logs = [(net["relays"], net["serving_node_with_log"]["entropy"]) for net in sizes]
    one = ", ".join(f"{entropy[0]:.2f} at {relays:,} relays" for relays, entropy in logs)
    many = ", ".join(f"{entropy[-1]:.2f}" for _, entropy in logs)
    worse = [f for f in results["ours"] if results["ours"][f]["anonymity"] < results["published"][f]["anonymity"]]
    compared = f"worse at f = {', '.join(worse)}" if worse else "at no f worse"
    return [
        f"- By the published metric ours is {compared} than PlanetServe as deployed: {tenth['anonymity']:.4f} with a",
        "  tenth of all relays hostile. Relays read nothing, however many conspire.",
        f"- With a tenth hostile, guard and proxy recognise the sender of {bad['guard_and_proxy']:.1%} of chats by",
        f"  timing, or of {refusing:.1%} if they refuse every path that brings them nothing; a guard with a hostile",
        f"  serving node that of {bad['guard_and_serving_node']:.1%}. The product says so.",
        "- A hostile serving node with the bootstrap server's log of links learns little from one chat (anonymity",
        f"  {one}). From twelve chats that it can tell to be of one person",
        f"  it learns much: {many}.",
    ]


def _metric(results: dict[str, Any]) -> list[str]:
    rows = []
    for f, ours in results["ours"].items():
        theirs = results["published"][f]
        others = results["others"][f].values()
        numbers = [theirs["anonymity"], ours["anonymity"], *others, theirs["confidentiality"], ours["cloves_gathered"]]
        rows.append([f, *(f"{number:.4f}" for number in numbers), f"{ours['confidentiality']:.1f}"])
    others = next(iter(results["others"].values()))
    head = ["f", "anonymity, published l = 3", "ours", *others, "confidentiality, published l = 3"]
    return table([*head, "3 cloves gathered, ours", "confidentiality, ours"], rows)


def _adversaries(results: dict[str, Any]) -> list[str]:
    head = ["f", "guard + proxy", "in 12 chats", "the same without lasting guards", "guard + serving node"]
    rows = [[f, *(f"{value:.2%}" for value in found.values())] for f, found in results["adversaries"].items()]
    return table(head, rows)


def _refusals(results: dict[str, Any]) -> list[str]:
    head = ["relays", "f", "hostile relays refuse", "anonymity", "guard + proxy", "hostile guard", "draws per path"]
    rows = []
    for network in results["networks"]:
        for f, kinds in network["exposure"].items():
            for found in kinds:
                shares = [f"{found[name]:.2%}" for name in ("guard_and_proxy", "guard_and_serving")]
                anonymity = f"{found['anonymity']:.4f} ± {found['standard_error']:.4f}"
                rows.append(
                    [network["relays"], f, found["refusal"], anonymity, *shares, f"{found['draws_per_path']:.2f}"]
                )
    return table(head, rows)


def _log(results: dict[str, Any]) -> list[str]:
    head = ["chats seen", *(f"{network['relays']:,} relays, {network['graph']}" for network in results["networks"])]
    logs = [network["serving_node_with_log"] for network in results["networks"]]
    rows: list[list[object]] = [
        [chats + 1, *(f"{log['entropy'][chats]:.3f}" for log in logs)]
        for chats in (0, 1, 2, 5, 11)
        if chats < len(logs[0]["entropy"])
    ]
    return table(head, [*rows, ["named after all", *(f"{log['named'][-1]:.1%}" for log in logs)]])


def _picture(results: dict[str, Any]) -> str:
    def curve(name: str, group: str, key: str, *, dashed: bool = False) -> Curve:
        return Curve(name, [(float(f), found[key]) for f, found in results[group].items()], dashed)

    anonymity = [curve("ours", "ours", "anonymity"), curve("PlanetServe, l = 3", "published", "anonymity", dashed=True)]
    anonymity += [curve(name, "others", name, dashed=True) for name in next(iter(results["others"].values()))]
    confidentiality = [
        curve("ours", "ours", "confidentiality"),
        curve("PlanetServe, l = 3", "published", "confidentiality", dashed=True),
    ]
    found = [
        curve("guard + proxy", "adversaries", "guard_and_proxy"),
        curve("the same, 12 chats", "adversaries", "guard_and_proxy_12_chats"),
        curve("12 chats, no guards", "adversaries", "guard_and_proxy_12_chats_without_guards", dashed=True),
        curve("guard + serving node", "adversaries", "guard_and_serving_node"),
    ]
    log = [
        Curve(f"{net['relays']:,} relays", list(enumerate(net["serving_node_with_log"]["entropy"], start=1)))
        for net in results["networks"]
    ]
    across = "share of hostile relays"
    panels = [
        Panel("Anonymity (normalized entropy), published metric", across, anonymity),
        Panel("Confidentiality against all relays together", across, confidentiality),
        Panel("Share of chats whose sender is recognised by timing", across, found),
        Panel("Anonymity against the serving node with the log of links", "chats known to be of one person", log),
    ]
    return draw_panels("Who could find out who asked", panels, "n = 4, k = 3; dashed: published by others, or not ours")
