"""Who cheats, how, and when. Data, and one decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from engine.verification.challenges.duties import is_drawn_publicly
from engine.verification.reputation.rule import ONE
from engine.wire.blocks import NodeStanding

SOON = 5
"""Epochs within which who degrades its answers has to be excluded."""
TURNS_AFTER = 100
"""Good results of one that turns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adversary:
    """``maker``: of the recorded answers that it gives when it cheats ("": honest ones of others). ``share``: of
    conversations in which it does. ``later_turns``: only behind the first question. ``turns``: it begins after
    ``TURNS_AFTER`` good results. ``watches``: it cheats only while it is not checked in every epoch; ``patient``: and
    only while it has no lapses to make up for, either. ``credit``: what the published rule sees of its answers, where
    that is not what was recorded. ``breaks_off``: the first answer that would not pass. ``within``: so many epochs in
    which the network promises to exclude it (one that turns: after its first failed check), None where it promises
    nothing."""

    name: str
    words: str
    maker: str
    share: float = 1.0
    later_turns: bool = False
    turns: bool = False
    watches: bool = False
    patient: bool = False
    credit: int | None = None
    breaks_off: bool = False
    within: int | None = SOON

    def cheats(self, standing: NodeStanding, dice: Random) -> bool:
        """Whether it does so in a conversation that begins now."""
        share = self.share_now(standing)
        return share > 0 and (share == 1.0 or dice.random() < share)

    def share_now(self, standing: NodeStanding) -> float:
        """Of its conversations, in which it cheats with this standing."""
        if not self.maker or (self.watches and is_drawn_publicly(standing)) or (self.patient and standing.lapses):
            return 0.0
        return self.share


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
        Adversary(
            name="mixed-fifth", words="4-bit weights in a fifth of them", maker=QUANTISED, share=0.2, within=None
        ),
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
            words=f"4-bit weights after {TURNS_AFTER} good results, honest while it is checked in every epoch",
            maker=QUANTISED,
            turns=True,
            watches=True,
            within=None,
        ),
        Adversary(
            name="watches-patiently",
            words=f"4-bit weights after {TURNS_AFTER} good results, honest until its lapses are made up for",
            maker=QUANTISED,
            turns=True,
            watches=True,
            patient=True,
            within=None,
        ),
        Adversary(
            name="breaks-off",
            words="4-bit weights, and breaks off whatever would not pass",
            maker=QUANTISED,
            breaks_off=True,
            within=None,
        ),
        Adversary(name="relaying", words="passes questions on to an honest node", maker="", within=None),
    )
}
