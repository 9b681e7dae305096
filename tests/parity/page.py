"""The long test's result as a page. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

PAGE = """\
# Inference: the long test

Written by `make test-long-inference` ([numbers](inference.json)). {machine}

{summary}

## The same tokens, whatever runs beside them

Stories (`tests/parity`) drive the worker's own host, scheduler, prefix cache and sampler: shared and equal prompts,
chunks of any size, full caches, memory that shrinks, answers taken back and continued, steps that fail. The loop runs
the exporter's graph as it is, one token after the other.

{stories}

## PyTorch's logits

Largest difference at the chosen places of four sequences, fed in pieces of 1, 7, 32 and all tokens.

{golden}

## Crashes and properties

{others}
"""
TOTALS = ("rounds", "answers", "positions", "ties", "differences")


def as_markdown(results: dict[str, Any]) -> str:
    """The page; ``results`` as in the JSON beside it."""
    return PAGE.format(
        summary=_summary(results),
        machine=_machine(results),
        stories=_stories(results["same_tokens"]),
        golden=_table(("model", *results["golden"]), _golden_rows(results["golden"])),
        others="\n".join(_others(results)),
    )


def _machine(results: dict[str, Any]) -> str:
    machine = results["machine"]
    return (
        f"Commit {results['commit']}, ONNX Runtime {' and '.join(results['onnxruntime'])}, Python {machine['python']}, "
        f"{machine['processor']} ({machine['processors']} processors), {machine['memory_gb']} GB, {machine['system']}."
    )


def _summary(results: dict[str, Any]) -> str:
    tested = results["same_tokens"]
    total = {name: sum(one[name] for one in tested) for name in TOTALS}
    share = total["ties"] / max(1, total["positions"])
    from_loop = max(one["largest"] for one in tested)
    from_pytorch = max(max(one.values()) for one in results["golden"].values())
    return (
        f"**{total['positions']:,} tokens of {total['answers']:,} answers are those of the plain loop.** The two best "
        f"scores lie within 1e-4 at {total['ties']:,} places ({share:.4%}; allowed are 0.1 %), and at "
        f"{total['differences']:,} of these the engine took the other token. The largest difference of a logit from "
        f"the loop's was {from_loop:.1e}, from PyTorch's {from_pytorch:.1e} (allowed: 1e-4)."
    )


def _stories(tested: list[dict[str, Any]]) -> str:
    head = ("model", "ONNX Runtime", "rows together", *TOTALS, "largest difference of a logit")
    ordered = sorted(tested, key=lambda one: (one["model"], one["onnxruntime"]))
    rows = (
        (
            one["model"],
            one["onnxruntime"],
            one["batching"],
            *(f"{one[name]:,}" for name in TOTALS),
            f"{one['largest']:.1e}",
        )
        for one in ordered
    )
    return _table(head, rows)


def _others(results: dict[str, Any]) -> Iterable[str]:
    for runtime, count in results["kill_tests"].items():
        yield f"- Workers killed under running answers, ONNX Runtime {runtime}: passed {count} times in a row."
    factor = results["counts"]["factor"]
    for name, said in sorted(results["property_tests"].items()):
        yield f"- `{name}`, {factor} times the examples of `make test`: {said}."


def _golden_rows(golden: dict[str, dict[str, float]]) -> Iterable[tuple[str, ...]]:
    for model in sorted(next(iter(golden.values()))):
        yield (model, *(f"{found[model]:.1e}" for found in golden.values()))


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    cells = [head, ["---"] * len(head), *map(list, rows)]
    return "\n".join("| " + " | ".join(row) + " |" for row in cells)
