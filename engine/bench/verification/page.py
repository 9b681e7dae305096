"""The results of ``gentorrent bench verification`` as text, page and picture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.bench.charts import Curve, Panel, draw_panels
from engine.bench.storing import disturbance, make_page, store_results, table
from engine.bench.verification import liars
from engine.bench.verification.others_page import others_table
from engine.bench.verification.parts import LIARS, NETWORKS, SCORING, SECURITY, lines_of
from engine.bench.verification.protection import PACE, STAND_IN_PACE, TARGET, TOKENS

METHOD = f"""
*Answers* are recorded ones (`resources/engine/verification/answers.json`): the same conversations, had with the
built-in model as honest nodes run it and as cheats do, each answer scored by a real worker. The calibration is the
one that comes with the program, made of other answers (`gentorrent calibrate`). A *sample* is 300 tokens of what an
adversary serves while it cheats, beside 300 of an honest node; its statistic is the sum of the tokens' likelihoods.
The area under the ROC curve (AUC) is how often the cheat's sample looks worse. Its lower 95 % bound comes from
drawing the conversations anew; where more answers were recorded (`tell-apart`, against weights in float32, with a
calibration of answers of its own that are not among the samples), from DeLong and bootstrap over samples, the lower
one. Where no sample of one kind lies among the other the interval has no width. `tell-apart` has recorded the schemes
of the table *4-bit weights against full ones*; *quantised* is the coarsest of them, *quantised-fine* the finest.
*Found after* so many tokens: worse than 99 % of the honest samples.

*Excluded* and *epochs* are of whole networks (`gentorrent simulate verification`: four nodes, one of them dishonest,
four verifiers; duties, blocks and rules are those of real networks), counted from the first check; of one that turns,
from its turning. *Tokens* are those that were judged until then.

*The published rule* (arXiv 2504.20101) judges the very same conversations as ours, four in each epoch, for as many
epochs; so these numbers differ a little from those of whole networks, in which checks are drawn.

*Cost*: one network (a bootstrap server, 16 relays, a model node, a client; processes of this machine, linked by
WebRTC on 127.0.0.1) answers with everything on, and with functions in the place of sealing, signing and checking that
copy bytes and keep their sizes. They exist in the benchmark's processes alone, and are switched every few seconds.
A block is so many answers, begun together and waited for, the same work each time; a pair is one block of each, one
behind the other in turning order. Shares are means over pairs with their 95 % interval (Student). The worker computes
the same with and without protection, so what differs in its processor time is the machine's doing (caches, clock
rates, other programs); as far as the processor time of all follows it (least squares over the pairs) that is taken
off: the worker is the *control*. The work of relays is not the same: checkpoints are some more cells. With everything
on a verifier's worker reads answers again at the default rate, rounded up. *Paced*: answers of {TOKENS} tokens at
{PACE:.0f} tokens/s, four at once, the whole time from question to end. *Saturated*: eight at once, as fast as they go,
of the built-in model; or of a *stand-in* for a fast GPU, which computes nothing and offers more ({STAND_IN_PACE:.0f}
tokens/s to each of 24 chats) than the network of this machine can carry, so that only the network's work is left and
security weighs the most. S-IDA, onion layers and the links' DTLS are parts of the paths and always on; *with layers*
the relays' layers around cells are off as well. All processes share this machine's processors: a model node's own
share is under *model node*. A client's work is done on its user's machine in a real network; what is taken of the
machines that serve stands in a line of its own.
"""

SATURATED = {
    "security_share_throughput_interval": ("share", "Of a saturated machine's tokens/s they take, by those that came"),
    "security_share_processor": ("capacity_controlled", "The same by processor time for a token, with a control"),
    "security_share_processor_uncontrolled": ("capacity", "Without the control"),
    "security_share_processor_serving": (
        "capacity_serving",
        "With the control, of all but the client, whose work is done on its user's machine and not on those that serve",
    ),
}
"""Of :func:`course.of_saturated`: what it is of, and its words."""
EARLIER = (
    "These are figures of an earlier version: of blocks of three seconds of answers that went on, whose shares vary "
    "more (decision 0111); `--part security` measures them as *Method* says."
)


def as_text(results: Mapping[str, Any]) -> str:
    """What is printed."""
    return "\n".join([*_findings(results), "", *(line for part in _parts(results).values() for line in (*part, ""))])


def store(results: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write verification.json, verification.md and verification.svg."""
    findings = [*_findings(results), ""]
    for title, lines in _parts(results).items():
        findings += [f"## {title}", "", *lines, ""]
    page = make_page(
        "Cheats found, and what that costs",
        "bench verification",
        "verification.svg",
        results,
        findings=findings,
        method="\n".join([METHOD, *lines_of(results)]),
    )
    return store_results("verification", results, page, _picture(results), folder)


