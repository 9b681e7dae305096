"""``make test-nat``: links every pair of kinds and writes docs/nat.md; exit code 1 if one does not link as it must."""

from __future__ import annotations

import itertools
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.nat.laboratory import IPV6_KINDS, KINDS, ROOT, Laboratory, missing
from tests.nat.pairs import Outcome, Party, expected, try_pair

DOCUMENT = ROOT / "docs" / "nat.md"
BEGIN, END = "<!-- table: make test-nat -->", "<!-- end of table -->"
SECOND_TIME = 2.0
"""Seconds within which a relayed link must stand on a known network."""


def pairs() -> list[tuple[str, str]]:
    """Every pair of IPv4 kinds, and IPv6 with what it meets."""
    plain = list(itertools.combinations_with_replacement(KINDS, 2))
    return [*plain, ("ipv6", "ipv6"), ("ipv6", "dual-stack"), ("dual-stack", "symmetric"), ("ipv6", "port-restricted")]


def main() -> int:
    """Measure, say, write."""
    lacks = missing()
    if lacks:
        print(f"The NAT laboratory cannot run: this machine has no {lacks}.", file=sys.stderr)
        return 1
    outcomes: dict[tuple[str, str], Outcome | str] = {}
    with tempfile.TemporaryDirectory() as folder, Laboratory(Path(folder)) as laboratory:
        parties: dict[tuple[str, int], Party] = {}

        def party(kind: str, number: int) -> Party:
            if (kind, number) not in parties:
                parties[kind, number] = Party(laboratory, laboratory.side(kind), len(parties) + 1)
            return parties[kind, number]

        for kind in (*KINDS, *IPV6_KINDS):
            party(kind, 0)
        for one, other in pairs():
            try:
                outcomes[one, other] = try_pair(party(one, 0), party(other, int(one == other)))
            except AssertionError as error:
                outcomes[one, other] = str(error)
            print(one, "-", other, outcomes[one, other], flush=True)
        for made in parties.values():
            made.close()
    problems = problems_of(outcomes)
    write(outcomes)
    print("\n".join(problems) or f"All {len(outcomes)} pairs link as they must; see {DOCUMENT.relative_to(ROOT)}.")
    return 1 if problems else 0


def problems_of(outcomes: dict[tuple[str, str], Outcome | str]) -> list[str]:
    """Every pair that is not as it must be."""
    found = []
    for (one, other), outcome in outcomes.items():
        if isinstance(outcome, str):
            found.append(f"{one} - {other}: no link: {outcome}")
        elif outcome.kind != expected(one, other):
            found.append(f"{one} - {other}: {outcome.kind}, not {expected(one, other)}")
        elif outcome.kind == "relayed" and outcome.second >= SECOND_TIME:
            found.append(f"{one} - {other}: {outcome.second:.2f} s on a known network, not below {SECOND_TIME:.0f} s")
    return found


def write(outcomes: dict[tuple[str, str], Outcome | str]) -> None:
    """Put the table into the document."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=ROOT, check=False
    ).stdout.strip()
    lines = [BEGIN, f"Measured at commit {commit} by `make test-nat`:", ""]
    lines += ["| one side | other side | link | relays used | first time | again |", "|---|---|---|---|---|---|"]
    for (one, other), outcome in outcomes.items():
        if isinstance(outcome, str):
            lines.append(f"| {one} | {other} | **none** | | | |")
            continue
        relays = "" if outcome.kind == "direct" else " / ".join(_short(url) for url in outcome.turn)
        lines.append(
            f"| {one} | {other} | {outcome.kind} | {relays} | {outcome.first:.2f} s | {outcome.second:.2f} s |"
        )
    text = DOCUMENT.read_text()
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    DOCUMENT.write_text(before + "\n".join([*lines, END]) + after)


def _short(url: str) -> str:
    """Transport and port of a TURN server's address."""
    kind = "TLS" if url.startswith("turns:") else "TCP" if url.endswith("tcp") else "UDP"
    return f"{kind} {url.partition('?')[0].rpartition(':')[2]}"


if __name__ == "__main__":
    sys.exit(main())
