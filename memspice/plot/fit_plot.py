"""Figure of measured points with the laws fitted to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from memspice.analysis.points import SwitchingCounts, SwitchingPoints
from memspice.analysis.statistics import proportion
from memspice.experiment.fit import PointsFit
from memspice.plot.style import SPICE, SURROGATE
from memspice.quantities import format_si

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def fit(found: PointsFit) -> Figure:
    """Draw measured points over the chosen law and over the exponential one.

    Counts as shares with their 95 % Wilson intervals, a colour for each length of the pulse; times
    against voltage, with the median of the law.

    Parameters
    ----------
    found : PointsFit
        What was fitted.

    Returns
    -------
    matplotlib.figure.Figure
        Belongs to no window and no global state.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axis = figure.subplots()
    points = found.file.points
    if isinstance(points, SwitchingCounts):
        _draw_counts(axis, found, points)
    else:
        _draw_times(axis, found, points)
    axis.set_xlabel("voltage over the device (V)")
    axis.grid(alpha=0.25, linewidth=0.6)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False, fontsize=8.5)
    where = "".join(f", {name} {value}" for name, value in found.file.chosen.items())
    figure.suptitle(f"{found.file.path.name}{where}", fontsize=9.5, x=0.015, ha="left")
    return figure


def _laws(fit: PointsFit) -> list[tuple[str, str, int]]:
    """Laws to draw: label, line style and place among the fitted ones."""
    shown = {id(item): item for item in (fit.chosen, fit.exponential)}
    lines = []
    for item, style in zip(shown.values(), ("-", "--"), strict=False):
        verdict = "rejected, " if item.rejected else ""
        label = f"{item.law.name}: {verdict}p = {item.p_value:.2g}"
        lines.append((label, style, fit.laws.index(item)))
    return lines


def _grid(points: SwitchingPoints) -> np.ndarray:
    low, high = float(points.voltage.min()), float(points.voltage.max())
    room = 0.08 * (high - low)
    return np.linspace(low - room, high + room, 300)


def _draw_counts(axis: Axes, fit: PointsFit, points: SwitchingCounts) -> None:
    widths, voltage = np.unique(points.time), _grid(points)
    for number, width in enumerate(widths):
        color = SURROGATE if len(widths) == 1 else f"C{number}"
        for label, style, place in _laws(fit):
            item = fit.laws[place]
            chance = item.law.switching_probability(
                item.coordinates, voltage, np.full(len(voltage), width)
            )
            axis.plot(
                voltage, chance, style, color=color, linewidth=1.4,
                label=label if number == 0 else None,
            )  # fmt: skip
        mine = np.flatnonzero(points.time == width)
        found = [proportion(int(points.switched[k]), int(points.trials[k])) for k in mine]
        value = np.array([item.value for item in found])
        ends = np.array([(item.low, item.high) for item in found])
        axis.errorbar(
            points.voltage[mine], value, yerr=np.abs(ends.T - value), fmt="o", markersize=4.2,
            markerfacecolor="white", capsize=2.2, elinewidth=1.1,
            color=SPICE if len(widths) == 1 else color,
            label=f"measured, pulses of {format_si(float(width), 's')}",
        )  # fmt: skip
    axis.set_ylabel("switching probability")
    axis.set_ylim(-0.03, 1.03)


def _draw_times(axis: Axes, fit: PointsFit, points: SwitchingPoints) -> None:
    voltage = _grid(points)
    half = np.full(len(voltage), np.log(2))
    for label, style, place in _laws(fit):
        item = fit.laws[place]
        median = item.law.switching_time(item.coordinates, voltage, half)
        axis.plot(voltage, median, style, color=SURROGATE, linewidth=1.4, label=f"median, {label}")
    axis.plot(points.voltage, points.time, ".", color=SPICE, alpha=0.6, label="measured")
    axis.set_yscale("log")
    axis.set_ylabel("time of the switch (s)")
