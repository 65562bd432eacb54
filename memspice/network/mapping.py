"""From trained weights to crossbar circuits: tiles, gains, bias voltages.

A layer of ``outputs`` neurons with ``fan_in`` inputs becomes column groups of at most
``tile_cols / 2`` neurons, which all have the same inputs; the rows of a group, one bias row
included, are cut evenly into row tiles of at most ``tile_rows``, which meet at one sense stage.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise

import numpy as np

from memspice.circuits.blocks.sense import SenseStage
from memspice.circuits.blocks.sense_design import SenseNeeds
from memspice.circuits.layer import LayerCircuit
from memspice.circuits.ports import port_array
from memspice.circuits.pulse_code import PulseCode
from memspice.devices.synapse import differential_conductance
from memspice.errors import ConfigError
from memspice.network.architecture import Architecture, Conv, Dense, WeightStep
from memspice.network.joints import ideal_notes
from memspice.network.line_load import heaviest_line, line_conductances
from memspice.network.port_cache import PortCache
from memspice.network.programming import Programmed, program_layer
from memspice.network.row_levels import check_levels
from memspice.network.scales import (
    DriveScale,
    Readout,
    asked_gain,
    chip_limits,
    drive_scale,
    span_notes,
)
from memspice.network.trimming import trimmed
from memspice.network.varied import drawn_neurons, drawn_stages
from memspice.network.weights import Network, WeightLayer
from memspice.parameters import ParameterSet


@dataclass(frozen=True, eq=False)
class MappedLayer:
    """One weight layer as circuits, with what the network loop needs around it.

    Parameters
    ----------
    step : WeightStep
        The layer in its architecture: geometry and shapes.
    circuits : tuple of LayerCircuit
        Column groups, their outputs in order.
    programmed : Programmed
        What the cells, the bias rows and the bias voltage hold.
    volts_per_unit : float, [V]
        Drive voltage per unit of weighted input.
    """

    step: WeightStep
    circuits: tuple[LayerCircuit, ...]
    programmed: Programmed
    volts_per_unit: float

    @property
    def name(self) -> str:
        """``conv1``, ``dense7``: kind and number of the weight layer, from one."""
        return self.step.name

    @property
    def number(self) -> int:
        """Number of the weight layer from zero: the layer of the random draws."""
        return self.step.number - 1

    @property
    def kind(self) -> Conv | Dense:
        """Geometry."""
        return self.step.layer

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(channels, height, width) before the layer."""
        return self.step.input_shape

    @property
    def spiking(self) -> bool:
        """Whether neurons follow; the last layer accumulates instead."""
        return self.circuits[0].spiking

    @property
    def outputs(self) -> int:
        """Neurons per position."""
        return sum(circuit.outputs for circuit in self.circuits)

    @property
    def rows(self) -> int:
        """Inputs and the bias rows."""
        return self.circuits[0].rows

    @property
    def fan_in(self) -> int:
        """Inputs, without the bias rows."""
        return self.rows - len(self.programmed.levels)

    @property
    def positions(self) -> int:
        """Positions that share the weights: pixels of a convolution, one of a dense layer."""
        return math.prod(self.step.output_shape[1:])

    def circuit(self, outputs: range) -> LayerCircuit:
        """Circuit of neurons of successive numbers, which must be of one column group.

        Raises
        ------
        ConfigError
            If they are not.
        """
        first = 0
        for circuit in self.circuits:
            inside = range(outputs.start - first, outputs.stop - first)
            if 0 <= inside.start < inside.stop <= circuit.outputs:
                return circuit.part(inside)
            first += circuit.outputs
        raise ConfigError(
            f"layer {self.name} has no column group of outputs {outputs.start} to "
            f"{outputs.stop - 1}: its groups have {[c.outputs for c in self.circuits]} outputs"
        )

    def on_narrow_tiles(self, outputs: int) -> MappedLayer:
        """The same cells, stages and trims with at most so many outputs on a tile."""
        narrow = [
            circuit.alone(part)
            for circuit in self.circuits
            for part in column_groups(circuit.outputs, 2 * outputs)
        ]
        return replace(self, circuits=tuple(narrow))

    def row_voltage(self, inputs: np.ndarray, output: int = 0) -> np.ndarray:
        """Row voltages of the column group of an output, its bias rows included.

        Parameters
        ----------
        inputs : ndarray, shape (..., inputs), [1]
            Of all outputs at a position, in [0, 1].
        output : int
            Number of the output: others of a convolution with groups have other inputs.

        Returns
        -------
        ndarray, shape (..., rows), [V]
        """
        read = self.circuits[0].array.read_voltage
        levels = np.array(self.programmed.levels)
        first = output // (self.outputs // self.step.groups) * self.fan_in
        own = inputs[..., first : first + self.fan_in]
        bias = np.broadcast_to(levels * read, (*inputs.shape[:-1], len(levels)))
        return np.concatenate([own * read, bias], axis=-1)

    @property
    def readout(self) -> Readout:
        """Scores of an accumulating layer."""
        limits = self.circuits[0].write_limits
        return Readout(self.volts_per_unit, self.programmed.offset, limits)

    @property
    def straight(self) -> bool:
        """Whether the drive is a line in the inputs: `drive_line`, else `current_line`."""
        return self.circuits[0].sense.transimpedance is not None

    def current_line(self) -> tuple[np.ndarray, np.ndarray]:
        """Bit-line currents as a line in the inputs: ``weight @ inputs + offset`` [A].

        Weights are (2 outputs, fan_in), offsets (2 outputs,), in the order of the bit lines.
        """
        read = self.circuits[0].array.read_voltage
        transfer = np.concatenate([part.ports.transfer[part.columns] for part in self.circuits])
        levels = np.array(self.programmed.levels) * read
        return transfer[:, : self.fan_in] * read, transfer[:, self.fan_in :] @ levels

    def drive(self, currents: np.ndarray) -> np.ndarray:
        """Settled drive (..., outputs) [V], without limits, for currents (..., bit lines) [A]."""
        ends = np.cumsum([2 * part.outputs for part in self.circuits])[:-1]
        own = zip(self.circuits, np.split(currents, ends, axis=-1), strict=True)
        return np.concatenate([part.drive_of(each) for part, each in own], axis=-1)

    def drive_line(self) -> tuple[np.ndarray, np.ndarray]:
        """Settled drive as a line in the inputs, without limits: ``weight @ inputs + offset`` [V].

        Weights are (outputs, fan_in), offsets (outputs,).
        """
        gain = np.concatenate([part.drive_gain for part in self.circuits])
        bias = np.concatenate([part.output_bias for part in self.circuits])
        read = self.circuits[0].array.read_voltage
        levels = np.array(self.programmed.levels) * read
        return gain[:, : self.fan_in] * read, bias + gain[:, self.fan_in :] @ levels


