"""A figure of stored waveforms: an axis for signals alike, the phases of the cycle shaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from memspice.errors import ConfigError
from memspice.outputs import printable
from memspice.plot.panels import Panel, panels
from memspice.plot.style import new_figure
from memspice.store import PhaseSpan

# matplotlib is imported where it draws: it would add half a second to every other command.
if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SHADES = {"write": "#4c78a8", "read": "#f2a541", "reset": "#9d9d9d"}
# Okabe and Ito's palette (2008), without its yellow: told apart by the colour-blind.
_LINES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
_STYLES = ("-", "--", ":", "-.")
_MOST_SHADES = 400


def draw_waveforms(
    time: NDArray[np.float64],
    signals: Mapping[str, tuple[NDArray[np.float64], str]],
    title: str = "",
    phases: Sequence[PhaseSpan] = (),
) -> Figure:
    """Draw signals over time, those of one unit and of like size on one axis.

    Parameters
    ----------
    time : ndarray, shape (n_points,), [s]
        Time points.
    signals : mapping
        Name to (values of shape (n_points,), unit).
    title : str
        Written above.
    phases : sequence of PhaseSpan
        Shaded behind the lines; left out where there are too many to be told apart.

    Returns
    -------
    matplotlib.figure.Figure
        Belongs to no window and no global state.

    Raises
    ------
    ConfigError
        If there is nothing to draw.
    """
    from matplotlib.ticker import EngFormatter

    if not signals or not np.size(time):
        raise ConfigError(f"'{title}' has no waveform to draw; name a job that has signals")
    shared = panels(signals)
    figure = new_figure(1.0 + 2.6 * len(shared), 10.0)
    grid = figure.subplots(len(shared), 1, sharex=True, squeeze=False)
    for axis, panel in zip(grid[:, 0], shared, strict=True):
        _shade(axis, phases)
        _draw_panel(axis, time, {name: signals[name][0] for name in panel.names}, panel)
        axis.set_xlim(time[0], time[-1] if time[-1] > time[0] else None)
    bottom = grid[-1, 0]
    bottom.set_xlabel("time")
    bottom.xaxis.set_major_formatter(EngFormatter("s"))
    if phases and len(phases) <= _MOST_SHADES:
        _name_phases(grid[0, 0], phases)
    figure.align_ylabels()
    figure.suptitle(printable(title), fontsize=11, x=0.01, ha="left")
    return figure


def _draw_panel(
    axis: Axes, time: NDArray[np.float64], signals: Mapping[str, NDArray[np.float64]], panel: Panel
) -> None:
    from matplotlib.ticker import EngFormatter

    for index, (name, values) in enumerate(signals.items()):
        axis.plot(
            time,
            values,
            label=printable(name),
            color=_LINES[index % len(_LINES)],
            linestyle=_STYLES[index // len(_LINES) % len(_STYLES)],
            linewidth=1.2,
        )
    if panel.unit != "1":
        axis.yaxis.set_major_formatter(EngFormatter(printable(panel.unit)))
    axis.set_ylabel(printable(panel.quantity))
    axis.margins(y=0.08)
    axis.grid(alpha=0.25, linewidth=0.6)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(
        loc="upper left", bbox_to_anchor=(1.005, 1.0), frameon=False, fontsize=8, handlelength=1.8
    )


def _shade(axis: Axes, phases: Sequence[PhaseSpan]) -> None:
    for phase in phases if len(phases) <= _MOST_SHADES else ():
        axis.axvspan(phase.start, phase.stop, color=_SHADES[phase.name], alpha=0.13, linewidth=0)


def _name_phases(axis: Axes, phases: Sequence[PhaseSpan]) -> None:
    """Write the key to the shades above the first axis, at its right."""
    names = list(dict.fromkeys(phase.name for phase in phases))
    x = 1.0
    for name in reversed(names):
        axis.annotate(
            name,
            (x, 1.03),
            xycoords="axes fraction",
            ha="right",
            fontsize=8,
            color="black",
            bbox={
                "boxstyle": "square,pad=0.25",
                "facecolor": _SHADES[name],
                "alpha": 0.25,
                "lw": 0,
            },
        )
        x -= 0.06