def _parts(results: Mapping[str, Any]) -> dict[str, list[str]]:
    """The sections of what was measured."""
    measured, parts = results["parts"], dict[str, list[str]]()
    if NETWORKS in measured:
        parts |= {"Who degrades its answers": _adversaries(results), "The published rule": _published(results)}
    if results["four_bits"]:
        parts["4-bit weights against full ones"] = _four_bits(results["four_bits"])
    if NETWORKS in measured:
        parts |= {"Honest nodes": _honest(results), "Other adversaries": others_table(results)}
    if LIARS in measured:
        parts |= liars.tables(results["liars"])
    if SECURITY in measured:
        parts["Sealing, receipts and verification on and off"] = _cost(results)
    if {NETWORKS, SCORING} <= measured.keys():
        parts["Scoring"] = _scoring(results)
    return parts


def _findings(results: Mapping[str, Any]) -> list[str]:
    measured = results["parts"]
    lines = [f"- **The part {name} failed**: {why}" for name, why in results.get("failed", {}).items()]
    if NETWORKS in measured:
        seen = f"{results['honest_epochs']:,} epochs of one node"
        lines.append(f"- {results['false_exclusions']} of {results['honest_nodes']} honest nodes excluded in {seen}.")
    if SECURITY in measured:
        latency, less = _percent(results["security_share_latency"]), f"(wanted: less than {_percent(TARGET)})"
        lines.append(f"- Sealing, receipts and verification take {latency} of the total time of a paced answer {less}.")
        saturated = {
            key: words for key, (found, words) in SATURATED.items() if found in results["security"]["saturated"]
        }
        lines += [_of_saturated(results[key], words) for key, words in saturated.items() if key in results]
    if {NETWORKS, SCORING} <= measured.keys():
        lines += _of_scoring(results)
    return [*lines, *(line for line in disturbance(results) if line)] if SECURITY in measured else lines


def _of_scoring(results: Mapping[str, Any]) -> list[str]:
    scoring, new, later = (_percent(results[f"scoring_share{when}"]) for when in ("", "_new", "_established"))
    wanted = f"(wanted: {_percent(TARGET)} or less; by other measures: *Scoring*, below)"
    epochs = results["amount"]["epochs"]
    return [
        f"- Scoring takes {scoring} of what it takes to serve 200 answers in an epoch as they come, over the first",
        f"  {epochs} epochs of a node; {new} while it is new, {later} later {wanted}.",
    ]


def _of_saturated(share: Mapping[str, Any], words: str) -> str:
    """What of a saturated machine's tokens per second goes into protection, and whether that is decided."""
    low, high = share["low95"], share["high95"]
    if low is None or high is None or not math.isfinite(high - low):
        return f"- {words}: {_percent(share['mean'])}; one pair of readings has no interval."
    decided = "less than" if high < TARGET else "not decided to be less than" if low < TARGET else "not less than"
    return (
        f"- {words}: {_percent(share['mean'])}, 95 % interval {_percent(low)} to {_percent(high)} of {share['pairs']} "
        f"pairs: **{decided} {_percent(TARGET)}**."
    )


def _adversaries(results: Mapping[str, Any]) -> list[str]:
    head = [
        "adversary", "AUC", "lower 95 %", "found after 50", "100", "200", "300 tokens", "excluded", "epochs: median",
        "90 %", "all", "tokens", "traffic lost",
    ]  # fmt: skip
    rows = []
    for name, one in results["adversaries"].items():
        found = one["detected"] > 0
        rows.append(
            [
                f"{name}: {one['words']}",
                f"{one['auc']:.4f}",
                f"{one['auc_low95']:.4f}",
                *(_percent(one["detected_after_tokens"][tokens]) for tokens in ("50", "100", "200", "300")),
                _percent(one["detected"]),
                *(f"{one[key]:g}" if found else "—" for key in ("epochs_to_exclusion", "epochs_p90", "epochs_max")),
                f"{one['median_tokens']:g}" if found else "—",
                _percent(one["traffic_share_lost"]),
            ]
        )
    lines = table(head, rows)
    for name, one in results["adversaries"].items():
        first, then = one["epochs_to_failed_challenge"], one["epochs_from_failed_challenge"]
        if name.startswith("turncoat") and one["detected"]:
            begins = f"{name}: first failed check after {first['median']:g} epochs (median; {first['max']:g} at most)"
            lines += ["", f"{begins}, excluded {then['median']:g} epochs later (median; {then['max']:g} at most)."]
    samples = next(iter(results["adversaries"].values()))["auc_of"]
    return [*lines, "", f"Samples: {samples}, if nothing else is said in the JSON; {_networks(results)} each."]


