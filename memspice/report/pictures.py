"""The figures of a co-simulation's page, each with its caption and the numbers that it shows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from memspice import plot
from memspice.experiment.results.cosim import CosimResult
from memspice.experiment.results.trace import NeuronWaveforms
from memspice.outputs import write_text
from memspice.plot.event_figures import raster_figure
from memspice.plot.of_results import relative_voltage, spike_rates, tile_ir_drop
from memspice.plot.style import own_style, save
from memspice.store import JobRecord
from memspice.windows.outcome import Outcome, join_windows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Names of the figures, in the order of the page, and the files of each.
FIGURES = ("energy", "rates", "transfer", "pathwise", "raster", "neuron", "ir-drop")
SUFFIXES = (".svg", ".pdf", ".png", ".csv")


class Picture(NamedTuple):
    """A figure, what it is, and its numbers: equally long columns."""

    name: str
    title: str
    caption: str
    figure: Figure
    columns: Mapping[str, Any]

    def write(self, folder: Path) -> list[Path]:
        """Write it to a folder as SVG, PDF, PNG and CSV; the figure cannot be used afterwards."""
        paths = [folder / f"{self.name}{suffix}" for suffix in SUFFIXES]
        with own_style():
            save(self.figure, *paths[:-1])
        write_text(paths[-1], _csv(self.columns))
        return paths


def pictures(result: CosimResult) -> Iterator[Picture]:
    """Draw the figures of a co-simulation of this session, one after the other.

    Those of a neuron's waveforms are left out where none were kept.
    """
    assert result.state
    assert result.request
    showcase = max((o for o in result.state.outcomes if o.spiking), key=lambda o: len(o.spikes))
    yield _energy(result)
    yield _rates(result)
    yield _transfer(result)
    yield _pathwise(result)
    yield _raster(_whole_window(result.state.outcomes, showcase))
    if record := _telling_record(result.records, showcase):
        yield _neuron(record)
    yield _ir_drop(result)


def _energy(result: CosimResult) -> Picture:
    energy = result.energy
    rests = f"{energy.assumed_fraction:.0%} assumed, {energy.device_source} device"
    calibrated = "calibrated by SPICE" if not result.doubts else "in closed form"
    caption = f"Per inference, {calibrated}; {rests}. The upper scale is one of decades."
    title = "Energy by component and layer"
    return Picture("energy", title, caption, plot.energy(result), result.columns())


def _rates(result: CosimResult) -> Picture:
    rates = spike_rates(result)
    expected, spice, error = zip(*rates.values(), strict=True)
    return Picture(
        "rates",
        "Spike rates",
        "Spikes per event of the windows that went through SPICE, against expectation.",
        plot.rates(result),
        {"layer": list(rates), "expected": expected, "spice": spice, "standard_error": error},
    )


def _transfer(result: CosimResult) -> Picture:
    assert result.transfer
    return Picture(
        "transfer",
        "Switching probability",
        "P(V) of the neuron circuit, SPICE and closed form.",
        plot.transfer(result.transfer),
        result.transfer.columns(),
    )


def _pathwise(result: CosimResult) -> Picture:
    pairs = result.paired_events()
    names = ("hazard", "model_hazard", "draw", "spike", "model_spike")
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(pair, name) for pair in pairs.values()]) for name in names
    }
    layers = np.repeat(list(pairs), [len(pair.hazard) for pair in pairs.values()])
    return Picture(
        "pathwise",
        "Event by event",
        "Every event that went through SPICE, same draws on both sides.",
        plot.pathwise(result),
        {"layer": layers, **columns},
    )


def _whole_window(outcomes: Sequence[Outcome], part: Outcome) -> Outcome:
    """All outputs of the window that an outcome belongs to."""
    found = join_windows(outcomes)
    return next(i for i in found if (i.window, i.fidelity) == (part.window, part.fidelity))


def _raster(shown: Outcome) -> Picture:
    probability = -np.expm1(-shown.hazard.mean(axis=0))
    window = shown.window
    title = f"{window.layer}, image {window.image}, position {window.position}: spikes from SPICE"
    cycle, neuron = np.indices(shown.spikes.shape).reshape(2, -1)
    columns = {"cycle": cycle, "neuron": neuron, "spike": shown.spikes.ravel()}
    with own_style():
        figure = raster_figure(shown.spikes, probability, title)
    return Picture("raster", "Raster", "Neurons of one window, cycle by cycle.", figure, columns)


def _telling_record(records: Sequence[JobRecord], showcase: Outcome) -> JobRecord | None:
    """Record with waveforms of a neuron, of the window that is shown if there is one."""
    window, kept = showcase.window, [r for r in records if any(map(_is_device, r.signals))]
    own = [r for r in kept if r.name.startswith(f"{window.layer}/image{window.image:05d}_")]
    return next(iter([*own, *kept]), None)


def _is_device(signal: str) -> bool:
    return signal.endswith(".device")


def _neuron(record: JobRecord) -> Picture:
    prefix = next(filter(_is_device, record.signals)).split(".")[0]
    shown = NeuronWaveforms.of(record, int(prefix.removeprefix("neuron")))
    caption = f"{shown.name}: two cycles, from the store."
    figure = plot.neuron(shown)
    return Picture("neuron", "One neuron in SPICE", caption, figure, shown.columns())


def _ir_drop(result: CosimResult) -> Picture:
    """Cell voltages of the first tile of the widest layer with all rows driven."""
    assert result.request
    layers = result.request.mapped.layers
    layer = max(layers, key=lambda layer: layer.circuits[0].conductances[0].size)
    caption = f"First tile of {layer.name}, every row driven: the worst case."
    voltage = relative_voltage(layer)
    row, column = np.indices(voltage.shape).reshape(2, -1)
    columns = {"row": row, "column": column, "relative_cell_voltage": voltage.ravel()}
    return Picture("ir-drop", "IR drop", caption, tile_ir_drop(layer), columns)


def _csv(columns: Mapping[str, Any]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*(np.asarray(each).tolist() for each in columns.values()), strict=True))
    return buffer.getvalue()
