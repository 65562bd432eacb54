"""Figures of the concept pages and the tutorial: ``python -m docs.code.figures [FOLDER]``."""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.patches import Rectangle

from docs.code.schematic import periphery
from docs.code.sketches import burst, fidelity, line
from memspice.cli.main import main as memspice
from memspice.parameters import load_parameter_set
from memspice.plot.style import MUTED, SPICE, SURROGATE, new_figure, own_style, save, tidy
from memspice.solver.reduction import port_admittance
from memspice.store import read_run

FOLDER = Path(__file__).resolve().parents[1] / "figures"
JOB = "dense1/image00000_position0000_outputs000_000_reduced"
NEURON = ("neuron0.drive", "neuron0.device", "neuron0.hazard", "neuron0.state")


def command(*arguments: object) -> None:
    """Run a command without its words."""
    with contextlib.redirect_stdout(io.StringIO()):
        memspice([str(argument) for argument in arguments])


def events_of(run: Path) -> dict[str, np.ndarray]:
    """Columns of all events of a run, sorted by cycle and neuron."""
    with read_run(run) as stored:
        records = [stored.job(job.name) for job in stored.jobs()]
    names = records[0].events
    columns = {name: np.concatenate([r.events[name][0] for r in records]) for name in names}
    columns["neuron"] += np.concatenate(
        [np.full(len(r.events["neuron"][0]), r.attributes["first_output"]) for r in records]
    )
    order = np.lexsort((columns["neuron"], columns["cycle"]))
    return {name: values[order] for name, values in columns.items()}


def first_neuron(path: Path, run: Path) -> None:
    """The figure that the tutorial's command draws."""
    command("waves", "plot", run, JOB, *NEURON, "--out", path)


def window(path: Path, run: Path) -> None:
    """Every event of a window, and which of them spiked."""
    events = events_of(run)
    figure = new_figure(2.6)
    axis = figure.subplots()
    for spiked, color, label in ((True, SPICE, "spike"), (False, "#d9d9d9", "no spike")):
        chosen = events["spike"].astype(bool) == spiked
        axis.scatter(
            events["neuron"][chosen], events["cycle"][chosen], marker="s", s=95, c=color,
            label=label,
        )  # fmt: skip
    axis.add_patch(Rectangle((10.45, 2.45), 1.1, 1.1, fill=False, linewidth=1.8))
    axis.annotate("one event", (11, 2.45), (12, -1.6), ha="left", arrowprops={"arrowstyle": "-"})
    axis.add_patch(
        Rectangle((-0.6, 4.45), 32.2, 1.1, fill=False, linewidth=1.8, edgecolor=SURROGATE)
    )
    axis.annotate("one cycle", (31.7, 5), (33, 5), color=SURROGATE, va="center")
    axis.set(xlabel="neuron", ylabel="cycle", xlim=(-1, 37), ylim=(7.8, -2.3))
    axis.set_yticks(range(8))
    axis.set_xticks(range(0, 32, 5))
    axis.legend(loc="upper left", ncols=2, frameon=False, fontsize=9, borderaxespad=0.1)
    axis.spines[:].set_visible(False)
    axis.tick_params(length=0)
    save(figure, path)


