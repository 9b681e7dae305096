"""What this machine does with each of its models, and the owner's limit of disk."""

from types import SimpleNamespace

import pytest

from engine.governor.rules import Rules
from engine.inference.types import ModelInfo
from engine.node.model_catalogue import ModelUse
from engine.node.model_uses import disk_limit, model_uses


def info(name: str, **facts) -> ModelInfo:
    return ModelInfo(model_id=name, digest=bytes(32), tokenizer_digest=bytes(32), context_length=256, slots=1, **facts)


def node(*models: ModelInfo, contributes: str = "", rules: Rules | None = None):
    return SimpleNamespace(
        contribute_wanted=bool(contributes),
        contributed_model=contributes or "one",
        inference=SimpleNamespace(models=lambda: list(models)),
        governing=SimpleNamespace(rules=rules or Rules()),
    )


def test_variants_of_a_model_count_together() -> None:
    uses = model_uses(
        node(
            info("one", running=1),
            info("one:q4", provider="CPUExecutionProvider", running=1, waiting=2, decode_rate_alone=30.0),
            info("two"),
            contributes="one:q4",
        )
    )
    assert uses["one"] == ModelUse(loaded=True, contributed=True, answering=4, tokens_per_s=30.0)
    assert uses["one"].word == "contributed"
    assert (uses["two"], uses["two"].word) == (ModelUse(), "")


def test_what_is_contributed_counts_also_while_it_cannot_be_read() -> None:
    assert model_uses(node(contributes="gone"))["gone"].contributed
    assert model_uses(node(info("one")))["one"] == ModelUse()  # the switch is off


@pytest.mark.parametrize(("rule", "limit"), [(None, None), (0.0, 0), (12.5, 12_500_000_000)])
def test_the_owners_limit(rule, limit) -> None:
    assert disk_limit(node(rules=Rules(disk_gigabytes=rule))) == limit
