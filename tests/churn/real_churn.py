"""`make test-long-real-churn`: answers while one relay in ten of a real network is killed every ten seconds.

Relays share processes, four in each, and a whole process is killed (SIGKILL), so nobody says goodbye. Every second
replacement is the same relays with their old keys, the others are new ones. Model nodes write slowly, so that answers
last more than twenty seconds; each must be, word for word, what the client's own machine says to the same question.
Only a run of five minutes that loses none writes docs/test-results/real-churn.md and .json. It is about time that
passes: run it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.bench.machine import commit
from engine.inference.models.installed import BUILTIN_MODEL
from tests.support.long_runs import machine, report, store
from tests.support.network import Answer, Network
from tools.lock import ROOT

QUESTION = "Tell me all that you know."
SAMPLING = {"seed": 11, "temperature": 1.2}
ANSWERS_PER_CHAT = 3
PATHS = 4
"""That carry an answer: also one that has lost a path has drawn another before it ends, or names the lost one."""
LEAST_SECONDS = 20.0
LEAST_IN_FLIGHT = 5
LEAST_ANSWERS = 40
LEAST_RELAYS = 30


@dataclass(frozen=True)
class Plan:
    """How much of it. ``rate`` is in tokens per second."""

    minutes: float = 5.0
    processes: int = 9
    relays_each: int = 4
    askers: int = 7
    every: float = 10.0
    rate: float = 5.0
    tokens: int = 125
    seed: int = 1
    undisturbed_first: int = 1

    @property
    def relays(self) -> int:
        """In all."""
        return self.processes * self.relays_each


@dataclass
class Told:
    """One answer as its asker saw it. Seconds are counted from the first kill's clock."""

    asker: int
    begun: float
    ended: float
    tokens: int
    right: bool
    error: str


@dataclass
class Outcome:
    """Everything that happened."""

    answers: list[Told] = field(default_factory=list)
    kills: list[float] = field(default_factory=list)
    in_flight_at_kills: list[int] = field(default_factory=list)
    relays_at_kills: list[int] = field(default_factory=list)
    """That the client knows of and takes for present."""

    @property
    def lost(self) -> list[Told]:
        """Answers that failed, or are not what they should be."""
        return [told for told in self.answers if told.error or not told.right]


