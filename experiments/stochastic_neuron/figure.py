"""Figure: accuracy by cycles with the devices' stochasticity, and without."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from memspice.report.style import SPICE, SURROGATE, headline, new_figure, tidy


def draw_luck(result: dict[str, Any]) -> Figure:
    """Draw accuracy against cycles, and the line of the network that leaves nothing to luck."""
    figure = new_figure(3.2)
    axis = figure.subplots()
    rows = result["stochastic"]
    value, low, high = (
        100 * np.array([row["accuracy"][end] for row in rows]) for end in ("value", "low", "high")
    )
    cycles = [row["cycles"] for row in rows]
    axis.errorbar(
        cycles, value, [value - low, high - value], color=SURROGATE, marker="o", markersize=4,
        capsize=3, label="devices switch by chance",
    )  # fmt: skip
    still = result["still_accuracy"]
    axis.axhline(100 * still["value"], color=SPICE, label="devices switch where P > 1/2")
    axis.axhspan(100 * still["low"], 100 * still["high"], color=SPICE, alpha=0.15, linewidth=0)
    axis.set_xscale("log", base=2)
    axis.set_xticks(cycles, [str(number) for number in cycles])
    axis.set(xlabel="cycles T", ylabel="accuracy (%)")
    axis.legend(fontsize=8, loc="lower right")
    tidy(axis)
    gain = 100 * rows[-1]["gain"]["value"]
    headline(figure, f"Chance adds {gain:.1f} points at T = {cycles[-1]} ({result['network']})")
    return figure
