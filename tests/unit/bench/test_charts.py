"""Pictures of measurements."""

from __future__ import annotations

import re

from engine.bench.charts import PALETTE, Curve, Panel, draw_panels


def test_no_two_curves_look_the_same() -> None:
    curves = [Curve(f"curve {number}", [(0, 0.1), (1, 0.9)]) for number in range(2 * len(PALETTE))]
    picture = draw_panels("Title", [Panel("Plot", "across", curves)], "below")
    looks = re.findall(r"<polyline points=\"[^\"]*\" fill=\"none\" (stroke=[^/]*)/>", picture)
    assert len(looks) == len(curves)
    assert len(set(looks)) == len(curves)
