"""Figures of the joules: where they go, and how they settle over the iterations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from memspice.circuits.energy_model import NETWORK_COMPONENTS
from memspice.errors import ConfigError
from memspice.plot.style import (
    COMPONENT_COLORS,
    COMPONENT_NAMES,
    MUTED,
    SPICE,
    SURROGATE,
    headline,
    new_figure,
    numbers,
    si,
    tidy,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Decades below the largest part that the table's shades tell apart.
_DECADES = 5.0
#: A part is named inside its bar where it is this share of the longest bar.
_NAMED = 0.085


def energy_figure(energy: Mapping[str, Mapping[str, float]], rests: str = "") -> Figure:
    """Draw the energy by layer and component: bars to compare, a shaded table to read.

    Parameters
    ----------
    energy : mapping
        Layer name, in network order, to component to energy per inference [J]; each layer has all
        of :data:`memspice.circuits.energy_model.NETWORK_COMPONENTS`.
    rests : str
        What the total rests on, to stand beside it.

    Returns
    -------
    matplotlib.figure.Figure
        Belongs to no window and no global state.

    Raises
    ------
    ConfigError
        If there is no layer, or a component is missing, unknown, negative or not finite, or all
        are zero.
    """
    values = _energy_table(energy)
    layers = list(energy)
    figure = new_figure(2.2 + 0.66 * len(layers))
    bars, table = figure.subplots(2, 1, height_ratios=(len(layers) + 0.6, len(layers) + 2))
    _draw_bars(bars, layers, values)
    _draw_table(table, layers, values)
    total = si(float(values.sum()), "J")
    title = f"Energy per inference: {total}" + (f", {rests}" if rests else "")
    look = {"handlelength": 0.9, "handleheight": 0.9, "handletextpad": 0.4, "columnspacing": 1.2}
    headline(figure, title, bars, **look)
    return figure


def _energy_table(energy: Mapping[str, Mapping[str, float]]) -> np.ndarray:
    """Energies [J] of shape (layers, components)."""
    for layer, parts in energy.items():
        if odd := sorted(set(parts) ^ set(NETWORK_COMPONENTS)):
            raise ConfigError(
                f"energy of layer {layer}: {', '.join(odd)} missing or unknown; "
                f"give {', '.join(NETWORK_COMPONENTS)}"
            )
    rows = [[parts[name] for name in NETWORK_COMPONENTS] for parts in energy.values()]
    values = numbers(rows, "energy by layer and component", 2)
    if values.min() < 0 or values.max() == 0:
        raise ConfigError(
            f"energies by component from {values.min():g} to {values.max():g} J cannot be drawn; "
            "give dissipated energies, not all of them zero"
        )
    return values


def _draw_bars(axis: Axes, layers: Sequence[str], values: np.ndarray) -> None:
    from matplotlib.ticker import EngFormatter

    totals, place = values.sum(axis=1), np.arange(len(layers))
    left = np.zeros(len(layers))
    for name, part in zip(NETWORK_COMPONENTS, values.T, strict=True):
        axis.barh(
            place, part, left=left, height=0.72, color=COMPONENT_COLORS[name],
            edgecolor="white", linewidth=0.5, label=COMPONENT_NAMES[name],
        )  # fmt: skip
        for row in np.flatnonzero(part >= _NAMED * totals.max()).tolist():
            axis.text(
                left[row] + part[row] / 2, row, _percent(part[row] / totals[row]),
                ha="center", va="center", fontsize=8.5, color=_ink(COMPONENT_COLORS[name]),
            )  # fmt: skip
        left += part
    for row, total in enumerate(totals):
        axis.annotate(
            f"{si(total, 'J')}, {_percent(total / totals.sum())}", (total, row), (4, 0),
            textcoords="offset points", va="center", fontsize=9,
        )  # fmt: skip
    axis.set_yticks(place, layers)
    axis.set_ylim(len(layers) - 0.5, -0.5)
    axis.set_xlim(0, 1.24 * totals.max())
    axis.xaxis.set_major_formatter(EngFormatter("J"))
    tidy(axis, "x")
    axis.tick_params(axis="y", length=0)


def _draw_table(axis: Axes, layers: Sequence[str], values: np.ndarray) -> None:
    """Write every number, on shades of its logarithm; totals stand outside the shades."""
    from matplotlib import colormaps

    top = values.max()
    floor = top * 10**-_DECADES
    shade = np.log10(np.maximum(values, floor) / floor) / _DECADES
    colors = colormaps["Greys"](0.38 * shade)
    axis.imshow(colors, aspect="auto", interpolation="nearest")
    rows, columns = values.shape
    sums = np.vstack([values, values.sum(axis=0)])
    sums = np.hstack([sums, sums.sum(axis=1, keepdims=True)])
    for (row, column), value in np.ndenumerate(sums):
        axis.text(
            column, row, si(value, "J") if value else "0", ha="center", va="center", fontsize=8.5,
            fontweight="bold" if row == rows or column == columns else "normal",
        )  # fmt: skip
    axis.set_xlim(-0.5, columns + 0.5)
    axis.set_ylim(rows + 0.5, -0.5)
    axis.set_yticks(range(rows + 1), [*layers, "sum"])
    names = [COMPONENT_NAMES[name].replace(" ", "\n") for name in NETWORK_COMPONENTS]
    axis.set_xticks(range(columns + 1), [*names, "sum"])
    axis.tick_params(
        length=0, labelsize=9, top=True, labeltop=True, bottom=False, labelbottom=False
    )
    axis.spines[:].set_visible(False)
    for column, name in enumerate(NETWORK_COMPONENTS):
        axis.plot(
            [column - 0.44, column + 0.44], [-0.5, -0.5], color=COMPONENT_COLORS[name],
            linewidth=4, solid_capstyle="butt", clip_on=False,
        )  # fmt: skip


def _ink(background: str) -> str:
    """Black or white, whichever reads better on a colour."""
    from matplotlib.colors import to_rgb

    light = float(np.dot(to_rgb(background), (0.299, 0.587, 0.114)))
    return "black" if light > 0.55 else "white"


def _percent(share: float) -> str:
    if share < 5e-4:
        return "< 0.1 %"
    return f"{100 * share:.0f} %" if share >= 0.0095 else f"{100 * share:.1f} %"


_PANELS: dict[str, tuple[str, Callable[[float], str]]] = {
    "energy_joule": ("energy per inference, 95 % of sampling", lambda value: si(value, "J")),
    "snn_accuracy": ("accuracy of the spiking network", lambda value: f"{100 * value:.1f} %"),
    "mean_rate": ("mean spikes per event", lambda value: f"{value:.4f}"),
    "mismatches": ("spikes that differ from SPICE", lambda value: f"{value:.0f}"),
}


def iteration_figure(iterations: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw what should stop moving as the calibration is fed back.

    Parameters
    ----------
    iterations : sequence of mapping
        In order; each with ``iteration``, ``snn_accuracy`` [1], None of images without labels,
        ``energy_joule`` per inference
        [J], ``energy_ci95`` (low, high) [J], ``mean_rate`` [spikes per event] and ``mismatches``.

    Returns
    -------
    matplotlib.figure.Figure
        Panels: energy, accuracy where there is one, rate, mismatches.

    Raises
    ------
    ConfigError
        If there is no iteration, or a key is missing or not a finite number.
    """
    keys = ("iteration", *_PANELS, "energy_ci95")
    for index, entry in enumerate(iterations):
        if missing := [key for key in keys if key not in entry]:
            raise ConfigError(f"iteration {index} lacks {', '.join(missing)}; give all of {keys}")
    drawn = {
        key: numbers([entry[key] for entry in iterations], f"{key} of the iterations")
        for key in keys[:-1]
        if key != "snn_accuracy" or any(entry[key] is not None for entry in iterations)
    }
    order, energy = drawn.pop("iteration"), drawn["energy_joule"]
    ends = numbers([entry["energy_ci95"] for entry in iterations], "energy_ci95", 2)
    figure = new_figure(4.6)
    axes = figure.subplots(2, 2, sharex=True)
    for axis, (key, values) in zip(axes.flat, drawn.items(), strict=False):
        title, text = _PANELS[key]
        limits = ends.T if key == "energy_joule" else np.array([values, values])
        color = SPICE if key == "mismatches" else SURROGATE
        _draw_iterations(
            axis,
            order,
            values=values,
            limits=limits,
            texts=[text(value) for value in values],
            color=color,
        )
        axis.set_title(title, fontsize=9.5, loc="left")
    for axis in axes.flat[len(drawn) :]:
        axis.set_axis_off()
    for axis in axes[-1]:
        axis.set_xlabel("iteration")
    headline(figure, _settling(energy))
    return figure


