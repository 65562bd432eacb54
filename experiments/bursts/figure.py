"""Figure: accuracy lost against joules and against the time to the answer, a line for each K."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, NullFormatter
from plots import draw_intervals

from memspice import plot

#: Colours and markers of K = 1, 2, 4, 8, 16 and the leaky average, each with its own.
STYLES = (
    (plot.SPICE, "o"), ("#8a6d3b", "^"), ("#6b8e6b", "v"), (plot.SURROGATE, "s"), ("#7f7f9f", "D"),
    ("#b06a8a", "P"),
)  # fmt: skip
LABELS = "energy of an inference, without converters", "time to the answer"


def draw(result: dict[str, Any]) -> Figure:
    """Draw what all points lose against the ANN, with their 95 % intervals."""
    figure = plot.new_figure(3.6)
    axes = figure.subplots(1, 2, sharey=True)
    kinds = sorted({(point["burst"], point["share"]) for point in result["points"]}, key=_order)
    for axis, place, label, unit in zip(axes, (_joules, _seconds), LABELS, "Js", strict=True):
        for kind, (color, marker) in zip(kinds, STYLES, strict=False):
            points = [item for item in result["points"] if (item["burst"], item["share"]) == kind]
            lost = [point["loss"] for point in points]
            x = [place(point) for point in points]
            name = f"K = {kind[0]}" if kind[1] == 1 else f"leaky, {kind[1]:g}"
            draw_intervals(axis, x, lost, color=color, marker=marker, label=name)
        axis.axhline(0, color="black", linewidth=1)
        axis.axhline(1, color=plot.MUTED, linestyle="--", linewidth=1, label="one point")
        axis.set(xscale="log", xlabel=label)
        axis.xaxis.set_major_formatter(EngFormatter(unit))
        axis.xaxis.set_minor_formatter(NullFormatter())
        plot.tidy(axis)
    axes[0].set_ylabel("accuracy lost against the ANN (points)")
    axes[1].legend(fontsize=8, loc="upper right", ncols=2)
    _number(axes[0], result)
    plot.headline(figure, _title(result))
    return figure


def _order(kind: tuple[int, float]) -> tuple[float, int]:
    """Bursts by their length, then what is leaky."""
    return -kind[1], kind[0]


def _joules(point: dict[str, Any]) -> float:
    return float(point["energy_joule"]["value"])


def _seconds(point: dict[str, Any]) -> float:
    return float(point["latency_second"])


def _number(axis: Axes, result: dict[str, Any]) -> None:
    """Write T beside the points of one drive a cycle, below, and of one burst, above."""
    for point in result["points"]:
        if point["burst"] in (1, point["cycles"]) and point["share"] == 1:
            place = _joules(point), 100 * point["loss"]["value"]
            shift = (-6, -14) if point["burst"] == 1 else (4, 5)
            axis.annotate(
                f"T = {point['cycles']}", place, shift, textcoords="offset points", fontsize=7
            )


def _title(result: dict[str, Any]) -> str:
    last = max(result["points"], key=lambda point: (point["burst"], point["cycles"]))
    loss, half = 100 * last["loss"]["value"], 50 * (last["loss"]["high"] - last["loss"]["low"])
    return (
        f"In one burst of {last['burst']} cycles {loss:.1f} ± {half:.1f} points are lost against "
        f"the ANN\n{result['network']}, every non-ideality"
    )
