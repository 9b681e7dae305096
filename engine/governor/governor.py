"""Whether to contribute now: findings, held over time so that nothing flaps, and the owner's own pause."""

from __future__ import annotations

from dataclasses import dataclass

from engine.governor.findings import BY_WEIGHT, GIGABYTE, MEGABIT, RELAY_METERED, Finding, Moment, Rule, findings, fresh
from engine.governor.meter import Month
from engine.governor.pacing import RatePacer, Steps, allowance_share
from engine.governor.readings import SENSOR_NAMES, Readings, SensorName
from engine.governor.rules import Rules
from engine.sentences import say

FOR_GOOD = float("inf")
"""Until the engine's next start."""
BLIND_SECONDS = 60.0
"""So much longer than usual a finding holds while its sensors do not answer: they may have stopped because of it."""
OWNER = Rule("owner")
DOUBT = Rule("doubt")


@dataclass(frozen=True)
class Decision:
    """``reasons`` against it, the weightiest first, none while ``active``. ``until``: seconds since 1970 at which the
    last of those that end by themselves ends; 0: not known. ``relay_reason``: why nothing is relayed; "" while it
    is. ``by_owner``: the owner's own pause is among the reasons; ``pause_until``: when that one ends, 0: not by itself.
    ``pace``: share of the time in which to work, so that the month's allowances last and the rate is kept,
    ``relay_pace`` the same of the rate of relaying, for the allowances; ``slowed``: why it is below 1."""

    active: bool
    reasons: tuple[str, ...] = ()
    until: float = 0.0
    relay_reason: str = ""
    by_owner: bool = False
    pause_until: float = 0.0
    pace: float = 1.0
    relay_pace: float = 1.0
    slowed: tuple[str, ...] = ()


@dataclass
class _Held:
    """``since``: when the finding was first seen in one piece, ``seen``: when last, ``holds``: it pauses, ``told``: by
    those of its sensors that answered then."""

    finding: Finding
    since: float
    seen: float
    holds: bool
    told: frozenset[SensorName]


class Governor:
    """A pure machine: ``decide`` is called about once a second, and when rules change."""

    def __init__(self) -> None:
        self._held: dict[str, _Held] = {}
        self._paused_until = 0.0
        self._rules = Rules()
        self._relay_steps = Steps()
        self._rate = RatePacer()

    def pause(self, seconds: float | None, now: float) -> None:
        """The owner wants a break of ``seconds`` of monotonic time; None: until the next start."""
        self._paused_until = FOR_GOOD if seconds is None else now + seconds

    def resume(self) -> None:
        """End the owner's own break."""
        self._paused_until = 0.0

    def break_left(self, now: float) -> float:
        """Seconds that the owner's own break goes on, perhaps ``FOR_GOOD``; 0: there is none."""
        return max(0.0, self._paused_until - now)

    def decide(
        self,
        rules: Rules,
        readings: Readings | None,
        used: Month,
        moment: Moment,
        *,
        doubt: bool = False,
        moved: float = 0.0,
    ) -> Decision:
        """What to do now. ``doubt``: these may not be the owner's rules, so nothing is done for others by them.
        ``moved``: bytes that answers to others have moved since the start."""
        active = frozenset(name for name, held in self._held.items() if held.holds)
        found = findings(rules, readings, used, moment, active)
        changed, self._rules = _changed_settings(self._rules, rules), rules
        self._hold(found, moment.now, changed, _unmeasured(fresh(readings, moment.now)))
        holding = [self._held[rule.name].finding for rule in BY_WEIGHT if self._holds(rule)]
        if doubt:
            holding.insert(0, Finding(DOUBT, say("governor.rules_doubt")))
        own = self._own_pause(moment)
        if own is not None:
            holding.insert(0, own)
        ends = [one.until if one.until > moment.wall else 0.0 for one in holding]  # a held one may be past it
        shares = _allowances(rules, used, moment.month_share)
        rate = self._rate.look(moved, _bytes(rules.serve_rate, MEGABIT), moment.now)
        slowed = [say(code) for code, share in shares.items() if share < 1]
        if rate < 1:
            slowed.append(say("governor.slowed_rate", rate=float(rules.serve_rate or 0)))
        relayed = allowance_share(used.relayed_bytes, _bytes(rules.relay_monthly_gigabytes), moment.month_share)
        return Decision(
            active=not holding,
            reasons=tuple(finding.reason for finding in holding),
            until=max(ends) if ends and all(ends) else 0.0,
            by_owner=own is not None,
            pause_until=own.until if own is not None else 0.0,
            pace=min(rate, *shares.values()),
            relay_pace=self._relay_steps.of(min(relayed, shares.get("governor.slowed_traffic", 1.0))),
            slowed=tuple(slowed),
            relay_reason=say("governor.rules_doubt") if doubt else self._relay_reason(rules, used),
        )

    def _own_pause(self, moment: Moment) -> Finding | None:
        if moment.now >= self._paused_until:
            return None
        if self._paused_until == FOR_GOOD:
            return Finding(OWNER, say("governor.paused_until_start"))
        return Finding(OWNER, say("governor.paused"), moment.wall + self._paused_until - moment.now)

    def _holds(self, rule: Rule) -> bool:
        return rule.name in self._held and self._held[rule.name].holds

    def _hold(
        self, found: dict[str, Finding], now: float, changed: frozenset[str], silent: frozenset[SensorName]
    ) -> None:
        """``changed``: settings that the owner has just changed; what was found by the old ones holds no longer.
        ``silent``: sensors that say nothing now."""
        for name, finding in found.items():
            held = self._held.get(name)
            since = held.since if held is not None else now
            holds = (held is not None and held.holds) or now - since >= finding.rule.quick
            self._held[name] = _Held(finding, since, now, holds, frozenset(finding.rule.sensors) - silent)
        for name, held in list(self._held.items()):
            patience = held.finding.rule.slow
            if not held.told.isdisjoint(silent):
                patience += BLIND_SECONDS
            if not changed.isdisjoint(held.finding.rule.settings):
                patience = 0.0
            if name not in found and (not held.holds or now - held.seen >= patience):
                del self._held[name]

    def _relay_reason(self, rules: Rules, used: Month) -> str:
        if not rules.relay:
            return say("governor.relay_off")
        limit = rules.relay_monthly_gigabytes
        if limit is not None and used.relayed_bytes >= limit * GIGABYTE:
            return say("governor.relay_traffic", limit=float(limit))
        return self._held[RELAY_METERED.name].finding.reason if self._holds(RELAY_METERED) else ""


def _unmeasured(seen: Readings | None) -> frozenset[SensorName]:
    return frozenset(SENSOR_NAMES if seen is None else seen.unmeasured)


def _changed_settings(before: Rules, now: Rules) -> frozenset[str]:
    if now is before:
        return frozenset()
    return frozenset(name for name in now.__struct_fields__ if getattr(now, name) != getattr(before, name))


def _allowances(rules: Rules, used: Month, month_share: float) -> dict[str, float]:
    """How fast each of the month's allowances lets contributing go on, by what is said of it."""
    energy = rules.monthly_kwh if used.measured else None
    return {
        "governor.slowed_energy": allowance_share(used.kwh, energy, month_share),
        "governor.slowed_traffic": allowance_share(used.bytes, _bytes(rules.monthly_gigabytes), month_share),
    }


def _bytes(amount: float | None, unit: float = GIGABYTE) -> float | None:
    return None if amount is None else amount * unit


__all__ = ["Decision", "Governor", "Moment"]
