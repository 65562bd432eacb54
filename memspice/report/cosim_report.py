"""Figures, summary and HTML page of a co-simulation, from its result and its store."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from memspice.experiment.cosim import CosimState
from memspice.experiment.cosim_run import CosimRun
from memspice.outputs import write_text
from memspice.plot import energy_figures, event_figures, signal_figures, style
from memspice.plot.transfer_plot import draw_transfer
from memspice.report.html import write_report
from memspice.solver.crossbar_solution import solve_crossbar
from memspice.store import JobRecord, read_run
from memspice.windows.outcome import Outcome, join_windows
from memspice.windows.surrogate import surrogate_events

#: Cycles of the neuron waveform figure.
_SHOWN_CYCLES = 2

#: Run file of the SPICE windows, in the folder of a co-simulation.
STORE = "waveforms.h5"
#: All files of such a folder.
COSIM_FILES = (
    "summary.json", "report.html", STORE,
    *(f"{name}.png" for name in ("energy", "rates", "transfer", "pathwise", "raster", "neuron",
                                 "ir-drop", "iterations")),
)  # fmt: skip

Picture = tuple[str, str, Path]


def write_cosim_report(folder: Path, run: CosimRun, store: Path) -> list[Path]:
    """Write ``summary.json``, the figures and ``report.html`` of a co-simulation.

    Parameters
    ----------
    folder : Path
        Where the files go.
    run : CosimRun
        Result of the co-simulation.
    store : Path
        HDF5 file of its waveforms.

    Returns
    -------
    list of Path
        Files written.
    """
    summary = folder / "summary.json"
    write_text(summary, json.dumps(run.summary, indent=1, allow_nan=False) + "\n")
    showcase = _showcase(run.state)
    with read_run(store) as stored:
        record = stored.job(_record_name(run.state, showcase))
    with style.own_style():
        entries = [
            _energy(folder, run),
            _rates(folder, run),
            _transfer(folder, run),
            _pathwise(folder, run.state),
            _raster(folder, _window_of(run.state, showcase)),
            _neuron(folder, record),
            _ir_drop(folder, run),
            _iterations(folder, run),
        ]
    page = folder / "report.html"
    write_report(page, run.summary, entries)
    return [summary, page, *(path for _, _, path in entries)]


def _energy(folder: Path, run: CosimRun) -> Picture:
    summary = run.summary
    path = folder / "energy.png"
    rests = f"{summary['assumed_fraction']:.0%} assumed, {summary['device_source']} device"
    style.save(energy_figures.energy_figure(summary["energy_by_layer_joule"], rests), path)
    calibrated = "calibrated by SPICE" if summary["verdict"]["holds"] else "in closed form"
    caption = f"Per inference, {calibrated}; {rests}."
    return "Energy by layer and component", caption, path


def _rates(folder: Path, run: CosimRun) -> Picture:
    """Rates over the same SPICE events: what the surrogate says of them, and what SPICE found."""
    rates = {}
    for layer in run.prepared.mapped.layers:
        if not layer.spiking:
            continue
        pairs = run.state.of_layer(layer.name)
        expected = np.concatenate(
            [-np.expm1(-surrogate_events(job)["hazard"]).ravel() for job, _ in pairs]
        )
        spikes = np.concatenate([result.spikes.ravel() for _, result in pairs])
        error = float(np.sqrt(np.sum(expected * (1 - expected))) / len(expected))
        rates[layer.name] = (float(expected.mean()), float(spikes.mean()), error)
    path = folder / "rates.png"
    style.save(event_figures.rate_figure(rates), path)
    caption = "Spikes per event of the windows that went through SPICE, against expectation."
    return "Spike rates", caption, path


def _transfer(folder: Path, run: CosimRun) -> Picture:
    path = folder / "transfer.png"
    style.save(draw_transfer(run.transfer), path)
    return "Switching probability", "P(V) of the neuron circuit, SPICE and closed form.", path


def _pathwise(folder: Path, state: CosimState) -> Picture:
    pairs = [(j, r) for j, r in zip(state.jobs, state.outcomes, strict=True) if r.spiking]
    model = np.concatenate([surrogate_events(job)["hazard"].ravel() for job, _ in pairs])
    spice, draws, spikes = (
        np.concatenate([getattr(result, name).ravel() for _, result in pairs])
        for name in ("hazard", "thresholds", "spikes")
    )
    path = folder / "pathwise.png"
    style.save(event_figures.pathwise_figure(model, spice, draws, model >= draws, spikes), path)
    return "Event by event", "Every event that went through SPICE, same draws on both sides.", path


def _showcase(state: CosimState) -> Outcome:
    """Spiking window with the most cycles."""
    spiking = [result for result in state.outcomes if result.spiking]
    return max(spiking, key=lambda result: len(result.spikes))


def _record_name(state: CosimState, showcase: Outcome) -> str:
    pairs = zip(state.jobs, state.outcomes, strict=True)
    return next(job.name for job, result in pairs if result is showcase)


def _window_of(state: CosimState, part: Outcome) -> Outcome:
    """All outputs of the window that an outcome belongs to."""
    found = join_windows(state.outcomes)
    return next(i for i in found if (i.window, i.fidelity) == (part.window, part.fidelity))


def _raster(folder: Path, showcase: Outcome) -> Picture:
    probability = -np.expm1(-showcase.hazard.mean(axis=0))
    window = showcase.window
    title = f"{window.layer}, image {window.image}, position {window.position}: spikes from SPICE"
    path = folder / "raster.png"
    style.save(event_figures.raster_figure(showcase.spikes, probability, title), path)
    return "Raster", "All neurons of one window, cycle by cycle.", path


def _neuron(folder: Path, record: JobRecord) -> Picture:
    prefix = next(name for name in record.signals if name.endswith(".device")).split(".")[0]
    neuron, cycle_time = int(prefix.removeprefix("neuron")), float(record.attributes["cycle_time"])
    first = _first_cycle(record, neuron)
    start, stop = first * cycle_time, (first + _SHOWN_CYCLES) * cycle_time
    shown = (record.time >= start) & (record.time <= stop)
    time = record.time[shown]
    signals = {
        name: record.signals[f"{prefix}.{name}"][0][shown]
        for name in ("drive", "device", "hazard", "state", "spike")
    }
    signals["threshold"] = _thresholds(record, neuron)[
        np.minimum((time / cycle_time).astype(int), int(record.attributes["cycles"]) - 1)
    ]
    phases = [
        (
            name,
            k * cycle_time + _phase(record, name, "start"),
            k * cycle_time + _phase(record, name, "stop"),
        )
        for k in range(first, first + _SHOWN_CYCLES)
        for name in ("write", "read", "reset")
    ]
    shifted = [(name, a - start, b - start) for name, a, b in phases]
    path = folder / "neuron.png"
    style.save(signal_figures.neuron_waveform_figure(time - start, signals, shifted), path)
    caption = f"Neuron {neuron} of {record.name}, cycles {first} and {first + 1}, from the store."
    return "One neuron in SPICE", caption, path


def _phase(record: JobRecord, name: str, end: str) -> float:
    return float(record.attributes[f"{name}_{end}"])


def _thresholds(record: JobRecord, neuron: int) -> np.ndarray:
    mine = record.events["neuron"][0] == neuron
    return np.asarray(record.events["threshold"][0][mine])


def _first_cycle(record: JobRecord, neuron: int) -> int:
    """First of two cycles of which one has a spike and one has none, if there is such a pair."""
    spikes = np.asarray(record.events["spike"][0])[record.events["neuron"][0] == neuron]
    changes = np.flatnonzero(np.diff(spikes))
    return int(changes[0]) if changes.size else 0


def _ir_drop(folder: Path, run: CosimRun) -> Picture:
    """Cell voltages of the first tile of the widest layer with all rows driven."""
    layer = max(
        run.prepared.mapped.layers, key=lambda layer: layer.circuits[0].conductances[0].size
    )
    circuit = layer.circuits[0]
    tile, array = circuit.conductances[0], circuit.array
    solution = solve_crossbar(
        1 / tile,
        np.ones(len(tile)),
        array.wire_resistance_row,
        array.wire_resistance_col,
        array.driver_resistance,
        circuit.sense.input_resistance,
        node_voltages=True,
    )
    assert solution.word_line_voltage is not None
    assert solution.bit_line_voltage is not None
    path = folder / "ir-drop.png"
    relative = solution.word_line_voltage - solution.bit_line_voltage
    style.save(signal_figures.ir_drop_figure(relative), path)
    caption = f"First tile of {layer.name}, every row driven: the worst case."
    return "IR drop", caption, path


def _iterations(folder: Path, run: CosimRun) -> Picture:
    path = folder / "iterations.png"
    style.save(energy_figures.iteration_figure(run.summary["iterations"]), path)
    return (
        "Feedback",
        "Accuracy, energy and rate after each round of SPICE and loop; bars: sampling only.",
        path,
    )
