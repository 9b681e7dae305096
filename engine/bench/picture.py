"""The results as a picture: bars of tokens per second, one group for each piece of work. Plain SVG, written by hand."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

from engine.bench.charts import document, text
from engine.bench.engines import BARE, GENAI, LLAMA, OURS, OURS_NEWER, PYTORCH

COLOURS = {
    OURS: "#0b6e4f",
    OURS_NEWER: "#5fb49c",
    GENAI: "#3366a8",
    LLAMA: "#c2571a",
    PYTORCH: "#8a4f9e",
    BARE: "#9aa0a6",
}
WIDTH, LEFT, RIGHT = 920, 170, 70
BAR, GAP, TOP, LEGEND = 13, 12, 64, 26


def draw_picture(results: dict[str, Any]) -> str:
    """A self-contained SVG. Each group is scaled to its own fastest bar: the numbers stand at the bars."""
    parts: list[str] = []
    y = TOP + LEGEND
    for row in results["rows"]:
        found = {OURS: row["ours"], OURS_NEWER: row.get("ours_newer_onnxruntime"), **row["peers"]}
        found[BARE] = row.get("bare_loop")
        bars = [(name, found[name]) for name in COLOURS if found.get(name)]
        label = row["work"] if row["work"].startswith("prefill") else f"{row['work']}, {row['batch']} at once"
        parts.append(text(LEFT - 10, y + len(bars) * BAR / 2 + 4, label, anchor="end"))
        fastest = max((speed for _, speed in bars), default=1.0)
        for name, speed in bars:
            length = speed / fastest * (WIDTH - LEFT - RIGHT)
            parts.append(
                f'<rect x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR - 2}" fill="{COLOURS[name]}">'
                f"<title>{escape(name)}: {speed:.1f} tokens/s</title></rect>"
            )
            parts.append(text(LEFT + length + 5, y + BAR - 4, f"{speed:.1f}", size=10))
            y += BAR
        y += GAP
    machine = results["machine"]
    below = f"{machine['processor']}, {machine['processors']} processors, {machine['system']}"
    head = [text(16, 28, f"Tokens per second, {results['model']} shape, random weights", size=16), *_legend()]
    return document(y + 28, [*head, *parts, text(16, y + 16, below, size=11)])


def _legend() -> list[str]:
    parts, x = [], 16
    for name, colour in COLOURS.items():
        parts.append(f'<rect x="{x}" y="{TOP - 18}" width="11" height="11" fill="{colour}"/>')
        parts.append(text(x + 16, TOP - 8, name, size=11))
        x += 34 + 7 * len(name)
    return parts
