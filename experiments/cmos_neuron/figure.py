"""Figure of the experiment: energy by block and width, by supply, and what moves the ratio."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from memspice import plot

BLOCKS = {
    "clock": "#8c8c8c",
    "register": "#0072b2",
    "table": "#e69f00",
    "compare": "#d55e00",
    "latch": "#009e73",
}
WIDTHS = {4: "4 bits", 8: "reference", 12: "12 bits", 16: "16 bits"}
SUPPLIES = ("supply 0.8 V", "supply 0.9 V", "reference", "supply 1.1 V")
#: Changes shown for each scope, and against whom.
SHOWN, OPPONENT = 7, "spiking_16bit"


def draw(result: dict[str, Any]) -> Figure:
    """Draw energies above, ratios below."""
    figure = plot.new_figure(8.5)
    upper, lower = figure.subfigures(2, 1, height_ratios=(1, 1.5))
    blocks, supplies = upper.subplots(1, 2)
    _blocks(blocks, result["circuits"])
    _supplies(supplies, result["circuits"])
    for axis, scope in zip(lower.subplots(2, 1), ("neuron", "neuron_synapse"), strict=True):
        _changes(axis, result["sensitivity"], scope)
    total = 1e15 * result["circuits"]["reference"]["energy_total_joule"]
    plot.headline(
        figure, f"A stochastic neuron in 45 nm CMOS: {total:.0f} fJ a decision, simulated"
    )
    return figure


def _blocks(axis: Axes, circuits: dict[str, Any]) -> None:
    names = [str(width) for width in WIDTHS]
    bottom = np.zeros(len(WIDTHS))
    for block, color in BLOCKS.items():
        height = [1e15 * circuits[name]["energy_joule"][block] for name in WIDTHS.values()]
        axis.bar(names, height, 0.6, bottom, color=color, label=block)
        bottom += height
    axis.set(xlabel="bits of threshold and draw", ylabel="energy per decision (fJ)")
    axis.set_ylim(0, 1.35 * bottom[-1])
    axis.legend(fontsize=8, ncols=2, loc="upper left", columnspacing=0.8)
    plot.tidy(axis, "y")


def _supplies(axis: Axes, circuits: dict[str, Any]) -> None:
    volts = np.array([circuits[name]["supply_volt"] for name in SUPPLIES])
    energy = [1e15 * circuits[name]["energy_total_joule"] for name in SUPPLIES]
    fine = np.linspace(volts.min(), volts.max(), 50)
    square = energy[SUPPLIES.index("reference")] * fine**2
    axis.plot(fine, square, color=plot.SURROGATE, label="proportional to the square")
    axis.plot(volts, energy, "o", color=plot.SPICE, label="simulated")
    axis.set(xlabel="supply (V)", ylabel="energy per decision (fJ)", ylim=(0, None))
    axis.legend(fontsize=8, loc="lower right")
    plot.tidy(axis)


def _changes(axis: Axes, sensitivity: dict[str, Any], scope: str) -> None:
    """Draw what single assumptions do to the ratio at one scope against one opponent."""
    standing = sensitivity["reference"][scope][OPPONENT]
    factors = {
        name: ratios[scope][OPPONENT] / standing for name, ratios in sensitivity["changes"].items()
    }
    largest = sorted(factors, key=lambda name: -abs(np.log(factors[name])))[:SHOWN][::-1]
    values = np.array([factors[name] for name in largest])
    axis.barh(
        range(SHOWN), values - 1, left=1, color=np.where(values > 1, plot.SPICE, plot.SURROGATE)
    )
    axis.axvline(1, color=plot.MUTED, linewidth=0.8)
    labels = [name.replace("CMOS neuron: ", "neuron: ") for name in largest]
    axis.set_yticks(range(SHOWN), labels, fontsize=8)
    axis.set(xscale="log", xlabel="CMOS over memristive energy, relative to the reference")
    ticks = [
        t for t in (0.05, 0.1, 0.2, 0.5, 1, 2, 5) if values.min() / 1.3 < t < values.max() * 1.3
    ]
    axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.minorticks_off()
    axis.set_title(
        f"scope {scope.replace('_', ' + ')}, against {sensitivity['opponents'][OPPONENT]}: "
        f"reference {standing:.2f}\n"
        f"({100 * sensitivity['assumed_fraction'][scope]:.0f} % of our joules assumed, "
        f"{sensitivity['device_source']} device)",
        fontsize=9, loc="left",
    )  # fmt: skip
    plot.tidy(axis, "x")
