"""Figure of one sweep: accuracy at the left, with the ANN as reference; energy at the right."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from plots import draw_intervals

from memspice import plot


def draw(sweep: dict[str, Any], result: dict[str, Any]) -> Figure:
    """Draw a sweep with its 95 % intervals and the nominal setting."""
    figure = plot.new_figure(3.0)
    accuracy, energy = figure.subplots(1, 2)
    _points(accuracy, sweep, "accuracy", 100, plot.SURROGATE)
    accuracy.axhline(100 * result["ann_accuracy"], color="black", linewidth=1, label="ANN")
    nominal = 100 * result["nominal"]["accuracy"]["value"]
    accuracy.axhline(
        nominal, color=plot.MUTED, linewidth=1, linestyle="--", label="nominal setting"
    )
    accuracy.set_ylabel("accuracy (%)")
    _at_least(accuracy, 10)
    accuracy.legend(fontsize=8, loc="lower left", framealpha=0.5)
    _points(energy, sweep, "energy_ratio", 1, plot.SPICE)
    energy.axhline(1, color=plot.MUTED, linewidth=1, linestyle="--")
    energy.set_ylabel("energy over nominal")
    _at_least(energy, 0.1)
    refused = [point["value"] for point in sweep["points"] if "refused" in point]
    for axis in (accuracy, energy):
        for value in refused:
            place = sorted(sweep["values"]).index(value)
            axis.axvspan(place - 0.4, place + 0.4, color=plot.MUTED, alpha=0.25, linewidth=0)
            axis.text(place, 0.5, "no working circuit", rotation=90, ha="center", va="center",
                      fontsize=8, transform=axis.get_xaxis_transform())  # fmt: skip
        _scale(axis, sweep)
        plot.tidy(axis)
    plot.headline(figure, _title(sweep, result))
    return figure


def measured(sweep: dict[str, Any]) -> list[dict[str, Any]]:
    """Points at which a working circuit could be built."""
    return [point for point in sweep["points"] if "refused" not in point]


def _points(axis: Axes, sweep: dict[str, Any], key: str, factor: float, color: str) -> None:
    order = sorted(sweep["values"])
    points = sorted(measured(sweep), key=lambda point: point["value"])
    place = [order.index(point["value"]) for point in points]
    found = [point[key] for point in points]
    draw_intervals(axis, place, found, factor, color=color, marker="o", linewidth=1.2)


def _scale(axis: Axes, sweep: dict[str, Any]) -> None:
    """Values stand at even distances: ranges reach from zero over decades."""
    values = sorted(sweep["values"])
    axis.set_xticks(range(len(values)), [f"{value:g}" for value in values])
    unit = "" if sweep["unit"] == "1" else f" ({sweep['unit']})"
    axis.set_xlabel(f"{sweep['title']}{unit}")


def _at_least(axis: Axes, span: float) -> None:
    """Widen the vertical scale: what hardly moves should look like it."""
    low, high = axis.get_ylim()
    room = max(span - (high - low), 0) / 2
    axis.set_ylim(low - room, high + room)


def _title(sweep: dict[str, Any], result: dict[str, Any]) -> str:
    worst = max(measured(sweep), key=lambda point: point["loss"]["value"])
    unit = "" if sweep["unit"] == "1" else f" {sweep['unit']}"
    title = sweep["title"]
    return (
        f"{title[0].upper()}{title[1:]}: at most {100 * worst['loss']['value']:.1f} points lost, "
        f"at {worst['value']:g}{unit} ({result['network']})"
    )
