"""`make test-long-hand-over`: the machine that answers is killed (SIGKILL) in mid-answer, fifty times in a row.

A real network on this machine: every node is a process, links are WebRTC. Each time another seed, another moment; the
answer must be, word for word, what the client's own machine says to the same question, with receipts of both machines
that hold, and nobody may wait for two seconds longer than a machine needs to say its first token. The killed machine
comes back before the next time.

What was done is kept in ``.work/test-long-hand-over/<commit>``, so an interrupted run goes on where it was; with files
changed since the commit everything is done anew. Only a run of fifty without a problem writes
docs/test-results/hand-over.md and .json. It is about time that passes: run it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from engine.inference.models.installed import BUILTIN_MODEL
from tests.support.long_runs import machine, report, store, work_folder
from tests.support.network import Answer, Network

TIMES = 50
RELAYS = 12
MACHINES = ("model-1", "model-2", "model-3")
RATE = 20
"""Tokens per second that a machine writes at most: so there is a middle."""
TOKENS = 80
QUESTION = "Tell me all that you know."
GAP_SECONDS = 2.0


def main() -> int:
    """0 if there are no problems."""
    parser = argparse.ArgumentParser(
        prog="make test-long-hand-over", description="Kill the machine that answers, again and again (ARGS=...)."
    )
    parser.add_argument("--times", type=int, default=TIMES, help=f"how often ({TIMES}); fewer store nothing")
    options = parser.parse_args()
    head, folder = work_folder("hand-over")
    left = [number for number in range(options.times) if not (folder / f"{number}.json").exists()]
    if left:
        run(folder, left)
    found = [json.loads((folder / f"{number}.json").read_text("utf-8")) for number in range(options.times)]
    problems = [f"{number}: {problem}" for number, one in enumerate(found) for problem in one["problems"]]
    report(problems)
    result = {"commit": head, "machine": machine(), "times": found}
    print(as_markdown(result))
    if not problems and options.times >= TIMES:
        store("hand-over", result, as_markdown(result))
    return 1 if problems else 0


def run(folder: Path, numbers: Sequence[int]) -> None:
    """Each of these once, in one network."""
    with tempfile.TemporaryDirectory() as data, Network(Path(data)) as network:
        network.found()
        network.relays("relays", RELAYS)
        for name in MACHINES:
            start(network, name)
        network.node("client", "--no-relay")
        network.wait_ready("client", RELAYS, len(MACHINES), 180)
        for number in numbers:
            told = once(network, number)
            (folder / f"{number}.json").write_text(json.dumps(told) + "\n", encoding="utf-8")
            said = "; ".join(told["problems"]) or f"gap {told['gap_s']:.2f} s"
            print(f"[long] {number}: killed after {told['killed_after']} pieces, {said}", flush=True)


def start(network: Network, name: str) -> None:
    """A machine that answers."""
    limits = ("--max-tokens-per-second", str(RATE))
    network.node(name, "--no-relay", "--contribute", BUILTIN_MODEL, *limits)


def once(network: Network, number: int) -> dict[str, Any]:
    """Ask, kill, read on, and compare with what this machine itself says."""
    source = random.Random(number)
    sampling: dict[str, Any] = {"seed": 100 + number, "temperature": 1.2}
    client = network.openai("client")
    lengths = {"min_tokens": TOKENS, "max_tokens": TOKENS}
    expected = Answer(client, QUESTION, gentorrent={"route": "local"}, **lengths, **sampling).read()
    chat = f"time {number}-{time.monotonic_ns()}"
    first = Answer(client, QUESTION, conversation=chat, min_tokens=2, max_tokens=2, **sampling).read()
    if first.error is not None:
        return _told(0, 0.0, 0.0, [f"the first question: {first.error}"])
    victim = next(name for name in MACHINES if network.is_node(name, str(first.extension["served_by"])))
    answer = Answer(client, QUESTION, conversation=chat, **lengths, **sampling)
    answer.read(pieces=source.randrange(1, 25))
    killed_after = len(answer.pieces)
    network.kill(victim)
    gap = _longest_pause(answer)
    first_token = float(str(first.extension["ttft_ms"])) / 1000
    problems = _problems(answer, expected, gap, first_token)
    start(network, victim)
    network.wait(victim, lambda state: state.contributing.status == "on", 120)
    network.wait_ready("client", RELAYS, len(MACHINES), 120)
    return _told(killed_after, gap, first_token, problems)


def _told(killed_after: int, gap: float, first_token: float, problems: list[str]) -> dict[str, Any]:
    return {"killed_after": killed_after, "gap_s": gap, "first_token_s": first_token, "problems": problems}


def _longest_pause(answer: Answer) -> float:
    """Read to the end; the longest time between two pieces from now on."""
    last, longest = time.monotonic(), 0.0
    while True:
        count = len(answer.pieces)
        answer.read(pieces=count + 1)
        if len(answer.pieces) == count:
            return longest
        now = time.monotonic()
        last, longest = now, max(longest, now - last)


def _problems(answer: Answer, expected: Answer, gap: float, first_token: float) -> list[str]:
    """Everything that is not as it should be."""
    if answer.error is not None:
        return [f"the answer ended: {answer.error}"]
    found = []
    if answer.text != expected.text or answer.tokens != TOKENS:
        found.append(f"another answer than the undisturbed one: {answer.tokens} tokens")
    if answer.extension["receipt_verified"] is not True:
        found.append(f"the receipt: {answer.extension['receipt_reason']}")
    machines = answer.extension.get("machines")
    if not isinstance(machines, list) or len(machines) != 2:
        found.append(f"answered by {machines}")
    if gap >= GAP_SECONDS + first_token:
        found.append(f"a gap of {gap:.2f} s, where a first token takes {first_token:.2f} s")
    return found


def as_markdown(result: Mapping[str, Any]) -> str:
    """The page."""
    times = result["times"]
    gaps = sorted(one["gap_s"] for one in times)
    firsts = sorted(one["first_token_s"] for one in times)
    passed = sum(not one["problems"] for one in times)
    return (
        "# Hand-over\n\n"
        f"`make test-long-hand-over` at commit {result['commit']}: real processes and WebRTC on one machine, {RELAYS}"
        f" relays, {len(MACHINES)} machines with the built-in model. The one that answers is killed with SIGKILL in"
        f" mid-answer; another one goes on. {passed} of {len(times)} times in a row the answer was word for word the"
        f" undisturbed one, in {TOKENS} tokens, and the receipts of both machines held.\n\n"
        "| seconds | median | longest |\n|---|---|---|\n"
        f"| longest pause for the reader | {median(gaps):.2f} | {gaps[-1]:.2f} |\n"
        f"| to the first token of an undisturbed question | {median(firsts):.2f} | {firsts[-1]:.2f} |\n"
    )


if __name__ == "__main__":
    sys.exit(main())