@dataclass(frozen=True, eq=False)
class MappedNetwork:
    """A network on crossbars: its weight layers in order, as circuits."""

    architecture: Architecture
    parameter_set: ParameterSet
    layers: tuple[MappedLayer, ...]
    span: tuple[float, float] | None = None
    ports: PortCache | None = None

    @property
    def notes(self) -> list[str]:
        """What of the network is on the chip in another way than one would think."""
        notes = span_notes(self.span, self.parameter_set)
        notes += [note for layer in self.layers for note in layer.programmed.notes]
        notes += ideal_notes({layer.name: layer.circuits[0] for layer in self.layers})
        return notes + (self.ports.problems if self.ports else [])

    @property
    def share(self) -> float:
        """Share of a held drive that the newest row pulse makes, [1]."""
        return self.layers[0].circuits[0].sense.share

    @property
    def code(self) -> PulseCode:
        """How rows carry pixels."""
        return PulseCode(self.parameter_set.array.row_driver.steps)

    def answers(self, cycles: int, burst: int) -> int:
        """How many drives of each class make an answer: a leaky average is held to the end."""
        return cycles // burst if self.share == 1 else 1

    def layer(self, name: str) -> MappedLayer:
        """Weight layer of a name.

        Raises
        ------
        ConfigError
            If there is none; the message lists the names.
        """
        for candidate in self.layers:
            if candidate.name == name:
                return candidate
        names = ", ".join(layer.name for layer in self.layers)
        raise ConfigError(f"network {self.architecture.name} has no layer {name!r}: use {names}")


def map_network(
    network: Network,
    parameter_set: ParameterSet,
    tile: tuple[int, int] = (128, 128),
    seed: int = 0,
    ports: PortCache | None = None,
) -> MappedNetwork:
    """Put a network on crossbar tiles.

    Parameters
    ----------
    network : Network
        Trained weights.  The limits of the drive are those of its span, where the parameter set
        allows as much; `MappedNetwork.notes` say so where it does not.
    parameter_set : ParameterSet
        Devices and circuits.
    tile : tuple of int
        Most rows and columns of a tile; columns come in pairs.
    seed : int
        Of device-to-device spread and stuck cells, and of the neurons' own constants: one device
        per output of a layer, shared over the positions of a convolution, whatever the tiles.
    ports : PortCache, optional
        Knows the port matrices of earlier runs; without, every crossbar is reduced.

    Raises
    ------
    ConfigError
        If a tile is too small for a pair of columns, or rows would carry levels that their drivers
        do not have.
    """
    if tile[0] < 1 or tile[1] < 2:
        raise ConfigError(f"a tile of {tile[0]}x{tile[1]} is too small: at least 1x2 is needed")
    steps = list(network.architecture.shapes())
    check_levels(steps, parameter_set)
    mapped = partial(_map_layer, parameter_set=parameter_set, tile=tile, seed=seed, ports=ports)
    layers = tuple(
        mapped(weights, step, spiking=step.number < len(steps), span=network.span)
        for step, weights in zip(steps, network.layers, strict=True)
    )
    return MappedNetwork(network.architecture, parameter_set, layers, network.span, ports)


