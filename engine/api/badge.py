"""How an answer is marked: who vouches for it, and for what."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from engine.api.schema import MachineStanding
from engine.api.service import AnswerDone

Badge = Literal["local", "signed", "verified", "unverified"]


def badge_of(done: AnswerDone) -> tuple[Badge, str]:
    """The mark of an answer and the reason in plain words.

    "verified" needs the receipts and, of each machine that made a part of it, that the committee's latest verdict on it
    is a pass and its reputation above the threshold. A machine that the committee has excluded vouches for nothing.
    """
    if done.served_by == "local":
        return "local", done.receipt_reason
    if done.receipt != "verified":
        return "unverified", done.receipt_reason
    excluded = [one for one in done.standings if one.standing == "excluded"]
    if excluded:
        return "unverified", " ".join(map(_words, excluded))
    reason = " ".join([done.receipt_reason, *map(_words, done.standings)]).strip()
    passed = bool(done.standings) and all(one.standing == "established" and one.passed for one in done.standings)
    return ("verified" if passed else "signed"), reason


def _words(machine: MachineStanding) -> str:
    name = f"Machine {machine.node[:8]}"
    if machine.contradicted:
        return f"{name} is excluded: it has signed two things that contradict each other, as its signatures prove."
    if not machine.checked:
        return f"{name} is new: the committee has judged none of its answers yet."
    when = datetime.fromtimestamp(machine.checked, UTC).strftime("%d %b %Y, %H:%M UTC")
    if machine.standing == "excluded":
        return f"{name} is excluded: the committee found that it does not serve the model that it claims ({when})."
    verdict = "passed" if machine.passed else "did not pass"
    young = "" if machine.standing == "established" else ", not enough yet to be established"
    return (
        f"{name} was last checked by the committee on {when} and {verdict}; its reputation is "
        f"{machine.reputation:.2f} after {machine.judged} checks{young}."
    )
