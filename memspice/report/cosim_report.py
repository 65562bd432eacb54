"""Figures, summary and HTML page of a co-simulation, from its result."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from memspice import plot
from memspice.errors import ConfigError
from memspice.experiment.cosim_state import CosimState
from memspice.experiment.results.cosim import CosimResult
from memspice.experiment.results.trace import NeuronWaveforms
from memspice.outputs import write_text
from memspice.plot.event_figures import raster_figure
from memspice.plot.of_results import tile_ir_drop
from memspice.plot.style import own_style
from memspice.report.html import write_report
from memspice.store import JobRecord
from memspice.windows.outcome import Outcome, join_windows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Run file of the SPICE windows, in the folder of a co-simulation.
STORE = "waveforms.h5"
#: All files of such a folder.
COSIM_FILES = (
    "summary.json", "report.html", STORE,
    *(f"{name}.png" for name in ("energy", "rates", "transfer", "pathwise", "raster", "neuron",
                                 "ir-drop", "iterations")),
)  # fmt: skip

#: Title, caption and figure of a picture.
Drawn = tuple[str, str, "Figure"]


def write_cosim_report(folder: Path, result: CosimResult) -> list[Path]:
    """Write ``summary.json``, the figures and ``report.html`` of a co-simulation.

    Parameters
    ----------
    folder : Path
        Where the files go.
    result : CosimResult
        Of this session: its network and all its jobs are drawn.

    Returns
    -------
    list of Path
        Files written.

    Raises
    ------
    ConfigError
        If the result was loaded from a file.
    """
    if result.state is None or result.request is None or result.transfer is None:
        raise ConfigError("a page needs the network and the curve of a co-simulation: run it again")
    summary = folder / "summary.json"
    content = result.as_json()
    write_text(summary, json.dumps(content, indent=1, allow_nan=False) + "\n")
    showcase = _showcase(result.state)
    record = _record_of(result, showcase)
    pictures: dict[str, Callable[[], Drawn]] = {
        "energy": lambda: _energy(result),
        "rates": lambda: (
            "Spike rates",
            "Spikes per event of the windows that went through SPICE, against expectation.",
            plot.rates(result),
        ),
        "transfer": lambda: (
            "Switching probability",
            "P(V) of the neuron circuit, SPICE and closed form.",
            plot.transfer(result.transfer),  # type: ignore[arg-type]
        ),
        "pathwise": lambda: (
            "Event by event",
            "Every event that went through SPICE, same draws on both sides.",
            plot.pathwise(result),
        ),
        "raster": lambda: _raster(_window_of(result.state, showcase)),
        "neuron": lambda: _neuron(record),
        "ir-drop": lambda: _ir_drop(result),
        "iterations": lambda: (
            "Feedback",
            "Accuracy, energy and rate after each round of SPICE and loop; bars: sampling only.",
            plot.iterations(result),
        ),
    }
    entries = []
    for name, draw in pictures.items():
        title, caption, figure = draw()
        path = folder / f"{name}.png"
        with own_style():
            plot.save(figure, path)
        entries.append((title, caption, path))
    page = folder / "report.html"
    write_report(page, content, entries)
    return [summary, page, *(path for _, _, path in entries)]


def _energy(result: CosimResult) -> Drawn:
    energy = result.energy
    rests = f"{energy.assumed_fraction:.0%} assumed, {energy.device_source} device"
    calibrated = "calibrated by SPICE" if not result.doubts else "in closed form"
    caption = f"Per inference, {calibrated}; {rests}."
    return "Energy by layer and component", caption, plot.energy(result)


def _showcase(state: CosimState) -> Outcome:
    """Spiking window with the most cycles."""
    spiking = [result for result in state.outcomes if result.spiking]
    return max(spiking, key=lambda result: len(result.spikes))


def _record_of(result: CosimResult, showcase: Outcome) -> JobRecord:
    """Record of the job that ended with an outcome."""
    assert result.state
    name = next(job.name for job, found in result.state.pairs() if found is showcase)
    return next(record for record in result.records if record.name == name)


def _window_of(state: CosimState | None, part: Outcome) -> Outcome:
    """All outputs of the window that an outcome belongs to."""
    assert state
    found = join_windows(state.outcomes)
    return next(i for i in found if (i.window, i.fidelity) == (part.window, part.fidelity))


def _raster(showcase: Outcome) -> Drawn:
    probability = -np.expm1(-showcase.hazard.mean(axis=0))
    window = showcase.window
    title = f"{window.layer}, image {window.image}, position {window.position}: spikes from SPICE"
    with own_style():
        figure = raster_figure(showcase.spikes, probability, title)
    return "Raster", "All neurons of one window, cycle by cycle.", figure


def _neuron(record: JobRecord) -> Drawn:
    prefix = next(name for name in record.signals if name.endswith(".device")).split(".")[0]
    shown = NeuronWaveforms.of(record, int(prefix.removeprefix("neuron")))
    caption = f"{shown.name}: two cycles, from the store."
    return "One neuron in SPICE", caption, plot.neuron(shown)


def _ir_drop(result: CosimResult) -> Drawn:
    """Cell voltages of the first tile of the widest layer with all rows driven."""
    assert result.request
    layers = result.request.mapped.layers
    layer = max(layers, key=lambda layer: layer.circuits[0].conductances[0].size)
    caption = f"First tile of {layer.name}, every row driven: the worst case."
    return "IR drop", caption, tile_ir_drop(layer)
