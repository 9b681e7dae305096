"""The view-model of contributing: rules go to the engine a moment later, refusals stay with their field."""

from __future__ import annotations

import msgspec
import pytest

from app.models.contribution import ContributionModel, changed_fields
from app.models.contribution_words import paused_words, slowed_words, total_figures, when_summary, when_words
from app.models.devices import LIMITS, device_lines, devices_summary, limited, without_graphics
from app.models.history import History
from app.models.rules import MONEY, RELAY, TRAFFIC, WHEN, WHOM, read_week, written_week
from app.models.week import ALWAYS, NIGHTS
from engine.api import schema
from tests.ui.conftest import wait_until_told
from tests.ui.test_models import Engine

pytestmark = pytest.mark.usefixtures("qapp")
RULES = schema.Rules()
GPU = schema.Device(device="gpu0", name="A card", memory=8 << 30)
CPU = schema.Device(device="cpu", name="The processor", kind="cpu", memory=16 << 30)


def model(engine: Engine, **fields) -> ContributionModel:
    model = ContributionModel(engine.send)
    model.receive(schema.Contribution(**({"rules": RULES} | fields)))
    return model


def settled(contribution: ContributionModel, engine: Engine) -> list[schema.Request]:
    """All that the engine was asked, once nothing more is on its way."""
    wait_until_told(contribution)
    return engine.requests


def test_every_rule_has_a_row_and_every_row_a_rule() -> None:
    rows = [rule.field for rules in (WHEN, MONEY, TRAFFIC, WHOM, RELAY) for rule in rules]
    elsewhere = {"model", "schedule", "exclusive_programs", "devices"}
    assert len(rows) == len(set(rows))
    assert set(rows) | elsewhere == set(schema.Rules.__struct_fields__)


def test_several_changes_are_one_request_and_the_newest_counts() -> None:
    engine = Engine()
    contribution = model(engine)
    for minutes in (6.0, 7.0, 8.0):
        contribution.change(idle_minutes=minutes)
    contribution.change(only_when_idle=True)
    assert engine.requests == []
    assert contribution.rules is not None
    assert contribution.rules.idle_minutes == 8.0
    (request,) = settled(contribution, engine)
    assert isinstance(request, schema.SetRules)
    assert (request.rules.idle_minutes, request.rules.only_when_idle) == (8.0, True)


def test_what_is_chosen_before_the_engine_has_spoken_is_told_it_then() -> None:
    engine = Engine()
    contribution = ContributionModel(engine.send)
    contribution.change(relay=False)
    contribution.receive(schema.Contribution(rules=schema.Rules(price=1.0)))
    (request,) = settled(contribution, engine)
    assert isinstance(request, schema.SetRules)
    assert request.rules == schema.Rules(price=1.0, relay=False)


def test_a_choice_that_is_none_asks_nothing() -> None:
    engine = Engine()
    contribution = model(engine)
    contribution.change(relay=RULES.relay)
    assert settled(contribution, engine) == []


def test_what_the_engine_takes_is_what_shows() -> None:
    engine = Engine()
    contribution = model(engine)
    contribution.change(price=0.3)
    (request,) = settled(contribution, engine)
    contribution.receive(schema.Contribution(rules=msgspec.structs.replace(request.rules, currency="USD")))
    assert contribution.rules == contribution.now.rules
    assert contribution.rules.currency == "USD"


def test_a_refusal_stands_beside_its_field_and_takes_the_value_back() -> None:
    engine = Engine()
    contribution = model(engine)
    contribution.change(heat_limit=20.0)
    settled(contribution, engine)
    failed = schema.RequestFailed(request="set_rules", code="invalid_request", text="Too cold.", ref="contribution")
    contribution.receive(failed)
    assert contribution.problems == {"heat_limit": "Too cold."}
    assert contribution.rules == RULES
    contribution.change(heat_limit=80.0)
    assert contribution.problems == {}


def test_a_change_during_a_request_is_not_lost() -> None:
    engine = Engine()
    contribution = model(engine)
    contribution.change(price=0.3)
    settled(contribution, engine)
    contribution.change(price=0.4)
    contribution.receive(schema.Contribution(rules=engine.requests[0].rules))
    assert contribution.rules.price == 0.4
    assert settled(contribution, engine)[-1].rules.price == 0.4