def _networks(results: Mapping[str, Any]) -> str:
    return f"{results['amount']['networks']} networks"


def _published(results: Mapping[str, Any]) -> list[str]:
    head = ["answers of", "AUC by its credit", "by ours", "excluded by it", "epochs", "by ours", "epochs"]
    rows = [
        [
            name,
            f"{one['auc_published']:.3f}",
            f"{one['auc']:.3f}",
            *(cell for rule in ("published", "ours") for cell in _outcome(one["rules"][rule])),
        ]
        for name, one in results["adversaries"].items()
        if one["rules"]
    ]
    both = [cell for rule in ("published", "ours") for cell in _outcome(results["honest_rules"][rule])]
    return [*table(head, [["honest nodes", "—", "—", *both], *rows]), "", _cliff(results["cliff"])]


def _cliff(rows: Sequence[Mapping[str, Any]]) -> str:
    caught = [row["credit"] for row in rows if row["published"] is not None]
    free = [row["credit"] for row in rows if row["published"] is None]
    ours = [row["ours"] for row in rows if row["ours"] is not None]
    return (
        f"The cliff: of cheats whose answers always have the same credit, the published rule excludes those up to "
        f"{max(caught, default=0):.2f} and none from {min(free, default=1):.2f} on, whatever they serve. Ours excludes "
        f"{len(ours)} of these {len(rows)} credits, after {max(ours, default=0):g} epochs at most "
        "(median): it does not look at the credit."
    )


def _outcome(one: Mapping[str, Any]) -> list[str]:
    return [_percent(one["excluded"]), f"{one['epochs']['median']:g}" if one["excluded"] else "—"]


def _four_bits(found: Mapping[str, Any]) -> list[str]:
    head = ["cheat", "tokens not drawn", "samples: honest", "cheat", "AUC", "lower 95 %: DeLong", "bootstrap", "gap"]
    rows = []
    for one in found["cheats"]:
        apart = one["separation"]
        rows.append(
            [
                one["name"],
                _percent(one["missed"]),
                apart["honest"],
                apart["cheat"],
                f"{apart['auc']:.5f}",
                f"{apart['auc_low95']:.5f}",
                f"{apart['auc_low95_bootstrap']:.5f}",
                f"{apart['gap'] / 1000:.1f}",
            ]
        )
    below = [
        "Samples of 300 tokens that span answers, at temperature 1, of answers that `tell-apart` recorded; honest",
        f"ones: {', '.join(found['honest'])}. The gap lies between the worst honest sample and the best one of",
        "the cheat (natural logarithm; below 0 they overlap).",
    ]
    return [*table(head, rows), "", *below]


def _honest(results: Mapping[str, Any]) -> list[str]:
    head = ["answers made", "node-epochs", "judged", "excluded", "highest suspicion (of 12)"]
    rows = [
        [source, one["honest_epochs"], one["honest_answers_judged"], one["false_exclusions"], one["highest_suspicion"]]
        for source, one in results["honest"].items()
    ]
    return table(head, rows)