def _draw_iterations(
    axis: Axes,
    order: np.ndarray,
    values: np.ndarray,
    limits: np.ndarray,
    texts: Sequence[str],
    color: str,
) -> None:
    """Draw one quantity over the iterations, each value written beside its point."""
    axis.plot(order, values, color=color, linewidth=1.2, alpha=0.6)
    axis.errorbar(
        order, values, yerr=np.abs(limits - values), fmt="o", color=color, markersize=5,
        capsize=3, elinewidth=1.2,
    )  # fmt: skip
    for x, y, text in zip(order, limits[1], texts, strict=True):
        axis.annotate(
            text, (x, y), (0, 7), textcoords="offset points", ha="center", fontsize=9,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 0.8},
        )  # fmt: skip
    low, high = float(limits.min()), float(limits.max())
    # Changes of less than a few percent should look like what they are.
    room = max(high - low, 0.05 * abs(high)) or 1.0
    axis.set_ylim(low - 0.25 * room, high + 0.45 * room)
    axis.set_xlim(order.min() - 0.5, order.max() + 0.5)
    axis.set_xticks(order, [f"{number:.0f}" for number in order])
    # The values stand beside the points; a scale of rounded ones would only repeat them.
    axis.set_yticks([])
    tidy(axis, "x")
    axis.spines["left"].set_color(MUTED)


def _settling(energy: np.ndarray) -> str:
    if len(energy) < 2:
        return "One iteration: nothing to compare with"
    change = energy[-1] / energy[-2] - 1
    return f"Last iteration moved the energy by {100 * change:+.2f} %"
