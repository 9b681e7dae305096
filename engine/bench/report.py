"""The results as a table, as Markdown with all that belongs to them, and as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.bench.engines import BARE, GENAI, LLAMA, OURS, OURS_NEWER, PYTORCH
from engine.bench.picture import draw_picture
from engine.bench.storing import DISTURBED, store_results
from engine.bench.work import DRAWS, OVERHEAD_BATCH

TARGETS = {"cached_prefix_speedup": 10.0, "greedy": 0.03, "top_k_40": 0.03, "full_vocabulary": 0.15}
COLUMNS = (OURS, OURS_NEWER, GENAI, LLAMA, PYTORCH, BARE)
METHOD = """\
Every engine runs in a process of its own and has the model loaded before; one computes at a time, all on the same
work, round after round, each beginning another round. Each is measured at the best setting of the sweep below.
Numbers are tokens per second, the median of the rounds, with the lowest and the highest below.

*decode*: that many answers at once after prompts of a few tokens, from the moment when each has its first token.
*prefill*: one prompt until its first token. Peers choose the likeliest token. Ours is the worker process as it runs
behind an engine, asked through its pipe: scheduler, sampler, text and pipe included.

int4 is blocks of 32 weights with 8-bit activations for ONNX Runtime (`MatMulNBits`, accuracy level 4) and Q4_0 for
llama.cpp; transformers with PyTorch has no int4 of its own and computes in bfloat16 there. *bare loop* is
`run_with_iobinding` on our graph with shared cache buffers and an argmax. It is not a peer; the overhead is measured
against it. The model has random weights, so its answers mean nothing; speed does not depend on them.
"""


def as_text(results: dict[str, Any]) -> str:
    """What is printed."""
    return "\n".join([*([_table(results), ""] if results["rows"] else []), *_findings(results)])


def as_markdown(results: dict[str, Any], picture: str) -> str:
    """What is stored for readers."""
    machine, versions = results["machine"], results["versions"]
    facts = [f"- {name.replace('_', ' ')}: {value}" for name, value in {**machine, **versions}.items()]
    sweep = [
        f"| {entry['engine']} | {entry['precision']} | {entry['group']} | "
        f"{', '.join(f'{name} {value}' for name, value in entry['settings'].items())} | {entry['tokens_per_s']} | "
        f"{'yes' if entry['chosen'] else ''} |"
        for entry in results["sweep"]
    ]
    return "\n".join(
        [
            "# Speed of answers",
            "",
            "Written by `gentorrent bench inference`" + (" `--quick`" if results["quick"] else "") + "; do not edit.",
            "",
            f"![Tokens per second]({picture})",
            "",
            _table(results),
            "",
            *_findings(results),
            "",
            "## Lowest and highest of the rounds",
            "",
            _spread(results),
            "",
            "## Method",
            "",
            METHOD,
            "## Machine and versions",
            "",
            *facts,
            f"- model: random weights in the shape of {results['model']} (`make bench-setup` makes the files)",
            f"- most that a waiting engine used of a processor: {results['idle_processor_share_of_waiting_engines']}",
            "",
            "## Sweep",
            "",
            "| engine | weights | work | setting | tokens/s | taken |",
            "|---|---|---|---|---:|---|",
            *sweep,
            "",
        ]
    )


def store(results: dict[str, Any], folder: Path) -> list[Path]:
    """Write inference.json, inference.md and inference.svg; :class:`BenchmarkError` when they cannot be written."""
    picture = draw_picture(results)
    return store_results("inference", results, as_markdown(results, "inference.svg"), picture, folder)


def speeds(row: dict[str, Any]) -> dict[str, float]:
    """Every number of one row by engine, ours first."""
    found = {
        OURS: row["ours"],
        OURS_NEWER: row.get("ours_newer_onnxruntime"),
        **row["peers"],
        BARE: row.get("bare_loop"),
    }
    return {name: value for name, value in found.items() if value is not None}


def _table(results: dict[str, Any]) -> str:
    rows = results["rows"]
    columns = [name for name in COLUMNS if any(name in speeds(row) for row in rows)]
    head = ["work", "at once", *columns, "ours / genai", "ours / llama.cpp", "of memory bandwidth"]
    lines = [head, ["---", *["---:"] * (len(head) - 1)]]
    for row in rows:
        found = speeds(row)
        numbers = [f"{found[name]:.1f}" if name in found else "" for name in columns]
        ratios = [row["ratio_best_onnxruntime"], row["ratio_llama_cpp"]]
        share = row.get("share_of_memory_bandwidth")
        told = [f"{value:.2f}" if value is not None else "" for value in ratios]
        lines.append([row["work"], str(row["batch"]), *numbers, *told, f"{share:.0%}" if share else ""])
    widths = [max(len(line[place]) for line in lines) for place in range(len(head))]
    padded = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in padded)


def _spread(results: dict[str, Any]) -> str:
    lines = ["| work | at once | " + " | ".join(COLUMNS) + " |", "|---|---:|" + "---|" * len(COLUMNS)]
    for row in results["rows"]:
        cells = ["{:.1f} to {:.1f}".format(*row["spread"][name]) if name in row["spread"] else "" for name in COLUMNS]
        lines.append(f"| {row['work']} | {row['batch']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _findings(results: dict[str, Any]) -> list[str]:
    lines = []
    disturbed = [row for row in results["rows"] if row.get("other_programs", 0.0) > DISTURBED]
    if disturbed:
        named = ", ".join(f"{row['work']} x{row['batch']} ({row['other_programs']:.0%})" for row in disturbed)
        lines.append(f"- Other programs used a processor meanwhile, so these rows mean little: {named}.")
    prefix = results["cached_prefix"]
    if prefix:
        lines.append(
            f"- First token with {prefix['shared']} of {prefix['tokens']} prompt tokens cached: "
            f"{prefix['cached_ms']} ms, cold {prefix['cold_ms']} ms: {prefix['speedup']} times as fast "
            f"(wanted: {TARGETS['cached_prefix_speedup']:.0f} or more)."
        )
    told = [
        f"{draw.replace('_', ' ')} {results['overhead'][draw]:.1%} (wanted: {TARGETS[draw]:.0%} or less)"
        for draw in DRAWS
        if results["overhead"].get(draw) is not None
    ]
    if told:
        lines.append(f"- Overhead over the bare loop at {OVERHEAD_BATCH} answers: {', '.join(told)}.")
    return lines