def test_devices_are_ruled_one_by_one() -> None:
    engine = Engine()
    contribution = model(engine, devices=(GPU, schema.Device(device="gpu1", name="Other")))
    contribution.change_device("gpu0", power_cap=200.0)
    contribution.change_device("gpu1", on=False)
    contribution.change_device("gpu0", on=False)
    devices = {one.device: one for one in contribution.rules.devices}
    assert (devices["gpu0"].power_cap, devices["gpu0"].on, devices["gpu1"].on) == (200.0, False, False)
    assert devices_summary(device_lines(contribution)) == "0 of 2 on"
    assert set(changed_fields(RULES, contribution.rules)) == {"gpu0", "gpu1"}


def test_a_device_says_what_it_does_and_what_it_cannot_say() -> None:
    contribution = model(Engine(), devices=(GPU,))
    sample = schema.DeviceSample(device="gpu0", load=0.5, temperature=61.0, memory=3 << 30)
    contribution.receive(schema.ContributionSample(at=1.0, devices=(sample,)))
    (line,) = device_lines(contribution)
    assert line.words == "50 % busy · 61 °C · 3.0 GB of memory taken"
    assert set(line.missing) == {"power_cap"}
    assert without_graphics(contribution.now) == ""
    assert "no graphics card" in without_graphics(schema.Contribution(rules=RULES))


def test_a_card_whose_other_users_nothing_tells_says_so() -> None:
    unseen = schema.Missing(sensor="contention:gpu0", reason="Nothing tells who uses it.")
    (line,) = device_lines(model(Engine(), devices=(GPU,), missing=(unseen,)))
    assert line.words == "Nothing tells who uses it."


def test_the_processor_is_ruled_like_a_card_and_says_what_it_does() -> None:
    engine = Engine()
    reason = schema.Missing(sensor="power", reason="No meter.", rules=("monthly_kwh", "cpu.power_cap"))
    note = schema.Missing(sensor="power_limit:cpu", reason="The power of the processor is not measured.")
    contribution = model(engine, devices=(CPU,), missing=(reason, note))
    contribution.receive(schema.ContributionSample(at=1.0, processor_load=0.25, temperature=60.0))
    (line,) = device_lines(contribution)
    assert (line.name, line.words) == ("Processor", "25 % taken by other programs · 60 °C")
    assert line.missing == {"power_cap": "No meter."}
    assert set(line.limits) == {"memory_cap", "power_cap", "temperature_cap"}
    assert devices_summary((line,)) == "Processor"
    contribution.change_device("cpu", temperature_cap=70.0, on=False)
    assert contribution.rules.devices == (schema.DeviceRules(device="cpu", on=False, temperature_cap=70.0),)
    assert devices_summary(device_lines(contribution)) == "Off"


def test_beside_a_card_the_processor_comes_last_and_says_when_it_works() -> None:
    contribution = model(Engine(), devices=(CPU, GPU))
    card = schema.DeviceSample(device="gpu0", power=100.0)
    contribution.receive(schema.ContributionSample(at=1.0, processor_power=30.0, power=130.0, devices=(card,)))
    lines = device_lines(contribution)
    assert [one.device for one in lines] == ["gpu0", "cpu"]
    assert lines[1].words == "Steps in where no graphics card can be used · 30 W"
    assert devices_summary(lines) == "2 of 2 on"
    contribution.change_device("cpu", on=False)
    assert devices_summary(device_lines(contribution)) == "1 of 2 on"


def test_no_device_may_be_given_more_memory_than_it_has() -> None:
    (line,) = device_lines(model(Engine(), devices=(CPU,)))
    assert [limited(rule, line).most for rule in LIMITS] == [16.0, 2000, 120]


def test_watching_is_asked_again_after_a_new_connection() -> None:
    engine = Engine()
    contribution = ContributionModel(engine.send)
    contribution.watch(1, True)
    engine.requests.clear()
    contribution.receive(schema.Welcome(version=1, engine_version="1"))
    kinds = [type(request) for request in engine.requests]
    assert kinds == [schema.GetContribution, schema.GetEvents, schema.WatchContribution]


def test_events_are_newest_first_and_bounded() -> None:
    contribution = model(Engine())
    events = tuple(schema.OwnerEvent(at=float(at), text=str(at)) for at in range(3))
    contribution.receive(schema.OwnerEvents(ref="", events=events))
    for at in range(3, 1000):
        contribution.receive(schema.OwnerEvent(at=float(at), text=str(at)))
    assert [event.text for event in contribution.events[:2]] == ["999", "998"]
    assert len(contribution.events) == schema.MOST_EVENTS


