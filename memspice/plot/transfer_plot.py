"""Figure of a neuron's transfer curve: P(V) from SPICE on the closed form, and what differs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from memspice.analysis.transfer import (
    TransferPoint,
    switching_probability,
    write_fraction,
)
from memspice.experiment.results.characterization import Characterization
from memspice.plot.style import new_figure

# matplotlib is imported where it draws: it would add half a second to every other command.
if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette (2008): told apart by the colour-blind.
_CURVE, _POINTS, _OTHER = "#0072b2", "#d55e00", "#8c8c8c"
#: Room beside the sweep, as a share of its width; points farther off are named, not drawn.
_ROOM = 0.16


def draw_transfer(result: Characterization) -> Figure:
    """Draw P(V) and the deviation of the hazard integral.

    Above: the closed form, the share of spikes in SPICE with its 95 % Wilson interval, and for
    comparison the logistic curve of the same midpoint and slope.  Below: hazard integral of SPICE
    over that of the closed form, less one: mean, least and largest event.

    Parameters
    ----------
    result : Characterization
        What was simulated.

    Returns
    -------
    matplotlib.figure.Figure
        Belongs to no window and no global state.
    """
    sweep = [point.voltage for point in result.sweep]
    room = _ROOM * (sweep[-1] - sweep[0])
    limits = (sweep[0] - room, sweep[-1] + room)
    shown = [point for point in result.points if limits[0] <= point.voltage <= limits[1]]
    figure = new_figure(5.4, 6.4)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    _draw_probability(upper, result, shown, limits)
    _draw_deviation(lower, shown)
    lower.set_xlim(limits)
    lower.set_xlabel("drive voltage (V)")
    figure.align_ylabels()
    figure.suptitle(_title(result), fontsize=9.5, x=0.015, ha="left")
    return figure


def _title(result: Characterization) -> str:
    engine = f"{result.engine.name} {result.engine.version}"
    return f"{result.parameter_set.name}: {result.events:,} write attempts in {engine}"


def _draw_probability(
    axis: Axes, result: Characterization, shown: list[TransferPoint], limits: tuple[float, float]
) -> None:
    voltage = np.linspace(*limits, 400)
    axis.plot(
        voltage, _logistic(result, voltage), color=_OTHER, linewidth=1.0, linestyle=(0, (4, 3)),
        label="logistic, same midpoint and slope",
    )  # fmt: skip
    closed = switching_probability(result.parameter_set, voltage)
    axis.plot(voltage, closed, color=_CURVE, linewidth=1.6, label=_law(result))
    value = np.array([point.spikes.value for point in shown])
    ends = np.array([(point.spikes.low, point.spikes.high) for point in shown])
    axis.errorbar(
        [point.voltage for point in shown],
        value,
        yerr=np.abs(ends.T - value),
        fmt="o", markersize=4.2, markerfacecolor="white", markeredgewidth=1.2, capsize=2.2,
        elinewidth=1.1, color=_POINTS, zorder=3,
        label=f"SPICE, {shown[0].spikes.n} events each, 95 % interval",
    )  # fmt: skip
    axis.set_ylabel("switching probability")
    axis.set_ylim(-0.03, 1.03)
    handles, labels = axis.get_legend_handles_labels()
    order = (2, 1, 0)  # matplotlib names lines before points
    axis.legend(
        [handles[k] for k in order], [labels[k] for k in order],
        loc="upper left", frameon=False, fontsize=8.5,
    )  # fmt: skip
    axis.annotate(
        _facts(result, shown), (0.985, 0.05), xycoords="axes fraction", ha="right", va="bottom",
        fontsize=8.5, linespacing=1.4,
    )  # fmt: skip
    _tidy(axis)


def _law(result: Characterization) -> str:
    """Closed form with its constants; the scale is that of the drive, not of the device."""
    law = result.parameter_set.neuron.device.hazard
    scale = law.voltage_scale / write_fraction(result.parameter_set)
    return rf"$1-\exp(-H)$,  $H \propto {law.rate.formula}$,  $V_0$ = {1e3 * scale:.1f} mV"


def _logistic(result: Characterization, voltage: np.ndarray) -> np.ndarray:
    """Logistic curve through the closed form's P = 1/2 with its slope there."""
    scale = result.parameter_set.neuron.device.hazard.voltage_scale / write_fraction(
        result.parameter_set
    )
    probability = switching_probability(result.parameter_set, voltage)
    middle = np.interp(0.5, probability, voltage)
    return np.asarray(1 / (1 + np.exp(-2 * math.log(2) * (voltage - middle) / scale)))


def _facts(result: Characterization, shown: list[TransferPoint]) -> str:
    agreement = result.agreement
    lines = [
        f"{result.mismatches} of {result.events:,} spikes differ from $H \\geq E$",
        rf"$\chi^2$ = {agreement.chi_square:.1f} on {agreement.degrees}, "
        rf"$p$ = {agreement.p_value:.2f}",
    ]
    if result.mismatches:
        lines[0] += f", margin {result.worst_margin:.2%}"
    lines += [
        f"at the rail, {point.voltage:g} V: {point.count} of {point.spikes.n} spiked"
        for point in result.points
        if point not in shown
    ]
    return "\n".join(lines)


def _draw_deviation(axis: Axes, shown: list[TransferPoint]) -> None:
    mean = np.array([100 * (point.hazard_spice / point.hazard - 1) for point in shown])
    ends = 100 * np.array([(point.deviation_low, point.deviation_high) for point in shown])
    axis.axhline(0, color=_CURVE, linewidth=1.2)
    axis.errorbar(
        [point.voltage for point in shown],
        mean,
        yerr=np.abs(ends.T - mean),
        fmt="o", markersize=4.2, markerfacecolor="white", markeredgewidth=1.2, capsize=2.2,
        elinewidth=1.1, color=_POINTS, zorder=3,
    )  # fmt: skip
    largest = 1.25 * float(np.max(np.abs(ends), initial=1e-3))
    axis.set_ylim(-largest, largest)
    axis.set_ylabel(r"$H_\mathrm{SPICE}\,/\,H - 1$ (%)")
    _tidy(axis)


def _tidy(axis: Axes) -> None:
    axis.grid(alpha=0.25, linewidth=0.6)
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(labelsize=9)
