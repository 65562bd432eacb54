"""From trained weights to crossbar circuits: tiles, gains, bias voltages.

A layer of ``outputs`` neurons with ``fan_in`` inputs becomes column groups of at most
``tile_cols / 2`` neurons; the rows of a group, one bias row included, are cut evenly into row tiles
of at most ``tile_rows``, whose bit lines meet at one sense stage.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from memspice.circuits.layer import LayerCircuit
from memspice.devices.synapse import differential_conductance
from memspice.devices.variation import NeuronVariation, draw_variation
from memspice.errors import ConfigError
from memspice.network.architecture import Architecture, Conv, Dense, Pool
from memspice.network.trimming import trimmed
from memspice.network.weights import Network, WeightLayer
from memspice.parameters import ParameterSet

#: Share of the amplifier's swing that the largest possible bit-line current may use.
_HEADROOM = 0.9
#: Time constants that a difference stage gets to settle: it is then within e^-5, and gets closer.
_SETTLING = 5.0
#: Sets the draws of neurons apart from those of cells (no third word) and of windows (an image).
_NEURON_DRAWS = 0x6E6575726F6E


@dataclass(frozen=True)
class MappedLayer:
    """One weight layer as circuits, with what the network loop needs around it.

    Parameters
    ----------
    name : str
        ``conv1``, ``dense7``: kind and number of the weight layer, from one.
    number : int
        Number of the weight layer from zero: the layer of the random draws.
    kind : Conv or Dense
        Geometry.
    input_shape : tuple of int
        (channels, height, width) before the layer.
    circuits : tuple of LayerCircuit
        Column groups, their outputs in order.
    bias_level : float, [1]
        Height of the bias row in units of the read voltage.
    volts_per_unit : float, [V]
        Drive voltage per unit of weighted input.
    """

    name: str
    number: int
    kind: Conv | Dense
    input_shape: tuple[int, int, int]
    circuits: tuple[LayerCircuit, ...]
    bias_level: float
    volts_per_unit: float

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
        """Inputs and the bias row."""
        return self.circuits[0].rows

    @property
    def positions(self) -> int:
        """Positions that share the weights: pixels of a convolution, one of a dense layer."""
        return self.input_shape[1] * self.input_shape[2] if isinstance(self.kind, Conv) else 1

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

    def row_voltage(self, inputs: np.ndarray) -> np.ndarray:
        """Row voltages (..., rows) [V] for inputs (..., rows - 1) in [0, 1]; adds the bias row."""
        read = self.circuits[0].array.read_voltage
        bias = np.full((*inputs.shape[:-1], 1), self.bias_level * read)
        return np.concatenate([inputs * read, bias], axis=-1)

    def drive_line(self) -> tuple[np.ndarray, np.ndarray]:
        """Settled drive as a line in the inputs, without limits: ``weight @ inputs + offset`` [V].

        Weights are (outputs, rows - 1), offsets (outputs,).
        """
        gain = np.concatenate([part.drive_gain for part in self.circuits])
        bias = np.concatenate([part.output_bias for part in self.circuits])
        read = self.circuits[0].array.read_voltage
        return gain[:, :-1] * read, bias + gain[:, -1] * (self.bias_level * read)


@dataclass(frozen=True)
class MappedNetwork:
    """A network on crossbars: pooling layers as they are, weight layers as circuits."""

    architecture: Architecture
    parameter_set: ParameterSet
    steps: tuple[MappedLayer | Pool, ...]

    @property
    def layers(self) -> tuple[MappedLayer, ...]:
        """Weight layers in order."""
        return tuple(step for step in self.steps if isinstance(step, MappedLayer))

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
) -> MappedNetwork:
    """Put a network on crossbar tiles.

    Parameters
    ----------
    network : Network
        Trained weights.
    parameter_set : ParameterSet
        Devices and circuits.
    tile : tuple of int
        Most rows and columns of a tile; columns come in pairs.
    seed : int
        Of device-to-device spread and stuck cells, and of the neurons' own constants: one device
        per output of a layer, shared over the positions of a convolution, whatever the tiles.

    Raises
    ------
    ConfigError
        If a tile is too small for a pair of columns, or a layer takes the outputs of several.
    """
    if tile[0] < 1 or tile[1] < 2:
        raise ConfigError(f"a tile of {tile[0]}x{tile[1]} is too small: at least 1x2 is needed")
    _check_chain(network.architecture)
    found = list(network.architecture.weight_layers())
    mapped = (
        _map_layer(
            weights,
            (step.layer, step.input_shape, number),
            number < len(found) - 1,
            parameter_set,
            tile,
            seed,
        )
        for number, (step, weights) in enumerate(zip(found, network.layers, strict=True))
    )
    steps = tuple(
        layer if isinstance(layer, Pool) else next(mapped) for layer in network.architecture.layers
    )
    return MappedNetwork(network.architecture, parameter_set, steps)


def _check_chain(architecture: Architecture) -> None:
    """Refuse layers that take the outputs of several: circuits do not carry them yet."""
    for number, step in enumerate(architecture.weight_layers(), 1):
        if step.layer.also:
            raise ConfigError(
                f"layer {number} of network {architecture.name} also takes the outputs of "
                f"{list(step.layer.also)}: on circuits a layer takes those of the layer before it "
                "only; give a network without also"
            )


def _map_layer(
    layer: WeightLayer,
    geometry: tuple[Conv | Dense, tuple[int, int, int], int],
    spiking: bool,
    parameter_set: ParameterSet,
    tile: tuple[int, int],
    seed: int,
) -> MappedLayer:
    kind, input_shape, number = geometry
    common = float(np.mean(layer.bias))
    rest = layer.bias - common
    bias_level = float(np.max(np.abs(rest))) / layer.bound or 1.0
    matrix = np.concatenate([layer.weight.T, rest[None] / bias_level])
    rng = np.random.default_rng([seed, number])
    conductance = differential_conductance(matrix, layer.bound, parameter_set.synapse, rng)
    scale = _scale(layer, parameter_set, spiking)
    row_level = np.append(np.ones(len(matrix) - 1), bias_level)
    feedback = _feedback_resistance(conductance, row_level, parameter_set)
    variation = _variation(parameter_set, kind.channels, number, seed) if spiking else None
    circuits = []
    for outputs in column_groups(kind.channels, tile[1]):
        columns = conductance[:, 2 * outputs.start : 2 * outputs.stop]
        circuit = _circuit(columns, feedback, scale, common, layer.bound, parameter_set, tile[0])
        circuits.append(replace(circuit, variation=variation and variation.take(outputs)))
    name = f"{type(kind).__name__.lower()}{number + 1}"
    mapped = MappedLayer(
        name, number, kind, input_shape, tuple(circuits), bias_level, scale.volts_per_unit
    )
    return _trimmed(mapped, layer) if parameter_set.periphery.trim_step else mapped


def _trimmed(mapped: MappedLayer, layer: WeightLayer) -> MappedLayer:
    """Layer with the offsets of its difference stages trimmed to its weights."""
    if layer.mean_input is None:
        raise ConfigError(
            f"layer {mapped.name} cannot be trimmed: its weights come without the mean levels of "
            "its rows; set periphery.trim_step to 0, or add the levels with "
            "memspice.network.ann.with_mean_inputs"
        )
    asked = layer.weight @ layer.mean_input + layer.bias
    rows = mapped.row_voltage(layer.mean_input)
    parts = np.split(asked, np.cumsum([circuit.outputs for circuit in mapped.circuits])[:-1])
    circuits = tuple(
        trimmed(circuit, rows, part, mapped.volts_per_unit)
        for circuit, part in zip(mapped.circuits, parts, strict=True)
    )
    return replace(mapped, circuits=circuits)


def _variation(
    parameter_set: ParameterSet, neurons: int, number: int, seed: int
) -> NeuronVariation | None:
    rng = np.random.default_rng([seed, number, _NEURON_DRAWS])
    return draw_variation(parameter_set.device, neurons, rng)


@dataclass(frozen=True)
class _Scale:
    """Drive voltage ``origin + z * volts_per_unit`` of a weighted input ``z``, and its limits."""

    origin: float
    volts_per_unit: float
    limits: tuple[float, float]
    spiking: bool


def _scale(layer: WeightLayer, parameter_set: ParameterSet, spiking: bool) -> _Scale:
    periphery, timing, device = (
        parameter_set.periphery,
        parameter_set.timing,
        parameter_set.device,
    )
    if spiking:
        share = device.write_fraction(periphery.driver_resistance)
        origin = device.hazard.unit_voltage(timing.write, timing.edge) / share
        limits = (periphery.write_low, periphery.write_high)
        if not limits[0] < origin < limits[1]:
            raise ConfigError(
                f"a drive of {origin:.3g} V switches the device with P = 63 %, outside the limits "
                f"{limits[0]:g} to {limits[1]:g} V of the difference stage: no input can make it "
                "spike as trained; change timing.write, the hazard law or the limits"
            )
        return _Scale(origin, device.hazard.voltage_scale / share, limits, spiking)
    # Inputs lie between 0 and 1: no score exceeds the sum of its weights of one sign.
    positive = np.maximum(layer.weight, 0).sum(axis=1)
    negative = np.maximum(-layer.weight, 0).sum(axis=1)
    largest = float(np.max(np.maximum(positive, negative) + np.abs(layer.bias))) or 1.0
    swing = parameter_set.sense.swing
    return _Scale(0.0, _HEADROOM * swing / largest, (-swing, swing), spiking)


def _feedback_resistance(
    conductance: np.ndarray, row_level: np.ndarray, parameter_set: ParameterSet
) -> float:
    """Largest round resistance with which no input can saturate a transimpedance stage."""
    array = parameter_set.array
    cells = array.cell.read_conductance(conductance, array.read_voltage)
    current = np.max(row_level @ cells) * array.read_voltage
    largest = _HEADROOM * parameter_set.sense.swing / current
    step = 10.0 ** (math.floor(math.log10(largest)) - 1)
    feedback = float(math.floor(largest / step) * step)
    sense = parameter_set.sense
    if sense.kind == "transimpedance" and sense.gain * feedback <= sense.output_resistance:
        raise ConfigError(
            f"sense.output_resistance = {sense.output_resistance:g} ohm leaves no gain at the "
            f"feedback resistance of {feedback:g} ohm that a swing of {sense.swing:g} V allows: "
            "lower the output resistance or raise the swing"
        )
    return feedback


def column_groups(outputs: int, tile_cols: int) -> list[slice]:
    """Even groups of outputs, each of at most ``tile_cols`` columns in pairs."""
    groups = math.ceil(outputs / (tile_cols // 2))
    edges = [outputs * k // groups for k in range(groups + 1)]
    return [slice(start, stop) for start, stop in pairwise(edges)]


def _circuit(
    conductance: np.ndarray,
    feedback: float,
    scale: _Scale,
    common_bias: float,
    bound: float,
    parameter_set: ParameterSet,
    tile_rows: int,
) -> LayerCircuit:
    sense, array, synapse = parameter_set.sense, parameter_set.array, parameter_set.synapse
    # The conductance range stands for the bound, the read voltage for an input of one.
    ends = np.array([synapse.min_conductance, synapse.max_conductance])
    low, high = array.cell.read_conductance(ends, array.read_voltage)
    per_ohm = array.read_voltage * float(high - low) / bound
    tiles = math.ceil(len(conductance) / tile_rows)
    circuit = LayerCircuit(
        conductances=tuple(np.array_split(conductance, tiles)),
        array=parameter_set.array,
        sense=sense,
        feedback_resistance=feedback,
        difference_gain=scale.volts_per_unit / per_ohm / sense.transimpedance(feedback),
        bias_voltage=scale.origin + common_bias * scale.volts_per_unit,
        write_limits=scale.limits,
        device=parameter_set.device,
        periphery=parameter_set.periphery,
        timing=parameter_set.timing,
        spiking=scale.spiking,
    )
    _check_settling(circuit)
    return circuit


def _check_settling(circuit: LayerCircuit) -> None:
    """Refuse a difference stage too slow for the time it gets before the write pulse."""
    constant = circuit.difference_gain / (2 * math.pi * circuit.sense.bandwidth)
    if circuit.timing.settle < _SETTLING * constant:
        raise ConfigError(
            f"timing.settle = {circuit.timing.settle:g} s is below {_SETTLING:g} time constants of "
            f"the difference stage, {constant:g} s at a gain of {circuit.difference_gain:.3g}: "
            "lengthen settle, raise the bandwidth or the sense resistance"
        )
