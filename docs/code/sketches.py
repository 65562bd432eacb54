"""Drawings without data: what stands where."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from memspice.plot.style import MUTED, SPICE, SURROGATE, new_figure, save, tidy

STEPS = (
    ("device", "switching law,\ncells"), ("circuit", "wires, sense\nstages, neurons"),
    ("transient", "ngspice or\nVACASK"), ("spikes, joules", "event by event"),
    ("network", "accuracy, energy\nof an inference"),
)  # fmt: skip


def blank(axis: Axes, width: float, height: float) -> None:
    """Make an axis a sheet of paper."""
    axis.set(xlim=(0, width), ylim=(0, height), aspect="equal")
    axis.axis("off")


def line(path: Path) -> None:
    """Draw the way from the device to the network, and what is fed back."""
    figure = new_figure(1.75)
    axis = figure.subplots()
    blank(axis, 50, 12)
    for number, (name, words) in enumerate(STEPS):
        left = 10.1 * number + 0.4
        box = FancyBboxPatch(
            (left, 4.2), 8.2, 6.6, boxstyle="round,pad=0,rounding_size=0.8", facecolor="#eef4f9",
            edgecolor=SURROGATE,
        )  # fmt: skip
        axis.add_patch(box)
        axis.text(left + 4.1, 9.0, name, ha="center", va="center", weight="bold", fontsize=9)
        axis.text(left + 4.1, 6.4, words, ha="center", va="center", fontsize=8)
        if number:
            axis.annotate("", (left, 7.5), (left - 1.9, 7.5), arrowprops={"arrowstyle": "->"})
    bent = {"arrowstyle": "->", "color": SPICE, "connectionstyle": "bar,fraction=-0.055"}
    axis.annotate("", (14.6, 4.2), (45, 4.2), arrowprops=bent)
    axis.text(30, 1.1, "calibration", ha="center", color=SPICE, fontsize=9)
    save(figure, path)


def fidelity(path: Path) -> None:
    """Draw what SPICE sees in each of the three fidelities."""
    figure = new_figure(2.6)
    full, reduced, surrogate = figure.subplots(1, 3)
    for axis, name in ((full, "full"), (reduced, "reduced"), (surrogate, "surrogate")):
        blank(axis, 10, 10)
        axis.set_title(name, fontsize=10, weight="bold")
    for row in range(4):
        height = 8.6 - 1.6 * row
        full.plot([0.6, 7.6], [height, height], color="black", linewidth=0.8)
        full.text(0.1, height, "▷", va="center", fontsize=8)
        for column in range(4):
            across = 2.0 + 1.6 * column
            full.plot([across, across], [9.2, 2.1], color="black", linewidth=0.8)
            full.plot(across, height, "s", color=SURROGATE, markersize=5)
    for axis in (full, reduced):
        for column in range(2):
            across = 2.8 + 3.2 * column
            stage(axis, across, 1.4, "sense, neuron")
    for column in range(4):
        across = 2.0 + 1.6 * column
        reduced.plot(across, 5.8, "o", markersize=15, markerfacecolor="white", color=SURROGATE)
        reduced.annotate("", (across, 5.3), (across, 6.4), arrowprops={"arrowstyle": "->"})
        reduced.plot([across, across], [5.0, 2.1], color="black", linewidth=0.8)
    reduced.text(5, 8.2, "exact port matrix\nof wires and cells", ha="center", fontsize=8)
    said = (
        "port matrix × rows\n= currents",
        "hazard law, same draw\n= spikes",
        "closed forms\n= joules",
    )
    for number, words in enumerate(said):
        surrogate.text(5, 8 - 2.6 * number, words, ha="center", va="center", fontsize=8)
    full.text(5, -0.3, "every cell and wire", ha="center", fontsize=8, color="#444444")
    reduced.text(5, -0.3, "a source a bit line", ha="center", fontsize=8, color="#444444")
    surrogate.text(5, -0.3, "nothing: NumPy", ha="center", fontsize=8, color="#444444")
    save(figure, path)


def stage(axis: Axes, across: float, height: float, words: str) -> None:
    """Draw the box below a pair of bit lines."""
    box = FancyBboxPatch(
        (across - 1.4, height - 0.7), 2.8, 1.4, boxstyle="round,pad=0,rounding_size=0.2",
        facecolor="#fdf1e6", edgecolor=SPICE,
    )  # fmt: skip
    axis.add_patch(box)
    axis.text(across, height, words.replace(", ", ",\n"), ha="center", va="center", fontsize=6.5)


def burst(path: Path) -> None:
    """Draw the drive of a neuron without bursts and in a burst of four cycles."""
    rng = np.random.default_rng(3)
    levels = rng.binomial(5, 0.55, 8) / 5
    figure = new_figure(3.0)
    axes = figure.subplots(2, 1, sharex=True)
    each = np.repeat(levels, 2)
    edges = np.repeat(np.arange(9), 2)[1:-1]
    axes[0].plot(edges, each, color=SURROGATE, linewidth=2)
    axes[0].set_title("K = 1: a drive for every cycle", loc="left", fontsize=10)
    mean = levels.reshape(2, 4).mean(axis=1)
    for number in range(2):
        start = 4 * number
        climbed = np.concatenate([[0], np.cumsum(levels[start : start + 4]) / 4])
        axes[1].plot(np.arange(start, start + 5), climbed, color=MUTED, linestyle="--")
        axes[1].plot([start + 4, start + 8], [mean[number]] * 2, color=SURROGATE, linewidth=2)
    axes[1].text(0.1, 0.55, "integrates\n4 row pulses", fontsize=9, color="#666666")
    axes[1].text(
        4.1, mean[0] + 0.08, "held for 4 cycles of the neurons", fontsize=9, color=SURROGATE
    )
    axes[1].set_title("K = 4: the mean of four row pulses", loc="left", fontsize=10)
    for axis in axes:
        axis.set(ylim=(0, 1.1), ylabel="drive", xlim=(0, 12))
        tidy(axis, "x")
        axis.set_yticks([])
    axes[1].set_xlabel("cycle")
    save(figure, path)
