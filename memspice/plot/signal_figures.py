"""Figures of signals: a neuron through its phases, and the voltages over an array."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from memspice.errors import ConfigError, ShapeError
from memspice.plot.style import (
    MUTED,
    PHASE_COLORS,
    SPICE,
    SURROGATE,
    headline,
    new_figure,
    numbers,
    tidy,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Signals of a neuron by panel: (name, words, colour, line style), then the panel's axis and unit.
_PANELS = (
    (
        (("drive", "sensed drive", MUTED, "-"), ("device", "across the device", SURROGATE, "-")),
        "voltage",
        "V",
    ),
    (
        (("hazard", "hazard integral H", SURROGATE, "-"), ("threshold", "draw E", SPICE, "--")),
        "hazard",
        "",
    ),
    ((("state", "device state", "#009e73", "-"),), "state", ""),
    ((("spike", "spike line", "#303030", "-"),), "spike", "V"),
)
#: A phase narrower than this share of the axis has its name one line higher.
_NARROW = 0.07
#: An array longer than this times its other side is stretched to be seen.
_SQUARE = 3.0


def neuron_waveform_figure(
    time: ArrayLike, signals: Mapping[str, ArrayLike], phases: Sequence[tuple[str, float, float]]
) -> Figure:
    """Draw one neuron through write, read and reset.

    Parameters
    ----------
    time : array_like, shape (n_points,), [s]
        Rising.
    signals : mapping
        All of shape (n_points,): ``drive`` the sensed voltage and ``device`` the voltage over the
        device [V]; ``hazard`` its integral and ``threshold`` the draw [1]; ``state`` of the device
        [1]; ``spike`` the spike line [V].
    phases : sequence of (name, start, stop)
        ``write``, ``read`` or ``reset``, with their limits [s].

    Returns
    -------
    matplotlib.figure.Figure
        Four panels over one time axis, phases shaded.

    Raises
    ------
    ShapeError
        If a signal has another length than ``time``.
    ConfigError
        If a signal or a phase is unknown or missing, or a value not finite.
    """
    from matplotlib.ticker import EngFormatter

    axis_time = numbers(time, "time")
    values = _neuron_signals(axis_time, signals)
    for name, _, _ in phases:
        if name not in PHASE_COLORS:
            raise ConfigError(f"phase {name!r} is not one of {', '.join(PHASE_COLORS)}")
    figure = new_figure(6.0)
    axes = figure.subplots(len(_PANELS), 1, sharex=True, height_ratios=(2.4, 2.4, 1, 1))
    for axis, (lines, label, unit) in zip(axes, _PANELS, strict=True):
        for name, start, stop in phases:
            axis.axvspan(start, stop, color=PHASE_COLORS[name], alpha=0.16, linewidth=0)
        for name, words, color, style in lines:
            axis.plot(
                axis_time, values[name], style, color=color, linewidth=1.5, label=words
            )  # fmt: skip
        _finish_panel(axis, label, unit, len(lines))
    bottom = axes[-1]
    bottom.set_xlim(axis_time[0], axis_time[-1])
    bottom.xaxis.set_major_formatter(EngFormatter("s"))
    bottom.set_xlabel("time")
    _mark_switches(axes[1], axis_time, values, phases)
    _name_phases(axes[0], axis_time, phases)
    figure.align_ylabels()
    headline(figure, "One neuron through write, read and reset")
    return figure


def _neuron_signals(time: np.ndarray, signals: Mapping[str, ArrayLike]) -> dict[str, np.ndarray]:
    known = [name for lines, _, _ in _PANELS for name, *_ in lines]
    if odd := sorted(set(known) ^ set(signals)):
        raise ConfigError(f"{', '.join(odd)} missing or unknown; give {', '.join(known)}")
    values = {name: numbers(signals[name], f"signal {name}") for name in known}
    for name, value in values.items():
        if value.shape != time.shape:
            raise ShapeError(f"signal {name} has {value.size} points, time has {time.size}")
    return values


def _finish_panel(axis: Axes, label: str, unit: str, lines: int) -> None:
    axis.set_ylabel(f"{label} ({unit})" if unit else label)
    axis.margins(y=0.12)
    if lines > 1:  # room for the key, in one line above the signals
        low, high = axis.get_ylim()
        axis.set_ylim(low, high + 0.2 * (high - low))
    tidy(axis)
    if label in ("state", "spike"):
        axis.locator_params(axis="y", nbins=2)
    if lines > 1:
        axis.legend(
            loc="upper right", ncols=lines, frameon=True, framealpha=0.85, edgecolor="none",
            fontsize=9, borderpad=0.2,
        )  # fmt: skip


def _mark_switches(
    axis: Axes,
    time: np.ndarray,
    values: Mapping[str, np.ndarray],
    phases: Sequence[tuple[str, float, float]],
) -> None:
    """Ring the points where the integral reaches the draw, or say that it did not."""
    for name, start, stop in phases:
        inside = np.flatnonzero((time >= start) & (time <= stop))
        if name != "write" or not inside.size:
            continue
        reached = inside[values["hazard"][inside] >= values["threshold"][inside]]
        at = reached[0] if reached.size else inside[-1]
        if reached.size:
            axis.plot(
                time[at], values["threshold"][at], "o", markersize=8, markerfacecolor="none",
                markeredgecolor=SPICE, markeredgewidth=1.6,
            )  # fmt: skip
        axis.annotate(
            "switches" if reached.size else "does not switch",
            (time[at], values["threshold" if reached.size else "hazard"][at]),
            (-9 if reached.size else 6, 7), textcoords="offset points",
            ha="right" if reached.size else "left", fontsize=9,
        )  # fmt: skip


def _name_phases(axis: Axes, time: np.ndarray, phases: Sequence[tuple[str, float, float]]) -> None:
    """Write each phase's name above its shade."""
    span = time[-1] - time[0]
    for name, start, stop in phases:
        raised = (stop - start) / span < _NARROW
        axis.annotate(
            name, ((start + stop) / 2, 1.0), (0, 14 if raised else 3),
            xycoords=axis.get_xaxis_transform(), textcoords="offset points", ha="center",
            fontsize=9,
        )  # fmt: skip


