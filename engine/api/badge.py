"""How an answer is marked: who vouches for it, and for what."""

from __future__ import annotations

from typing import Literal

from engine.api.schema import MachineStanding
from engine.api.service import AnswerDone
from engine.sentences import Said, say, together

Badge = Literal["local", "signed", "verified", "unverified"]


def badge_of(done: AnswerDone) -> tuple[Badge, str]:
    """The mark of an answer and the reason in plain words.

    "verified" needs the receipts and, of each machine that made a part of it, that the committee's latest verdict on it
    is a pass and its reputation above the threshold. A machine that the committee has excluded vouches for nothing, and
    nobody for a model that only its publisher knows.
    """
    if done.served_by == "local":
        return "local", done.receipt_reason
    if done.receipt != "verified":
        return "unverified", done.receipt_reason
    excluded = [one for one in done.standings if one.standing == "excluded"]
    if excluded:
        return "unverified", together(*map(_words, excluded))
    if done.unverifiable:
        return "signed", together(done.receipt_reason, done.unverifiable)
    reason = together(done.receipt_reason, *map(_words, done.standings))
    passed = bool(done.standings) and all(one.standing == "established" and one.passed for one in done.standings)
    return ("verified" if passed else "signed"), reason


def _words(machine: MachineStanding) -> Said:
    name = machine.node[:8]
    if machine.contradicted:
        return say("badge.contradicted", machine=name)
    if not machine.checked:
        return say("badge.new", machine=name)
    if machine.standing == "excluded":
        return say("badge.excluded", machine=name, when=machine.checked)
    code = "badge.passed" if machine.passed else "badge.not_passed"
    return say(
        code if machine.standing == "established" else f"{code}_young",
        machine=name,
        when=machine.checked,
        reputation=round(machine.reputation, 2),
        judged=machine.judged,
    )
