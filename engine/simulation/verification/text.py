"""A report of ``gentorrent simulate verification`` for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def as_text(report: Mapping[str, Any]) -> str:
    """Three tables and what is not as it should be."""
    plan = report["plan"]
    lines = [
        _sentence(
            f"{plan['networks']} networks of {plan['nodes']} nodes and {plan['verifiers']} verifiers, {plan['epochs']}",
            f"epochs, answers of {report['model']}; the published rule (arXiv 2504.20101) sees the same answers.",
        ),
        *table(ADVERSARIES, adversary_rows(report)),
        "",
        _sentence(
            f"Honest nodes: {report['false_exclusions']} of {report['honest_nodes']} were excluded in",
            f"{report['honest_epochs']} epochs of one node.",
        ),
        *table(HONEST, honest_rows(report)),
        "",
        _sentence(
            f"Checks of a node in an epoch: {report['checks_per_node_epoch']:.3f} on average,",
            f"{report['checks_per_new_node_epoch']:.2f} while it is checked in every epoch,",
            f"{report['checks_per_established_node_epoch']:.3f} later.",
        ),
        _sentence(
            "Tokens that all scorers read, as a share of what a node reads and writes with 200 answers in an epoch:",
            f"{_percent(report['scoring_share'])} on average, {_percent(report['scoring_share_new'])} of new nodes,",
            f"{_percent(report['scoring_share_established'])} of others.",
        ),
        _sentence(
            f"Answers to checks as a share of 200: {_percent(report['challenge_share'])} on average,",
            f"{_percent(report['challenge_share_new'])} of new nodes,",
            f"{_percent(report['challenge_share_established'])} of others.",
        ),
    ]
    if "relaying" in report["adversaries"]:
        lines.append("What timing reveals of one that relays: nothing, as no rule judges by time.")
    return "\n".join([*lines, *(f"NOT AS IT SHOULD BE: {problem}" for problem in report["problems"])])


ADVERSARIES = (
    "adversary", "excluded", "epochs: median", "p90", "max", "answers", "tokens", "first failed check",
    "from there: max", "traffic lost", "traffic cheated", "published: excluded",
)  # fmt: skip
HONEST = (
    "answers made", "node-epochs", "judged", "excluded", "highest suspicion", "highest lapses", "median credit",
    "published: below 0.4",
)  # fmt: skip


def adversary_rows(report: Mapping[str, Any]) -> list[list[str]]:
    """One for each adversary."""
    rows = []
    for name, one in report["adversaries"].items():
        epochs = one["epochs_to_exclusion"]
        found = one["detected"] > 0
        rows.append(
            [
                name,
                _percent(one["detected"]),
                *(f"{epochs[key]:g}" if found else "-" for key in ("median", "p90", "max")),
                f"{one['answers_until_exclusion']['median']:g}" if found else "-",
                f"{one['tokens_until_exclusion']['median']:g}" if found else "-",
                f"{one['epochs_to_failed_challenge']['median']:g}" if one["epochs_to_failed_challenge"]["max"] else "-",
                f"{one['epochs_from_failed_challenge']['max']:g}" if found else "-",
                _percent(one["traffic_share_lost"]),
                _percent(one["cheated_traffic_share"]),
                _percent(one["published_detected"]),
            ]
        )
    return rows


def honest_rows(report: Mapping[str, Any]) -> list[list[str]]:
    """One for each way of making honest answers."""
    return [
        [
            source,
            str(one["honest_epochs"]),
            str(one["honest_answers_judged"]),
            str(one["false_exclusions"]),
            f"{one['highest_suspicion']:.1f}",
            f"{one['highest_lapses']:.1f}",
            f"{report['recorded'][source]['median_credit']:.2f}",
            f"{one['published_false_exclusions']} of {one['honest_nodes']}",
        ]
        for source, one in report["honest"].items()
    ]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns as wide as they need."""
    lines = [list(head), *rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(head))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]


def _sentence(*parts: str) -> str:
    return " ".join(parts)


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
