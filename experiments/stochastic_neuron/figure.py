"""Figure: accuracy by cycles with the devices' stochasticity, and without."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure
from plots import draw_intervals, scale_cycles

from memspice import plot


def draw_luck(result: dict[str, Any]) -> Figure:
    """Draw accuracy against cycles, and the line of the network that leaves nothing to luck."""
    figure = plot.new_figure(3.2)
    axis = figure.subplots()
    rows = result["stochastic"]
    cycles, found = [row["cycles"] for row in rows], [row["accuracy"] for row in rows]
    draw_intervals(
        axis, cycles, found, color=plot.SURROGATE, marker="o", label="devices switch by chance"
    )
    still = result["still_accuracy"]
    axis.axhline(100 * still["value"], color=plot.SPICE, label="devices switch where P > 1/2")
    axis.axhspan(100 * still["low"], 100 * still["high"], color=plot.SPICE, alpha=0.15, linewidth=0)
    scale_cycles(axis, cycles)
    axis.set_ylabel("accuracy (%)")
    axis.legend(fontsize=8, loc="lower right")
    plot.tidy(axis)
    gain = 100 * rows[-1]["gain"]["value"]
    plot.headline(
        figure, f"Chance adds {gain:.1f} points at T = {cycles[-1]} ({result['network']})"
    )
    return figure
