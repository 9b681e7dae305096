"""What can be done instead where a question was not answered: another model, this machine, or waiting."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.i18n import number, tr
from app.models.catalogue import ModelChoice
from engine.api import schema

MOST = 4
_SECONDS = {"overloaded": 30, "network_not_ready": 20, "worker_restarting": 10, "too_few_relays": 60}
"""After so long it is worth asking again, by the code of what went wrong."""
_OWN_FAULT = ("invalid_request", "unsupported_parameter", "cancelled", "chat_not_found")
"""What another model would say, too."""
_NETWORK_ITSELF = ("too_few_relays", "network_not_ready")
"""What every other model out there would suffer from."""
_SIZE = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)b(?![a-z])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Alternative:
    """Ask ``choice``, or, without one, the same after so many ``seconds``. ``text`` says it. ``confirm``: its model is
    confirmed first."""

    text: str
    choice: ModelChoice | None = None
    seconds: int = 0
    confirm: bool = False


def alternatives(
    code: str, asked: ModelChoice, models: Sequence[schema.ModelState], local_only: bool = False
) -> list[Alternative]:
    """The best first. ``code`` says what went wrong when ``asked`` was asked; ``models`` are those that there are."""
    if code in _OWN_FAULT:
        return []
    found = []
    if code == "unreviewed_model":  # in a second, as the engine writes down first what was confirmed
        found.append(Alternative(tr("Ask this unreviewed model all the same"), asked, seconds=1, confirm=True))
    if code in _SECONDS:
        seconds = _SECONDS[code]
        found.append(Alternative(tr("Wait {seconds} s, then ask again", seconds=number(seconds)), seconds=seconds))
    here = [one for one in models if one.where in ("local", "both")]
    network = (
        [] if local_only or code in _NETWORK_ITSELF else [one for one in models if one.where in ("network", "both")]
    )
    if code == "context_length_exceeded":
        found += _longer(asked, [*((one, "local") for one in here), *((one, "network") for one in network)], models)
        return found[:MOST]
    if asked.route != "local" and here:
        one = next((one for one in here if one.id == asked.model), here[0])
        text = tr("Ask {model} on this machine", model=one.id)
        found.append(Alternative(text, ModelChoice(one.id, "local", text)))
    smaller = [one for one in network if 0 < _size(one.id) < _size(asked.model)]
    if smaller:
        one = min(smaller, key=lambda one: (one.wait, -_size(one.id)))
        text = tr("Ask a smaller model: {model}", model=one.id)
        found.append(Alternative(text, ModelChoice(one.id, "network", text)))
    same = next((one for one in network if one.id == asked.model), None)
    if asked.route == "local" and same is not None:
        text = tr("Ask {model} on the network", model=same.id)
        found.append(Alternative(text, ModelChoice(same.id, "network", text)))
    return found[:MOST]


def _longer(
    asked: ModelChoice, ways: Sequence[tuple[schema.ModelState, schema.Route]], models: Sequence[schema.ModelState]
) -> list[Alternative]:
    """Models that hold more than the one that was asked."""
    least = max((one.context_length for one in models if one.id == asked.model), default=0)
    longer = [(one, route) for one, route in ways if one.context_length > least]
    found = []
    for one, route in sorted(longer, key=lambda way: way[0].context_length)[:2]:
        values = {"model": one.id, "tokens": number(one.context_length)}
        text = tr("Ask {model}, which holds {tokens} tokens", **values)
        found.append(Alternative(text, ModelChoice(one.id, route, text)))
    return found


def _size(model: str) -> float:
    """Milliards of parameters, as the name of a model says; 0 where it does not."""
    found = _SIZE.search(model)
    return float(found.group(1)) if found else 0.0