class RealChurn:
    """One network, its askers and its killer."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.plan = plan
        self.network = Network(folder)
        self.outcome = Outcome()
        self._random = random.Random(plan.seed)
        self._lock = threading.Lock()
        self._in_flight = 0
        self._stop = threading.Event()
        self._names: list[str] = []
        self._generation = 0
        self._begun = 0.0
        self._text = ""

    def run(self) -> Outcome:
        """Until the time is over and the last answer is complete."""
        plan = self.plan
        with self.network as network:
            network.found()
            for index in range(plan.processes):
                self._names.append(f"relays-{index}")
                network.relays(self._names[-1], plan.relays_each)
            for name in ("model-1", "model-2"):
                options = ("--contribute", BUILTIN_MODEL, "--max-tokens-per-second", f"{plan.rate:g}")
                network.node(name, "--no-relay", *options)
            network.node("client", "--no-relay")
            network.wait_ready("client", plan.relays, 2, 120)
            client = network.openai("client").with_options(timeout=180)
            here: dict[str, object] = {"route": "local"}
            self._text = Answer(client, QUESTION, gentorrent=here, **self._asked()).read().text
            assert self._text, "the client's own machine does not answer"
            self._begun = time.monotonic()
            askers = [threading.Thread(target=self._ask, args=(client, number)) for number in range(plan.askers)]
            for asker in askers:
                asker.start()
                time.sleep(plan.tokens / plan.rate / plan.askers)
            self._kill_until(time.monotonic() + plan.minutes * 60)
            self._stop.set()
            for asker in askers:
                asker.join(200)
                assert not asker.is_alive(), "an answer never ended"
            network.check()
        return self.outcome

    def _asked(self) -> dict[str, Any]:
        return {"min_tokens": self.plan.tokens, "max_tokens": self.plan.tokens, **SAMPLING}

    def _ask(self, client: Any, number: int) -> None:
        """One person: one answer after the other, three in a chat."""
        asked = 0
        while not self._stop.is_set():
            begun = time.monotonic() - self._begun
            with self._lock:
                self._in_flight += 1
            try:
                chat = f"asker {number}, chat {asked // ANSWERS_PER_CHAT}"
                answer = Answer(client, QUESTION, conversation=chat, **self._asked()).read()
                error, text, tokens = str(answer.error or ""), answer.text, answer.tokens
                if not error and len(answer.paths) != PATHS:
                    error = f"it came over {len(answer.paths)} paths"
            except Exception as problem:  # whatever it is, it counts as a lost answer, and the run goes on
                error, text, tokens = f"{type(problem).__name__}: {problem}", "", 0
            ended = time.monotonic() - self._begun
            told = Told(number, round(begun, 1), round(ended, 1), tokens, text == self._text, error)
            with self._lock:
                self._in_flight -= 1
                self.outcome.answers.append(told)
            if told.error or not told.right:
                print(f"lost: {told}", file=sys.stderr, flush=True)
            asked += 1

    def _kill_until(self, end: float) -> None:
        """Kill a process of relays every few seconds and start another in its place."""
        due = time.monotonic()
        while (due := due + self.plan.every) < end:
            time.sleep(max(0.0, due - time.monotonic()))
            place = self._random.randrange(len(self._names))
            name = self._names[place]
            with self._lock:
                in_flight = self._in_flight
            self.network.check()
            self.outcome.relays_at_kills.append(self.network.state("client").network.relays)
            self.network.kill(name)
            self.outcome.kills.append(round(time.monotonic() - self._begun, 1))
            self.outcome.in_flight_at_kills.append(in_flight)
            done, lost = len(self.outcome.answers), len(self.outcome.lost)
            print(
                f"[{self.outcome.kills[-1]:5.0f} s] {name} killed; {in_flight} in flight, {done} answers, {lost} lost",
                flush=True,
            )
            self._generation += 1
            if self._generation % 2:
                self._names[place] = f"relays-new-{self._generation}"
            self.network.relays(self._names[place], self.plan.relays_each)


def as_json(plan: Plan, outcome: Outcome) -> dict[str, Any]:
    """What is stored."""
    seconds = sorted(round(told.ended - told.begun, 1) for told in outcome.answers)
    return {
        "minutes": plan.minutes,
        "relays": plan.relays,
        "relays_killed_at_once": plan.relays_each,
        "seconds_between_kills": plan.every,
        "kills": len(outcome.kills),
        "least_in_flight_at_a_kill": min(outcome.in_flight_at_kills, default=0),
        "least_relays_at_a_kill": min(outcome.relays_at_kills, default=0),
        "answers": len(outcome.answers),
        "lost": len(outcome.lost),
        "losses": [vars(told) for told in outcome.lost],
        "tokens_each": plan.tokens,
        "shortest_answer_s": seconds[0] if seconds else None,
        "median_answer_s": seconds[len(seconds) // 2] if seconds else None,
        "longest_answer_s": seconds[-1] if seconds else None,
    }


def judge(found: Mapping[str, Any]) -> list[str]:
    """Everything that is not as it should be."""
    problems = [f"an answer was lost: {loss['error'] or 'it is not what the node said'}" for loss in found["losses"]]
    if found["least_in_flight_at_a_kill"] < LEAST_IN_FLIGHT or found["answers"] < LEAST_ANSWERS * found["minutes"] / 5:
        problems.append("too few answers were in flight")
    if found["least_relays_at_a_kill"] < LEAST_RELAYS:
        problems.append("those that were killed were not replaced in time: too few relays were there")
    if (found["shortest_answer_s"] or 0.0) < LEAST_SECONDS:
        problems.append("an answer was too short")
    return problems


def as_markdown(found: Mapping[str, Any]) -> str:
    """The page."""
    what = (
        f"`make test-long-real-churn` at commit {found['commit']}: real processes and WebRTC links on one machine. For"
        f" {found['minutes']:g} minutes a process of {found['relays_killed_at_once']} of {found['relays']} relays was"
        f" killed (SIGKILL) every {found['seconds_between_kills']:g} s and replaced, every second time by the same"
        " relays with their keys, else by new ones. Every answer must be, word for word, what the undisturbed machine"
        " says."
    )
    lines = [
        "# Answers while real relays are killed",
        "",
        what,
        "",
        "| what | |",
        "|---|---|",
        *(f"| {name} | {found[key]} |" for key, name in NAMES.items()),
    ]
    return "\n".join([*lines, ""])


NAMES = {
    "kills": "processes killed",
    "least_in_flight_at_a_kill": "answers in flight at a kill, at least",
    "least_relays_at_a_kill": "relays present at a kill, as the client sees it, at least",
    "answers": "answers",
    "lost": "lost",
    "tokens_each": "tokens of each",
    "shortest_answer_s": "shortest answer, seconds from the question to the last token",
    "median_answer_s": "median",
    "longest_answer_s": "longest",
}


def main() -> int:
    """Run, judge and store; 0 if no answer was lost."""
    parser = argparse.ArgumentParser(
        prog="make test-long-real-churn", description="Answers while real relays are killed (ARGS=...)."
    )
    parser.add_argument("--minutes", type=float, default=5.0, help="5; only so many or more are stored")
    parser.add_argument("--processes", type=int, default=9, help="of four relays each (9)")
    parser.add_argument("--askers", type=int, default=7, help="answers at a time (7)")
    options = parser.parse_args()
    head = commit(ROOT)
    plan = Plan(minutes=options.minutes, processes=options.processes, askers=options.askers)
    with tempfile.TemporaryDirectory(prefix="gentorrent-churn-") as folder:
        outcome = RealChurn(Path(folder), plan).run()
    found = {"commit": head, "machine": machine(), **as_json(plan, outcome)}
    print(as_markdown(found))
    problems = judge(found)
    report(problems)
    if not problems and options.minutes >= 5:
        store("real-churn", found, as_markdown(found))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
