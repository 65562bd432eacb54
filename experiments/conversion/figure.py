"""Figure: points lost against the ANN by cycles of one burst, on an ideal and the real array."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from plots import draw_intervals, scale_cycles

from memspice import plot

STYLES = {
    "ideal": (plot.SURROGATE, "o", "ideal array: the conversion alone"),
    "real": (plot.SPICE, "s", "every non-ideality"),
}
#: What the paper allows a conversion and its circuits to lose, in points.
ALLOWED = 1.0


def draw(result: dict[str, Any]) -> Figure:
    """Draw both losses with their 95 % intervals, and what stands beside them at one T."""
    figure = plot.new_figure(3.4)
    curves, beside = figure.subplots(1, 2, width_ratios=(5, 4))
    _draw_curves(curves, result)
    _draw_beside(beside, result)
    last = result["curves"]["real"][-1]
    plot.headline(
        figure,
        f"{100 * last['loss']['value']:.1f} points lost at T = K = {last['cycles']} with every "
        f"non-ideality ({result['network']})",
    )
    return figure


def _draw_curves(axis: Axes, result: dict[str, Any]) -> None:
    """Losses by cycles: in steps of ten, as one of them is forty times another."""
    for name, (color, marker, label) in STYLES.items():
        rows = result["curves"][name]
        place = [row["cycles"] for row in rows]
        losses = [row["loss"] for row in rows]
        draw_intervals(axis, place, losses, color=color, marker=marker, label=label)
    axis.axhline(ALLOWED, color=plot.MUTED, linestyle="--", linewidth=1, label="one point")
    scale_cycles(axis, [row["cycles"] for row in result["curves"]["real"]])
    axis.set_yscale("symlog", linthresh=1)
    axis.set_yticks([0, 1, 3, 10, 30], ["0", "1", "3", "10", "30"])
    axis.set_ylim(-ALLOWED, 50)
    axis.minorticks_off()
    axis.set_ylabel(f"points lost (ANN: {_percent(result['ann_accuracy'])})")
    axis.legend(fontsize=8, loc="lower left")
    plot.tidy(axis)


def _draw_beside(axis: Axes, result: dict[str, Any]) -> None:
    """Losses of other devices and networks, a row for each, below that of the curve."""
    cycles = result["beside"][0]["curve"][0]["cycles"]
    (own,) = (row["loss"] for row in result["curves"]["real"] if row["cycles"] == cycles)
    rows = [(result["network"], own)]
    rows += [(item["label"], item["curve"][0]["loss"]) for item in result["beside"]]
    for number, (_, loss) in enumerate(rows):
        value, low, high = (100 * loss[end] for end in ("value", "low", "high"))
        axis.plot([low, high], [number, number], color=plot.SPICE)
        axis.plot(value, number, "s", color=plot.SPICE, markersize=4)
    axis.axvline(ALLOWED, color=plot.MUTED, linestyle="--", linewidth=1)
    axis.set_yticks(range(len(rows)), [label for label, _ in rows], fontsize=8)
    axis.invert_yaxis()
    axis.set_xlabel(f"points lost at T = {cycles}")
    plot.tidy(axis)


def _percent(item: dict[str, Any]) -> str:
    return f"{100 * item['value']:.1f} %"
