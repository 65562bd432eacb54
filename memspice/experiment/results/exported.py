"""Parts of an export: cells, neuron and layers, every value with its unit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from memspice.analysis.ir_drop import IrDrop
from memspice.analysis.mean_curve import MeanCurve
from memspice.analysis.output_lines import OutputLines

#: Metadata of fields: the unit of their values.
ONE, VOLT, SECOND, SIEMENS, OHM, JOULE = (
    {"unit": unit} for unit in ("1", "V", "s", "S", "ohm", "J")
)


@dataclass(frozen=True, eq=False)
class ExportedCells:
    """Cells, wires and row drivers of an export; `Export.parameters` has their sources.

    Parameters
    ----------
    min_conductance, max_conductance : float, [S]
        Of a weight of zero, and of the largest.
    levels : int
        Both ends included.
    variation : float, [1]
        Sigma of ``ln G``, from cell to cell.
    stuck_on, stuck_off : float, [1]
        Shares of all cells.
    aged : float, [1]
        Conductance over the programmed one, by age and temperature.
    aged_spread : float, [1]
        Sigma of ``ln G`` that age has added.
    wire_resistance_row, wire_resistance_col, driver_resistance : float, [ohm]
        A segment each cell; a row driver.
    """

    min_conductance: float = field(metadata=SIEMENS)
    max_conductance: float = field(metadata=SIEMENS)
    levels: int = field(metadata=ONE)
    variation: float = field(metadata=ONE)
    stuck_on: float = field(metadata=ONE)
    stuck_off: float = field(metadata=ONE)
    aged: float = field(metadata=ONE)
    aged_spread: float = field(metadata=ONE)
    wire_resistance_row: float = field(metadata=OHM)
    wire_resistance_col: float = field(metadata=OHM)
    driver_resistance: float = field(metadata=OHM)

    @property
    def span(self) -> float:
        """Range of conductance of a cell as it was programmed, [S]."""
        return self.max_conductance - self.min_conductance

    @property
    def mean_factor(self) -> float:
        """Mean conductance of cells over their median, [1]: they spread log-normally."""
        return math.exp((self.variation**2 + self.aged_spread**2) / 2)

    @property
    def relative_sd(self) -> float:
        """Standard deviation of their conductance over the median, [1]."""
        variance = self.variation**2 + self.aged_spread**2
        return self.mean_factor * math.sqrt(math.expm1(variance))


@dataclass(frozen=True, eq=False)
class ExportedNeuron:
    """Neuron of an export, the median device: ``P(V)`` of one write pulse, and how devices differ.

    Parameters
    ----------
    unit_drive : float, [V]
        Drive at which the hazard integral of a pulse is 1, ``P`` 63.2 %.
    drive_scale : float, [V]
        Drive that raises it e times there.
    voltage_scale, time_scale : float, [V], [s]
        ``V0`` and ``tau0`` of the exponential law of the device's own voltage (there).
    write_fraction : float, [1]
        Share of the drive that the device sees.
    write, edge : float, [s]
        Flat part of the write pulse, and each of its edges.
    voltage_scale_spread, time_scale_spread : float, [1]
        Sigmas of ``ln V0`` and ``ln tau0``, from device to device.
    threshold_spread : float, [V]
        Sigma of the drive at which a device switches.
    gain_spread : float, [1]
        Sigma of the gain of a neuron's sense stage, of 1.
    drive, probability : ndarray, shape (points,), [V], [1]
        ``P(V)`` between the limits of the drive.
    """

    unit_drive: float = field(metadata=VOLT)
    drive_scale: float = field(metadata=VOLT)
    voltage_scale: float = field(metadata=VOLT)
    time_scale: float = field(metadata=SECOND)
    write_fraction: float = field(metadata=ONE)
    write: float = field(metadata=SECOND)
    edge: float = field(metadata=SECOND)
    voltage_scale_spread: float = field(metadata=ONE)
    time_scale_spread: float = field(metadata=ONE)
    threshold_spread: float = field(metadata=VOLT)
    gain_spread: float = field(metadata=ONE)
    drive: np.ndarray = field(metadata=VOLT)
    probability: np.ndarray = field(metadata=ONE)


@dataclass(frozen=True, eq=False)
class ExportedLayer:
    """Layer of an export: what its circuits made of the inputs that they were given.

    Parameters
    ----------
    name : str
        Kind and number, such as ``dense1``.
    rows, inputs, outputs, positions : int
        Rows with those of the biases, and without; neurons; places that share the weights.
    row_tiles, column_groups : int
        Tiles that the rows, and the columns, are cut into.
    spiking : bool
        Whether neurons follow; without, drives are accumulated to scores.
    bound : float, [1]
        Weight that the whole range of conductance stands for.
    largest_weight, mean_weight : float, [1]
        Largest magnitude of a weight, and the mean one.
    mean_input : float, [1]
        Mean level of the inputs.
    read_voltage : float, [V]
        Row voltage of an input of one.
    input_resistance : float, [ohm]
        Of the sense stage at the end of each bit line.
    origin, volts_per_unit : float, [V]
        Drive that a weighted input of 0 asks for, and what each unit of it adds.
    limits : tuple of float, [V]
        Lowest and highest drive.
    events : int
        Outputs in cycles of windows that all means are over.
    spike_rate : float or None, [1]
        Spikes an event; None without neurons.
    transfer : MeanCurve
        Drive and probability against the weighted input.
    array : OutputLines
        Drive, in units of a weighted input, against the weighted input that trained weights ask
        for: cells, wires, drivers, sense stage, and the shift of the neuron's threshold.
    neuron : OutputLines or None
        ``ln H`` against that drive: how neurons differ in ``V0`` and ``tau0``.
    ir_drop : IrDrop
        Gain by the resistance of wires and drivers alone.
    energy_event : mapping of str to float, [J]
        Joules an event, by component.
    assumed_fraction : float, [1]
        Share of them that rests on assumed constants.
    """

    name: str
    rows: int
    inputs: int
    outputs: int
    positions: int
    row_tiles: int
    column_groups: int
    spiking: bool
    bound: float = field(metadata=ONE)
    largest_weight: float = field(metadata=ONE)
    mean_weight: float = field(metadata=ONE)
    mean_input: float = field(metadata=ONE)
    read_voltage: float = field(metadata=VOLT)
    input_resistance: float = field(metadata=OHM)
    origin: float = field(metadata=VOLT)
    volts_per_unit: float = field(metadata=VOLT)
    limits: tuple[float, float] = field(metadata=VOLT)
    events: int
    spike_rate: float | None = field(metadata=ONE)
    transfer: MeanCurve
    array: OutputLines
    neuron: OutputLines | None
    ir_drop: IrDrop
    energy_event: Mapping[str, float] = field(metadata=JOULE)
    assumed_fraction: float = field(metadata=ONE)

    @property
    def range(self) -> tuple[float, float]:
        """Weighted inputs that stand for the limits of the drive, [1]."""
        low, high = ((volts - self.origin) / self.volts_per_unit for volts in self.limits)
        return low, high