def test_pauses_are_the_engines() -> None:
    engine = Engine()
    contribution = model(engine, paused=True, reasons=("You paused it.",), until=2e9)
    contribution.pause(3600)
    contribution.resume()
    assert [type(one) for one in engine.requests] == [schema.PauseContributing, schema.ResumeContributing]
    assert paused_words(contribution.now).startswith("You paused it. Goes on at ")


def test_the_owners_own_pause_says_its_end_and_then_when_it_goes_on() -> None:
    fields = {"paused": True, "reasons": ("You have paused it.", "The hour is off.")}
    own = when_words(1.9e9)
    said = {
        (1.9e9, 0.0): f"You have paused it until {own}. The hour is off.",
        (1.9e9, 2e9): f"You have paused it until {own}. The hour is off. Goes on at {when_words(2e9)}.",
        (1.9e9, 1.9e9): f"You have paused it until {own}. The hour is off.",
        (0.0, 0.0): "You have paused it. The hour is off.",
    }
    for (own_end, end), words in said.items():
        assert paused_words(schema.Contribution(rules=RULES, until=end, pause_until=own_end, **fields)) == words


def test_why_it_is_slower_is_said_and_what_a_driver_refuses_stands_beside_its_device() -> None:
    missing = schema.Missing(sensor="power_limit:gpu0", reason="The driver does not permit it.")
    silent = schema.Missing(sensor="heat_limit:gpu1", reason="It does not say how hot it is.")
    devices = (GPU, schema.Device(device="gpu1", name="Other"))
    contribution = model(Engine(), devices=devices, slowed=("One.", "Two."), missing=(missing, silent))
    assert slowed_words(contribution.now) == "One. Two."
    gpu0, gpu1 = device_lines(contribution)
    assert "The driver does not permit it." in gpu0.words
    assert "how hot" not in gpu0.words
    assert "driver" not in gpu1.words
    assert "It does not say how hot it is." in gpu1.words


def test_figures_leave_out_what_is_not_known() -> None:
    assert len(total_figures(schema.Totals(), "EUR")) == 3
    known = schema.Totals(kwh_month=1.5, cost=0.45, tokens_per_wh=210.0, reputation=0.9)
    values = [figure.value for figure in total_figures(known, "EUR")]
    assert values[3:] == ["1.50", "0.45 EUR", "210.0", "0.90"]


def test_checks_are_told_as_far_as_they_are_known() -> None:
    def figure(**fields):
        return total_figures(schema.Totals(checks=schema.Checks(hours=33.0, **fields)), "EUR")[3]

    assert (figure().value, figure().name) == ("0", "checks by verifiers so far")
    some = figure(passed=11, failed=1, undecided=2, last=1e9)
    assert some.value == "11 of 12"
    assert some.name == f"checks passed, the last about {when_words(1e9)}"
    assert "in the last 33 hours" in some.hint
    assert some.hint.endswith("2 answers said neither, and do not count.")
    none = figure(undecided=2, last=1e9)
    assert (none.value, none.name) == ("2", "checks that decide nothing")


def test_weeks_go_to_the_engine_and_back() -> None:
    assert read_week(RULES.schedule) == ALWAYS
    assert read_week(written_week(NIGHTS)) == NIGHTS
    assert when_summary(msgspec.structs.replace(RULES, schedule=written_week(NIGHTS))) == "Nights"
    assert when_summary(RULES) == "Always"


def test_history_is_bounded_by_time_and_number_and_survives_a_clock_put_back() -> None:
    history = History(seconds=10, most=50)
    for at in range(100):
        history.add(at / 2, {"a": float(at), "b": None if at % 2 else 1.0})
    times, values = history.line("a")
    assert (times[0], times[-1], values[-1]) == (-10.0, 0.0, 99.0)
    for at in range(1000):
        history.add(50 + at / 1000, {"a": 1.0})
    assert len(history) == 50
    assert history.line("a", 7)[0][-1] == 0.0
    assert len(history.line("a", 7)[0]) <= 7
    history.add(5.0, {"a": 2.0})
    assert history.line("a") == ([0.0], [2.0])
    assert history.line("unknown")[1] != history.line("unknown")[1]  # no number
