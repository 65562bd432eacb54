"""Figure of the joules: where they go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from memspice.circuits.energy_model import NETWORK_COMPONENTS
from memspice.errors import ConfigError
from memspice.plot.style import (
    COMPONENT_COLORS,
    COMPONENT_NAMES,
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


def energy_figure(energy: Mapping[str, Mapping[str, float]], rests: str = "") -> Figure:
    """Draw the energy by component, over decades, and by layer and component: a shaded table.

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
    rows = len(NETWORK_COMPONENTS)
    figure = new_figure(2.0 + 0.27 * (rows + len(layers) + 2))
    bars, table = figure.subplots(2, 1, height_ratios=(rows, len(layers) + 2))
    _draw_components(bars, values.sum(axis=0))
    _draw_table(table, layers, values)
    total = si(float(values.sum()), "J")
    headline(figure, f"Energy per inference: {total}" + (f", {rests}" if rests else ""))
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


def _draw_components(axis: Axes, parts: np.ndarray) -> None:
    """Draw what each component takes on a scale of decades, on which the small ones are seen, too.

    The length of a line on such a scale means nothing: the number is where it ends.
    """
    from matplotlib.ticker import EngFormatter

    place = np.arange(len(parts))
    low = 0.4 * max(float(parts[parts > 0].min()), float(parts.max()) * 10**-_DECADES)
    for row, (name, part) in enumerate(zip(NETWORK_COMPONENTS, parts.tolist(), strict=True)):
        at = max(part, low)
        axis.hlines(row, low, at, color=COMPONENT_COLORS[name], linewidth=2.5)
        axis.plot(at, row, "o", color=COMPONENT_COLORS[name], markersize=8, clip_on=False)
        axis.annotate(
            f"{si(part, 'J')}, {_percent(part / parts.sum())}" if part else "0", (at, row), (9, 0),
            textcoords="offset points", va="center", fontsize=9,
        )  # fmt: skip
    axis.set_xscale("log")
    axis.set_xlim(low, 12 * float(parts.max()))
    axis.set_yticks(place, [COMPONENT_NAMES[name] for name in NETWORK_COMPONENTS])
    axis.set_ylim(len(parts) - 0.5, -0.5)
    axis.xaxis.set_major_formatter(EngFormatter("J"))
    axis.set_xlabel("all layers together, a decade a step", fontsize=9)
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


def _percent(share: float) -> str:
    if share < 5e-4:
        return "< 0.1 %"
    return f"{100 * share:.0f} %" if share >= 0.0095 else f"{100 * share:.1f} %"
