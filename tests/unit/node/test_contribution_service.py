"""What the contribution service tells of what was given."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from engine.api import schema
from engine.governor.meter import Month
from engine.governor.readings import DeviceReading, Readings
from engine.governor.rules import Rules
from engine.node.contribution_service import ContributionService, _missing
from engine.node.own_results import BLOCKS
from engine.verification.chain.own_results import Results
from engine.verification.reputation.rule import ONE, unjudged
from tests.support.judging import judging
from tests.support.records import NOW

NODE = bytes(20)
CHECKS = Results(12, 0, 1, last=3)


def totals_of(checked: Any, month: Month, results: Results | None = CHECKS) -> schema.Totals:
    node: Any = SimpleNamespace(
        node_id=NODE,
        served=SimpleNamespace(since_start=30, today=20, answers=3),
        peer=SimpleNamespace(
            node_id=NODE,
            standings=SimpleNamespace(checked=checked),
            results=SimpleNamespace(results=results),
            bootstrap=SimpleNamespace(genesis=judging().genesis),
        ),
        governing=SimpleNamespace(month=month, rules=Rules(price=0.3), readings=None, decision=None),
    )
    service: Any = ContributionService(node)
    return service._totals()


def test_every_total_is_filled_where_all_is_measured_and_judged() -> None:
    month = Month(month="2026-11", joules=3.6e6, tokens=500.0, bytes=2e9, measured=True)
    totals = totals_of(SimpleNamespace(nodes={NODE: unjudged(NODE, ONE // 2)}), month)
    empty = schema.Totals()
    assert [name for name in totals.__struct_fields__ if getattr(totals, name) == getattr(empty, name)] == []
    assert (totals.reputation, totals.kwh_month, totals.cost) == (0.5, 1.0, 0.3)


def test_what_nothing_measures_and_nobody_judged_is_not_told() -> None:
    totals = totals_of(SimpleNamespace(nodes={}), Month(month="2026-11"))
    assert (totals.reputation, totals.kwh_month, totals.cost, totals.tokens_per_wh) == (None,) * 4


def test_checks_are_told_in_time_and_only_where_they_are_known() -> None:
    month, checked = Month(month="2026-11"), SimpleNamespace(nodes={})
    checks = totals_of(checked, month, Results(3, 1, 2, last=6)).checks
    assert checks == schema.Checks(passed=3, failed=1, undecided=2, last=NOW + 6 * 600.0, hours=BLOCKS / 6)
    assert totals_of(checked, month, Results()).checks == schema.Checks(hours=BLOCKS / 6)
    assert totals_of(checked, month, None).checks is None


def test_what_is_not_measured_names_the_rules_that_do_nothing_for_it() -> None:
    unmeasured = {"power": "No meter.", "battery": "No battery.", "disk": "No disk."}
    seen: Any = Readings(now=0.0, unmeasured=unmeasured)
    told = {one.sensor: (one.reason, one.rules) for one in _missing(Rules(), seen)}
    assert told == {
        "battery": ("No battery.", ("on_battery",)),
        "disk": ("No disk.", ()),
        "power": ("No meter.", ("monthly_kwh", "cpu.power_cap")),
    }
    measures = Readings(now=0.0, devices=(DeviceReading(device="gpu0", power=90.0),), unmeasured={"power": "No meter."})
    power, others = _missing(Rules(), measures)
    assert power.rules == ("cpu.power_cap",)
    assert (others.sensor, others.words["reason"][0].code) == ("contention:gpu0", "governor.contention_unseen")
    assert not list(_missing(Rules(), None))
