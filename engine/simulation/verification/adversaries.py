"""Who cheats, how, and when. Data, and one decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from engine.verification.challenges.duties import ALWAYS_BELOW
from engine.verification.reputation.rule import ONE
from engine.wire.verification import NodeStanding

TURNS_AFTER = 100
"""Good results of one that turns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adversary:
    """``maker``: of the recorded answers that it gives when it cheats ("": honest ones of others). ``share``: of
    conversations in which it does. ``later_turns``: only behind the first question. ``turns``: it begins after
    ``TURNS_AFTER`` good results. ``watches``: it cheats only while nobody suspects it and it is checked rarely.
    ``credit``: what the published rule sees of its answers, where that is not what was recorded. ``to_find``: whether
    the network promises to find it."""

    name: str
    words: str
    maker: str
    share: float = 1.0
    later_turns: bool = False
    turns: bool = False
    watches: bool = False
    credit: int | None = None
    to_find: bool = True

    def cheats(self, standing: NodeStanding, dice: Random) -> bool:
        """Whether it does so in a conversation that begins now."""
        if self.watches and (standing.suspicion > 0 or standing.good < ALWAYS_BELOW):
            return False
        return bool(self.maker) and (self.share == 1.0 or dice.random() < self.share)


QUANTISED = "int4 by 32"
ADVERSARIES: Mapping[str, Adversary] = {
    one.name: one
    for one in (
        Adversary(name="quantised", words="4-bit weights, one scale for 32", maker=QUANTISED),
        Adversary(
            name="quantised-fine",
            words="4-bit weights, fitted scales and zero points for 16, embedding kept",
            maker="int4 by 16 with zero points, fitted, head kept",
        ),
        Adversary(name="smaller-model", words="a third of the layers left out", maker="a third of the layers left out"),
        Adversary(
            name="wrong-temperature",
            words="0.8 of the temperature that was asked for",
            maker="temperature 0.8 of what was asked",
        ),
        Adversary(name="ignored-seed", words="draws with another seed", maker="seed ignored"),
        Adversary(
            name="prefill-attack",
            words="text of a cheap model, only read by the right one",
            maker="text of fewer layers, greedy, read by the right model",
        ),
        Adversary(name="truncated-context", words="half of the prompt left out", maker="half of the prompt forgotten"),
        Adversary(name="mixed", words="4-bit weights in half of its conversations", maker=QUANTISED, share=0.5),
        Adversary(name="mixed-fifth", words="4-bit weights in a fifth of them", maker=QUANTISED, share=0.2),
        Adversary(
            name="later-turns", words="4-bit weights behind the first question", maker=QUANTISED, later_turns=True
        ),
        Adversary(
            name="turncoat", words=f"4-bit weights after {TURNS_AFTER} good results", maker=QUANTISED, turns=True
        ),
        Adversary(
            name="credit-0.41",
            words="4-bit weights, and a credit of exactly 0.41 by the published score",
            maker=QUANTISED,
            credit=41 * ONE // 100,
        ),
        Adversary(
            name="watches",
            words=f"4-bit weights after {TURNS_AFTER} good results, honest while its standing shows suspicion",
            maker=QUANTISED,
            turns=True,
            watches=True,
            to_find=False,
        ),
        Adversary(name="relaying", words="passes questions on to an honest node", maker="", to_find=False),
    )
}