def _map_layer(
    layer: WeightLayer,
    step: WeightStep,
    *,
    spiking: bool,
    span: tuple[float, float] | None,
    parameter_set: ParameterSet,
    tile: tuple[int, int],
    seed: int,
    ports: PortCache | None,
) -> MappedLayer:
    kind, name, number = step.layer, step.name, step.number - 1
    programmed = program_layer(layer, name, chip_limits(parameter_set, spiking, span))
    layer, matrix = programmed.layer, programmed.matrix
    rng = np.random.default_rng([seed, number])
    conductance = differential_conductance(matrix, layer.bound, parameter_set.synapse, rng)
    scale = drive_scale(layer, parameter_set, spiking, span)
    row_level = np.append(np.ones(layer.weight.shape[1]), programmed.levels)
    heaviest = heaviest_line(conductance, row_level, layer, parameter_set)
    needs = SenseNeeds(
        transimpedance=asked_gain(scale, layer.bound, parameter_set),
        largest_current=heaviest.current,
        conductances=line_conductances(conductance, parameter_set),
        settle=parameter_set.timing.settle,
        layer=name,
        cause=str(heaviest),
        spiking=spiking,
    )
    sense = parameter_set.sense.sized(needs)
    device = parameter_set.neuron.device
    variation = drawn_neurons(device, kind.channels, number, seed) if spiking else None
    stages = drawn_stages(sense, kind.channels, number, seed) if spiking else sense
    circuits = []
    for outputs in column_groups(kind.channels, tile[1], step.groups):
        columns = conductance[:, 2 * outputs.start : 2 * outputs.stop]
        tiles = tuple(np.array_split(columns, math.ceil(len(columns) / tile[0])))
        own_stages = stages.part(outputs)
        circuit = _circuit(tiles, own_stages, scale, programmed.common, parameter_set)
        own = variation and variation.take(outputs)
        circuits.append(replace(circuit, variation=own, port_source=ports or port_array))
    mapped = MappedLayer(step, tuple(circuits), programmed, scale.volts_per_unit)
    return trimmed_layer(mapped)


def trimmed_layer(mapped: MappedLayer) -> MappedLayer:
    """Layer with the offsets of its difference stages trimmed to its weights.

    Itself where they have no trim, or what they make of currents is not known yet.

    Raises
    ------
    ConfigError
        If its weights come without the mean levels of its rows.
    """
    layer, first = mapped.programmed.layer, mapped.circuits[0]
    if first.neuron.trim[0] == 0 or first.sense.unmeasured:
        return mapped
    if layer.mean_input is None:
        raise ConfigError(
            f"layer {mapped.name} cannot be trimmed: its weights have no mean levels of its rows; "
            "set periphery.trim_step to 0, or add these by memspice.network.ann.with_mean_inputs"
        )
    asked = layer.weighted(layer.mean_input) + layer.bias
    starts = np.cumsum([0, *(circuit.outputs for circuit in mapped.circuits)])
    circuits = tuple(
        trimmed(
            circuit,
            mapped.row_voltage(layer.mean_input, int(start)),
            asked[start : start + circuit.outputs],
            mapped.volts_per_unit,
        )
        for circuit, start in zip(mapped.circuits, starts[:-1], strict=True)
    )
    return replace(mapped, circuits=circuits)


def column_groups(outputs: int, tile_cols: int, groups: int = 1) -> list[slice]:
    """Even groups of outputs, each of at most ``tile_cols`` columns in pairs.

    Each of the ``groups`` of a convolution, as many outputs one after the other, is cut by itself.
    """
    own = outputs // groups
    parts = math.ceil(own / (tile_cols // 2))
    edges = [own * k // parts for k in range(parts + 1)]
    return [
        slice(own * group + start, own * group + stop)
        for group in range(groups)
        for start, stop in pairwise(edges)
    ]


def _circuit(
    tiles: tuple[np.ndarray, ...],
    sense: SenseStage,
    scale: DriveScale,
    common_bias: float,
    parameter_set: ParameterSet,
) -> LayerCircuit:
    return LayerCircuit(
        conductances=tiles,
        array=parameter_set.array.driven(sense.row_scale, sense.line_level),
        sense=sense,
        bias_voltage=scale.origin + common_bias * scale.volts_per_unit,
        write_limits=scale.limits,
        neuron=parameter_set.neuron,
        latch=parameter_set.latch,
        timing=parameter_set.timing,
        spiking=scale.spiking,
    )
