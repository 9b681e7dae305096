"""Plain SVG, written by hand: bars and curves for pages that need no script to be read."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

PALETTE = ("#0b6e4f", "#3366a8", "#c2571a", "#8a4f9e", "#9aa0a6", "#5fb49c", "#b8860b", "#444444")
WIDTH = 920
_LEFT, _RIGHT, _TOP = 190, 90, 72
_BAR, _GAP = 15, 12
_PLOT = 360


def text(x: float, y: float, words: str, *, size: int = 12, anchor: str = "start") -> str:
    """One line of text."""
    where = f'x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}"'
    return f'<text {where} fill="#222222">{escape(words)}</text>'


def document(height: float, parts: Sequence[str]) -> str:
    """A whole picture."""
    size = f'width="{WIDTH}" height="{height:.0f}" viewBox="0 0 {WIDTH} {height:.0f}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif">',
            f'<rect width="{WIDTH}" height="{height:.0f}" fill="#ffffff"/>',
            *parts,
            "</svg>\n",
        ]
    )


def legend(names: Sequence[str], y: float) -> list[str]:
    """A coloured square and a name for each, in one line."""
    parts, x = [], 16.0
    for place, name in enumerate(names):
        parts.append(f'<rect x="{x:.0f}" y="{y - 10:.0f}" width="11" height="11" fill="{_colour(place)}"/>')
        parts.append(text(x + 16, y, name, size=11))
        x += 34 + 6.2 * len(name)
    return parts


def draw_bars(title: str, groups: Sequence[tuple[str, Mapping[str, float]]], below: str, unit: str) -> str:
    """Horizontal bars, one for each name in each group; a group is scaled to its own longest bar."""
    names = list(dict.fromkeys(name for _, bars in groups for name in bars))
    parts = [text(16, 28, title, size=16), *legend(names, _TOP - 16)]
    y = float(_TOP)
    for label, bars in groups:
        parts.append(text(_LEFT - 10, y + len(bars) * _BAR / 2 + 4, label, anchor="end"))
        longest = max([*bars.values(), 1e-12])
        for name, value in bars.items():
            length = value / longest * (WIDTH - _LEFT - _RIGHT)
            colour = _colour(names.index(name))
            parts.append(f'<rect x="{_LEFT}" y="{y}" width="{length:.1f}" height="{_BAR - 2}" fill="{colour}"/>')
            parts.append(text(_LEFT + length + 5, y + _BAR - 4, f"{value:.4g} {unit}", size=10))
            y += _BAR
        y += _GAP
    return document(y + 28, [*parts, text(16, y + 12, below, size=11)])


@dataclass(frozen=True)
class Curve:
    """Points from left to right; ``dashed`` for those that were published by others."""

    name: str
    points: Sequence[tuple[float, float]]
    dashed: bool = False


@dataclass(frozen=True)
class Panel:
    """One plot with linear axes."""

    title: str
    across: str
    curves: Sequence[Curve]
    lowest: float = 0.0
    highest: float = 1.0


def draw_panels(title: str, panels: Sequence[Panel], below: str) -> str:
    """Plots below each other, each with its legend at its right."""
    parts = [text(16, 28, title, size=16)]
    y = 48.0
    for panel in panels:
        parts += _panel(panel, y)
        y += _PLOT + 84
    return document(y + 24, [*parts, text(16, y + 8, below, size=11)])


def _panel(panel: Panel, top: float) -> list[str]:
    left, width = 60.0, 540.0
    right_most = max(x for curve in panel.curves for x, _ in curve.points)
    upper = top + 24

    def place(x: float, y: float) -> tuple[float, float]:
        share = (y - panel.lowest) / (panel.highest - panel.lowest)
        return left + x / right_most * width, upper + (1 - min(max(share, 0.0), 1.0)) * _PLOT

    parts = [text(left, top + 10, panel.title, size=13)]
    for step in range(6):
        value = panel.lowest + step / 5 * (panel.highest - panel.lowest)
        _, y = place(0, value)
        parts.append(f'<line x1="{left}" y1="{y:.1f}" x2="{left + width}" y2="{y:.1f}" stroke="#dddddd"/>')
        parts.append(text(left - 6, y + 4, f"{value:.2f}", size=10, anchor="end"))
        x, _ = place(right_most * step / 5, panel.lowest)
        parts.append(text(x, upper + _PLOT + 16, f"{right_most * step / 5:.3g}", size=10, anchor="middle"))
    parts.append(text(left + width / 2, upper + _PLOT + 34, panel.across, size=11, anchor="middle"))
    for number, curve in enumerate(panel.curves):
        points = " ".join(
            f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in curve.points if not math.isnan(point[1]))
        )
        again = number >= len(PALETTE)  # its colour is that of a curve before
        dash = f' stroke-dasharray="{"2 3" if again else "6 4"}"' if curve.dashed or again else ""
        parts.append(f'<polyline points="{points}" fill="none" stroke="{_colour(number)}" stroke-width="2"{dash}/>')
        level = upper + 14 + 20 * number
        parts.append(
            f'<line x1="{left + width + 16}" y1="{level - 4:.0f}" x2="{left + width + 42}" y2="{level - 4:.0f}" '
            f'stroke="{_colour(number)}" stroke-width="2"{dash}/>'
        )
        parts.append(text(left + width + 48, level, curve.name, size=11))
    return parts


def _colour(place: int) -> str:
    return PALETTE[place % len(PALETTE)]
