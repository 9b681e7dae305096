"""Who makes room in a full list of published models. Publishers are equals, however much one of them publishes."""

from __future__ import annotations

from collections.abc import Collection, Mapping


def who_goes(
    known: Mapping[str, float], publisher: str, *, kept: Collection[str], trusted: Collection[str]
) -> str | None:
    """Which of the ``known`` models (id: when it was taken) makes room for a new one of ``publisher``; None: none does,
    and the new one is not taken.

    It is the oldest one of the publishers with the most models, where these have more than ``publisher``; else the
    oldest of its own. Models that are ``kept`` (the owner uses them) never go, those of ``trusted`` publishers for no
    other.
    """
    shares: dict[str, list[str]] = {}
    for model in known:
        shares.setdefault(_of(model), []).append(model)
    free = {
        who: [model for model in models if model not in kept]
        for who, models in shares.items()
        if who == publisher or who not in trusted
    }
    free = {who: models for who, models in free.items() if models}
    most = max((len(shares[who]) for who in free), default=0)
    if most > len(shares.get(publisher, ())):
        going = [model for who, models in free.items() if len(shares[who]) == most for model in models]
    else:
        going = free.get(publisher, [])
    return min(going, key=lambda model: (known[model], model), default=None)


def _of(model: str) -> str:
    return model.partition("/")[0]