def hazard(path: Path) -> None:
    """A hazard integral that meets three draws, and the probability that follows from the law."""
    device = load_parameter_set("fast-memristor")
    law, write = device.neuron.device.hazard, device.timing.write
    figure = new_figure(3.0)
    left, right = figure.subplots(1, 2)
    voltage = law.unit_voltage(write) + 0.4 * law.voltage_scale
    final = float(np.exp(law.log_hazard_integral(voltage, write)))
    time = np.linspace(0, write, 50)
    left.plot(1e9 * time, final * time / write, color=SURROGATE, linewidth=2)
    left.text(66, 0.62 * final - 0.2, "hazard integral H", color=SURROGATE, fontsize=9)
    for draw, cycle in ((0.35, 1), (1.1, 2), (1.9, 3)):
        spiked = draw < final
        color = SPICE if spiked else MUTED
        left.axhline(draw, color=color, linestyle="--", linewidth=1)
        said = "switches" if spiked else "does not switch"
        side = {"x": 104, "ha": "right"} if cycle == 1 else {"x": -4, "ha": "left"}
        left.text(
            y=draw + 0.04, s=f"cycle {cycle}: E = {draw}, {said}", color=color, fontsize=9, **side
        )
        if spiked:
            left.plot(1e9 * write * draw / final, draw, "o", color=SPICE)
    left.set(xlabel="time in the write phase [ns]", ylabel="H and E", ylim=(0, 2.2))
    volts = np.linspace(0.75, 1.6, 200)
    right.plot(volts, law.switching_probability(volts, write), color=SURROGATE, linewidth=2)
    half = law.unit_voltage(write) + law.voltage_scale * np.log(np.log(2))
    slope = 2 * np.log(2) / law.voltage_scale
    logistic = 1 / (1 + np.exp(-slope * (volts - half)))
    right.plot(volts, logistic, color=MUTED, linestyle="--")
    right.text(1.06, 0.86, "device", color=SURROGATE, fontsize=9)
    right.text(1.47, 0.84, "logistic", color="#666666", fontsize=9)
    right.plot(voltage, law.switching_probability(voltage, write), "o", color=SPICE)
    right.annotate("the drive at the left", (voltage, 0.77), (1.36, 0.72), fontsize=9, color=SPICE)
    right.set(xlabel="drive [V]", ylabel="probability of a spike")
    for axis in (left, right):
        tidy(axis)
    save(figure, path)


def margin(path: Path, run: Path) -> None:
    """How far from their threshold the events of a window decide."""
    events = events_of(run)
    ratio = events["hazard"] / events["threshold"]
    figure = new_figure(2.4)
    axis = figure.subplots()
    bins = np.geomspace(1e-3, 1e3, 49)
    spiked = events["spike"].astype(bool)
    axis.hist(
        [ratio[~spiked], ratio[spiked]], bins=bins, stacked=True, color=[MUTED, SPICE],
        label=["no spike", "spike"],
    )  # fmt: skip
    axis.axvspan(0.99, 1.01, color=SURROGATE)
    axis.annotate(
        "margin of 1 %: only here may\ntwo answers differ", (1, 16), (2, 19), color=SURROGATE,
        fontsize=9, va="center", arrowprops={"arrowstyle": "-", "color": SURROGATE},
    )  # fmt: skip
    axis.set(xscale="log", xlabel="hazard integral over draw, H / E", ylabel="events", ylim=(0, 22))
    axis.legend(frameon=False, fontsize=9, loc="upper left")
    tidy(axis, "y")
    save(figure, path)


def port_matrix(path: Path) -> None:
    """What wires and drivers take from each cell of a tile, out of its exact port matrix."""
    figure = new_figure(3.3)
    axes = figure.subplots(1, 2)
    for axis, conductance, words in zip(
        axes, (1e-6, 1e-5), ("cells of 1 µS", "cells of 10 µS"), strict=True
    ):
        cells = np.full((128, 128), conductance)
        ports = port_admittance(cells, 1.06, 1.06, driver_resistance=120.0)
        share = 100 * ports.terminated().T / conductance
        image = axis.imshow(share, vmin=70, vmax=100, cmap="cividis")
        axis.set(title=words, xlabel="column (outputs below)", ylabel="row (inputs at the left)")
        axis.title.set_fontsize(10)
    bar = figure.colorbar(image, ax=axes, shrink=0.85)
    bar.set_label("part of its ideal current [%]")
    save(figure, path)


def figures(run: Path) -> dict[str, Callable[[Path], Any]]:
    """What draws each figure, by its name."""
    return {
        "line": line,
        "first-neuron": lambda path: first_neuron(path, run),
        "window": lambda path: window(path, run),
        "hazard": hazard,
        "margin": lambda path: margin(path, run),
        "fidelity": fidelity,
        "burst": burst,
        "periphery-blocks": periphery,
        "port-matrix": port_matrix,
    }


def draw_all(folder: Path) -> None:
    """Draw every figure, the same bytes on any day."""
    with tempfile.TemporaryDirectory() as made, own_style():
        run = Path(made) / "run.h5"
        command("simulate-layer", "--out", run)
        for name, draw in figures(run).items():
            draw(folder / f"{name}.svg")


if __name__ == "__main__":
    draw_all(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
