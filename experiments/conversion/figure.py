"""Figure: points lost against the ANN by cycles of one burst, on an ideal and the real array."""

from __future__ import annotations

from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from plots import draw_intervals, scale_cycles

from memspice import plot

STYLES = {
    "ideal": (plot.SURROGATE, "o", "ideal array: the conversion alone"),
    "real": (plot.SPICE, "s", "every non-ideality"),
}
#: What is shown beside: other devices, other networks.
OTHERS = (
    ("#8a6d3b", "^"), ("#6b8e6b", "v"), ("#7f7f9f", "D"), ("#b06a8a", "x"), ("#5b9aa0", "P"),
)  # fmt: skip


def draw(result: dict[str, Any]) -> Figure:
    """Draw both losses with their 95 % intervals, the ANN and the limit of one point."""
    figure = plot.new_figure(3.4)
    axis = figure.subplots()
    curves = [(*STYLES[name], result["curves"][name]) for name in STYLES]
    curves += [
        (*style, item["label"], item["curve"])
        for style, item in zip(cycle(OTHERS), result["beside"], strict=False)
    ]
    for number, (color, marker, label, rows) in enumerate(curves):
        # Side by side, so that none hides another.
        place = np.array([row["cycles"] for row in rows]) * (0.94 + 0.03 * number)
        losses = [row["loss"] for row in rows]
        draw_intervals(axis, place, losses, color=color, marker=marker, label=label)
    axis.axhline(0, color="black", linewidth=1, label=f"ANN: {_percent(result['ann_accuracy'])}")
    axis.axhline(1, color=plot.MUTED, linestyle="--", linewidth=1, label="one point")
    cycles = [row["cycles"] for row in result["curves"]["real"]]
    scale_cycles(axis, cycles)
    axis.set_ylabel("accuracy lost (points)")
    axis.legend(fontsize=8, loc="upper right")
    plot.tidy(axis)
    last = result["curves"]["real"][-1]["loss"]
    plot.headline(
        figure,
        f"{100 * last['value']:.1f} points lost at T = K = {cycles[-1]} with every non-ideality "
        f"({result['network']})",
    )
    return figure


def _percent(item: dict[str, Any]) -> str:
    return f"{100 * item['value']:.1f} %"