def ir_drop_figure(relative_voltage: ArrayLike) -> Figure:
    """Draw how much of the applied voltage each cell of an array loses to wires and drivers.

    Parameters
    ----------
    relative_voltage : array_like, shape (rows, cols), [1]
        Voltage over the cell divided by that applied to its row.

    Returns
    -------
    matplotlib.figure.Figure
        Row 0 at the top; inputs enter at the left, outputs leave at the bottom.

    Raises
    ------
    ShapeError
        If it is no array of two axes.
    ConfigError
        If a value is not finite.
    """
    drop = 100 * (1 - numbers(relative_voltage, "relative voltage of the cells", 2))
    rows, cols = drop.shape
    stretched = max(rows, cols) > _SQUARE * min(rows, cols)
    figure = new_figure(5.6 if not stretched else 4.2)
    axis = figure.subplots()
    image = axis.imshow(
        drop, cmap="viridis", vmin=min(0.0, float(drop.min())), vmax=max(float(drop.max()), 1e-9),
        aspect="auto" if stretched else "equal", interpolation="nearest",
    )  # fmt: skip
    bar = figure.colorbar(image, ax=axis, pad=0.02)
    bar.set_label("drop of the cell voltage (%)")
    bar.outline.set_visible(False)
    row, col = np.unravel_index(int(drop.argmax()), drop.shape)
    axis.plot(
        col, row, "o", markersize=13, markerfacecolor="none", markeredgecolor=SPICE,
        markeredgewidth=2, clip_on=False,
    )  # fmt: skip
    axis.annotate(
        f"worst: {drop.max():.2f} %\nrow {row}, column {col}", (col, row),
        (-14 if col > cols / 2 else 14, 14 if row > rows / 2 else -14),
        textcoords="offset points", ha="right" if col > cols / 2 else "left",
        va="bottom" if row > rows / 2 else "top", fontsize=9.5,
        bbox={"boxstyle": "round,pad=0.3", "facecolor": "white", "edgecolor": SPICE},
    )  # fmt: skip
    axis.set_ylabel("row  (inputs enter here →)")
    axis.set_xlabel("column  (outputs leave here ↓)")
    axis.tick_params(labelsize=9)
    axis.locator_params(integer=True)
    axis.spines[:].set_visible(False)
    headline(figure, f"IR drop over {rows} × {cols} cells: {drop.mean():.2f} % on average")
    return figure
