"""What the page *Contribute* says of rules, devices and totals."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QDateTime, QLocale

from app import i18n
from app.i18n import number, tr
from app.models.engine_words import from_engine
from app.models.facts import Fact, Figure
from app.models.rules import read_week
from app.models.week import ALWAYS, week_words
from engine.api import schema


def when_summary(rules: schema.Rules) -> str:
    """The schedule, and how many rules make it pause."""
    week = read_week(rules.schedule)
    parts = [week_words(week)] if week != ALWAYS else []
    if rules.only_when_idle:
        parts.append(tr("when nobody uses the machine"))
    if rules.exclusive_programs:
        parts.append(tr("%Ln program(s) first", "", len(rules.exclusive_programs)))
    return " · ".join(parts) or tr("Always")


def money_summary(rules: schema.Rules) -> str:
    """The price and the cap."""
    parts = [tr("{price} a kWh", price=money(rules.price, rules.currency, most=3))] if rules.price else []
    if rules.monthly_kwh is not None:
        parts.append(tr("at most {energy} kWh a month", energy=number(rules.monthly_kwh)))
    return " · ".join(parts) or tr("No price, no limit")


def traffic_summary(rules: schema.Rules) -> str:
    """Quota and cap."""
    parts = []
    if rules.monthly_gigabytes is not None:
        parts.append(tr("{size} GB a month", size=number(rules.monthly_gigabytes)))
    if rules.serve_rate is not None:
        parts.append(tr("up to {rate} Mbit/s", rate=number(rules.serve_rate)))
    if rules.disk_gigabytes is not None:
        parts.append(tr("{size} GB of disk", size=number(rules.disk_gigabytes)))
    return " · ".join(parts) or tr("No limit")


def whom_summary(rules: schema.Rules) -> str:
    """Who is answered."""
    parts = [tr("Everyone") if rules.serve == "everyone" else tr("My networks")]
    if rules.longest_request is not None:
        parts.append(tr("up to {tokens} tokens", tokens=number(rules.longest_request)))
    return " · ".join(parts)


def relay_summary(rules: schema.Rules) -> str:
    """Whether, and how much."""
    if not rules.relay:
        return tr("Off")
    parts = [tr("up to {rate} Mbit/s", rate=number(rules.relay_rate))]
    if rules.relay_monthly_gigabytes is not None:
        parts.append(tr("{size} GB a month", size=number(rules.relay_monthly_gigabytes)))
    return " · ".join(parts)


def rules_facts(rules: schema.Rules, devices: str) -> list[Fact]:
    """All parts of the rules in short, ``devices`` with them."""
    return [
        Fact(tr("Model for others"), rules.model or tr("Automatic")),
        *([Fact(tr("Devices"), devices)] if devices else []),
        Fact(tr("When"), when_summary(rules)),
        Fact(tr("Electricity"), money_summary(rules)),
        Fact(tr("Traffic and disk"), traffic_summary(rules)),
        Fact(tr("For whom"), whom_summary(rules)),
        Fact(tr("Passing on traffic"), relay_summary(rules)),
    ]


def money(amount: float, currency: str, *, most: int = 2) -> str:
    """An amount with its currency, with up to ``most`` digits where two do not say it."""
    return f"{number(amount, 2, most)} {currency}"


def total_figures(totals: schema.Totals, currency: str) -> list[Figure]:
    """What this machine has given, what that took, and what others make of it. What is not known is left out."""
    figures = [
        Figure(number(totals.tokens_today), tr("tokens today")),
        Figure(number(totals.tokens_month), tr("tokens this month")),
        Figure(number(totals.answers), tr("answers since the start")),
    ]
    if totals.kwh_month is not None:
        figures.append(Figure(number(totals.kwh_month, 2), tr("kWh this month")))
    if totals.cost is not None:
        figures.append(Figure(money(totals.cost, currency), tr("of electricity this month")))
    if totals.tokens_per_wh is not None:
        figures.append(Figure(number(totals.tokens_per_wh, 1), tr("tokens per Wh")))
    if totals.reputation is not None:
        figures.append(Figure(number(totals.reputation, 2), tr("reputation, at most 1")))
    if totals.checks is not None:
        figures.append(_checks_figure(totals.checks))
    return figures


def _checks_figure(checks: schema.Checks) -> Figure:
    """What verifiers found of this machine's answers, and no more than they did."""
    hint = tr(
        "Verifiers of the network ask as others do, and compute again whether an answer comes from the model that it "
        "names. Counted is what blocks of their committee say of this machine in the last %Ln hour(s).", "",
        max(1, round(checks.hours)),
    )  # fmt: skip
    if checks.undecided:
        hint += " " + tr("%Ln answer(s) said neither, and do not count.", "", checks.undecided)
    decided = checks.passed + checks.failed
    if not decided:
        name = tr("checks by verifiers so far") if not checks.last else tr("checks that decide nothing")
        return Figure(number(checks.undecided), name, hint)
    share = tr("{passed} of {all}", passed=number(checks.passed), all=number(decided))
    return Figure(share, tr("checks passed, the last about {time}", time=when_words(checks.last)), hint)


