"""Figure of measured points under the neuron circuit: what was measured, SPICE, the law."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from memspice.analysis.statistics import Proportion
from memspice.analysis.transfer import TransferPoint, switching_probability, with_pulse
from memspice.experiment.results.characterization import Characterization
from memspice.plot.style import MUTED, SPICE, SURROGATE, headline, new_figure, tidy
from memspice.quantities import format_si

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Room beside the points, as a share of their width.
_ROOM = 0.08


def draw_measured(result: Characterization) -> Figure:
    """Draw measured points and those of SPICE over the closed form, an axis for each pulse.

    Shares stand with their 95 % Wilson intervals.

    Parameters
    ----------
    result : Characterization
        At measured points.
    """
    pulses = sorted({point.pulse for point in result.points})
    figure = new_figure(3.6 * len(pulses) + 0.4)
    axes = np.atleast_1d(figure.subplots(len(pulses), 1))
    for axis, pulse in zip(axes, pulses, strict=True):
        _draw_pulse(axis, result, [point for point in result.points if point.pulse == pulse])
    assert result.measured
    title = f"{result.parameter_set.name} at measured points: p = {result.measured.p_value:.2g}"
    headline(figure, title, axes[0])
    return figure


def _draw_pulse(axis: Axes, result: Characterization, points: Sequence[TransferPoint]) -> None:
    drive = np.array([point.voltage for point in points])
    room = _ROOM * (float(np.ptp(drive)) or 1.0)
    voltage = np.linspace(drive.min() - room, drive.max() + room, 300)
    closed = switching_probability(with_pulse(result.parameter_set, points[0].pulse), voltage)
    axis.plot(voltage, closed, color=SURROGATE, linewidth=1.5, label="law of the set")
    measured = [point.measured for point in points if point.measured]
    _bars(axis, drive, measured, color=MUTED, mark="s", label="measured")
    spikes = [point.spikes for point in points]
    _bars(axis, drive, spikes, color=SPICE, mark="o", label=result.engine.name)
    axis.set_ylabel(f"switching probability, {format_si(points[0].pulse, 's')}")
    axis.set_xlabel("drive (V)")
    axis.set_ylim(-0.03, 1.03)
    tidy(axis)


def _bars(
    axis: Axes,
    drive: np.ndarray,
    shares: Sequence[Proportion],
    *,
    color: str,
    mark: str,
    label: str,
) -> None:
    value = np.array([share.value for share in shares])
    ends = np.array([(share.low, share.high) for share in shares])
    axis.errorbar(
        drive, value, yerr=np.abs(ends.T - value), fmt=mark, color=color, markersize=4.5,
        markerfacecolor="white", capsize=2.2, elinewidth=1.1, label=label,
    )  # fmt: skip
