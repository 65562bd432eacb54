"""Figure: CMOS over memristive energy by scope and device, beside what the papers say."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from memspice.analysis.cmos import SCOPES
from memspice.report.style import MUTED, SPICE, SURROGATE, headline, new_figure, tidy

#: Line of each paper's number: value, name.
CLAIMS = ((6.4, "6.4 ×"), (11.0, "11 ×"), (20.0, "MTJ 20 ×"))
COLORS = (SURROGATE, SPICE)


def draw(result: dict[str, Any]) -> Figure:
    """Draw the ratios, with the range over which single assumptions move each of them."""
    figure = new_figure(3.6)
    axis = figure.subplots()
    for number, device in enumerate(result["devices"]):
        _device(axis, device, number, len(result["devices"]))
    for value, name in CLAIMS:
        axis.axhline(value, color=MUTED, linewidth=0.8, linestyle="--")
        axis.text(len(SCOPES) - 0.12, value, name, fontsize=8, va="bottom", ha="right")
    axis.axhline(1, color="black", linewidth=1)
    axis.set(yscale="log", ylabel="CMOS over own energy", xlim=(-0.5, len(SCOPES) - 0.1))
    axis.set_xticks(range(len(SCOPES)), [scope.replace("_", " + ") for scope in SCOPES])
    axis.legend(fontsize=8, loc="lower right")
    tidy(axis, "y")
    headline(figure, "Energy against CMOS is a matter of scope (bars: one assumption changed)")
    return figure


def _device(axis: Axes, device: dict[str, Any], number: int, count: int) -> None:
    place = np.arange(len(SCOPES)) + 0.2 * (number - (count - 1) / 2)
    ratio = np.array([device["ratio"][scope] for scope in SCOPES])
    low, high = np.array([device["ratio_ci95"][scope] for scope in SCOPES]).T
    changes = device["sensitivity"].values()
    values = np.array([[change["ratio"][scope] for scope in SCOPES] for change in changes])
    color = COLORS[number % len(COLORS)]
    axis.vlines(place, values.min(axis=0), values.max(axis=0), color=color, linewidth=7, alpha=0.25)
    axis.errorbar(
        place, ratio, [ratio - low, high - ratio], color=color, marker="o", linestyle="",
        markersize=5, capsize=3, label=device["device"],
    )  # fmt: skip
    for x, y in zip(place, ratio, strict=True):
        axis.annotate(
            f"{y:.3g}", (x, y), (6, 0), textcoords="offset points", fontsize=8, va="center"
        )
