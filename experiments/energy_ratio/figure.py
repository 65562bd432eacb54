"""Figure: CMOS over own energy by scope, opponent and device, beside what the papers say."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from memspice import cmos, plot

#: Line of each paper's number: value, name.
CLAIMS = ((6.4, "6.4"), (11.0, "11"), (20.0, "MTJ 20"))
COLORS = dict(
    zip(
        (*cmos.LIKE_FOR_LIKE, cmos.PAPERS),
        ("#0072b2", "#56b4e9", "#d55e00", plot.MUTED),
        strict=True,
    )
)
MARKERS = "os^D"
#: Width that the opponents and devices of a scope share, of the distance between scopes.
SPREAD = 0.8


def draw(result: dict[str, Any]) -> Figure:
    """Draw the ratios, with the range over which single assumptions move each of them."""
    figure = plot.new_figure(5.4)
    axis = figure.subplots()
    devices = result["devices"]
    count = len(devices) * len(COLORS)
    for number, device in enumerate(devices):
        for index, opponent in enumerate(COLORS):
            offset = SPREAD * ((index * len(devices) + number + 0.5) / count - 0.5)
            _series(axis, device, opponent, offset, MARKERS[number % len(MARKERS)])
    for value, name in CLAIMS:
        axis.axhline(value, color=plot.MUTED, linewidth=0.8, linestyle="--")
        axis.text(len(cmos.SCOPES) - 0.32, value, name, fontsize=8, va="bottom", ha="right")
    axis.axhline(1, color="black", linewidth=1)
    axis.set(yscale="log", ylabel="CMOS over own energy", xlim=(-0.5, len(cmos.SCOPES) - 0.3))
    axis.set_xticks(
        range(len(cmos.SCOPES)), [f"scope {scope.replace('_', ' + ')}" for scope in cmos.SCOPES]
    )
    plot.tidy(axis, "y")
    plot.headline(figure, _title(devices), axis, ncols=2, fontsize=7.5)
    return figure


def _title(devices: list[dict[str, Any]]) -> str:
    rests = "; ".join(
        f"{device['device']}: {100 * device['assumed_fraction']:.0f} % assumed, "
        f"{device['device_source']}"
        for device in devices
    )
    return f"Energy against CMOS; wide bars: one assumption changed\n{rests}\ndashed: the papers"


def _series(axis: Axes, device: dict[str, Any], opponent: str, offset: float, marker: str) -> None:
    """One device against one opponent, at every scope."""
    table = device[cmos.PAPERS] if opponent == cmos.PAPERS else None
    items = [table[scope] if table else device["ratio"][scope][opponent] for scope in cmos.SCOPES]
    place = [number + offset for number in range(len(cmos.SCOPES))]
    color, ratio = COLORS[opponent], [item["value"] for item in items]
    ends = [[item["sensitivity"][end]["value"] for item in items] for end in ("low", "high")]
    axis.vlines(place, *ends, color=color, linewidth=6, alpha=0.25)
    errors = [
        [value - item["low"] for value, item in zip(ratio, items, strict=True)],
        [item["high"] - value for value, item in zip(ratio, items, strict=True)],
    ]
    axis.errorbar(
        place, ratio, errors, color=color, marker=marker, linestyle="", markersize=5, capsize=2,
        markerfacecolor="white" if opponent == cmos.PAPERS else color,
        label=f"{device['device']}: {device['opponents'][opponent]}",
    )  # fmt: skip
    for x, y in zip(place, ratio, strict=True):
        axis.annotate(
            f"{y:.2g}", (x, y), (0, 7), textcoords="offset points", fontsize=7, ha="center"
        )
