"""Figure of a sweep: one measure against what was varied, a line or a map."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import stdtrit

from memspice.errors import ConfigError
from memspice.experiment.results.sweep import SweepResult
from memspice.plot.style import headline, new_figure, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Measures in the order in which one is taken.
_FIRST = ("snn_accuracy", "unlike_ideal", "unlike_ann", "spike_rate", "energy_joule")
#: Fewest values of each of two axes for a map, and most lines that can be told apart.
_MAP, _LINES = 3, 8
#: Ratio of the ends of values that are drawn on a logarithmic axis.
_DECADES = 50.0
#: What is averaged over: chips that differ by chance.
_CHANCE = "seed"

#: Mean and the ends of its 95 % interval.
Bar = tuple[float, float, float]


def sweep_figure(result: SweepResult, measure: str | None = None) -> Figure:
    """Draw a measure over one or two of the values that were varied.

    Seeds are averaged, with the interval of Student's t; of a single one the measure's own interval
    is drawn where it has one.  Over two numbers with three values or more it is a map, else a line
    for each value of the second.

    Parameters
    ----------
    result : SweepResult
        With at most two varied names besides ``seed``.
    measure : str, optional
        One of `SweepResult.measures`.

    Raises
    ------
    ConfigError
        If there is no such measure, or too much is varied for one figure.
    """
    known = result.measures
    chosen = measure or next((name for name in _FIRST if name in known), "")
    if chosen not in known:
        raise ConfigError(f"measure {chosen!r} is none of this sweep: use {', '.join(known)}")
    axes = [name for name in result.axes if name != _CHANCE] or [_CHANCE]
    if len(axes) > 2:
        raise ConfigError(
            f"{', '.join(axes)} are varied, and a figure shows two: choose points with "
            f".where({axes[-1]}=...), and draw each choice"
        )
    bars = _bars(result, axes, chosen)
    figure = new_figure(4.2)
    axis = figure.subplots()
    title = f"{chosen.replace('_', ' ')} of {result.layer or result.network}"
    if len(axes) == 2 and all(_is_grid([key[k] for key in bars]) for k in (0, 1)):
        _draw_map(axis, bars, axes, chosen)
        headline(figure, title)
    else:
        _draw_lines(axis, bars, axes, chosen)
        headline(figure, title, axis if len(axes) == 2 else None)
    return figure


def _bars(result: SweepResult, axes: Sequence[str], measure: str) -> dict[tuple[Any, ...], Bar]:
    """Mean and interval at each place, over all seeds there."""
    places: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in result.rows:
        if row.get(measure) is not None:
            places.setdefault(tuple(row[name] for name in axes), []).append(row)
    return {place: _bar(rows, measure) for place, rows in places.items()}


def _bar(rows: Sequence[Mapping[str, Any]], measure: str) -> Bar:
    values = np.array([row[measure] for row in rows], dtype=float)
    mean = float(values.mean())
    if len(values) > 1:
        error = float(values.std(ddof=1)) / math.sqrt(len(values))
        half = float(stdtrit(len(values) - 1, 0.975)) * error
        return mean, mean - half, mean + half
    row = rows[0]
    return mean, row.get(f"{measure}_low", mean), row.get(f"{measure}_high", mean)


def _numeric(values: Sequence[Any]) -> bool:
    return all(isinstance(value, int | float) for value in values)


def _is_grid(values: Sequence[Any]) -> bool:
    return _numeric(values) and len(set(values)) >= _MAP


def _draw_lines(
    axis: Axes, bars: Mapping[tuple[Any, ...], Bar], axes: Sequence[str], measure: str
) -> None:
    lines = list(dict.fromkeys(place[1:] for place in bars))
    if len(lines) > _LINES:
        raise ConfigError(
            f"{len(lines)} lines cannot be told apart: choose values with .where({axes[1]}=...)"
        )
    words = [str(place[0]) for place in bars]
    numeric = _numeric([place[0] for place in bars])
    for line in lines:
        found = {place[0]: bar for place, bar in bars.items() if place[1:] == line}
        where = list(found) if numeric else [list(dict.fromkeys(words)).index(x) for x in found]
        mean, low, high = np.transpose([found[x] for x in found])
        axis.errorbar(
            where, mean, yerr=[mean - low, high - mean], fmt="o-" if numeric else "o",
            markersize=4.5, capsize=2.5, linewidth=1.2, elinewidth=1.0,
            label=f"{axes[1]} {line[0]}" if line else None,
        )  # fmt: skip
    if numeric:
        _scale(axis, "x", [place[0] for place in bars])
    else:
        names = list(dict.fromkeys(words))
        axis.set_xticks(range(len(names)), names)
    axis.set_xlabel(axes[0].replace("_", " "))
    axis.set_ylabel(measure.replace("_", " "))
    tidy(axis)


def _scale(axis: Axes, which: str, values: Sequence[float]) -> None:
    if min(values) > 0 and max(values) / min(values) >= _DECADES:
        axis.set(**{f"{which}scale": "log"})


def _draw_map(
    axis: Axes, bars: Mapping[tuple[Any, ...], Bar], axes: Sequence[str], measure: str
) -> None:
    """Cells of equal size, grey where nothing was measured."""
    across, up = (sorted({place[k] for place in bars}) for k in (0, 1))
    cells = np.full((len(up), len(across)), np.nan)
    for (x, y), (mean, _, _) in bars.items():
        cells[up.index(y), across.index(x)] = mean
    axis.set_facecolor("#dddddd")
    image = axis.imshow(cells, origin="lower", aspect="auto", cmap="viridis")
    axis.figure.colorbar(image, ax=axis, label=measure.replace("_", " "))
    axis.set_xticks(range(len(across)), [f"{value:.4g}" for value in across])
    axis.set_yticks(range(len(up)), [f"{value:.4g}" for value in up])
    axis.set_xlabel(axes[0].replace("_", " "))
    axis.set_ylabel(axes[1].replace("_", " "))
