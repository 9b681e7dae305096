"""Adversaries that are no makers of dishonest text, on the page of ``gentorrent bench verification``: what stops each,
and what was measured of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.bench.storing import table
from engine.bench.verification import liars
from engine.bench.verification.liars import percent

MECHANISMS: Sequence[tuple[str, str, str, str]] = (
    (
        "replayed or forged receipts",
        "signatures, commitments under the answer's key, one attempt each; evidence takes answers of its epoch only",
        "`tests/unit/verification/test_receipts.py`, `tests/unit/verification/challenges/test_opening.py`",
        "replayed or forged receipts",
    ),
    (
        "forged cloves",
        "each is sealed to its path and number, joined ones authenticate as a whole",
        "`tests/integration/test_overlay_forgers.py`",
        "forged cloves",
    ),
    (
        "directory rollback",
        "signed snapshots in a chain; readers remember where it stands",
        "`tests/unit/directory/test_snapshot.py`, `tests/integration/test_lying_servers.py`",
        "directory rollback",
    ),
    (
        "a verifier that lies, a client that slanders",
        "an entry takes f + 1 attestations of members that agree; what clients say is no evidence",
        "`tests/unit/verification/chain/test_block.py`",
        "a lying verifier or a client that slanders",
    ),
    (
        "a verifier that votes blindly or equivocates (4 members)",
        "quorums, locking, the next leader by the last certified output; two votes of one round are a `Contradiction`",
        "`gentorrent simulate committee`",
        "committee of 4",
    ),
    ("the same with 7 members, 2 of them faulty", "", "`gentorrent simulate committee --members 7`", "committee of 7"),
    (
        "a leader that leaves out what it dislikes, all commitments even",
        "it loses its turn: who has held a commitment passes it on and does not vote for a block that lacks it",
        "`gentorrent simulate committee`, `tests/unit/node/test_commitments_left_out.py`",
        liars.CENSORING,
    ),
    (
        "a verifier that tells its friend, the coarse 4-bit cheat, when it asks",
        "what speaks for a node counts once an epoch and little",
        "`tests/unit/verification/reputation/test_rules.py`",
        "quantised with a friend among its verifiers",
    ),
    ("the same with a smaller model", "", "", "smaller-model with a friend among its verifiers"),
    (
        "HR-tree poisoning, overstated speed",
        "members sign what they hold; a liar wastes one forward; who is late is believed no more, within 30 s",
        "`tests/unit/forwarding/test_gossip.py` and `test_beliefs.py`, `simulate forwarding --overstating 0.25`",
        liars.POISONING,
    ),
    (
        "overstated speed, and one machine behind several identities",
        "all that may be one machine read a long question at one moment; blocks hold the times, groups believe them",
        "`tests/integration/test_claimed_speeds.py`, `gentorrent simulate capacity`",
        "claimed speeds",
    ),
    (
        "fake identities",
        "proof of work while many come, caps for each address and prefix, little traffic for newcomers",
        "`tests/integration/test_entrance.py`, `tests/integration/test_standings.py`",
        liars.IDENTITIES,
    ),
)
"""Adversary, what stops it, where that is shown, and the key of what was measured here."""


def others_table(results: Mapping[str, Any]) -> list[str]:
    """Who they are, what stops them, and what was measured."""
    rows = []
    for who, what, where, key in MECHANISMS:
        measured = "—"
        if key in results["others"]:
            measured = _measured(results["others"][key])
        elif key in results.get("liars", {}):
            measured = liars.words(key, results["liars"][key])
        rows.append([who, what, where, measured])
    return table(["adversary", "what stops it", "shown by", "measured here"], rows)


def _measured(one: Mapping[str, Any]) -> str:
    if "tried" in one:
        return f"{one['refused']} of {one['tried']} refused ({one['kinds']} kinds)"
    if "schedules" in one:
        broken = one["safety_violations"] + one["liveness_violations"]
        return (
            f"{broken} violations in {one['schedules']} schedules, {one['contradictions_shown']} contradictions shown"
        )
    if "honest_cut" in one:
        return (
            f"{percent(one['cut'])} of {one['false_claims']} false claims cut, after {one['moments_to_cut']:g} "
            f"measurements of each verifier (median); {one['honest_cut']} of {one['honest']} honest ones"
        )
    epochs = one["epochs"]
    return f"{percent(one['excluded'])} excluded, after {epochs['median']:g} epochs (median; {epochs['max']:g} at most)"