def _cost(results: Mapping[str, Any]) -> list[str]:
    head = [
        "work", "on", "off", "share", "95 %: from", "to", "pairs", "by processor time", "95 %: from", "to",
        "model node", "its worker", "client", "relays", "busy",
    ]  # fmt: skip
    names = {
        "paced": f"paced, {TOKENS} tokens: s",
        "saturated": "saturated, built-in model: tokens/s",
        "stand_in": "saturated, stand-in for a GPU: tokens/s",
        "stand_in_with_layers": "the same, layers switched too: tokens/s",
    }
    rows = []
    for key, name in names.items():
        one = results["security"][key]
        share, both = one["share"], one.get("answer_s") or one["tokens_per_s"]
        digits = 3 if "answer_s" in one else 1
        rows.append(
            [
                name,
                *(f"{both[side]:.{digits}f}" for side in ("on", "off")),
                *_interval(share),
                share["pairs"],
                *(_interval(one["capacity"]) if "capacity" in one else ["—"] * 3),
                *(
                    _percent(one["processor"][who]["share"]["mean"]) if who in one.get("processor", {}) else "—"
                    for who in ("model node", "worker", "client", "relays")
                ),
                _percent(one["busy"]["on"]) if "busy" in one else "—",
            ]
        )
    below = [
        "*By processor time*: what all processes together take more for a token, as a share of what they take with",
        "protection: where no processor is idle that is the share of the tokens per second. *Model node* and so on: by",
        "how much protection raises the processor time for a token there. *Busy*: of all processors, by",
        f"the network. Shares at the top also count that {_percent(results['challenge_share'])} of the answers are",
        "challenges.",
    ]
    earlier = [] if "capacity" in results["security"]["saturated"] else ["", EARLIER]
    for key, name in names.items():
        one = results["security"][key]
        if one.get("fewest_at_once", 0) < one.get("at_once", 0):
            below += ["", f"*{name}*: some of {one['at_once']} answers at once failed, so there were fewer, at the"]
            below.append(f"least {one['fewest_at_once']}: the machine had other things to do.")
    return [*table(head, rows), "", *below, *earlier]


def _interval(share: Mapping[str, Any]) -> list[str]:
    return [_percent(share[key]) for key in ("mean", "low95", "high95")]


def _scoring(results: Mapping[str, Any]) -> list[str]:
    cost = results["scoring_cost"]
    ways = {
        f"as {cost['served']} come in {cost['epoch_seconds']:.0f} s (decision 0104)": ("", "serving_ms"),
        f"{cost['served_at_once']} at once, nothing between": ("_at_once", "serving_at_once_ms"),
        "of a processor that serves all the time": ("_of_processor", ""),
    }
    head = ["answers made", "ms of a processor for one", "on average", "while new", "later"]
    rows = [
        [
            words,
            f"{cost[made]:.0f}" if made else "—",
            *(_percent(results[f"scoring_share{way}{when}"]) for when in ("", "_new", "_established")),
        ]
        for words, (way, made) in ways.items()
    ]
    below = f"""To score an answer takes {cost["scoring_ms"]:.0f} ms of a processor ({results["model"]}, answers of
{cost["tokens_of_an_answer"]} tokens; as they come, {cost["made_together"]:.1f} are made together). Shares are what all
scorers together take of what it takes to serve 200 answers in an epoch. The first line is `scoring_share`; it is held
against {_percent(TARGET)} together with the third, the other end: who serves more than 200 takes more for all of them.
The second is not promised. [The long run](../test-results/verification.md) has the same of a larger model, and of other
sources of noise."""
    return [*table(head, rows), "", *below.splitlines()]


def _percent(share: float | None) -> str:
    return "—" if share is None else f"{100 * share:.3g} %"


def _picture(results: Mapping[str, Any]) -> str:
    panels = _panels(results) if NETWORKS in results["parts"] else []
    model = results.get("model", "the simulated networks are missing")
    return draw_panels("Cheats found", panels, f"{model}; recorded answers, simulated networks")


def _panels(results: Mapping[str, Any]) -> list[Panel]:
    steps = ("50", "100", "150", "200", "300")
    curves = [
        Curve(
            name,
            [(0.0, 0.0), *((float(step), one["detected_after_tokens"][step]) for step in steps)],
            dashed=name.startswith(("mixed", "later")),
        )
        for name, one in results["adversaries"].items()
        if one["maker"] and not name.startswith(("turncoat", "watches", "credit"))
    ]
    rows = results["cliff"]
    known = [row[rule] for row in rows for rule in ("ours", "published") if row[rule] is not None]
    top = max(10.0, 1.5 * max(known, default=0.0))
    cliff = [
        Curve(
            words,
            [(row["credit"], top if row[rule] is None else row[rule]) for row in rows],
            dashed=rule == "published",
        )
        for words, rule in (("ours", "ours"), ("published (at the top: never)", "published"))
    ]
    return [
        Panel("Share of cheating samples worse than 99 % of honest ones", "tokens seen", curves),
        Panel("Epochs to exclusion (median)", "credit of every answer", cliff, highest=top),
    ]
