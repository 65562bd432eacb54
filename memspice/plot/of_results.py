"""Figures straight from results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from memspice.circuits.energy_model import NETWORK_COMPONENTS
from memspice.errors import ConfigError
from memspice.experiment.chip import Layer
from memspice.experiment.results.characterization import Characterization
from memspice.experiment.results.cosim import CosimResult
from memspice.experiment.results.events import PairedEvents
from memspice.experiment.results.layer import LayerResult
from memspice.experiment.results.sweep import SweepResult
from memspice.experiment.results.trace import NeuronWaveforms
from memspice.network.mapping import MappedLayer
from memspice.plot.energy_figures import energy_figure
from memspice.plot.event_figures import pathwise_figure, raster_figure, rate_figure
from memspice.plot.measured_plot import draw_measured
from memspice.plot.signal_figures import ir_drop_figure, neuron_waveform_figure
from memspice.plot.style import own_style
from memspice.plot.sweep_figures import sweep_figure
from memspice.plot.transfer_plot import draw_transfer
from memspice.plot.waveplot import draw_waveforms
from memspice.solver.crossbar_solution import solve_crossbar
from memspice.store import Column, JobRecord, phases_of

# matplotlib is imported where it draws: it would add half a second to every other command.
if TYPE_CHECKING:
    from matplotlib.figure import Figure


def neuron(waveforms: NeuronWaveforms, *, cycles: int = 2) -> Figure:
    """Draw one neuron through write, read and reset.

    Parameters
    ----------
    waveforms : NeuronWaveforms
        Of `LayerResult.waveforms`.
    cycles : int
        How many are drawn; the first two of which one spikes and one does not, where there are any.
    """
    changes = np.flatnonzero(np.diff(waveforms.spiked))
    first = min(int(changes[0]) if changes.size else 0, max(waveforms.cycles - cycles, 0))
    shown = waveforms.part(first, min(cycles, waveforms.cycles))
    names = ("drive", "device", "hazard", "threshold", "state", "spike")
    signals = {name: getattr(shown, name) for name in names}
    with own_style():
        return neuron_waveform_figure(shown.time, signals, shown.phases)


def signals(record: JobRecord, columns: Mapping[str, Column] | None = None) -> Figure:
    """Draw stored signals of a job over time, those of one unit on one axis, phases shaded.

    Parameters
    ----------
    record : JobRecord
        Of a run file, see `memspice.store.read_run`.
    columns : mapping, optional
        Name to (values, unit) of those to draw; all, if not given.

    Raises
    ------
    ConfigError
        If there is nothing to draw.
    """
    drawn = record.signals if columns is None else columns
    stop = float(record.time[-1]) if record.time.size else 0.0
    with own_style():
        return draw_waveforms(record.time, drawn, record.name, phases_of(record.attributes, stop))


def pathwise(result: LayerResult | CosimResult) -> Figure:
    """Draw the hazard integrals of SPICE over those of the closed form, event by event.

    Parameters
    ----------
    result : LayerResult or CosimResult
        Of layers with neurons.

    Raises
    ------
    ConfigError
        If nothing spikes, or the result was loaded from a file that does not hold its events.
    """
    pairs = list(_pairs(result).values())

    def all_of(name: str) -> np.ndarray:
        return np.concatenate([getattr(pair, name) for pair in pairs])

    with own_style():
        return pathwise_figure(
            all_of("model_hazard"),
            all_of("hazard"),
            all_of("draw"),
            all_of("model_spike"),
            all_of("spike"),
        )


def rates(result: LayerResult | CosimResult) -> Figure:
    """Draw the spike rate of each layer over the same events: SPICE, and what was expected.

    Parameters
    ----------
    result : LayerResult or CosimResult
        Of layers with neurons.

    Raises
    ------
    ConfigError
        As of `pathwise`.
    """
    with own_style():
        return rate_figure(spike_rates(result))


def spike_rates(result: LayerResult | CosimResult) -> dict[str, tuple[float, float, float]]:
    """Spikes per event of each layer: expected, in SPICE, and the standard error of the latter."""
    found = {}
    for name, pair in _pairs(result).items():
        expected = -np.expm1(-pair.model_hazard)
        error = float(np.sqrt(np.sum(expected * (1 - expected))) / len(expected))
        found[name] = (float(expected.mean()), float(pair.spike.mean()), error)
    return found


def _pairs(result: LayerResult | CosimResult) -> Mapping[str, PairedEvents]:
    pairs = result.paired_events()
    if not pairs:
        raise ConfigError(f"nothing of {result.network} spikes here: there are no events to draw")
    return pairs


def raster(result: LayerResult, *, image: int = 0, position: int | None = None) -> Figure:
    """Draw the spikes of one window over the cycles, and each neuron's count.

    Parameters
    ----------
    result : LayerResult
        Of a layer with neurons.
    image : int
        Number among those simulated.
    position : int, optional
        May be left out where the image has one.

    Raises
    ------
    ConfigError
        If there is no such window.
    """
    window = result.window(image, position)
    events = result.events.of_windows([window], result.cycles)
    title = f"{window.layer}, image {window.image}, position {window.position}: {result.fidelity}"
    with own_style():
        return raster_figure(events.spike[0], -np.expm1(-events.hazard[0].mean(axis=0)), title)


def energy(result: LayerResult | CosimResult) -> Figure:
    """Draw the joules by layer and component, and what they rest on.

    Parameters
    ----------
    result : LayerResult or CosimResult
        Of a layer the energy of all its events, of a network that of one inference.
    """
    total = result.energy
    rests = f"{total.assumed_fraction:.0%} assumed, {total.device_source} device"
    layers = {
        name: {**dict.fromkeys(NETWORK_COMPONENTS, 0.0), **each}
        for name, each in result.energy_by_layer().items()
    }
    with own_style():
        return energy_figure(layers, rests)


def transfer(result: Characterization) -> Figure:
    """Draw P(V) of a neuron: SPICE on the closed form, and on measured points where there are."""
    with own_style():
        return draw_measured(result) if result.measured else draw_transfer(result)


def sweep(result: SweepResult, measure: str | None = None) -> Figure:
    """Draw a measure over one or two of the values that a sweep has varied.

    Seeds are averaged, with the interval of Student's t; else the measure's own interval is drawn
    where it has one.  Two numbers with three values or more make a map, else there is a line for
    each value of the second.

    Parameters
    ----------
    result : SweepResult
        With at most two varied names besides ``seed``; `SweepResult.where` chooses points.
    measure : str, optional
        One of ``result.measures``; by default an accuracy, or the spikes unlike the ideal array.

    Raises
    ------
    ConfigError
        If there is no such measure, or too much is varied for one figure.
    """
    with own_style():
        return sweep_figure(result, measure)


def ir_drop(layer: Layer) -> Figure:
    """Draw what each cell of a layer's first tile loses to wires and drivers, all rows driven."""
    return tile_ir_drop(layer.mapped)


def tile_ir_drop(layer: MappedLayer) -> Figure:
    """Figure of `ir_drop`, of a layer as it is mapped."""
    with own_style():
        return ir_drop_figure(relative_voltage(layer))


def relative_voltage(layer: MappedLayer) -> np.ndarray:
    """Voltage over each cell of a layer's first tile by that of its row, (rows, columns), [1]."""
    circuit = layer.circuits[0]
    tile, array = circuit.conductances[0], circuit.array
    solution = solve_crossbar(
        1 / tile,
        np.ones(len(tile)),
        wire_resistance_row=array.wire_resistance_row,
        wire_resistance_col=array.wire_resistance_col,
        driver_resistance=array.driver_resistance,
        sense_resistance=circuit.sense.input_resistance,
        node_voltages=True,
    )
    assert solution.word_line_voltage is not None
    assert solution.bit_line_voltage is not None
    return np.asarray(solution.word_line_voltage - solution.bit_line_voltage)
