"""``memspice export``: what the circuits of a network do, as numbers that other tools can use."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from memspice.analysis.ir_drop import ir_drop
from memspice.analysis.mean_curve import mean_curve
from memspice.analysis.output_lines import output_lines
from memspice.analysis.transfer import RESOLVED, switching_probability
from memspice.circuits.bursts import burst_means, leaky_means
from memspice.datasets import Images
from memspice.engines.base import Engine
from memspice.experiment.chip import Chip, Layer
from memspice.experiment.request import Request
from memspice.experiment.results.export import Export
from memspice.experiment.results.exported import ExportedCells, ExportedLayer, ExportedNeuron
from memspice.experiment.results.layer import LayerResult
from memspice.experiment.results.run import DataFacts
from memspice.experiment.run_options import RunOptions
from memspice.network.inference import run_inference
from memspice.network.weights import WeightLayer
from memspice.parameters import ParameterSet
from memspice.windows.fidelities import open_fidelity
from memspice.windows.fidelity import Fidelity

#: Points of ``P(V)``.
_POINTS = 41
#: Share of the range of a drive, at either end, that a sense stage may bend before its limit, [1].
_BEND = 1e-3


def export(
    chip: Chip,
    images: Images,
    *,
    layer: str | None = None,
    cycles: int = 8,
    burst: int | None = None,
    positions: int = 1,
    fidelity: Fidelity | str = "surrogate",
    engine: Engine | str | None = None,
    options: RunOptions = RunOptions(),
) -> Export:
    """Find what the circuits of a chip make of a network's layers: gains, offsets, P(V), joules.

    Windows of every layer are simulated; the drives of their events are laid beside what the
    trained weights ask for.

    Parameters
    ----------
    chip : Chip
        Network and device; spreads of cells and neurons are those that its seed drew.
    images : Images
        Inputs; twenty or more, for every output to see different ones.
    layer : str, optional
        That one alone.
    cycles, burst, positions, fidelity, engine
        As of `Layer.simulate`; ``reduced`` and ``full`` measure in SPICE.
    options : RunOptions
        How it is carried out; there is no run file.

    Returns
    -------
    Export
        Which can be saved, and written for other tools.

    Raises
    ------
    ConfigError
        If the layer is unknown, or a number makes no sense.
    EngineError, IncompleteResults
        If a window failed, or is beyond a limit of the verdict: nothing is exported of it.
    """
    chosen = [chip[layer]] if layer else list(chip)
    request = chip.request(images, cycles=cycles, burst=burst, notes=options.notes)
    seen = open_fidelity(fidelity, engine)
    given: dict[str, Any] = {"cycles": cycles, "burst": request.burst, "positions": positions}
    layers, notes = [], list(request.notes)
    for each in chosen:
        result = each.simulate(images, fidelity=seen, keep="none", options=options, **given)
        result.check()
        layers.append(_layer(request, each, result))
        notes += result.notes
    made = request.provenance({}, seen.engine, options.command)
    parameters = request.mapped.parameter_set
    return Export(
        network=request.network.name,
        device=parameters.name,
        summary=parameters.summary,
        device_source=parameters.device_source,
        tile=request.tile,
        seed=request.seed,
        cycles=cycles,
        burst=request.burst,
        dataset=DataFacts.of(request.images),
        fidelity=seen.name,
        engine=made.engine,
        versions=made.versions,
        checksums=json.loads(made.config)["checksums"],
        command=options.command,
        notes=tuple(dict.fromkeys(notes)),
        cells=_cells(parameters),
        neuron=_neuron(parameters),
        layers=tuple(layers),
        parameters=parameters.provenance,
    )


def _layer(request: Request, layer: Layer, result: LayerResult) -> ExportedLayer:
    mapped, found = request.mapped.layer(layer.name), result.events
    circuit = mapped.circuits[0]
    programmed, units = mapped.programmed, mapped.volts_per_unit
    origin = circuit.bias_voltage - programmed.common * units
    weights, inputs = request.network.layers[mapped.number], _inputs(request, result)
    share = request.mapped.share
    asked = np.stack([_asked(weights, each, request.burst, share) for each in inputs])
    drive = (found.drive - origin) / units + programmed.offset
    inside = _inside(circuit.write_limits, found.drive)
    neuron = None
    if mapped.spiking:
        told = inside & (found.hazard >= RESOLVED[0]) & (found.hazard <= RESOLVED[1])
        neuron = output_lines(drive, np.log(np.where(told, found.hazard, 1.0)), told)
    energy = result.energy / found.count
    return ExportedLayer(
        name=mapped.name,
        rows=mapped.rows,
        inputs=mapped.fan_in,
        outputs=mapped.outputs,
        positions=mapped.positions,
        row_tiles=len(circuit.conductances),
        column_groups=len(mapped.circuits),
        spiking=mapped.spiking,
        bound=weights.bound,
        largest_weight=float(np.max(np.abs(weights.weight))),
        mean_weight=float(np.mean(np.abs(weights.weight))),
        mean_input=float(np.mean(inputs)),
        read_voltage=circuit.array.read_voltage,
        input_resistance=circuit.sense.input_resistance,
        origin=origin,
        volts_per_unit=units,
        limits=circuit.write_limits,
        events=found.count,
        spike_rate=float(found.spike.mean()) if mapped.spiking else None,
        transfer=mean_curve(asked, found.drive, found.hazard if mapped.spiking else None),
        array=output_lines(asked, drive, inside),
        neuron=neuron,
        ir_drop=ir_drop(mapped.circuits),
        energy_event=dict(energy.components),
        assumed_fraction=energy.assumed_fraction,
    )


def _inputs(request: Request, result: LayerResult) -> list[np.ndarray]:
    """Inputs (cycles, inputs) of every window of a result, in [0, 1]."""
    windows = result.events.windows
    loop = run_inference(
        request.mapped,
        request.images.x,
        request.cycles,
        request.seed,
        burst=request.burst,
        windows=windows,
        scored=False,
        checked=False,  # the windows themselves were
    )
    return [loop.windows[window] for window in windows]


def _asked(weights: WeightLayer, inputs: np.ndarray, burst: int, share: float) -> np.ndarray:
    """Weighted inputs (cycles, outputs) that the trained weights ask for in a window."""
    means = burst_means(leaky_means(inputs, len(inputs), share), burst)
    asked = np.stack([weights.weighted(each) + weights.bias for each in means])
    return asked.repeat(burst, axis=0)


def _inside(limits: tuple[float, float], drive: np.ndarray) -> np.ndarray:
    """Events whose drive no limit has clipped."""
    low, high = limits
    bend = _BEND * (high - low)
    return np.asarray((drive > low + bend) & (drive < high - bend))


def _cells(parameters: ParameterSet) -> ExportedCells:
    synapse, array = parameters.synapse, parameters.array
    return ExportedCells(
        min_conductance=synapse.min_conductance,
        max_conductance=synapse.max_conductance,
        levels=synapse.levels,
        variation=synapse.variation,
        stuck_on=synapse.stuck_on,
        stuck_off=synapse.stuck_off,
        aged=synapse.drift_factor * synapse.temperature_factor,
        aged_spread=synapse.spread,
        wire_resistance_row=array.wire_resistance_row,
        wire_resistance_col=array.wire_resistance_col,
        driver_resistance=array.driver_resistance,
    )


def _neuron(parameters: ParameterSet) -> ExportedNeuron:
    neuron, timing = parameters.neuron, parameters.timing
    device, share = neuron.device, neuron.write_fraction
    drive = np.linspace(*neuron.write_limits, _POINTS)
    return ExportedNeuron(
        unit_drive=device.hazard.unit_voltage(timing.write, timing.edge) / share,
        drive_scale=device.hazard.voltage_scale / share,
        voltage_scale=device.hazard.voltage_scale,
        time_scale=device.hazard.time_scale,
        write_fraction=share,
        write=timing.write,
        edge=timing.edge,
        voltage_scale_spread=device.voltage_scale_spread,
        time_scale_spread=device.time_scale_spread,
        threshold_spread=device.threshold_spread,
        gain_spread=device.gain_spread,
        drive=drive,
        probability=switching_probability(parameters, drive),
    )
