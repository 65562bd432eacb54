"""Figure of the experiment: regimes at the left, convergence at the right."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from memspice import plot

COLORS = ("#d55e00", "#e69f00", "#009e73", "#56b4e9", "#0072b2")


def draw(result: dict[str, Any]) -> Figure:
    """Draw probability against current and pulse, and what a coarser step does to it."""
    figure = plot.new_figure(4.8)
    grid = figure.add_gridspec(2, 2, width_ratios=(1.3, 1))
    regimes = figure.add_subplot(grid[:, 0])
    rates = figure.add_subplot(grid[0, 1])
    paths = figure.add_subplot(grid[1, 1], sharex=rates)
    _regimes(regimes, result)
    _rates(rates, result)
    _paths(paths, result)
    plot.headline(figure, "Macrospin MTJ: switching against pulse, current and step")
    return figure


def _regimes(axis: Axes, result: dict[str, Any]) -> None:
    for regime, color in zip(result["regimes"], COLORS, strict=True):
        fine, activated = regime["fine_drive"], regime["activated"]
        axis.plot(fine, regime["fokker_planck"], color=color, linewidth=1.4)
        axis.plot(fine[: len(activated)], activated, color=color, linestyle=":", linewidth=1.6)
        axis.errorbar(
            regime["drive"], regime["probability"], _error(regime["probability"], result),
            color=color, marker="o", markersize=4, linestyle="",
            label=f"{1e9 * regime['pulse_second']:g} ns",
        )  # fmt: skip
    axis.axvline(1, color=plot.MUTED, linewidth=0.8)
    axis.set(xscale="log", xlim=(0.28, 4.5), ylim=(-0.02, 1.03))
    axis.set_xticks([0.3, 0.5, 1, 2, 3, 4], ["0.3", "0.5", "1", "2", "3", "4"])
    axis.minorticks_off()
    axis.set(xlabel="current / critical current", ylabel="switching probability")
    axis.set_title("pulse length; — Fokker-Planck  ··· Brown's rate", fontsize=9, loc="left")
    axis.legend(fontsize=8, loc="upper left", handletextpad=0.1)
    plot.tidy(axis)


def _rates(axis: Axes, result: dict[str, Any]) -> None:
    for case in result["convergence"]:
        step = 1e12 * np.array(case["interval_second"])
        axis.axhline(case["fokker_planck"], color=plot.SURROGATE, linewidth=1.2)
        axis.errorbar(
            step, case["probability"], _error(case["probability"], result),
            color=plot.SPICE, marker="o", markersize=4, linestyle="",
        )  # fmt: skip
        where = (0.51, case["fokker_planck"] + 0.035)
        axis.annotate(f"{case['drive']:g} Ic0", where, fontsize=7.5, xytext=where)
    axis.set(xscale="log", ylabel="probability", ylim=(0, 0.85))
    axis.set_title("3 ns pulse; — Fokker-Planck", fontsize=9, loc="left")
    plot.tidy(axis)


def _paths(axis: Axes, result: dict[str, Any]) -> None:
    for number, case in enumerate(result["convergence"]):
        step = 1e12 * np.array(case["interval_second"][1:])
        names = ("median distance", "other outcomes") if number == 0 else (None, None)
        axis.plot(
            step,
            case["median_distance"][1:],
            color=plot.SURROGATE,
            marker="s",
            markersize=3.5,
            label=names[0],
        )
        axis.plot(
            step,
            case["other_outcome"][1:],
            color=plot.SPICE,
            marker="o",
            markersize=4,
            label=names[1],
        )
    axis.set(xscale="log", yscale="log", ylim=(5e-3, 3))
    axis.set_xlabel("interval of the thermal field (ps)")
    axis.set_xticks([0.5, 1, 2, 4, 8], ["0.5", "1", "2", "4", "8"])
    axis.minorticks_off()
    axis.set_title("same events at 0.5 ps against coarser", fontsize=9, loc="left")
    axis.legend(fontsize=8, loc="upper left", ncols=2, handlelength=1.2, columnspacing=0.8)
    plot.tidy(axis)


def _error(probability: list[float], result: dict[str, Any]) -> np.ndarray:
    """Half of the 95 % interval of each share, by the normal approximation."""
    values = np.array(probability)
    return np.asarray(1.96 * np.sqrt(values * (1 - values) / result["events"]))
