"""From weighted inputs to voltages: the scale of a layer's drive, the limits of its circuits."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from memspice.circuits.blocks.sense_design import HEADROOM
from memspice.errors import ConfigError
from memspice.network.programming import ChipLimits
from memspice.network.weights import WeightLayer
from memspice.parameters import ParameterSet

#: Change of the probability of a spike at an end of a network's span that is worth a note.
NOTICED = 2e-3
#: Share of a sense stage's span, at its upper end, where a score makes less of a drive than it
#: should: that of bursts has half of its gain there.
END = 0.05


@dataclass(frozen=True)
class DriveScale:
    """Drive voltage ``origin + z * volts_per_unit`` of a weighted input ``z``, and its limits."""

    origin: float
    volts_per_unit: float
    limits: tuple[float, float]
    spiking: bool

    def weighted(self, voltages: tuple[float, float]) -> tuple[float, float]:
        """Weighted inputs that stand for two voltages."""
        low, high = ((voltage - self.origin) / self.volts_per_unit for voltage in voltages)
        return low, high

    def within(self, span: tuple[float, float] | None) -> DriveScale:
        """Scale with limits at a span of weighted inputs, as far as its own allow.

        Raises
        ------
        ConfigError
            If they allow nothing of it.
        """
        if span is None:
            return self
        low, high = (self.origin + z * self.volts_per_unit for z in span)
        limits = max(low, self.limits[0]), min(high, self.limits[1])
        if not limits[0] < limits[1]:
            raise ConfigError(
                f"the network was trained for drives of {low:.3g} V to {high:.3g} V, all outside "
                f"the limits {self.limits[0]:g} to {self.limits[1]:g} V of the difference stage: "
                "change the limits, or train for this device"
            )
        return replace(self, limits=limits)


@dataclass(frozen=True, eq=False)
class Readout:
    """Readout of an accumulating layer: makes scores of its mean drives.

    ``volts_per_unit`` [V] is the drive per unit of weighted input, ``offset`` (outputs,) [1] is
    added where the output is accumulated; ``limits`` [V] are those of a drive.
    """

    volts_per_unit: float
    offset: np.ndarray
    limits: tuple[float, float]

    def scores(self, drive: np.ndarray) -> np.ndarray:
        """Scores [1] of mean drives (..., outputs) [V]."""
        return np.asarray(drive / self.volts_per_unit + self.offset)

    def ended(self, drive: np.ndarray) -> np.ndarray:
        """Whether the highest of some drives (..., outputs) [V] is where its stage ends, (...)."""
        low, high = self.limits
        return np.asarray(drive.max(axis=-1) > high - END * (high - low))


def span_notes(span: tuple[float, float] | None, parameter_set: ParameterSet) -> list[str]:
    """Where the limits of a device are narrower than the span that a network was trained for."""
    if span is None:
        return []
    scale = _spiking_scale(parameter_set)
    kept = scale.weighted(scale.within(span).limits)
    odds = [[-math.expm1(-math.exp(min(z, 50.0))) for z in ends] for ends in (span, kept)]
    return [
        f"neurons were trained to switch with P = {asked:.3g} {word}, and do so with {found:.3g}: "
        f"the difference stage ends at {limit:g} V"
        for word, limit, asked, found in zip(
            ("at least", "at most"), scale.limits, *odds, strict=True
        )
        if abs(asked - found) > NOTICED
    ]


def _spiking_scale(parameter_set: ParameterSet) -> DriveScale:
    neuron, timing = parameter_set.neuron, parameter_set.timing
    share, law = neuron.write_fraction, neuron.device.hazard
    origin, limits = law.unit_voltage(timing.write, timing.edge) / share, neuron.write_limits
    if not limits[0] < origin < limits[1]:
        raise ConfigError(
            f"a drive of {origin:.3g} V switches the device with P = 63 %, outside the limits "
            f"{limits[0]:g} to {limits[1]:g} V of the difference stage: no input can make it "
            "spike as trained; change timing.write, the hazard law or the limits"
        )
    return DriveScale(origin, law.voltage_scale / share, limits, spiking=True)


def drive_scale(
    layer: WeightLayer,
    parameter_set: ParameterSet,
    spiking: bool,
    span: tuple[float, float] | None = None,
) -> DriveScale:
    """Scale of the drives of a layer, as it is programmed; ``span`` is that of its network.

    Raises
    ------
    ConfigError
        If no input can make the device spike as trained.
    """
    if spiking:
        return _spiking_scale(parameter_set).within(span)
    # Inputs lie between 0 and 1: no score exceeds the sum of its weights of one sign, and few come
    # near.
    positive = np.maximum(layer.weight, 0).sum(axis=1)
    negative = np.maximum(-layer.weight, 0).sum(axis=1)
    largest = float(np.max(np.maximum(positive, negative) + np.abs(layer.bias))) or 1.0
    swing, room = parameter_set.sense.swing, parameter_set.answer.score_range * largest
    return DriveScale(0.0, HEADROOM * swing / room, (-swing, swing), spiking=False)


def chip_limits(
    parameter_set: ParameterSet, spiking: bool, span: tuple[float, float] | None = None
) -> ChipLimits:
    """Limits of the circuits of a parameter set, in units of weights and weighted inputs.

    ``span`` is that of the network.

    Raises
    ------
    ConfigError
        If no input can make the device spike as trained, or rows cannot be read at all.
    """
    array = parameter_set.array
    if array.drive_limit < array.read_voltage:
        raise ConfigError(
            f"array.drive_limit = {array.drive_limit:g} V is below array.read_voltage = "
            f"{array.read_voltage:g} V, at which a spike drives its row: raise it"
        )
    steps, highest = parameter_set.synapse.levels - 1, array.drive_limit / array.read_voltage
    if not spiking:
        return ChipLimits(steps, highest)
    scale = _spiking_scale(parameter_set).within(span)
    biases = scale.weighted(parameter_set.sense.bias_voltages(parameter_set.neuron))
    return ChipLimits(steps, highest, scale.weighted(scale.limits), biases)


def asked_gain(scale: DriveScale, bound: float, parameter_set: ParameterSet) -> float:
    """Drive per difference of bit-line currents that gives weighted inputs their scale, [ohm]."""
    array, synapse = parameter_set.array, parameter_set.synapse
    # The conductance range stands for the bound, the read voltage for an input of one.
    ends = np.array([synapse.min_conductance, synapse.max_conductance])
    low, high = array.cell.read_conductance(ends, array.read_voltage)
    return scale.volts_per_unit / (array.read_voltage * float(high - low) / bound)