def paused_words(now: schema.Contribution) -> str:
    """All reasons, and until when if that is known. The owner's own pause is the first; its end is said in any case."""
    parts = [from_engine(now, f"reasons[{place}]") for place in range(len(now.reasons))]
    if now.pause_until:
        parts[:1] = [tr("You have paused it until {time}.", time=when_words(now.pause_until))]
    if now.until > now.pause_until:
        parts.append(tr("Goes on at {time}.", time=when_words(now.until)))
    return " ".join(parts)


def slowed_words(now: schema.Contribution) -> str:
    """Why it works more slowly than it could."""
    return " ".join(from_engine(now, f"slowed[{place}]") for place in range(len(now.slowed)))


@dataclass(frozen=True, slots=True)
class Problem:
    """Something of contributing that was not kept, or is damaged. ``answer``: what can be done about it here."""

    heading: str
    words: str
    answer: str


def problem_words(now: schema.Contribution) -> Problem | None:
    """None: there is none."""
    if not now.problem:
        return None
    words = from_engine(now, "problem")
    codes = {part.code for part in now.words.get("problem", ())}
    if now.in_doubt:
        return Problem(tr("Your rules could not be read"), words, tr("Use these rules"))
    if "governor.rules_not_kept" in codes:
        return Problem(tr("Your rules are not kept"), words, tr("Try again"))
    if "governor.pause_not_kept" in codes:
        return Problem(tr("Your pause is not kept"), words, tr("Try again"))
    return Problem(tr("Something was damaged and begins anew"), words, tr("All right"))


def when_words(at: float) -> str:
    """The time of day, with the date where it is not today."""
    when, locale = QDateTime.fromSecsSinceEpoch(round(at)), QLocale(i18n.current())
    short = QLocale.FormatType.ShortFormat
    if when.date() == QDateTime.currentDateTime().date():
        return locale.toString(when.time(), short)
    return locale.toString(when, short)


def model_choices(state: schema.State, chosen: str) -> list[tuple[object, str]]:
    """What others can be answered with: the engine's choice, or a model that is here; ``chosen`` always among them."""
    here = [model.id for model in state.models if model.where in ("local", "both")]
    names = here if not chosen or chosen in here else [*here, chosen]
    return [("", tr("Automatic")), *((name, name) for name in names)]


def model_words(state: schema.State, chosen: str) -> str:
    """What the choice means now, and why it is as it is."""
    if chosen:
        return tr("Others are answered with this one.")
    if state.contributing.on and state.contributing.model_reason:
        return from_engine(state.contributing, "model_reason")
    about = tr("The one with which this machine helps most, by memory, speed and what is asked.")
    now = state.contributing.model
    return " ".join([about, tr("Now: {model}", model=now)]) if now and state.contributing.on else about


@dataclass(frozen=True, slots=True)
class Offers:
    """What a machine without a graphics card that answers nobody can do, and whether passing on is begun already."""

    answering: str
    relaying: str
    relays: bool


def offers(state: schema.State, now: schema.Contribution, rules: schema.Rules) -> Offers | None:
    """None: it answers, or has a graphics card."""
    if state.contributing.on or any(one.kind == "gpu" for one in now.devices):
        return None
    relays = state.relay.on and rules.relay
    return Offers(
        tr("On the processor, with one that writes fast enough there. It makes way when you need the machine."),
        tr("It does that now.")
        if relays
        else tr("Takes next to no processor, and part of your connection. What passes cannot be read here."),
        relays,
    )
